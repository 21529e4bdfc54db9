"""Text files: an optional block of settings at the top, and Markdown reduced to what is spoken."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+([^\n]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TextFile:
    """`settings` is YAML whose lines count as in the file, None where the file has none; `text` is the rest."""

    settings: str | None
    text: str


def split_front_matter(content: str) -> TextFile:
    """Part a block of settings between `---` lines at the very top from the text below it."""
    found = _FRONT_MATTER.match(content)
    if not found:
        return TextFile(None, content)
    return TextFile("\n" + found[1], content[found.end() :])


def without_heading_marks(markdown: str) -> str:
    """Markdown with each heading as a paragraph of its own, without its `#` marks. All else is left as it is."""
    return _HEADING.sub(lambda heading: f"\n{_title(heading[1])}\n", markdown)


def _title(written: str) -> str:
    """`Title ##` closes with marks that are not spoken; `C#` does not."""
    written = written.strip()
    unmarked = written.rstrip("#")
    return unmarked.rstrip() if unmarked.endswith((" ", "\t")) else written

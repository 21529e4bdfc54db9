"""Text as it enters: no character that steers a terminal or breaks a database, one kind of line ending."""

from __future__ import annotations

import os
import re
from pathlib import Path

# C0 but tab and newline, DEL, C1, bidi controls, byte order marks and noncharacters, lone surrogates.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_LINE_ENDINGS = re.compile("\r\n|[\r\u2028\u2029]")


def clean_text(text: str) -> str:
    """`text` with every line ending as `\\n` and without control characters, bidi controls and lone surrogates."""
    return _UNWANTED.sub("", _LINE_ENDINGS.sub("\n", text))


def is_clean(text: str) -> bool:
    """Whether `text` has no character that `clean_text` would take out, and stands on one line."""
    return not _UNWANTED.search(text) and not re.search("[\t\n\u2028\u2029]", text)


def visible(text: str) -> str:
    """`text` on one line, with `�` for every character that must not reach a terminal."""
    return re.sub("[\t\n\u2028\u2029]", "�", _UNWANTED.sub("�", text))


def shorten(text: str, length: int = 60) -> str:
    """At most `length` characters of `text`, with an ellipsis where some are missing."""
    return text if len(text) <= length else text[: length - 1] + "…"


def shown_path(path: Path) -> str:
    """A path as the person knows it: relative to the working directory where it lies in it, else as given."""
    try:
        relative = os.path.relpath(path, Path.cwd()) if path.is_absolute() else str(path)
    except OSError:
        relative = str(path)
    inside = relative != ".." and not relative.startswith("../")
    return visible(relative if inside else str(path))

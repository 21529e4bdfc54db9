"""How things are said on a screen: glyphs beside words, so that no state is told by colour alone; numbers; text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from cbtui.core.clean import visible
from cbtui.core.status import State

# Glyph of a terminal that has them, and of one that has not. Each is one cell wide.
_GLYPHS: dict[State, tuple[str, str]] = {
    "queued": ("·", "."),
    "rendering": ("▶", ">"),
    "done": ("✓", "+"),
    "failed": ("✗", "x"),
    "paused": ("‖", "="),
    "cancelled": ("○", "o"),
    "invalid": ("!", "!"),
    "blocked": ("◌", "~"),
    "quarantined": ("☠", "#"),
}
_ASCII_OF = str.maketrans({"…": ".", "·": ".", "—": "-", "–": "-", "█": "#", "░": "-", "│": "|", "•": "*", "→": ">"})


@dataclass(frozen=True, slots=True)
class Words:
    """Says things in the characters that this terminal has."""

    ascii: bool = False

    def glyph(self, state: State) -> str:
        return _GLYPHS[state][self.ascii]

    def bar(self, done: int, total: int, width: int) -> str:
        """A bar of `width` cells, filled in eighths of a cell where the terminal has such characters."""
        share = min(1.0, done / total) if total else 0.0
        if self.ascii:
            full = int(share * width)
            return "#" * full + "-" * (width - full)
        eighths = int(share * width * 8)
        full, rest = divmod(eighths, 8)
        return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width, "░")

    def plain(self, text: str) -> str:
        """Our own punctuation in this terminal's characters; the person's text stays as it is."""
        return text.translate(_ASCII_OF) if self.ascii else text


# What joins or alters emoji: terminals disagree about how many cells the whole takes, and agree about the parts.
_JOINERS = re.compile("[\u200b-\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u2060]")


def speaks_ascii_only(environment: dict[str, str] | None = None) -> bool:
    """Whether the locale or the terminal can show nothing else."""
    variables = os.environ if environment is None else environment
    locale = variables.get("LC_ALL") or variables.get("LC_CTYPE") or variables.get("LANG") or ""
    if variables.get("TERM") in {"linux", "dumb", "vt100", "vt220"}:
        return True
    return bool(locale) and "utf" not in locale.lower()


def fit(text: str, width: int, *, ellipsis: str = "…") -> str:
    """`text`, safe for any terminal, in exactly `width` cells."""
    text = _JOINERS.sub("", visible(text))
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + ellipsis


def first_that_fits(wordings: Iterable[str], width: int) -> str:
    """The first of these that takes at most so many cells; the last one where none does."""
    wording = ""
    for wording in wordings:
        if cell_len(wording) <= width:
            break
    return wording


def room_on_edge(width: int) -> int:
    """Cells for a title on the edge of a box of this width inside: a corner, a line and a space stand beside it."""
    return width - 4


def seconds_left(seconds: float) -> str:
    """`8s`, `3m20`, `2h05`, `3d04h`: at most six cells."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    if whole < 100 * 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB"

"""Borders, scrollbars and arrows as ASCII, for terminals that have nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# A corner or a crossing, whatever is not named here.
_DRAWN = {chr(code): "+" for code in range(0x2500, 0x25A0)}
_DRAWN |= dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺╼╾▀▔▄▁▂", "-")
_DRAWN |= dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻╽╿▌▐▍▎▏▕▊▋▉", "|")
_DRAWN |= dict.fromkeys("█▓", "#")
# The ends of a scrollbar, whose middle is a colour; a shade.
_DRAWN |= dict.fromkeys("▃▅▆▇░▒", " ")
_DRAWN |= {"▲": "^", "▼": "v", "▶": ">", "◀": "<", "▸": ">", "▾": "v", "●": "*", "○": "o", "■": "#", "•": "*"}
# What ends a title that is cut off.
_DRAWN |= {"…": "."}
_IN_ASCII = str.maketrans(_DRAWN)


class AsciiDrawing(LineFilter):
    """Every character of a drawing takes one cell before and after. Letters stay, whatever their alphabet."""

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(_IN_ASCII), *segment[1:])
            for segment in segments
        ]

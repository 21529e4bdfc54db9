"""The waveform: what is loud stands high, whatever the characters that the terminal has."""

from __future__ import annotations

import pytest

from cbtui.audio.peaks import Peaks
from cbtui.tui.widgets.waveform import ascii_wave, columns_of, dotted_wave, time_axis

PARTS = 1024


def level(low: float, high: float, seconds: float = 10.0) -> Peaks:
    return Peaks(seconds, (low,) * PARTS, (high,) * PARTS)


def lit_rows(lines: list[str], cell: int = 0) -> list[int]:
    """The rows of dots, from the top, in which the left column of a cell has one."""
    bits = (0x01, 0x02, 0x04, 0x40)
    cells = [ord(line[cell]) - 0x2800 for line in lines]
    return [4 * y + row for y, dots in enumerate(cells) for row, bit in enumerate(bits) if dots & bit]


@pytest.mark.parametrize(
    ("low", "high", "rows"),
    [
        (-1.0, 1.0, range(20)),
        (-0.3, 0.3, range(7, 13)),
        (0.0, 0.5, range(5, 10)),
        (-0.5, 0.0, range(10, 15)),
        (0.0, 0.0, [10]),
        (-3.0, 3.0, range(20)),
    ],
)
def test_dots_reach_as_high_as_the_sound(low: float, high: float, rows: list[int]) -> None:
    lines = dotted_wave(level(low, high), 30, 5)
    assert [len(line) for line in lines] == [30] * 5
    assert lit_rows(lines) == list(rows)
    assert lit_rows(lines, 29) == list(rows)


def test_a_short_burst_is_seen_at_any_width() -> None:
    highs = [0.0] * PARTS
    highs[700] = 0.9
    peaks = Peaks(10.0, (0.0,) * PARTS, tuple(highs))
    for width in (1, 7, 40, 512, 1500):
        columns = [high for _, high in columns_of(peaks, width)]
        assert max(columns) == 0.9
        assert columns.index(0.9) == pytest.approx(700 * width / PARTS, abs=1.5)


def test_in_ascii_the_fuller_character_is_the_louder() -> None:
    assert ascii_wave(level(-1, 1), 3, 4) == ["###"] * 4
    assert ascii_wave(level(-0.6, 0.6), 3, 4) == ["...", "###", "###", "..."]
    assert ascii_wave(level(0, 0), 3, 3) == ["   ", "---", "   "]
    assert all(line.isascii() for line in ascii_wave(level(-0.2, 0.7), 40, 5))


def test_nothing_is_a_line_too() -> None:
    assert lit_rows(dotted_wave(Peaks(0.0, (), ()), 4, 1)) == [2]


@pytest.mark.parametrize(
    ("seconds", "width", "axis"),
    [
        (4.0, 40, "|0:00     |0:01     |0:02     |0:03     "),
        (0.5, 40, "|0.0            |0.2            |0.4    "),
        (7200.0, 30, "|0:00          |1:00:00       "),
        (38.0, 20, "|0:00          |0:30"),
        (0.0, 10, " " * 10),
        (1e9, 10, " " * 10),
    ],
)
def test_times_stand_at_round_places(seconds: float, width: int, axis: str) -> None:
    assert time_axis(seconds, width, "|") == axis

"""Cuts a sentence that is too long for one chunk, where a reader would breathe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cbtui.text.borders import inside_grapheme, inside_tag

_CLOSING = "\"'”’»)\\]}」』）】"
_FULL_WIDTH = "。！？；：，、،؛—"


def _mark(spaced: str, unspaced: str) -> str:
    """A pattern that ends where the next piece may begin: spaced marks need white space behind them."""
    closing = f"[{_CLOSING}]{{0,3}}+"
    return rf"(?:(?<=[{spaced}]){closing}\s|[{unspaced}]{closing}\s?)"


# Best first: the end of a sentence within quotes, a clause, a comma, a space.
_MARKS = (
    _mark(".!?…।؟۔", "。！？"),
    _mark(";:·–؛", "；：—؛"),
    _mark(",،", "，、،"),
    r"\s",
)
_FORWARD = tuple(re.compile(mark) for mark in _MARKS)
_BACKWARD = tuple(re.compile(f"(?s:.*){mark}") for mark in _MARKS)
# Marks in a row are not cut apart.
_NEVER_FIRST = frozenset(" .!?…," + "\"'”’»)]}」』）】" + _FULL_WIDTH)
# So many forbidden places in one window, and a lesser mark must do.
_TRIES = 8


def cut_sentence(sentence: str, target: int, limit: int) -> Iterator[str]:
    """Pieces of at most `limit` characters, of about equal length near `target`; joined, they are `sentence` again.

    White space at the end of a piece counts. Cuts fall behind marks where there are any, then at spaces, then
    anywhere; never inside a grapheme or a `[tag]`, unless that alone is longer than `limit`.
    """
    start = 0
    wanted = min(limit, max(target, limit // 2))
    while len(sentence) - start > limit:
        rest = len(sentence) - start
        even = rest // -(-rest // wanted)
        end = _best_cut(sentence, start, even, limit)
        yield sentence[start:end]
        start = end
    if start < len(sentence):
        yield sentence[start:]


def _best_cut(text: str, start: int, even: int, limit: int) -> int:
    ideal = start + max(1, even)
    low, high = start + max(1, even // 2), start + min(limit, even + even // 2 + 1)
    tagged = text.find("[", start, start + limit) >= 0

    def outside_tag(at: int) -> bool:
        return not (tagged and inside_tag(text, at, limit))

    def allowed(at: int) -> bool:
        return not inside_grapheme(text, at) and outside_tag(at)

    def allowed_mark(at: int) -> bool:
        return text[at] not in _NEVER_FIRST and allowed(at)

    for backward, forward in zip(_BACKWARD, _FORWARD, strict=True):
        cut = _nearest_mark(text, backward, forward, (low, ideal, high), allowed_mark)
        if cut:
            return cut
    at_space = _nearest_mark(text, _BACKWARD[-1], _FORWARD[-1], (start + 1, ideal, start + limit), allowed_mark)
    return (
        at_space
        or _nearest_place((start + 1, ideal, start + limit), allowed)
        or _nearest_place((start + 1, ideal, start + limit), outside_tag)
        or start + limit
    )


def _nearest_mark(
    text: str,
    backward: re.Pattern[str],
    forward: re.Pattern[str],
    span: tuple[int, int, int],
    allowed: Callable[[int], bool],
) -> int | None:
    low, ideal, high = span
    before = after = None
    end = ideal
    for _ in range(_TRIES):
        found = backward.match(text, low - 1, end)
        if not found or found.end() < low:
            break
        if allowed(found.end()):
            before = found.end()
            break
        end = found.end() - 1
    begin = ideal
    for _ in range(_TRIES):
        found = forward.search(text, begin, high)
        if not found:
            break
        if allowed(found.end()):
            after = found.end()
            break
        begin = found.end()
    if before is None or after is None:
        return before or after
    return before if ideal - before <= after - ideal else after


def _nearest_place(span: tuple[int, int, int], allowed: Callable[[int], bool]) -> int | None:
    low, ideal, high = span
    for distance in range(max(ideal - low, high - ideal) + 1):
        for at in (ideal - distance, ideal + distance):
            if low <= at <= high and allowed(at):
                return at
    return None

"""Places where a text must not be cut: inside a grapheme, inside a `[tag]`."""

from __future__ import annotations

import unicodedata

_LOWEST_COMBINING = "\u0300"
_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA_CLASS = 9


def inside_grapheme(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` would part what is seen as one character.

    A sound simplification of Unicode's UAX 29: it may forbid a cut between two whole graphemes (a row of flags is
    never cut), but allows none inside one of the scripts and emoji that a checkpoint reads.
    """
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if after < _LOWEST_COMBINING:
        return before == _ZERO_WIDTH_JOINER
    return _extends(after) or before == _ZERO_WIDTH_JOINER or _binds(before, after)


def inside_tag(text: str, at: int, longest: int) -> bool:
    """Whether a cut before `text[at]` would part a `[tag]` of at most `longest` characters, brackets included."""
    opening = text.rfind("[", max(0, at - longest), at)
    if opening < 0:
        return False
    closing = text.find("]", opening, opening + longest)
    return closing >= at and text.find("[", at, closing) < 0


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character).startswith("M")
        or character in "\u200c\u200d\uff9e\uff9f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # the letters of flags such as Wales
        or "\u1160" <= character <= "\u11ff"  # vowels and finals of decomposed Hangul
    )


def _binds(before: str, after: str) -> bool:
    if _is_flag_half(before) and _is_flag_half(after):
        return True
    return unicodedata.combining(before) == _VIRAMA_CLASS and after.isalpha()


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"

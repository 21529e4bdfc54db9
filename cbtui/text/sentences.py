"""Sentences, in every language of the checkpoints: sentencex, mended where it errs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import accumulate

import sentencex

from cbtui.text.abbreviations import NEVER_FINAL, SOMETIMES_FINAL
from cbtui.text.borders import inside_grapheme, inside_tag

# sentencex reads this many characters at a time, since its time grows with the square of the sentences that have no
# white space behind them (measured: 0.23 us per character at 1024, 0.39 at 2048, 1.4 at 8192, Chinese). Its last
# sentences, which lack their context, are read again.
_WINDOW = 1024
_CONTEXT = 192

_SPACE = re.compile(r"\s")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INNER_QUOTE = re.compile(r'(?<=\w)"(?=\w)')
_PLAIN_END = re.compile(r"(?<=[.!?…।؟])\s+|(?<=[。！？])")
_OPENING = "\"'“‘«„‚([{¿¡「『（"
_DASHES = "—–-"
# Longer than three words of any abbreviation in the tables.
_TAIL = 24


def split_sentences(text: str, language: str, longest_tag: int = 350) -> list[str]:
    """The sentences of one paragraph, each with the white space behind it; joined, they are `text` again.

    `language` is an ISO 639-1 code; an unknown one is split at . ! ? and their kin. No sentence ends inside a `[tag]`
    of at most `longest_tag` characters, nor after a title or another abbreviation that needs a word behind it.
    """
    sentences: list[str] = []
    start = 0
    for end in _ends(text, language, longest_tag):
        sentences.append(text[start:end])
        start = end
    return sentences


def _ends(text: str, language: str, longest_tag: int) -> Iterator[int]:
    plain = _plain(text)
    tagged = "[" in plain
    goes_on = _continuation_rule(language)
    last = 0
    for candidate in _candidates(plain, language):
        end = _before_opening_quote(plain, candidate)
        if end <= last or goes_on(plain, end):
            continue
        if (tagged and inside_tag(plain, end, longest_tag)) or inside_grapheme(plain, end):
            continue
        yield end
        last = end
    if last < len(plain):
        yield len(plain)


def _plain(text: str) -> str:
    """The text as sentencex can take it, of the same length.

    sentencex panics on white space of more than one byte, refuses surrogates, and loses some runs of line feeds;
    and it takes the quote inside the Hebrew ד"ר for an opening one.
    """
    return _INNER_QUOTE.sub("״", _SURROGATE.sub("\ufffd", _SPACE.sub(" ", text)))


def _candidates(plain: str, language: str) -> Iterator[int]:
    """Ends of sentences within the text, as sentencex sees them, its own end left out."""
    start = 0
    while start < len(plain):
        window = plain[start : start + _WINDOW]
        final = start + len(window) == len(plain)
        reliable = len(window) - 1 if final else len(window) - _CONTEXT
        trusted = 0
        for end in accumulate(map(len, _segment(window, language))):
            if end > reliable:
                break
            yield start + end
            trusted = end
        if final:
            return
        start += trusted if trusted >= _WINDOW // 2 else reliable


def _segment(window: str, language: str) -> list[str]:
    try:
        pieces: list[str] = sentencex.segment(language, window)
    except BaseException as error:
        # A panic of Rust arrives as a BaseException of no importable name; it must not end the host.
        if type(error).__name__ != "PanicException":
            raise
        pieces = []
    if "".join(pieces) == window:
        return pieces
    ends = [match.end() for match in _PLAIN_END.finditer(window)]
    return [window[start:end] for start, end in zip([0, *ends], [*ends, len(window)], strict=True)]


def _before_opening_quote(plain: str, end: int) -> int:
    """sentencex leaves an opening quote that is never closed with the sentence before it."""
    quote = end
    while quote > 0 and end - quote < _TAIL and plain[quote - 1] in _OPENING:
        quote -= 1
    return quote if quote < end and quote > 0 and plain[quote - 1] == " " else end


def _continuation_rule(language: str) -> Callable[[str, int], bool]:
    """Tells whether the sentence that sentencex ended there goes on."""
    never_final = NEVER_FINAL.get(language, frozenset())
    sometimes_final = SOMETIMES_FINAL.get(language, frozenset())

    def goes_on(plain: str, end: int) -> bool:
        following = plain[end : end + 3]
        if following[:1] in _DASHES and following[1:].strip()[:1].islower():
            return True
        words = plain[max(0, end - _TAIL) : end].split()[-3:]
        if not words or not words[-1].endswith("."):
            return False
        words = [word.lstrip(_OPENING) for word in words]
        if following[:1].islower() and words[-1][:-1].isdigit():
            return True
        endings = {"".join(words[-count:]) for count in (1, 2, 3)}
        return not endings.isdisjoint(never_final) or (
            following[:1].islower() and not endings.isdisjoint(sometimes_final)
        )

    return goes_on

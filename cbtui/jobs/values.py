"""What a single value must be, said in plain words. Each check raises ValueError with what to write."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping

from cbtui.core.clean import is_clean, shorten, visible
from cbtui.core.task import LANGUAGES
from cbtui.jobs.names import MAX_NAME_BYTES
from cbtui.jobs.yaml_nodes import Value, resolve

# What Linux takes for a path.
_MAX_PATH_BYTES = 4095

# Spellings of languages that people use and Chatterbox does not, by the code it knows.
_OTHER_CODES = {"nb": "no", "nn": "no", "iw": "he", "cmn": "zh", "jp": "ja", "kr": "ko", "cn": "zh", "gr": "el"}


def number(
    low: float, high: float, *, above: bool = False, below: bool = False, low_why: str = "", high_why: str = ""
) -> Callable[[Value], float | None]:
    """A check for a finite number from `low` to `high`; `above` and `below` leave the bound itself out."""

    def check(value: Value) -> float | None:
        found = _as_number(value)
        if found is None:
            return None
        if found < low or (above and found == low):
            raise ValueError(f"must be {'above' if above else 'at least'} {low:g}{low_why and ': ' + low_why}")
        if found > high or (below and found == high):
            raise ValueError(f"must be {'below' if below else 'at most'} {high:g}{high_why and ': ' + high_why}")
        return float(found)

    return check


def whole(low: int, high: int, *, low_why: str = "", high_why: str = "") -> Callable[[Value], int | None]:
    """A check for a whole number from `low` to `high`."""

    def check(value: Value) -> int | None:
        found = _as_number(value)
        if found is None:
            return None
        if found < low:
            raise ValueError(f"must be at least {low}{low_why and ': ' + low_why}")
        if found > high:
            raise ValueError(f"must be at most {high}{high_why and ': ' + high_why}")
        if found != int(found):
            raise ValueError(f"must be a whole number, not {quote(value)}")
        return int(found)

    return check


def choice(options: tuple[str, ...]) -> Callable[[Value], str | None]:
    """A check for one of `options`, in any case."""

    def check(value: Value) -> str | None:
        if value is None:
            return None
        word = _as_word(value, f"must be {one_of(options)}").casefold()
        if word not in options:
            raise ValueError(f"must be {one_of(options)}, not {quote(value)}{did_you_mean(word, options)}")
        return word

    return check


def language(value: Value) -> str | None:
    """A check for the code of a language that Chatterbox speaks."""
    if value is None:
        return None
    word = _as_word(value, "must be the code of a language, such as 'en'").casefold()
    if word in LANGUAGES:
        return word
    codes = {name.casefold(): code for code, name in LANGUAGES.items()} | _OTHER_CODES
    base = word.replace("_", "-").split("-")[0]
    known = codes.get(word) or codes.get(base) or (base if base in LANGUAGES else None)
    hint = f" (did you mean '{known}'?)" if known else f": one of {', '.join(LANGUAGES)}"
    raise ValueError(f"unknown language {quote(value)}{hint}")


def text(value: Value) -> str | None:
    """A check for text of any length; a number without quotes is text as it was written."""
    return None if value is None else _as_word(value, "must be text")


def line(value: Value) -> str | None:
    """A check for a short line of text without control characters; an empty one is none."""
    if value is None:
        return None
    word = _as_word(value, "must be text").strip()
    if not is_clean(word):
        raise ValueError("must stand on one line")
    if len(word.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"is longer than {MAX_NAME_BYTES} bytes")
    return word or None


def path(value: Value) -> str | None:
    """A check for the path of a file, as text."""
    if value is None:
        return None
    word = _as_word(value, "must be the path of a file")
    if not word.strip():
        raise ValueError("must be the path of a file, and is empty")
    if not is_clean(word):
        raise ValueError("must be the path of a file, on one line")
    if len(word.encode()) > _MAX_PATH_BYTES:
        raise ValueError(f"must be the path of a file, and is longer than {_MAX_PATH_BYTES} bytes")
    return word


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest of `known`, or nothing."""
    found = nearest(word, known)
    return f" (did you mean '{visible(found)}'?)" if found else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` was probably meant to be."""
    found = difflib.get_close_matches(word.casefold(), list(known), n=1)
    return found[0] if found else None


def one_of(options: Iterable[str]) -> str:
    """`a, b or c`."""
    *first, last = options
    return f"{', '.join(first)} or {last}" if first else last


def quote(value: Value) -> str:
    """A value as a message shows it."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{shorten(visible(str(value)), 40)}'"


def _as_number(value: Value) -> int | float | None:
    if value is None:
        return None
    found = resolve(value)
    if isinstance(found, str) and _is_number(found):
        raise ValueError(f"must be a number without quotes, not {quote(value)}")
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError(f"must be a number, not {quote(value)}")
    # Digits beyond all measure are infinite as a float, and answered by the bounds.
    if math.isnan(found) or (math.isinf(found) and not str(value)[-1].isdigit()):
        raise ValueError(f"must be a finite number, not {quote(value)}")
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return word[-1:].isdigit()


def _as_word(value: Value, otherwise: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{otherwise}, not {quote(value)}")
    return str(value)

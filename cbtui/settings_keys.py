"""How a person names keys of their own, in the mapping `app.keys` of settings.yaml.

app:
  keys:
    pause: f5
    retry: [r, ctrl+r]
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from cbtui.jobs import values
from cbtui.jobs.yaml_nodes import Value

# Textual's names of keys that stand for no character.
_NAMES = "escape enter tab space backspace insert delete home end pageup pagedown up down left right"
_SPECIAL = frozenset(_NAMES.split(" ")) | {f"f{number}" for number in range(1, 25)}
_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
# Textual's names of these characters are not those of Unicode.
_RENAMED = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
# Two keys that no terminal tells apart: it sends the second.
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}


def check_keys(value: Value) -> str | None:
    """Keys as Textual names them, with commas between: from text such as `p, ctrl+p`, or from a list.

    Raises ValueError in plain words.
    """
    if value is None:
        return None
    if isinstance(value, str):
        words = [value] if value in {" ", ","} else value.split(",")
    elif isinstance(value, list) and value:
        words = value
    else:
        raise ValueError(f"must be a key, or a list of keys, not {values.quote(value)}")
    return ",".join(dict.fromkeys(map(_key, words)))


def _key(word: Value) -> str:
    """One key as Textual names it."""
    if not isinstance(word, str):
        raise ValueError(f"must be a key, not {values.quote(word)}")
    text = str(word) if word == " " else word.strip()
    if not text:
        raise ValueError("has an empty key: write a key such as p, ctrl+p or f5")
    *modifiers, last = _parts(text)
    name = _name(last)
    wanted = sorted({each.strip().casefold() for each in modifiers})
    if name is None or not set(wanted) <= set(_MODIFIERS):
        raise ValueError(f"there is no key {values.quote(word)}{values.did_you_mean(_spelled(text), _examples())}")
    if len(name) == 1 and wanted:
        if wanted == ["shift"]:
            raise ValueError(f"a terminal sends '{name.upper()}' for {values.quote(word)}: write that")
        name = name.lower()
    key = "+".join([*wanted, name])
    return _SAME.get(key, key)


def _parts(text: str) -> list[str]:
    """Modifiers and key; the key may be the plus itself."""
    if text == "+" or text.endswith("++"):
        return [each for each in text[:-1].split("+") if each] + ["+"]
    return text.split("+")


def _name(key: str) -> str | None:
    """Textual's name of a key without modifiers; None where there is no such key."""
    if len(key) == 1:
        return name_of_character(key)
    name = key.strip().casefold()
    if name in _SPECIAL or name in _named_characters():
        return name
    return None


def name_of_character(character: str) -> str | None:
    """`p` is `p`, and `/` is `slash`."""
    if character == " ":
        return "space"
    if not character.isprintable():
        return None
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _RENAMED.get(name, name) or None


def _named_characters() -> frozenset[str]:
    return frozenset(name for character in _PUNCTUATION if (name := name_of_character(character)))


def _spelled(text: str) -> str:
    """`Ctrl-P` as a person means it."""
    return text.casefold().replace("-", "+").replace("control+", "ctrl+")


def _examples() -> Iterator[str]:
    plain = [*sorted(_SPECIAL), *sorted(_named_characters())]
    yield from plain
    yield from (f"ctrl+{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    yield from (f"{modifier}+{key}" for modifier in ("ctrl", "shift") for key in plain)

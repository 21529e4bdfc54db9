"""YAML text -> plain values plus the place of every key. Reads YAML as people mean it, and nothing that can explode.

Values are composed from the parser's event stream: the C loader's own composer recurses in C and crashes on deep
nesting, and aliases let a few hundred bytes stand for gigabytes. Unquoted scalars stay text (`Plain`) until somebody
asks for a number, so `language: no` is Norwegian and `job: 1.10` keeps its zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from cbtui.core.clean import clean_text, shorten, visible
from cbtui.core.problem import InvalidFile, Problem
from cbtui.jobs.safe_open import YAML_LIMIT, describe_size
from cbtui.jobs.yaml_words import explain_syntax

MAX_DEPTH = 50
MAX_VALUES = 10_000
# A file of nothing but mistakes is told the first of them.
MAX_PROBLEMS = 100

KeyPath = tuple[str | int, ...]
Value = Any  # None | str | Plain | list[Value] | dict[str, Value]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
# More digits than any setting needs; int() refuses over 4300.
_MAX_DIGITS = 40


class Plain(str):
    """An unquoted scalar: text that may also be read as a number or a truth value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written. `key` is its dotted name as the person wrote it; lines and columns count from 1."""

    path: str
    line: int | None
    column: int | None
    key: str

    def problem(self, message: str) -> Problem:
        return Problem(self.path, f"{self.key}: {message}" if self.key else message, self.line, self.column)


@dataclass(slots=True)
class Document:
    """One YAML mapping. `origins` has the place of every key (of every item, in lists).

    `problems` are those found so far; what they concern is left out of `values` and named in `broken`.
    """

    path: str
    values: dict[str, Value] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[KeyPath] = field(default_factory=set)

    def origin(self, key_path: KeyPath) -> Origin:
        """The place of a value, or of the nearest mapping around it."""
        return find_origin(self.origins, key_path, self.path)


def find_origin(origins: Mapping[KeyPath, Origin], key_path: KeyPath, path: str) -> Origin:
    """The place of a value, of the nearest mapping around it, or of the file as a whole."""
    for end in range(len(key_path), 0, -1):
        if found := origins.get(key_path[:end]):
            return found
    return Origin(path, None, None, dotted(key_path))


def dotted(key_path: KeyPath) -> str:
    """`speakers.alice.seed`, `generation.speakers[0].id`."""
    name = ""
    for key in key_path:
        name += f"[{key}]" if isinstance(key, int) else f"{'.' if name else ''}{shorten(visible(key))}"
    return name


def resolve(value: Value) -> Value:
    """A plain scalar as YAML 1.2's core schema reads it: truth value, whole number, number or text.

    Whole numbers of more digits than any setting needs become floats. Other values are returned as they are.
    """
    if not isinstance(value, Plain):
        return value
    if value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    if _INT.fullmatch(value) and len(value) <= _MAX_DIGITS:
        return int(value)
    if _FLOAT.fullmatch(value):
        return float(value)
    if value.casefold() in _SPECIAL:
        return float(_SPECIAL[value.casefold()])
    return str(value)


def parse_yaml(text: str, path: str, *, what: str = "a task file") -> Document:
    """The mapping in cleaned `text`; `path` is the file's name in problems. An empty text is an empty mapping.

    Raises InvalidFile where nothing can be made of it; lesser problems are in the document.
    """
    if len(text.encode()) > YAML_LIMIT:
        raise InvalidFile((Problem(path, f"holds more than {describe_size(YAML_LIMIT)} of YAML", 1, 1),))
    document = Document(path)
    composer = _Composer(document, what)
    try:
        composer.compose(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        document.problems.append(explain_syntax(error, text, path))
        raise InvalidFile(tuple(document.problems)) from None
    except yaml.YAMLError as error:
        raise InvalidFile((Problem(path, f"cannot be read as YAML: {visible(str(error))}"),)) from None
    return document


class _Missing:
    """Stands for a value that has a problem and is left out."""


_MISSING = _Missing()


class _Composer:
    def __init__(self, document: Document, what: str) -> None:
        self._document = document
        self._what = what
        self._count = 0
        self._said_anchor = False
        self._events: Iterator[yaml.Event] = iter(())

    def compose(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        next(events)
        if isinstance(next(events), yaml.StreamEndEvent):
            return
        first = next(events)
        value = self._node(first, ())
        next(events)
        following = next(events)
        if isinstance(following, yaml.DocumentStartEvent):
            self._fail(following, "", "several documents in one file: keep one, and remove everything from this '---'")
        if isinstance(value, dict):
            self._document.values = value
        elif value is not None and not self._document.problems:
            kind = "a list" if isinstance(value, list) else "text"
            self._say(first, "", f"{self._what} holds settings (key: value), and this is {kind}")
            self._document.broken.add(("text",))

    def _node(self, event: yaml.Event, key_path: KeyPath) -> Value:
        self._count += 1
        if self._count > MAX_VALUES:
            self._fail(event, "", f"more than {MAX_VALUES} values in one file")
        if len(key_path) > MAX_DEPTH:
            self._fail(event, "", f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            self._refuse_anchor(event, f"*{event.anchor}", key_path)
            return _MISSING
        assert isinstance(event, yaml.NodeEvent)
        if event.anchor is not None:
            self._refuse_anchor(event, f"&{event.anchor}", key_path)
        if getattr(event, "tag", None) is not None:
            tag = shorten(visible(str(event.tag)).replace("tag:yaml.org,2002:", "!!"))  # type: ignore[attr-defined]
            self._say(event, dotted(key_path), f"tags such as {tag} are not allowed: remove it")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(key_path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(key_path)
        assert isinstance(event, yaml.ScalarEvent)
        return self._scalar(event, key_path)

    def _mapping(self, key_path: KeyPath) -> dict[str, Value]:
        mapping: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, key_path)
            if key is None:
                self._node(next(self._events), (*key_path, "?"))
                continue
            here = (*key_path, key)
            if key in mapping or here in self._document.broken:
                first = self._document.origins[here]
                self._say(event, dotted(here), f"is given twice (first in line {first.line}): keep one")
                here = (*key_path, f"{key} (again)")
            else:
                self._document.origins[here] = self._origin(event, dotted(here))
            value = self._node(next(self._events), here)
            if value is _MISSING:
                self._document.broken.add(here)
            elif key == here[-1]:
                mapping[key] = value
        return mapping

    def _key(self, event: yaml.Event, key_path: KeyPath) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            value = self._node(event, (*key_path, "?"))
            if value is not _MISSING:
                self._say(event, dotted(key_path), "a key must be a word, not a list or a mapping")
            return None
        if event.anchor is not None:
            self._refuse_anchor(event, f"&{event.anchor}", key_path)
        return clean_text(event.value)

    def _sequence(self, key_path: KeyPath) -> list[Value]:
        items: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            here = (*key_path, len(items))
            self._document.origins[here] = self._origin(event, dotted(here))
            value = self._node(event, here)
            if value is not _MISSING:
                items.append(value)
        return items

    def _scalar(self, event: yaml.ScalarEvent, key_path: KeyPath) -> Value:
        if re.search("[\ud800-\udfff]", event.value):
            self._say(event, dotted(key_path), "holds half a character (a lone surrogate)")
            return _MISSING
        text = clean_text(event.value)
        if event.style:
            return text
        return None if text.casefold() in ("", "~", "null") else Plain(text)

    def _refuse_anchor(self, event: yaml.Event, name: str, key_path: KeyPath) -> None:
        if not self._said_anchor:
            name = shorten(visible(name))
            self._say(event, dotted(key_path), f"anchors and aliases ({name}) are not allowed: write the value out")
        self._said_anchor = True

    def _origin(self, event: yaml.Event, key: str) -> Origin:
        mark = event.start_mark
        assert mark is not None
        return Origin(self._document.path, mark.line + 1, mark.column + 1, key)

    def _say(self, event: yaml.Event, key: str, message: str) -> None:
        if len(self._document.problems) == MAX_PROBLEMS:
            self._fail(event, "", "and more: mend these first")
        self._document.problems.append(self._origin(event, key).problem(message))

    def _fail(self, event: yaml.Event, key: str, message: str) -> None:
        self._document.problems.append(self._origin(event, key).problem(message))
        raise InvalidFile(tuple(self._document.problems))

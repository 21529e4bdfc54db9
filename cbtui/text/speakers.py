"""Speaker tags: `<speaker:id>` switches the voice until the next tag. Every other tag is text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

# Longer than any id that a person would type; the bounds keep a text of open brackets linear.
_TAG = re.compile(r"<[^\S\n]{0,8}+speaker[^\S\n]{0,8}+:([^<>\n]{0,100}+)>", re.IGNORECASE)
_DEFAULT_IDS = frozenset({"default", "0", "reset"})
_MOST_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class SpeakerRun:
    """What one speaker says in one go. `text` keeps its white space."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class SpokenText:
    """`runs` in order, neighbours always of different speakers; `warnings` for the person who wrote the text."""

    runs: tuple[SpeakerRun, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Unknown:
    line: int
    places: int = 1


@dataclass(slots=True)
class _Cast:
    """Finds the speaker that an id means, and remembers the ids that mean none."""

    speakers: Collection[str]
    default: str
    unknown: dict[str, _Unknown] = field(default_factory=dict)
    by_folded: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.by_folded = {name.casefold(): name for name in sorted(self.speakers, reverse=True)}

    def resolve(self, name: str, line: int) -> str:
        folded = name.casefold()
        if folded in _DEFAULT_IDS:
            return self.default
        if name in self.speakers:
            return name
        if folded in self.by_folded:
            return self.by_folded[folded]
        if name in self.unknown:
            self.unknown[name].places += 1
        else:
            self.unknown[name] = _Unknown(line)
        return self.default

    def warnings(self) -> Iterator[str]:
        for name, unknown in list(self.unknown.items())[:_MOST_WARNINGS]:
            more = f" (and {unknown.places - 1} more)" if unknown.places > 1 else ""
            yield (
                f"text line {unknown.line}{more}: unknown speaker {name!r}{self._guess(name)}; "
                f"{self.default!r}, the default speaker, reads it"
            )
        if len(self.unknown) > _MOST_WARNINGS:
            yield f"{len(self.unknown) - _MOST_WARNINGS} more unknown speakers in the text"

    def _guess(self, name: str) -> str:
        close = difflib.get_close_matches(name.casefold(), self.by_folded, n=1)
        return f" (did you mean {self.by_folded[close[0]]!r}?)" if close else ""


def split_speakers(text: str, speakers: Collection[str], default_speaker: str) -> SpokenText:
    """Splits `text` at its speaker tags and takes the tags out.

    `default`, `0` and `reset` always mean the default speaker. Other ids match exactly first, then without regard
    to case. An unknown id means the default speaker and gives one warning, with the line of its first place (from
    1) and the nearest known id. A tag that changes nothing leaves one space. Tags with an id of more than 100
    characters are text.
    """
    cast = _Cast(speakers, default_speaker)
    runs: list[SpeakerRun] = []
    speaker, parts = default_speaker, []
    line, counted, start = 1, 0, 0
    for tag in _TAG.finditer(text):
        parts.append(text[start : tag.start()])
        line += text.count("\n", counted, tag.start())
        counted, start = tag.start(), tag.end()
        switched = cast.resolve(tag[1].strip(), line)
        if switched != speaker:
            runs.append(SpeakerRun(speaker, " ".join(parts)))
            speaker, parts = switched, []
    parts.append(text[start:])
    runs.append(SpeakerRun(speaker, " ".join(parts)))
    return SpokenText(tuple(run for run in runs if run.text), tuple(cast.warnings()))

"""Takes by key: in the run's own folder, or in any other run of this machine that still has one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cbtui.atomic import write_json
from cbtui.audio.takes import DamagedTake, Samples, count_samples, read_take, stream_take, write_take


@dataclass(frozen=True, slots=True)
class TakeFacts:
    """How a take came about; kept beside it as JSON. `seconds_spent` is what rendering it took.

    `pieces` counts the calls of the model that make it up: more than one where the text had to be split. `seeds` are
    those of the pieces, in their order.
    """

    key: str
    text: str
    tokens: int
    seconds_spent: float
    seeds: tuple[int, ...]
    pieces: int
    draft: bool


def take_name(index: int, key: str) -> str:
    """`0001-<key8>.wav` for the first chunk of a text."""
    return f"{index + 1:04d}-{key[:8]}.wav"


def save_take(path: Path, samples: Samples, rate: int, facts: TakeFacts) -> None:
    """Write a take, its facts first: the take itself is what tells that it is there. Raises OSError, DamagedTake."""
    write_json(_facts_path(path), asdict(facts))
    write_take(path, samples, rate)


def read_facts(path: Path) -> TakeFacts | None:
    """The facts of a take, or None where there are none to read, as for one that a person put there."""
    try:
        content: Mapping[str, Any] = json.loads(_facts_path(path).read_text(encoding="utf-8"))
        return TakeFacts(**{**content, "seeds": tuple(content["seeds"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def take_stamp(path: Path) -> list[int] | None:
    """Size in bytes and time of the last change (ns since 1970) of a take, or None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def is_usable(path: Path, rate: int) -> bool:
    """Whether a whole take of this rate lies at `path`, every sample a number."""
    try:
        # Opening a FIFO would wait for ever.
        return path.is_file() and count_samples(path, rate) > 0 and all(True for _ in stream_take(path))
    except (DamagedTake, OSError):
        return False


def remove_other_takes(folder: Path, keep: set[str]) -> None:
    """Delete takes that the text no longer has. `keep` holds file names."""
    for path in folder.glob("[0-9]*.wav"):
        if path.name not in keep:
            path.unlink(missing_ok=True)
            _facts_path(path).unlink(missing_ok=True)


def _facts_path(take: Path) -> Path:
    return take.with_suffix(".json")


class TakeIndex:
    """Links from keys to takes: a take made for one task serves every other, and is gone when its file is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str, rate: int) -> Path | None:
        """A whole take with this very key, wherever it lies."""
        link = self._link(key)
        if not link.is_symlink():
            return None
        take = link.readlink()
        facts = read_facts(take)
        return take if facts is not None and facts.key == key and is_usable(take, rate) else None

    def add(self, key: str, take: Path) -> None:
        """Remember a take. Raises OSError."""
        link = self._link(key)
        link.parent.mkdir(parents=True, exist_ok=True)
        beside = link.parent / f".{secrets.token_hex(8)}.part"
        beside.symlink_to(take.absolute())
        beside.replace(link)

    def read(self, take: Path) -> tuple[Samples, int, TakeFacts] | None:
        """Samples, rate and facts of a take that was found, or None when it went in the meantime."""
        facts = read_facts(take)
        try:
            samples, rate = read_take(take)
        except (DamagedTake, OSError):
            return None
        return (samples, rate, facts) if facts is not None else None

    def clear(self) -> int:
        """Forget all takes, leaving their files; returns how many links went."""
        links = list(self._folder.glob("[0-9a-f]*/[0-9a-f]*"))
        for link in links:
            link.unlink(missing_ok=True)
        return len(links)

    def _link(self, key: str) -> Path:
        return self._folder / key[:2] / key

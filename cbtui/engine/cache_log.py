"""Every cache look-up of this machine, a JSON line each, for explanations with real figures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cbtui.core.events import CACHE_LAYERS, CacheEvent, CacheLayer

# Past this the log becomes the `.1` beside it, whose predecessor goes.
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LayerSum:
    """What one layer did: counts, and seconds spent by misses and saved by hits."""

    layer: CacheLayer
    hits: int
    misses: int
    seconds_spent: float
    seconds_saved: float


class CacheLog:
    """Appends look-ups to a file. Several processes may write to one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, event: CacheEvent) -> None:
        """Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(event), ensure_ascii=False) + "\n"
        # One write to a descriptor in append mode: lines of two processes do not mix.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode("utf-8", "replace"))
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size > _MAX_BYTES:
            self._path.replace(_older(self._path))


def read_cache_log(path: Path) -> Iterator[CacheEvent]:
    """The look-ups, oldest first; lines that a crash cut off are passed over."""
    for part in (_older(path), path):
        if not part.is_file():
            continue
        with part.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                event = _parse(line)
                if event is not None:
                    yield event


def _parse(line: str) -> CacheEvent | None:
    try:
        event = CacheEvent(**json.loads(line))
    except (ValueError, TypeError):
        return None
    numbers = (event.seconds, event.saved, event.at)
    return event if all(isinstance(number, (int, float)) for number in numbers) else None


def sum_layers(path: Path) -> tuple[LayerSum, ...]:
    """The sums of all three layers, in their order."""
    events = list(read_cache_log(path))
    return tuple(_sum(layer, [event for event in events if event.layer == layer]) for layer in CACHE_LAYERS)


def _sum(layer: CacheLayer, events: list[CacheEvent]) -> LayerSum:
    return LayerSum(
        layer,
        hits=sum(event.hit for event in events),
        misses=sum(not event.hit for event in events),
        seconds_spent=sum(event.seconds for event in events),
        seconds_saved=sum(event.saved for event in events),
    )


def last_load_seconds(path: Path) -> dict[str, float]:
    """The seconds of the newest load of each model, by `model@device`."""
    return {event.key: event.seconds for event in read_cache_log(path) if event.layer == "model" and not event.hit}


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")

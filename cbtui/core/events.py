"""What happens while work goes on, as frozen facts. Engines and caches say them; front ends show them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

CacheLayer = Literal["model", "voice", "chunk"]
CACHE_LAYERS: tuple[CacheLayer, ...] = ("model", "voice", "chunk")


@dataclass(frozen=True, slots=True)
class CacheEvent:
    """One look-up. `seconds` were spent by a miss; `saved` is what the miss once cost, for a hit. `at` is Unix time.

    `message` is a sentence for the log; for a chunk it only names that, since the log has lines of its own for those.
    """

    layer: CacheLayer
    key: str
    hit: bool
    seconds: float = 0.0
    saved: float = 0.0
    message: str = ""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class ChunkProgressed:
    """Speech tokens drawn so far for one request. Drafts count none."""

    request_id: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something a person may want to know, in one sentence.

    `doing` says in a few words what begins with it, before anything can be rendered, and behind a colon how far it is.
    """

    message: str
    level: Literal["info", "warning"] = "info"
    doing: str = field(default="", compare=False)


Event = CacheEvent | ChunkProgressed | Noticed
EventSink = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """The sink of callers who do not listen."""

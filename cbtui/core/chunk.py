"""The chunk: a run of whole sentences, one call of the model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """`index` and `paragraph` count from 0. `speaker` is a key of the task's speakers."""

    index: int
    text: str
    speaker: str
    paragraph: int
    ends_paragraph: bool

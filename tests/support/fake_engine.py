"""An engine that speaks tones, for tests about everything else than speech."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from cbtui.core.events import EventSink
from cbtui.core.task import Chunking, Output, Speaker, Task
from cbtui.engine.base import ChunkFacts, ChunkFailure, ChunkRequest, ChunkResult, Vitals, all_are_wanted

RATE = 24_000
Answer = ChunkResult | ChunkFailure


def speak(request: ChunkRequest) -> ChunkResult:
    """A tone of ten milliseconds a character, whose pitch follows text and seed."""
    seconds = 0.01 * len(request.text)
    pitch = 200 + (sum(request.text.encode()) + 37 * request.seed) % 600
    time = np.arange(round(seconds * RATE)) / RATE
    samples = (0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)
    return ChunkResult(request.request_id, samples, ChunkFacts(tokens=len(request.text), decode_seconds=1.5))


def there(requests: Iterable[ChunkRequest | None]) -> Iterator[ChunkRequest]:
    """The requests themselves, for an engine that has hardly anything in work when it asks."""
    return (request for request in requests if request is not None)


class FakeEngine:
    """`answer` makes each result; `requests` remembers all that was asked, `loads` counts; `health` is its vitals."""

    name = "fake"
    model = "tone"
    sample_rate = RATE
    draft = False

    def __init__(self, answer: Callable[[ChunkRequest], Answer] = speak, *, version: int = 1) -> None:
        self._answer = answer
        self._version = version
        self.batch = 1
        self.requests: list[ChunkRequest] = []
        self.loads = 0
        self.health = Vitals()

    def prepare(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Nothing is needed."""

    def load(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        self.loads += 1

    def vitals(self) -> Vitals:
        return self.health

    def identity(self, request: ChunkRequest) -> Mapping[str, object]:
        return {
            "engine": self.name,
            "engine_version": self._version,
            "text": request.text,
            "voice": request.voice.digest,
            "temperature": request.sampling.temperature,
            "seed": request.seed,
        }

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        for request in there(requests):
            if should_stop():
                return
            self.requests.append(request)
            yield self._answer(request)

    @property
    def texts(self) -> list[str]:
        return [request.text for request in self.requests]


def make_task(text: str, *, name: str = "task", job: str = "job", **settings: object) -> Task:
    """A task for the fake engine with short chunks: a sentence each."""
    fields: dict[str, object] = {
        "engine": "chatterbox",
        "model": "english",
        "default_speaker": "default",
        "speakers": {"default": Speaker("default")},
        "chunking": Chunking(target=1, limit=200),
        "output": Output(),
        "seed": 1,
    }
    return Task(name=name, job=job, source=Path("jobs") / f"{name}.yaml", text=text, **{**fields, **settings})  # type: ignore[arg-type]

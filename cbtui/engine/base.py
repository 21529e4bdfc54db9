"""The protocol between the host and whatever turns chunks into samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cbtui.core.events import EventSink
from cbtui.core.task import Sampling

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]


class EngineUnavailable(Exception):
    """The engine cannot work on this machine as it is. The message says what is missing and what to do."""


class DeviceLost(EngineUnavailable):
    """The device answers nothing more to this process; another process can go on. CUDA's errors are sticky."""


class OutOfMemory(EngineUnavailable):
    """The device has no room for what was asked. Less at once, or less beside it, may fit."""


class PreparationStopped(Exception):
    """The caller asked to stop while an engine was made ready, e.g. in the middle of a download."""


class UnusableReference(Exception):
    """A reference clip that no voice can be made from. The message names the clip and says what to do."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks. `reference` is an absolute path, or None for the engine's own voice; `digest` is the clip's SHA-256.

    `espeak_voice` is a voice name of espeak-ng, or None to let it choose by `speaker`.
    """

    speaker: str
    reference: Path | None = None
    digest: str | None = None
    espeak_voice: str | None = None


@dataclass(frozen=True, slots=True)
class ChunkRequest:
    """One chunk to render, with all that differs between chunks: the engine keeps nothing from one to the next."""

    request_id: str
    text: str
    voice: Voice
    sampling: Sampling
    seed: int
    language: str


@dataclass(frozen=True, slots=True)
class ChunkFacts:
    """How a take came about. `tokens` are speech tokens (25 per second of speech; 0 for drafts); times in seconds.

    `reached_token_cap` tells that the model was cut off before it ended by itself: the speech is incomplete.
    """

    tokens: int = 0
    decode_seconds: float = 0.0
    vocode_seconds: float = 0.0
    reached_token_cap: bool = False
    draft: bool = False

    @property
    def seconds(self) -> float:
        return self.decode_seconds + self.vocode_seconds


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """`samples`: mono float32, shape [n], at the engine's sample rate, nominally within [-1, 1]."""

    request_id: str
    samples: Samples
    facts: ChunkFacts = field(default_factory=ChunkFacts)


@dataclass(frozen=True, slots=True)
class ChunkFailure:
    """A request that gave no usable samples. `retry_with_next_seed` tells whether another seed can help."""

    request_id: str
    reason: str
    retry_with_next_seed: bool = True


@dataclass(frozen=True, slots=True)
class Vitals:
    """What an engine knows of its own health. `hooks` are forward hooks on its loaded model.

    Bytes of the device's memory, None for a device without memory of its own: `allocated` by tensors, `reserved` from
    the driver, and the `peak` of what was allocated.
    """

    hooks: int = 0
    allocated: int | None = None
    reserved: int | None = None
    peak: int | None = None


def all_are_wanted(request_id: str) -> bool:
    """Of a stream whose requests nobody takes back."""
    return True


class Engine(Protocol):
    """Turns a stream of requests into a stream of results.

    Results come as they finish, in any order. The engine takes requests from the iterator as it has room for them; None
    says that there is none just now: it goes on with what it has in work, and asks again while it has any.
    `should_stop` is asked before every token; once it answers True, the stream ends and unfinished requests give no
    result. `is_wanted` is asked as often of every request in work, by its id; one that is not wanted any more gives no
    result, or one that nobody waits for. Raises `EngineUnavailable` when the engine cannot load, `DeviceLost` and
    `OutOfMemory`, with no unfinished request answered, and `UnusableReference` for nothing: a clip that cannot be used
    is a `ChunkFailure` of the requests that name it.

    `batch` bounds how many requests are worked on at once; it may be lowered between two calls of `render`.
    """

    batch: int

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def sample_rate(self) -> int:
        """Hz of every result."""
        ...

    @property
    def draft(self) -> bool:
        """Whether results are only for listening to the text, not the final speech."""
        ...

    def prepare(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Make ready what `identity` needs, without loading a model; may download.

        Raises EngineUnavailable, and PreparationStopped once `should_stop` answers True.
        """
        ...

    def load(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Have the model in memory, as the first request would. Raises as `prepare` and `render` do."""
        ...

    def vitals(self) -> Vitals:
        """Its health now; quick, and never a reason to load or import anything."""
        ...

    def identity(self, request: ChunkRequest) -> Mapping[str, object]:
        """All that decides the samples of this request, as JSON-like facts; known without loading a model."""
        ...

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[ChunkResult | ChunkFailure]: ...

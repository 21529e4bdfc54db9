"""Chunks whose tokens are drawn, spoken together where the device speaks several nearly as fast as one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbtui.engine.base import ChunkFacts, ChunkRequest
from cbtui.engine.chatterbox.decode import MODEL_ERRORS, Stopped
from cbtui.engine.chatterbox.faults import first_line, let_go_of_frames, ran_out_of_memory
from cbtui.engine.chatterbox.vocode import Speech, Vocoder

if TYPE_CHECKING:
    from cbtui.engine.base import Samples

log = logging.getLogger("cbtui.gathering")

# A chunk does not wait longer than until the first step after these.
_LONGEST_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Unspoken:
    """A chunk with its speech tokens; of `facts`, what speaking takes is still to come."""

    request: ChunkRequest
    speech: Speech
    facts: ChunkFacts


@dataclass(frozen=True, slots=True)
class Spoken:
    """A chunk's samples, without a watermark."""

    request: ChunkRequest
    samples: Samples
    facts: ChunkFacts


@dataclass(frozen=True, slots=True)
class SpeakingFailed:
    """A chunk that ended in an error of the model's."""

    request: ChunkRequest
    error: Exception


class Gathering:
    """Speaks with one vocoder, `at_once` chunks at most in one batch; `steps` are the flow's.

    `should_stop` and `is_wanted`, which takes a request's id, are asked in every step.
    """

    def __init__(
        self,
        vocoder: Vocoder,
        *,
        at_once: int,
        steps: int | None,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool],
    ) -> None:
        self._vocoder = vocoder
        self._at_once = at_once
        self._steps = steps
        self._should_stop = should_stop
        self._is_wanted = is_wanted
        self._waiting: list[Unspoken] = []
        self._since = 0.0

    def add(self, chunk: Unspoken) -> None:
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(chunk)

    def is_due(self, *, more_to_come: bool) -> bool:
        """Whether those that wait are to be spoken now."""
        if not self._waiting or len(self._waiting) >= self._at_once or not more_to_come:
            return bool(self._waiting)
        return time.monotonic() - self._since >= _LONGEST_WAIT_SECONDS

    def speak(self) -> Iterator[Spoken | SpeakingFailed]:
        """All that wait and are still wanted. Raises Stopped."""
        wanted, self._waiting = list(filter(self._wants, self._waiting)), []
        while wanted:
            # As it stands now: it is lowered where there is too little room.
            batch, wanted = wanted[: self._at_once], wanted[self._at_once :]
            yield from self._speak(batch)

    def _wants(self, chunk: Unspoken) -> bool:
        return self._is_wanted(chunk.request.request_id)

    def _speak(self, chunks: Sequence[Unspoken]) -> Iterator[Spoken | SpeakingFailed]:
        if self._should_stop():
            raise Stopped
        started = time.monotonic()
        try:
            samples: Sequence[Samples] | None = self._vocoder.render(
                [chunk.speech for chunk in chunks],
                steps=self._steps,
                should_stop=lambda: self._should_stop() or not any(map(self._wants, chunks)),
            )
        except Stopped:
            if self._should_stop():
                raise
            return
        except MODEL_ERRORS as error:
            if len(chunks) == 1:
                yield SpeakingFailed(chunks[0].request, error)
                return
            self._give_way(chunks, error)
            samples = None
        if samples is None:
            # Here, as nothing of the batch is kept any more: neither the error, nor what it held.
            for chunk in chunks:
                yield from self._speak([chunk])
            return
        seconds = time.monotonic() - started
        total = sum(chunk.speech.tokens.numel() for chunk in chunks)
        for chunk, each in zip(chunks, samples, strict=True):
            if self._wants(chunk):
                share = seconds * chunk.speech.tokens.numel() / total
                yield Spoken(chunk.request, each, replace(chunk.facts, vocode_seconds=share))

    def _give_way(self, chunks: Sequence[Unspoken], error: Exception) -> None:
        """After an error that may be that of one of the chunks, or of so many at once."""
        log.warning("%d chunks could not be spoken at once, each is spoken alone: %s", len(chunks), first_line(error))
        if ran_out_of_memory(error):
            self._at_once = max(1, len(chunks) // 2)
        let_go_of_frames(error)

"""When gathered chunks are spoken, and what becomes of each: the vocoder is a stand-in that says what it was given."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cbtui.core.events import ignore_events
from cbtui.engine.base import ChunkFacts, ChunkResult
from cbtui.engine.chatterbox import gathering
from cbtui.engine.chatterbox.decode import Stopped
from cbtui.engine.chatterbox.gathering import Gathering, SpeakingFailed, Spoken, Unspoken
from cbtui.engine.chatterbox.vocode import Speech
from cbtui.engine.voices import VoiceStore
from tests.engine.rendering import engine_of, render, request


class StandIn:
    """Speaks as many samples as there are tokens. `broken` texts, and batches greater than `most`, are errors."""

    def __init__(self, *, broken: int = -1, most: int = 99, then: Callable[[], None] = lambda: None) -> None:
        self.batches: list[list[int]] = []
        self._broken, self._most, self._then = broken, most, then

    def render(
        self, chunks: Sequence[Speech], *, steps: int | None, should_stop: Callable[[], bool]
    ) -> list[np.ndarray[Any, Any]]:
        lengths = [chunk.tokens.numel() for chunk in chunks]
        self.batches.append(lengths)
        self._then()
        if should_stop():
            raise Stopped
        if self._broken in lengths or len(chunks) > self._most:
            raise RuntimeError("an error of the model's")
        return [np.zeros(length, dtype=np.float32) for length in lengths]


def gather(vocoder: StandIn, *lengths: int, at_once: int = 3, **asked: Any) -> Gathering:
    """Chunks of these numbers of tokens, each with its number as its request's id."""
    how = {"steps": 1, "should_stop": lambda: False, "is_wanted": lambda request_id: True, **asked}
    gathered = Gathering(vocoder, at_once=at_once, **how)  # type: ignore[arg-type]
    for length in lengths:
        speech = Speech(torch.zeros(length, dtype=torch.long), {}, 1, torch.Generator())
        facts = ChunkFacts(tokens=length, decode_seconds=0.5, vocode_seconds=0.0, reached_token_cap=False)
        gathered.add(Unspoken(request(length), speech, facts))
    return gathered


def outcomes(gathered: Gathering) -> dict[str, str]:
    return {each.request.request_id: type(each).__name__ for each in gathered.speak()}


def test_where_one_at_a_time_is_best_none_waits() -> None:
    assert gather(StandIn(), 5, at_once=1).is_due(more_to_come=True)


@pytest.mark.parametrize(("lengths", "more", "due"), [
    ((), True, False),
    ((), False, False),
    ((5, 6), True, False),
    ((5, 6), False, True),
    ((5, 6, 7), True, True),
])  # fmt: skip
def test_chunks_wait_until_they_are_enough_or_no_more_come(lengths: tuple[int, ...], more: bool, due: bool) -> None:
    assert gather(StandIn(), *lengths).is_due(more_to_come=more) is due


def test_none_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = gather(StandIn(), 5)
    monkeypatch.setattr(gathering, "_LONGEST_WAIT_SECONDS", 0.0)
    assert gathered.is_due(more_to_come=True)


def test_all_that_wait_are_spoken_once_and_no_more_of_them_at_once_than_pays() -> None:
    vocoder = StandIn()
    gathered = gather(vocoder, 5, 6, 7, 8)
    assert outcomes(gathered) == dict.fromkeys("5678", "Spoken")
    assert vocoder.batches == [[5, 6, 7], [8]]
    assert outcomes(gathered) == {}


def test_each_gets_its_own_samples_and_its_share_of_the_time() -> None:
    first, second = gather(StandIn(), 10, 30).speak()
    assert isinstance(first, Spoken)
    assert isinstance(second, Spoken)
    assert (len(first.samples), len(second.samples)) == (10, 30)
    assert second.facts.vocode_seconds == pytest.approx(3 * first.facts.vocode_seconds)
    assert replace(first.facts, vocode_seconds=0.0) == ChunkFacts(10, 0.5, 0.0, reached_token_cap=False)


def test_what_is_not_wanted_any_more_is_not_spoken() -> None:
    vocoder = StandIn()
    assert outcomes(gather(vocoder, 5, 6, 7, is_wanted=lambda name: name != "6")) == {"5": "Spoken", "7": "Spoken"}
    assert vocoder.batches == [[5, 7]]


def test_what_is_cancelled_while_it_is_spoken_is_dropped_and_its_neighbours_are_not() -> None:
    unwanted: set[str] = set()
    vocoder = StandIn(then=lambda: unwanted.add("6"))
    assert outcomes(gather(vocoder, 5, 6, is_wanted=lambda name: name not in unwanted)) == {"5": "Spoken"}


def test_a_batch_that_nobody_wants_any_more_ends_early() -> None:
    unwanted: set[str] = set()
    vocoder = StandIn(then=lambda: unwanted.update("56"))
    assert outcomes(gather(vocoder, 5, 6, is_wanted=lambda name: name not in unwanted)) == {}


def test_a_stop_ends_it() -> None:
    with pytest.raises(Stopped):
        outcomes(gather(StandIn(), 5, should_stop=lambda: True))


def test_an_error_fails_the_chunk_that_it_comes_with_alone() -> None:
    vocoder = StandIn(broken=6)
    assert outcomes(gather(vocoder, 5, 6, 7)) == {"5": "Spoken", "6": "SpeakingFailed", "7": "Spoken"}
    assert vocoder.batches == [[5, 6, 7], [5], [6], [7]]


def test_chunks_that_are_too_many_at_once_are_spoken_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    assert outcomes(gather(StandIn(most=1), 5, 6)) == {"5": "Spoken", "6": "Spoken"}
    assert "2 chunks could not be spoken at once" in caplog.text


def test_a_batch_that_ran_out_of_memory_is_gone_before_its_chunks_are_spoken_alone() -> None:
    class Held:
        """What a failed call had in hand."""

    held: list[weakref.ref[Held]] = []

    class OutOfRoom(StandIn):
        def render(self, chunks: Sequence[Speech], **how: Any) -> Any:
            assert all(reference() is None for reference in held)
            if len(chunks) > 1:
                in_hand = Held()
                held.append(weakref.ref(in_hand))
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().render(chunks, **how)

    gathered = gather(vocoder := OutOfRoom(), 5, 6, 7, 8, at_once=4)
    assert outcomes(gathered) == dict.fromkeys("5678", "Spoken")
    assert vocoder.batches == [[5], [6], [7], [8]]
    assert len(held) == 1
    # No more at once than may have room.
    gathered.add(gather(StandIn(), 9)._waiting[0])
    assert not gathered.is_due(more_to_come=True)
    gathered.add(gather(StandIn(), 9)._waiting[0])
    assert gathered.is_due(more_to_come=True)


def test_the_error_is_told_as_it_was() -> None:
    (failed,) = gather(StandIn(broken=5), 5).speak()
    assert isinstance(failed, SpeakingFailed)
    assert str(failed.error) == "an error of the model's"


def test_the_engine_renders_the_same_whether_chunks_are_spoken_together_or_alone(tmp_path: Any) -> None:
    engine = engine_of("english", VoiceStore(tmp_path), token_cap=12, batch=3)
    engine.prepare(emit=ignore_events, should_stop=lambda: False)
    requests = [request(number, seed=number) for number in range(4)]
    alone = {each.request_id: each for each in render(engine, requests)}
    stream = engine.stream(emit=ignore_events, should_stop=lambda: False)
    vocoder, batches = stream.speaking.vocoder, []

    class Counted:
        mark = vocoder.mark

        def render(self, chunks: Sequence[Speech], **how: Any) -> Any:
            batches.append(len(chunks))
            return vocoder.render(chunks, **how)

    stream.speaking = replace(stream.speaking, vocoder=Counted(), spoken_at_once=3)  # type: ignore[arg-type]
    together = list(stream.answer(requests))
    assert batches == [3, 1]
    assert {each.request_id for each in together} == set(alone)
    for each in together:
        assert isinstance(each, ChunkResult)
        np.testing.assert_allclose(each.samples, alone[each.request_id].samples, rtol=0, atol=1e-5)

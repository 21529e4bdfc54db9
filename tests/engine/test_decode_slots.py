"""Decoding in slots, as on a GPU, against the library's loops and against the decoder that takes each sequence alone.

Which memory is looked over beside a sequence's own depends on its neighbours, and with it the order of sums in
float32; the tokens are the same unless two of them are as near to each other as that.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.decode import Broken, Decoder, Drawn, Dropped, Stopped, Watch
from cbtui.engine.chatterbox.decode_slots import SlotDecoder
from cbtui.engine.chatterbox.graphs import OnItsWay
from cbtui.engine.chatterbox.prefill import Prompt
from cbtui.engine.chatterbox.slots import Slots
from tests.engine.decoding import (
    MODELS,
    TEXT,
    Stock,
    decode,
    in_slots,
    outcomes,
    prompts_of,
    variants,
    watch,
    with_caps,
)

# Seen: 4e-7 and 5e-4. With `fast`, keys and values are in bfloat16 here, which the other decoder keeps in float32.
MOST_RELATIVE_DIFFERENCE = {"exact": 1e-5, "fast": 1e-3}


@pytest.fixture(scope="module", params=MODELS)
def stock(request: pytest.FixtureRequest) -> Stock:
    return Stock(request.param)


@pytest.fixture(scope="module")
def english() -> Stock:
    return Stock("english")


@contextmanager
def without_an_end(stock: Stock) -> Iterator[None]:
    """Turbo's test checkpoint has the end as its likeliest token from the beginning: keep it away."""
    t3 = stock.model.t3
    if stock.name != "turbo":
        yield
        return
    bias = t3.speech_head.bias.data
    before = bias.clone()
    bias[t3.hp.stop_speech_token] = -1e4
    yield
    bias.copy_(before)


class TestTokens:
    @pytest.mark.parametrize("batch", [1, 4])
    def test_each_request_gets_the_librarys_in_whatever_batch(self, stock: Stock, batch: int) -> None:
        samplings = variants(stock)
        expected = {
            str(number): stock.tokens(each, seed=number, text=TEXT[: 10 + 9 * number])
            for number, each in enumerate(samplings)
        }
        assert decode(in_slots(stock), prompts_of(stock, samplings), batch=batch) == expected

    def test_a_sequence_without_guidance_beside_others_gets_what_it_gets_alone(self, english: Stock) -> None:
        samplings = [dataclasses.replace(english.defaults, cfg_weight=weight) for weight in (0.0, 0.5, 0.0, 1.0)]
        alone = decode(english.decoder, prompts_of(english, samplings), batch=1)
        assert decode(in_slots(english), prompts_of(english, samplings), batch=4) == alone

    def test_the_widest_top_k_in_a_step_changes_none_of_the_others(self) -> None:
        turbo = Stock("turbo")
        samplings = [dataclasses.replace(turbo.defaults, top_k=k, top_p=1.0) for k in (1, 20, 10_000, 300, 2)]
        alone = decode(turbo.decoder, prompts_of(turbo, samplings, cap=12), batch=1)
        assert decode(in_slots(turbo), prompts_of(turbo, samplings, cap=12), batch=3) == alone

    @pytest.mark.parametrize("precision", MOST_RELATIVE_DIFFERENCE)
    def test_the_likeliest_are_the_same_with_the_same_logits(
        self, stock: Stock, precision: Precision, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected_logits: list[torch.Tensor] = []
        given_logits: list[torch.Tensor] = []
        greedy = dataclasses.replace(stock.defaults, temperature=1e-4, top_p=1.0, repetition_penalty=1.0)
        alone, slots = Decoder(stock.model.t3, precision), SlotDecoder(stock.model.t3, precision, stride=16)
        next_logits, forward = alone._next_logits, slots._computation.forward

        def note_alone(sequences: Any) -> torch.Tensor:
            logits = next_logits(sequences)
            guided = logits[:1] if stock.name == "turbo" else logits[:1] + 0.5 * (logits[:1] - logits[1:])
            expected_logits.append(guided.clone())
            return logits

        def note_in_slots(memory: Slots, count: int, reach: int) -> None:
            forward(memory, count, reach)
            given_logits.append(memory.state.guided[:1].clone())

        monkeypatch.setattr(alone, "_next_logits", note_alone)
        monkeypatch.setattr(slots._computation, "forward", note_in_slots)
        with without_an_end(stock):
            expected = decode(alone, [stock.prompt(0, greedy, cap=20)], batch=1)
            assert decode(slots, [stock.prompt(0, greedy, cap=20)], batch=1) == expected
        # The step too many that was under way at the end has no counterpart.
        both = list(zip(expected_logits, given_logits, strict=False))
        assert len(both) > 4
        assert max(float((a - b).norm() / a.norm()) for a, b in both) < MOST_RELATIVE_DIFFERENCE[precision]

    def test_the_order_of_requests_changes_nothing(self, stock: Stock) -> None:
        def prompts(numbers: Iterable[int]) -> list[Prompt]:
            return [stock.prompt(n, stock.defaults, text=TEXT[: 12 + 7 * n], cap=30) for n in numbers]

        forwards = decode(in_slots(stock), prompts(range(6)), batch=2)
        assert decode(in_slots(stock), prompts(reversed(range(6))), batch=3) == forwards

    def test_a_decoder_draws_the_same_again_in_slots_that_others_had(self, stock: Stock) -> None:
        decoder = in_slots(stock)
        first = decode(decoder, prompts_of(stock, variants(stock), cap=15), batch=3)
        decode(decoder, [stock.prompt(50 + n, stock.defaults, cap=15) for n in range(4)], batch=4)
        assert decode(decoder, prompts_of(stock, variants(stock), cap=15), batch=3) == first


class TestSlots:
    CAPS = (2, 9, 3, 7, 1, 8, 2, 6)

    def test_sequences_come_and_go_and_move_without_a_change_to_any(
        self, stock: Stock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moves: list[tuple[int, int]] = []
        move = Slots.move

        def note(self: Slots, source: int, target: int, length: int) -> None:
            moves.append((source, target))
            move(self, source, target, length)

        monkeypatch.setattr(Slots, "move", note)
        alone = decode(stock.decoder, with_caps(stock, self.CAPS), batch=1)
        for batch in (2, 3, 5):
            assert decode(in_slots(stock), with_caps(stock, self.CAPS), batch=batch) == alone
        assert moves
        assert all(source > target for source, target in moves)

    def test_memory_grows_with_what_the_sequences_need(self, stock: Stock) -> None:
        decoder, sizes = in_slots(stock, stride=4, room=1), set()
        alone = decode(stock.decoder, prompts_of(stock, [stock.defaults] * 3, cap=20), batch=1)
        given = {}
        for outcome in decoder.decode(iter(prompts_of(stock, [stock.defaults] * 3, cap=20)), watch(2)):
            assert decoder._slots is not None
            sizes.add(decoder._slots.capacity)
            if isinstance(outcome, Drawn):
                given[outcome.prompt.request_id] = outcome.tokens.tolist()
        assert given == alone
        assert len(sizes) > 1

    @pytest.mark.parametrize("leave", ["ended", "dropped", "stopped"])
    def test_slots_that_were_left_together_are_empty_for_those_that_come(self, english: Stock, leave: str) -> None:
        decoder, counted = in_slots(english, stride=4, room=1), [0]
        watching = Watch(
            lambda request_id, count: counted.append(count),
            lambda: leave == "stopped" and max(counted) > 8,
            lambda: 4,
            lambda request_id: leave != "dropped" or max(counted) <= 8,
        )
        with contextlib.suppress(Stopped):
            outcomes(decoder, with_caps(english, [12] * 4), watching)
        # As many as make the same bucket, for so long that a slot which went on would run out of memory.
        alone = decode(english.decoder, with_caps(english, [30] * 3), batch=1)
        assert decode(decoder, with_caps(english, [30] * 3), batch=4) == alone

    def test_there_are_as_many_as_there_were_sequences_at_once(self, english: Stock) -> None:
        decoder = in_slots(english)
        decode(decoder, with_caps(english, [3, 3, 3]), batch=32)
        assert decoder._slots is not None
        assert decoder._slots.count == 4

    def test_a_smaller_batch_later_gives_memory_back(self, english: Stock) -> None:
        decoder = in_slots(english)
        decode(decoder, with_caps(english, [4] * 6), batch=6)
        before = decoder.held_bytes
        decode(decoder, with_caps(english, [4] * 6), batch=2)
        assert decoder.held_bytes < before / 2

    def test_a_smaller_batch_under_way_gives_memory_back_when_enough_have_left(self, english: Stock) -> None:
        decoder, batch = in_slots(english), 4
        alone = decode(english.decoder, with_caps(english, self.CAPS), batch=1)
        given = {}
        watching = Watch(lambda request_id, count: None, lambda: False, lambda: batch)
        for outcome in decoder.decode(iter(with_caps(english, self.CAPS)), watching):
            if isinstance(outcome, Drawn):
                given[outcome.prompt.request_id] = outcome.tokens.tolist()
                batch = 2
        assert given == alone
        assert decoder._slots is not None
        assert decoder._slots.count == 2

    def test_what_one_takes_is_known_before(self, english: Stock) -> None:
        decoder = in_slots(english, stride=256, room=256)
        decode(decoder, with_caps(english, [2]), batch=1)
        assert decoder._slots is not None
        slots = decoder._slots
        assert sum(tensor.nbytes for tensor in (*slots.keys, *slots.values)) == decoder.bytes_for(slots.capacity)
        assert decoder.bytes_for(700) == 768 * decoder.bytes_per_position
        # All the rest is small: no more than what four positions of the released model take.
        assert decoder.held_bytes - decoder.bytes_for(slots.capacity) < 4 * 2 * 30 * 2 * 1024 * 4


class TestAhead:
    def test_a_step_is_launched_before_the_tokens_of_the_one_before_are_read(self, english: Stock) -> None:
        happened: list[str] = []

        class Noting:
            def run(self, key: Any, step: Any) -> None:
                if key[0] == "choose":
                    happened.append("launch")
                step()

            def forget(self) -> None:
                pass

        read = OnItsWay.read

        def note(self: OnItsWay) -> torch.Tensor:
            happened.append("read")
            return read(self)

        with patch.object(OnItsWay, "read", note):
            decode(in_slots(english, launcher=Noting()), [english.prompt(0, english.defaults, cap=4)], batch=1)
        # The first token comes with the prompt. The last launch is the step too many.
        assert happened == ["launch", "launch", "read", "launch", "read", "launch", "read"]

    def test_generators_end_where_the_vocoder_expects_them(self, stock: Stock) -> None:
        caps = (25, 3, 30, 1, 5)
        expected, given = with_caps(stock, caps), with_caps(stock, caps)
        decode(stock.decoder, expected, batch=1)
        states = {}
        for outcome in outcomes(in_slots(stock), given, watch(3)):
            states[outcome.prompt.request_id] = outcome.prompt.generator.get_state()
        assert all(torch.equal(states[each.request_id], each.generator.get_state()) for each in expected)

    def test_the_cap_ends_a_sequence_and_says_so(self, stock: Stock) -> None:
        [cut] = outcomes(in_slots(stock), [stock.prompt(0, stock.defaults, cap=3)], watch(1))
        assert isinstance(cut, Drawn)
        assert cut.reached_cap
        assert len(cut.tokens) == 3

    def test_a_stop_is_followed_before_the_next_token(self, english: Stock) -> None:
        counted: list[int] = []
        watching = Watch(lambda request_id, count: counted.append(count), lambda: len(counted) >= 4, lambda: 2)
        with pytest.raises(Stopped):
            outcomes(in_slots(english), [english.prompt(n, english.defaults) for n in range(2)], watching)
        assert counted == [1, 1, 2, 2]

    def test_a_decoder_that_was_stopped_begins_anew(self, english: Stock) -> None:
        decoder = in_slots(english)
        asked: list[int] = []
        watching = Watch(lambda request_id, count: asked.append(count), lambda: len(asked) >= 6, lambda: 3)
        with pytest.raises(Stopped):
            outcomes(decoder, with_caps(english, [9] * 3), watching)
        alone = decode(english.decoder, with_caps(english, [9] * 3), batch=1)
        assert decode(decoder, with_caps(english, [9] * 3), batch=2) == alone

    def test_one_that_is_not_wanted_any_more_leaves_and_the_others_go_on(self, english: Stock) -> None:
        counts: Counter[str] = Counter()
        watching = Watch(
            lambda request_id, count: counts.update([request_id]),
            lambda: False,
            lambda: 3,
            lambda request_id: request_id != "1" or counts["1"] < 4,
        )
        prompts = [english.prompt(number, english.defaults) for number in range(3)]
        ended = {each.prompt.request_id: each for each in outcomes(in_slots(english), prompts, watching)}
        assert isinstance(ended["1"], Dropped)
        assert counts["1"] == 4
        alone = [english.prompt(number, english.defaults) for number in (0, 2)]
        assert decode(english.decoder, alone, batch=1) == {
            name: each.tokens.tolist() for name, each in ended.items() if isinstance(each, Drawn)
        }


class TestErrors:
    def test_one_in_a_step_is_told_for_each_and_nothing_is_held(self, stock: Stock) -> None:
        decoder = in_slots(stock)
        with patch.object(decoder._computation, "choose", side_effect=RuntimeError("no step")):
            told = outcomes(decoder, [stock.prompt(n, stock.defaults) for n in range(2)], watch(2))
        assert [each.prompt.request_id for each in told if isinstance(each, Broken)] == ["0", "1"]
        assert decoder.held_bytes == 0
        alone = decode(stock.decoder, with_caps(stock, [5] * 2), batch=1)
        assert decode(decoder, with_caps(stock, [5] * 2), batch=2) == alone

    def test_one_at_the_beginning_is_told_for_that_sequence_alone(self, english: Stock) -> None:
        def fail() -> Any:
            raise RuntimeError("no voice")

        prompts = with_caps(english, [5] * 3)
        alone = decode(english.decoder, with_caps(english, [5] * 3), batch=1)
        prompts[1] = dataclasses.replace(prompts[1], voice="another", condition=fail)
        told = outcomes(in_slots(english), prompts, watch(3))
        assert [each.prompt.request_id for each in told if isinstance(each, Broken)] == ["1"]
        drawn = {each.prompt.request_id: each.tokens.tolist() for each in told if isinstance(each, Drawn)}
        assert drawn == {name: tokens for name, tokens in alone.items() if name != "1"}

    def test_one_while_memory_grows_is_told_for_each(self, english: Stock) -> None:
        decoder = in_slots(english, stride=4, room=1)
        with patch.object(Slots, "resize", side_effect=torch.OutOfMemoryError("no room")):
            told = outcomes(decoder, [english.prompt(n, english.defaults) for n in range(2)], watch(2))
        assert [each.prompt.request_id for each in told if isinstance(each, Broken)] == ["0", "1"]
        assert decoder.held_bytes == 0

"""Decoding with steps that are recorded and replayed on the same memory, with nothing of Python in between."""

from __future__ import annotations

import pytest
import torch

from cbtui.engine.chatterbox.graphs import Graphs
from cbtui.engine.chatterbox.sampling import Cuts
from tests.engine.decoding import MODELS, Stock, decode, in_slots, prompts_of, variants, with_caps
from tests.engine.recording import AskedTheHost, RecorderOnTheCpu, Recording


@pytest.fixture(scope="module", params=MODELS)
def stock(request: pytest.FixtureRequest) -> Stock:
    return Stock(request.param)


@pytest.fixture(scope="module")
def english() -> Stock:
    return Stock("english")


def test_the_tokens_are_those_of_steps_that_were_launched(stock: Stock) -> None:
    graphs = Graphs(RecorderOnTheCpu())
    samplings = [each for each in variants(stock) for _ in range(2)]
    launched = decode(in_slots(stock), prompts_of(stock, samplings, cap=12), batch=4)
    decoder = in_slots(stock, launcher=graphs, stride=64)
    assert decode(decoder, prompts_of(stock, samplings, cap=12), batch=4) == launched
    assert graphs.replays > 10


def test_sequences_that_move_are_found_where_they_are(stock: Stock) -> None:
    caps = (3, 14, 6, 11, 2, 12, 5, 9)
    alone = decode(stock.decoder, with_caps(stock, caps), batch=1)
    graphs = Graphs(RecorderOnTheCpu())
    decoder = in_slots(stock, launcher=graphs, stride=64)
    for _ in range(2):
        assert decode(decoder, with_caps(stock, caps), batch=3) == alone
    assert graphs.replays > 10


def test_memory_that_moves_is_recorded_again(english: Stock) -> None:
    graphs = Graphs(RecorderOnTheCpu())
    samplings = [english.defaults] * 3
    alone = decode(english.decoder, prompts_of(english, samplings), batch=1)
    decoder = in_slots(english, launcher=graphs, stride=6, room=1)
    assert decode(decoder, prompts_of(english, samplings), batch=2) == alone
    assert graphs.replays > 0


@pytest.mark.parametrize("top_p", [1.0, 0.8])
def test_a_step_asks_the_host_nothing_and_draws_no_random_numbers(stock: Stock, top_p: float) -> None:
    decoder = in_slots(stock)
    decode(decoder, with_caps(stock, [4] * 3), batch=3)
    slots = decoder._slots
    assert slots is not None
    with torch.inference_mode(), Recording():
        decoder._computation.forward(slots, 2, slots.capacity)
        decoder._computation.choose(slots, 2, Cuts(top_p < 1, 50))


def test_a_step_that_asked_would_be_found_out() -> None:
    with pytest.raises(AskedTheHost), torch.inference_mode(), Recording():
        torch.arange(3).max().item()

"""Several chunks through S3Gen in one batch: each sounds as it does alone, whatever its neighbours are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox import full_attention, products
from cbtui.engine.chatterbox.decode import Stopped
from cbtui.engine.chatterbox.vocode import Speech, Vocoder
from tests.engine.test_chatterbox_vocoder import BOUNDS, SEED, Stock, difference, speech_of

LENGTHS = (50, 3, 120)


@pytest.fixture(scope="module", params=["english", "turbo"])
def stock(request: pytest.FixtureRequest) -> Stock:
    return Stock(request.param)


@pytest.fixture
def torchs_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: products and attention are torch's own, the padding masked."""
    for module in (products, full_attention):
        monkeypatch.setattr(module, "can_pack", lambda device, dtype: False)


@pytest.fixture(params=["oneDNN", "torch"])
def kernels(request: pytest.FixtureRequest) -> str:
    if request.param == "torch":
        request.getfixturevalue("torchs_kernels")
    return str(request.param)


def chunk(stock: Stock, tokens: int, *, seed: int = SEED, shorter_by: int = 0) -> Speech:
    """`shorter_by`: tokens that the reference lacks at its end."""
    return Speech(speech_of(tokens), reference(stock, shorter_by), seed, torch.Generator().manual_seed(seed))


def reference(stock: Stock, shorter_by: int) -> dict[str, Any]:
    given = stock.reference
    tokens = given["prompt_token"].size(1) - shorter_by
    return {
        **given,
        "prompt_token": given["prompt_token"][:, :tokens],
        "prompt_token_len": torch.tensor([tokens]),
        "prompt_feat": given["prompt_feat"][:, : 2 * tokens],
    }


def spoken(vocoder: Vocoder, *chunks: Speech, steps: int = 1) -> list[np.ndarray[Any, Any]]:
    return list(vocoder.render(chunks, steps=steps, should_stop=lambda: False))


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_each_chunk_of_a_batch_is_the_librarys_within_the_bound(
    precision: Precision, kernels: str, stock: Stock
) -> None:
    vocoder = Vocoder(stock.model, precision)
    given = spoken(vocoder, *(chunk(stock, tokens) for tokens in LENGTHS))
    for samples, tokens in zip(given, LENGTHS, strict=True):
        assert difference(vocoder.mark(samples), stock.samples(tokens, 1)) < BOUNDS[precision]


def test_neighbours_and_their_order_change_nothing(kernels: str, stock: Stock) -> None:
    vocoder = Vocoder(stock.model, "exact")
    chunks = [chunk(stock, 8), chunk(stock, 33, seed=6), chunk(stock, 20, seed=7, shorter_by=5)]
    alone = [spoken(vocoder, each)[0] for each in chunks]
    for order in ((0, 1), (1, 0), (2, 1)):
        together = spoken(vocoder, *(chunks[which] for which in order))
        for samples, which in zip(together, order, strict=True):
            assert difference(samples, alone[which]) < BOUNDS["exact"]


def test_chunks_of_one_length_need_no_padding(kernels: str, stock: Stock) -> None:
    vocoder = Vocoder(stock.model, "exact")
    chunks = [chunk(stock, 8, seed=seed) for seed in (1, 2)]
    for samples, each in zip(spoken(vocoder, *chunks), chunks, strict=True):
        assert difference(samples, spoken(vocoder, each)[0]) < BOUNDS["exact"]


def test_each_draws_its_noise_from_its_own_generator_and_leaves_it_where_it_was(stock: Stock) -> None:
    vocoder = Vocoder(stock.model, "exact")
    chunks = [chunk(stock, 8, seed=1), chunk(stock, 8, seed=2)]
    states = [torch.get_rng_state(), *(each.generator.get_state() for each in chunks)]
    first, second = spoken(vocoder, *chunks)
    assert difference(first, second) > 0.01
    after = [torch.get_rng_state(), *(each.generator.get_state() for each in chunks)]
    assert all(map(torch.equal, after, states))


@pytest.mark.parametrize("asked", [1, 2, 3, 5, 6, 7])
def test_a_stop_is_followed_at_the_next_chunk_and_the_next_step(asked: int, stock: Stock) -> None:
    """Two chunks are encoded, go through three steps together, and are made sound."""
    questions = itertools.count(1)
    with pytest.raises(Stopped):
        Vocoder(stock.model, "exact").render(
            [chunk(stock, 8), chunk(stock, 4)], steps=3, should_stop=lambda: next(questions) == asked
        )
    assert next(questions) == asked + 1

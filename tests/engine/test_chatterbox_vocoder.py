"""The vocoder against the library's `s3gen.inference` on the same tokens, in the same voice, for the same seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.cached_model import find_checkpoint, get_model
from cbtui.engine.chatterbox.conformer import Conformer
from cbtui.engine.chatterbox.decode import Stopped
from cbtui.engine.chatterbox.estimator import Estimator
from cbtui.engine.chatterbox.flow import Flow
from cbtui.engine.chatterbox.upsampling import TransposedConvolution
from cbtui.engine.chatterbox.vocode import Speech, Vocoder
from tests.engine.rendering import models
from tests.support.checkpoint import checkpoint

SEED = 5
# The greatest difference of samples, relative to the peak. Measured: 7e-7 to 2e-6, and 3e-4 to 5e-4.
BOUNDS: dict[Precision, float] = {"exact": 1e-5, "fast": 2e-3}


class Stock:
    """A library object, which the vocoder is given too, and what it says: it is slow, so each thing once."""

    def __init__(self, name: Any) -> None:
        self.model = get_model(models, find_checkpoint(name, checkpoint(name)), "cpu").model
        self._said: dict[tuple[int, int | None], np.ndarray[Any, Any]] = {}
        self._vocoders: dict[Precision, Vocoder] = {}

    @property
    def reference(self) -> dict[str, Any]:
        return dict(self.model.conds.gen)

    def vocoder(self, precision: Precision) -> Vocoder:
        if precision not in self._vocoders:
            self._vocoders[precision] = Vocoder(self.model, precision)
        return self._vocoders[precision]

    def samples(self, tokens: int, steps: int | None) -> np.ndarray[Any, Any]:
        """What the library makes of `speech_of(tokens)`."""
        if (tokens, steps) not in self._said:
            self._said[tokens, steps] = self._say(speech_of(tokens), steps)
        return self._said[tokens, steps]

    def _say(self, speech: torch.Tensor, steps: int | None) -> np.ndarray[Any, Any]:
        if self.model.s3gen.meanflow:
            speech = torch.cat([speech, torch.full((3,), 4299)])
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(SEED)
            wav, _ = self.model.s3gen.inference(speech_tokens=speech, ref_dict=self.reference, n_cfm_timesteps=steps)
            return np.asarray(self.model.watermarker.apply_watermark(wav[0].numpy(), sample_rate=self.model.sr))


@pytest.fixture(scope="module", params=["english", "turbo"])
def stock(request: pytest.FixtureRequest) -> Stock:
    return Stock(request.param)


@pytest.fixture(scope="module")
def english() -> Stock:
    return Stock("english")


def speech_of(count: int) -> torch.Tensor:
    return torch.randint(0, 6561, (count,), generator=torch.Generator().manual_seed(count))


def spoken(
    vocoder: Vocoder,
    stock: Stock,
    speech: torch.Tensor,
    *,
    steps: int | None = 2,
    generator: torch.Generator | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> np.ndarray[Any, Any]:
    generator = generator or torch.Generator().manual_seed(SEED)
    chunk = Speech(speech, stock.reference, SEED, generator)
    (samples,) = vocoder.render([chunk], steps=steps, should_stop=should_stop)
    return vocoder.mark(samples)


def difference(given: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    assert given.shape == expected.shape
    assert np.isfinite(given).all()
    return float(np.abs(given - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("tokens", [3, 4, 50, 120])
@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_the_samples_are_the_librarys_within_the_bound(precision: Precision, tokens: int, stock: Stock) -> None:
    steps = 2 if tokens < 50 else 1
    given = spoken(stock.vocoder(precision), stock, speech_of(tokens), steps=steps)
    assert difference(given, stock.samples(tokens, steps)) < BOUNDS[precision]


@pytest.mark.parametrize("steps", [None, 3])
def test_there_are_as_many_steps_as_in_the_library(steps: int | None, stock: Stock) -> None:
    given = spoken(stock.vocoder("exact"), stock, speech_of(3), steps=steps)
    assert difference(given, stock.samples(3, steps)) < BOUNDS["exact"]


def test_fast_computes_the_flow_in_less_precision_but_from_the_same_noise(english: Stock) -> None:
    speech = speech_of(20)
    exact, fast = (spoken(english.vocoder(precision), english, speech) for precision in ("exact", "fast"))
    assert 0 < difference(fast, exact) < BOUNDS["fast"]


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_the_same_chunk_is_the_same_to_the_bit_whatever_came_before(precision: Precision, english: Stock) -> None:
    vocoder, speech = english.vocoder(precision), speech_of(20)
    first = spoken(vocoder, english, speech)
    spoken(vocoder, english, speech_of(33))
    np.testing.assert_array_equal(spoken(vocoder, english, speech), first)


def test_the_noise_continues_the_generator(english: Stock) -> None:
    vocoder, speech = english.vocoder("exact"), speech_of(8)
    drawn_from = torch.Generator().manual_seed(SEED)
    torch.rand(3, generator=drawn_from)
    assert difference(spoken(vocoder, english, speech, generator=drawn_from), spoken(vocoder, english, speech)) > 0.01


def test_the_flow_draws_as_much_as_the_librarys(stock: Stock) -> None:
    speech = speech_of(8)
    with torch.inference_mode(), torch.random.fork_rng():
        flow = Flow(stock.model.s3gen, "exact")
        torch.manual_seed(SEED)
        stock.model.s3gen.flow_inference(speech, ref_dict=stock.reference, n_cfm_timesteps=1, finalize=True)
        expected = torch.get_rng_state()
        torch.manual_seed(SEED)
        flow.begin(speech, stock.reference)
        assert torch.equal(torch.get_rng_state(), expected)


def test_neither_the_global_generator_nor_the_one_given_is_touched(english: Stock) -> None:
    generator = torch.Generator().manual_seed(SEED)
    torch.manual_seed(1)
    states = generator.get_state(), torch.get_rng_state()
    spoken(english.vocoder("exact"), english, speech_of(4), generator=generator)
    assert torch.equal(generator.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])


@pytest.mark.parametrize("asked", [1, 2])
def test_a_stop_is_followed_before_any_step(asked: int, stock: Stock) -> None:
    questions = itertools.count(1)
    vocoder = stock.vocoder("exact")
    with pytest.raises(Stopped):
        spoken(vocoder, stock, speech_of(4), should_stop=lambda: next(questions) == asked)
    assert next(questions) == asked + 1


def test_after_a_stop_the_next_chunk_is_as_ever(english: Stock) -> None:
    vocoder, speech = english.vocoder("exact"), speech_of(8)
    before = spoken(vocoder, english, speech)
    with pytest.raises(Stopped):
        spoken(vocoder, english, speech, should_stop=lambda: True)
    np.testing.assert_array_equal(spoken(vocoder, english, speech), before)


def test_the_library_keeps_its_modules_as_they_were(english: Stock) -> None:
    def attributes() -> dict[str, set[str]]:
        return {
            name: {*vars(module), *(f"hook {hook}" for hook in (*module._forward_hooks, *module._forward_pre_hooks))}
            for name, module in english.model.s3gen.named_modules()
        }

    def weights() -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in english.model.s3gen.flow.state_dict().items()}

    before, values = attributes(), weights()
    spoken(english.vocoder("fast"), english, speech_of(4))
    assert attributes() == before
    assert all(torch.equal(tensor, values[name]) for name, tensor in weights().items())


def test_the_library_keeps_its_upsamplings_after_an_error_too(english: Stock) -> None:
    hift = english.model.s3gen.mel2wav
    before = hift.ups
    with (
        patch.object(english.model.s3gen, "hift_inference", side_effect=RuntimeError("no room")),
        pytest.raises(RuntimeError, match="no room"),
    ):
        spoken(english.vocoder("exact"), english, speech_of(4))
    assert hift.ups is before


@pytest.mark.parametrize("frames", [1, 2, 37])
def test_the_upsamplings_give_what_the_librarys_give(frames: int, english: Stock) -> None:
    torch.manual_seed(2)
    for module in english.model.s3gen.mel2wav.ups:
        x = torch.randn(1, module.in_channels, frames)
        with torch.inference_mode():
            expected, given = module(x), TransposedConvolution(module)(x)
        torch.testing.assert_close(given, expected, rtol=0, atol=1e-6 * float(expected.abs().max()))


def test_the_reference_is_left_as_it_was(english: Stock) -> None:
    reference = english.reference
    chunk = Speech(speech_of(4), reference, SEED, torch.Generator().manual_seed(SEED))
    english.vocoder("exact").render([chunk], steps=1, should_stop=lambda: False)
    assert all(reference[name] is value for name, value in english.reference.items())


def test_a_padded_reference_is_refused(english: Stock) -> None:
    reference = {**english.reference, "prompt_token_len": torch.tensor([20])}
    with torch.inference_mode(), pytest.raises(ValueError, match="padded"):
        Flow(english.model.s3gen, "exact").begin(speech_of(4), reference)


def test_the_estimator_gives_the_librarys_direction_for_rows_with_conditions_of_their_own(stock: Stock) -> None:
    decoder, frames = stock.model.s3gen.flow.decoder.estimator, 31
    torch.manual_seed(2)
    x, mu, cond = torch.randn(1, 80, frames), torch.randn(2, 80, frames), torch.randn(2, 80, frames)
    speaker, times = torch.randn(2, 80), torch.tensor([0.0, 0.25, 0.7])
    with torch.inference_mode():
        start, end = times[1].expand(2), times[2].expand(2)
        expected = decoder(
            x.expand(2, -1, -1), torch.ones(2, 1, frames), mu, start, speaker, cond, end if decoder.meanflow else None
        )
        estimator = Estimator(decoder, "exact")
        conditions = estimator.condition(mu.mT[:, None], speaker[:, None], cond.mT[:, None], times)
        given = estimator.direction(x.mT, conditions, step=1)[:, 0]
    torch.testing.assert_close(given.mT, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("tokens", [1, 2, 37])
def test_the_encoder_gives_what_the_librarys_gives(tokens: int, english: Stock) -> None:
    encoder = english.model.s3gen.flow.encoder
    torch.manual_seed(2)
    embedded = torch.randn(1, tokens, 512)
    with torch.inference_mode():
        expected, _ = encoder(embedded, torch.tensor([tokens]))
        given = Conformer(encoder)(embedded)
    torch.testing.assert_close(given, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))

"""The chatterbox engine against the library's own `generate()`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch

from cbtui.core.task import Sampling
from cbtui.engine.base import ChunkResult
from cbtui.engine.chatterbox.vocode import Speech, Vocoder
from cbtui.engine.voices import VoiceStore
from tests.engine.rendering import TEXT, engine_of, render, request
from tests.engine.stock import cut_to_test_size, load_stock
from tests.support.checkpoint import checkpoint


@pytest.mark.parametrize("model", ["english", "multilingual", "turbo"])
def test_the_samples_are_the_librarys_for_the_same_seed(model: str, voices: VoiceStore) -> None:
    stock = load_stock(model, checkpoint(model))
    language = {"language_id": "en"} if model == "multilingual" else {}
    torch.manual_seed(3)
    with cut_to_test_size():
        expected = stock.generate(TEXT, **language)[0].numpy()
    [given] = render(engine_of(model, voices, flow_steps=None), [request(model=model, seed=3)])
    assert isinstance(given, ChunkResult)
    assert given.samples.shape == expected.shape
    # The order of sums in float32; 2.5e-6 of the peak was the most that was seen.
    assert np.abs(given.samples - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(cfg_weight=0.3, temperature=1.0, exaggeration=0.9),
        Sampling(repetition_penalty=2.0, min_p=0.0, top_p=0.8),
        Sampling(cfg_weight=1.0, temperature=0.4),
    ],
)
def test_the_tokens_equal_the_librarys_for_other_parameters(
    sampling: Sampling, voices: VoiceStore, english_checkpoint: Path
) -> None:
    stock = load_stock("english", english_checkpoint)
    expected: list[torch.Tensor] = []

    class Enough(Exception):
        pass

    def remember(speech_tokens: torch.Tensor, **rest: Any) -> None:
        expected.append(speech_tokens)
        raise Enough

    stock.s3gen.inference = remember
    torch.manual_seed(5)
    with pytest.raises(Enough):
        stock.generate(
            TEXT,
            exaggeration=sampling.exaggeration,
            cfg_weight=sampling.cfg_weight,
            temperature=sampling.temperature,
            repetition_penalty=sampling.repetition_penalty,
            min_p=sampling.min_p,
            top_p=sampling.top_p,
        )
    given: list[torch.Tensor] = []
    speak = Vocoder.render

    def listen(self: Vocoder, chunks: list[Speech], **more: Any) -> Any:
        given.extend(chunk.tokens for chunk in chunks)
        return speak(self, chunks, **more)

    with patch.object(Vocoder, "render", listen):
        render(engine_of("english", voices), [request(seed=5, sampling=sampling)])
    assert torch.equal(given[0], expected[0])


def test_guidance_of_zero_speaks_where_the_library_crashes(voices: VoiceStore) -> None:
    [given] = render(engine_of("english", voices), [request(sampling=Sampling(cfg_weight=0.0))])
    assert isinstance(given, ChunkResult)
    assert np.abs(given.samples).max() > 0.001


def test_guidance_of_zero_means_the_conditional_logits_alone(voices: VoiceStore) -> None:
    almost = render(engine_of("english", voices), [request(sampling=Sampling(cfg_weight=1e-9))])
    none = render(engine_of("english", voices), [request(sampling=Sampling(cfg_weight=0.0))])
    assert len(none[0].samples) == len(almost[0].samples)


def test_a_seed_gives_the_same_samples_whatever_was_rendered_before(voices: VoiceStore, clip: Path) -> None:
    engine = engine_of("english", voices)
    wanted = request(1, seed=9)
    [alone] = render(engine, [wanted])
    others = [request(2, seed=4, clip=clip), request(3, seed=5, sampling=Sampling(temperature=1.2))]
    torch.manual_seed(77)
    after = {result.request_id: result for result in render(engine, [*others, wanted])}
    np.testing.assert_array_equal(after["1"].samples, alone.samples)


def test_rendering_leaves_the_callers_random_numbers_alone(voices: VoiceStore) -> None:
    torch.manual_seed(1)
    expected = torch.rand(4)
    torch.manual_seed(1)
    render(engine_of("english", voices), [request()])
    assert torch.equal(torch.rand(4), expected)

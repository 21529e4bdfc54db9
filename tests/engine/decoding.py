"""Decoders over test checkpoints, and the library's own loops over the same weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import torch

from cbtui.core.task import MODEL_SAMPLING, Sampling
from cbtui.engine.chatterbox.conditionals import flatten_voice, t3_condition
from cbtui.engine.chatterbox.decode import Decoder, Drawn, Outcome, Stepped, Watch
from cbtui.engine.chatterbox.decode_slots import SlotDecoder
from cbtui.engine.chatterbox.library import logged_output
from cbtui.engine.chatterbox.prefill import Prompt
from cbtui.engine.chatterbox.prompt import text_tokens
from tests.engine.stock import cut_to_test_size, load_stock
from tests.support.checkpoint import checkpoint

TEXT = "Hello there, this is a test of many words, and of some more."
MODELS = ("english", "multilingual", "turbo")


class Stock:
    """The library's model, what it draws, and our decoders over its weights."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.model = load_stock(name, checkpoint(name))
        self.voice = flatten_voice(self.model.conds)
        self.decoder = Decoder(self.model.t3, "exact")
        self.defaults = MODEL_SAMPLING[name]  # type: ignore[index]
        self._drawn: dict[tuple[Sampling, int, str], list[int]] = {}

    def tokens(self, sampling: Sampling, *, seed: int, text: str) -> list[int]:
        """As `generate()` draws them, taken before it turns them into sound."""
        key = (sampling, seed, text)
        if key not in self._drawn:
            self._drawn[key] = self._draw(sampling, seed=seed, text=text)
        return self._drawn[key]

    def _draw(self, sampling: Sampling, *, seed: int, text: str) -> list[int]:
        t3, condition = self.model.t3, t3_condition(self.voice, sampling.exaggeration, "cpu")
        tokens = text_tokens(self.model, self.name, text, "en")  # type: ignore[arg-type]
        options: dict[str, Any] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "repetition_penalty": sampling.repetition_penalty,
        }
        torch.manual_seed(seed)
        with cut_to_test_size(), logged_output(), torch.inference_mode():
            if self.name == "turbo":
                drawn = t3.inference_turbo(t3_cond=condition, text_tokens=tokens, top_k=sampling.top_k, **options)
            else:
                options |= {"cfg_weight": sampling.cfg_weight, "min_p": sampling.min_p, "max_new_tokens": 1000}
                drawn = t3.inference(t3_cond=condition, text_tokens=tokens.expand(2, -1), **options)
        return [token for token in drawn[0].tolist() if token != t3.hp.stop_speech_token]

    def prompt(self, number: int, sampling: Sampling, *, text: str = TEXT, cap: int = 1000) -> Prompt:
        return Prompt(
            str(number),
            f"builtin {sampling.exaggeration}",
            lambda: t3_condition(self.voice, sampling.exaggeration, "cpu"),
            text_tokens(self.model, self.name, text, "en"),  # type: ignore[arg-type]
            sampling,
            torch.Generator().manual_seed(number),
            cap,
        )


def watch(batch: int) -> Watch:
    return Watch(lambda request_id, count: None, lambda: False, lambda: batch)


def outcomes(decoder: Decoder, prompts: Iterable[Prompt], watching: Watch) -> list[Outcome]:
    """All but the word of each step."""
    return [each for each in decoder.decode(iter(prompts), watching) if not isinstance(each, Stepped)]


def decode(decoder: Decoder, prompts: Iterable[Prompt], *, batch: int) -> dict[str, list[int]]:
    """Tokens by request."""
    given: dict[str, list[int]] = {}
    for outcome in outcomes(decoder, prompts, watch(batch)):
        assert isinstance(outcome, Drawn), outcome
        given[outcome.prompt.request_id] = outcome.tokens.tolist()
    return given


def variants(stock: Stock) -> list[Sampling]:
    """Parameters that each change what is drawn."""
    base = stock.defaults
    return [
        base,
        dataclasses.replace(base, temperature=1.0),
        dataclasses.replace(base, repetition_penalty=2.0, min_p=0.0, top_p=0.8),
        dataclasses.replace(base, temperature=0.4, top_k=50),
        dataclasses.replace(base, cfg_weight=0.3 if stock.name != "turbo" else 0.0, exaggeration=0.9),
    ]


def in_slots(stock: Stock, **options: Any) -> SlotDecoder:
    """With strides so small that memory and reach grow under way."""
    return SlotDecoder(stock.model.t3, "exact", **{"stride": 16, "room": 4, **options})


def prompts_of(stock: Stock, samplings: Iterable[Sampling], *, cap: int = 1000) -> list[Prompt]:
    """Texts of different lengths, one for each."""
    return [stock.prompt(n, each, text=TEXT[: 10 + 9 * n], cap=cap) for n, each in enumerate(samplings)]


def with_caps(stock: Stock, caps: Iterable[int]) -> list[Prompt]:
    return [stock.prompt(n, stock.defaults, text=TEXT[: 12 + 5 * n], cap=cap) for n, cap in enumerate(caps)]

"""The library's own path, as its documentation has it: the yardstick of the benches."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cbtui.core.task import MODEL_SAMPLING, ModelName
from cbtui.engine.chatterbox.conditionals import flatten_voice, t3_condition
from cbtui.engine.chatterbox.library import logged_output
from cbtui.engine.chatterbox.loader import count_layers
from cbtui.engine.chatterbox.prompt import text_tokens

_CLASSES: dict[ModelName, tuple[str, str]] = {
    "english": ("chatterbox.tts", "ChatterboxTTS"),
    "multilingual": ("chatterbox.mtl_tts", "ChatterboxMultilingualTTS"),
    "turbo": ("chatterbox.tts_turbo", "ChatterboxTurboTTS"),
}


def load_stock(model: ModelName, folder: Path, device: str) -> Any:
    """The library's model object, by its own `from_local`, which builds as many layers as the checkpoint has."""
    module, name = _CLASSES[model]
    with logged_output(), _layers_of(model, folder):
        return getattr(importlib.import_module(module), name).from_local(folder, device)


@contextmanager
def _layers_of(model: ModelName, folder: Path) -> Iterator[None]:
    """The released depth is a constant of the library's; a checkpoint for tests has fewer layers."""
    from chatterbox.models.t3.llama_configs import LLAMA_CONFIGS
    from safetensors import safe_open

    [file] = folder.glob("t3_*.safetensors")
    with safe_open(file, framework="pt") as tensors:  # type: ignore[no-untyped-call]
        layers = count_layers(tensors.keys())
    name, key = ("GPT2_medium", "n_layer") if model == "turbo" else ("Llama_520M", "num_hidden_layers")
    released = LLAMA_CONFIGS[name]
    LLAMA_CONFIGS[name] = {**released, key: layers}
    try:
        yield
    finally:
        LLAMA_CONFIGS[name] = released


def draw_stock(stock: Any, model: ModelName, text: str, *, seed: int, most: int) -> int:
    """How many speech tokens the library draws for a text in its built-in voice, `most` at the most."""
    sampling = MODEL_SAMPLING[model]
    condition = t3_condition(flatten_voice(stock.conds), sampling.exaggeration, stock.device)
    tokens = text_tokens(stock, model, text, "en")
    torch.manual_seed(seed)
    with logged_output(), torch.inference_mode():
        if model == "turbo":
            drawn = stock.t3.inference_turbo(t3_cond=condition, text_tokens=tokens, max_gen_len=most - 1)
        else:
            drawn = stock.t3.inference(
                t3_cond=condition,
                text_tokens=tokens.expand(2, -1),
                max_new_tokens=most,
                temperature=sampling.temperature,
                cfg_weight=sampling.cfg_weight,
                repetition_penalty=sampling.repetition_penalty,
                min_p=sampling.min_p,
                top_p=sampling.top_p,
            )
    return int(drawn.numel())


def generate_stock(stock: Any, model: ModelName, texts: Sequence[str], *, seed: int) -> tuple[float, float]:
    """Seconds of speech that the library's `generate()` makes of texts, one after another, and those its S3Gen took."""
    language = {"language_id": "en"} if model == "multilingual" else {}
    samples = 0
    with _timed(stock.s3gen, "inference") as seconds:
        for number, text in enumerate(texts):
            torch.manual_seed(seed + number)
            with logged_output():
                samples += stock.generate(text, **language).size(-1)
    return samples / float(stock.sr), sum(seconds)


@contextmanager
def _timed(module: Any, method: str) -> Iterator[list[float]]:
    """Seconds of each call of a method of this object."""
    seconds: list[float] = []
    call = getattr(module, method)

    def timed(*arguments: Any, **more: Any) -> Any:
        started = time.perf_counter()
        try:
            return call(*arguments, **more)
        finally:
            seconds.append(time.perf_counter() - started)

    setattr(module, method, timed)
    try:
        yield seconds
    finally:
        delattr(module, method)


def derive_stock(stock: Any, clip: Path) -> float:
    """Seconds that the library takes for the voice of a clip, as at every `generate()` with one."""
    started = time.perf_counter()
    with logged_output():
        stock.prepare_conditionals(clip)
    return time.perf_counter() - started

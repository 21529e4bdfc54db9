"""Decoding in slots with CUDA graphs, beside the decoder that launches each operation and beside the library's loop."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch

from cbtui.bench.models import make_checkpoint
from cbtui.core.task import MODEL_SAMPLING, ModelName, Precision, Sampling
from cbtui.engine.chatterbox.conditionals import flatten_voice, t3_condition
from cbtui.engine.chatterbox.decode import ROOM, Broken, Decoder, Drawn, Watch
from cbtui.engine.chatterbox.decode_slots import SlotDecoder
from cbtui.engine.chatterbox.graphs import Graphs
from cbtui.engine.chatterbox.prefill import Prompt
from cbtui.engine.chatterbox.prompt import text_tokens
from cbtui.engine.chatterbox.stock import draw_stock
from cbtui.engine.chatterbox.stock import load_stock as load_whole
from tests.engine.stock import load_stock
from tests.support.checkpoint import checkpoint

TEXT = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness."
# Enough for sequences to come, to leave and to move, and for memory and reach to grow.
CAPS = (40, 9, 30, 17, 40, 3, 25, 12)
STRIDE = 64
# Nothing is drawn that no row has, so a sequence goes on to its cap.
NO_TOKEN = -1


def graphs_against_launches(name: ModelName, device: str) -> dict[str, Any]:
    """Greedy tokens of a test checkpoint by both decoders, several sequences in the slots and each alone.

    `sampled_equal`: how many of the sequences are equal with the default parameters too, where the order of sums may
    decide between two tokens.
    """
    model = load_stock(name, checkpoint(name), device)
    alone, slots = Decoder(model.t3, "exact", room=ROOM), SlotDecoder(model.t3, "exact", room=8, stride=STRIDE)
    alone._stop = slots._stop = NO_TOKEN
    greedy = dataclasses.replace(MODEL_SAMPLING[name], temperature=1e-4, top_p=1.0, repetition_penalty=1.0)
    found: dict[str, Any] = {"greedy_tokens_equal": True, "sampled_equal": 0, "generators_equal": True}
    for sampling in (greedy, MODEL_SAMPLING[name]):
        expected = _decode(alone, _prompts(model, name, sampling, CAPS), batch=1)
        # Twice: what was recorded in the first round is replayed in the second.
        for _ in range(2):
            given = _decode(slots, _prompts(model, name, sampling, CAPS), batch=3)
        equal = [torch.equal(given[each].tokens, expected[each].tokens) for each in expected]
        if sampling is greedy:
            found["greedy_tokens_equal"] = all(equal)
        else:
            found["sampled_equal"] = f"{sum(equal)} of {len(equal)}"
        found["generators_equal"] &= all(
            torch.equal(given[each].prompt.generator.get_state(), expected[each].prompt.generator.get_state())
            for each in expected
        )
    return {**found, **_graph_counts(slots)}


def _graph_counts(decoder: SlotDecoder) -> dict[str, Any]:
    launcher = decoder._launcher
    if not isinstance(launcher, Graphs):
        return {"graphs": "none on this device"}
    return {"graphs": launcher.recorded, "replays": launcher.replays, "recording_works": launcher._records}


def is_as_it_should_be(found: dict[str, Any]) -> bool:
    recorded = "replays" not in found or (found["recording_works"] and found["graphs"] > 0 and found["replays"] > 20)
    return bool(found["greedy_tokens_equal"] and found["generators_equal"] and recorded)


def speeds(
    folder: Path | None, device: str, *, name: ModelName, batches: list[int], tokens: int, scratch: Path
) -> dict[str, Any]:
    """Tokens a second of all sequences together, after a first round that records; by precision, way and batch.

    `sequence_bytes`: keys and values, of the peak that torch counted (`peak_bytes`), and of the slots by themselves.
    """
    model = load_whole(name, folder or make_checkpoint(scratch, name), device)
    draw_stock(model, name, TEXT, seed=0, most=3)
    started = time.perf_counter()
    drawn = draw_stock(model, name, TEXT, seed=1, most=tokens)
    found: dict[str, Any] = {"stock": {"tokens_per_second": drawn / (time.perf_counter() - started)}}
    for precision in ("exact", "fast"):
        for way, decoder in _decoders(model, precision):
            for batch in batches:
                found[f"{precision}_{way}_{batch}"] = _speed(decoder, model, name, batch, tokens)
            del decoder
    for each in found.values():
        each["speedup"] = each["tokens_per_second"] / found["stock"]["tokens_per_second"]
    return found


def _decoders(model: Any, precision: Precision) -> Any:
    yield "launched", Decoder(model.t3, precision, room=ROOM)
    yield "graphs", SlotDecoder(model.t3, precision)


def _speed(decoder: Decoder, model: Any, name: ModelName, batch: int, tokens: int) -> dict[str, Any]:
    decoder._stop = NO_TOKEN
    caps = (tokens,) * batch
    _decode(decoder, _prompts(model, name, MODEL_SAMPLING[name], caps), batch=batch)
    on_card = model.t3.device.type == "cuda"
    before = torch.cuda.memory_allocated() - decoder.held_bytes if on_card else 0
    if on_card:
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    drawn = _decode(decoder, _prompts(model, name, MODEL_SAMPLING[name], caps), batch=batch)
    seconds = time.perf_counter() - started
    found: dict[str, Any] = {"tokens_per_second": sum(each.tokens.numel() for each in drawn.values()) / seconds}
    if on_card:
        found["peak_bytes_per_sequence"] = (torch.cuda.max_memory_allocated() - before) // batch
    if isinstance(decoder, SlotDecoder) and decoder._slots is not None:
        found["slots_bytes_per_sequence"] = decoder.held_bytes // decoder._slots.count
        found |= _graph_counts(decoder)
    return found


def _decode(decoder: Decoder, prompts: list[Prompt], *, batch: int) -> dict[str, Drawn]:
    watch = Watch(lambda request_id, count: None, lambda: False, lambda: batch)
    drawn = {}
    for outcome in decoder.decode(iter(prompts), watch):
        if isinstance(outcome, Broken):
            raise outcome.error
        if isinstance(outcome, Drawn):
            drawn[outcome.prompt.request_id] = outcome
    return drawn


def _prompts(model: Any, name: ModelName, sampling: Sampling, caps: tuple[int, ...]) -> list[Prompt]:
    voice, device = flatten_voice(model.conds), model.t3.device
    return [
        Prompt(
            str(number),
            "builtin",
            lambda: t3_condition(voice, sampling.exaggeration, device),
            text_tokens(model, name, TEXT[: 60 + 5 * (number % 10)], "en"),
            sampling,
            torch.Generator(device).manual_seed(number),
            cap,
        )
        for number, cap in enumerate(caps)
    ]

"""What the caches do, in words, with this machine's figures."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from cbtui.core.task import MODELS
from cbtui.engine.cache import CacheInfo
from cbtui.engine.cache_log import last_load_seconds, sum_layers
from cbtui.engine.voices import stored_voices
from cbtui.paths import Places


def explain(places: Places, info: CacheInfo) -> str:
    """Why a new process misses, what survives on disk, and what to do; `info` is this process's model cache."""
    return "\n\n".join(
        [
            _in_this_process(info),
            why_a_new_process_misses(last_load_seconds(places.cache_log)),
            _what_survives(places),
            _what_to_do(),
        ]
    )


def _in_this_process(info: CacheInfo) -> str:
    if not info.keys:
        return "In this process: no model is loaded."
    held = ", ".join(f"{key} ({info.load_seconds[key]:.1f} s, {info.bytes[key] / 1e9:.1f} GB)" for key in info.keys)
    saved = f"which saved {info.seconds_saved:.1f} s of loading"
    return f"In this process: {held}. {info.misses} loads, {info.hits} hits, {saved}."


def why_a_new_process_misses(loads: dict[str, float]) -> str:
    """`loads`: the seconds of the last load of each model, by `model@device`."""
    text = (
        "A new process always misses once. A loaded model lives in the memory of the process that loaded it, on the\n"
        "host or on the GPU, and goes with it. This is how processes work, and no setting changes it."
    )
    if not loads:
        return f"{text}\nNo load has been measured on this machine yet: cbtui cache test does it."
    measured = ", ".join(f"{key} {seconds:.1f} s" for key, seconds in sorted(loads.items()))
    return f"{text}\nOn this machine the last load took: {measured}."


def _what_survives(places: Places) -> str:
    weights = _weights()
    voices = stored_voices(places.voices)
    sums = {each.layer: each for each in sum_layers(places.cache_log)}
    lines = [
        "What survives on disk, between processes:",
        f"  weights  {weights}, or where --model-dir points",
        f"  voices   {_count(voices, 'voice')} in {places.voices}",
        f"  chunks   {_count(indexed_takes(places.chunk_index), 'take')} that no text, voice or setting changed,"
        f" by {places.chunk_index}",
        "What that did so far:",
    ]
    lines += [
        f"  {layer:<8} {each.hits} hits, {each.misses} misses; {each.seconds_spent:.1f} s spent, "
        f"{each.seconds_saved:.1f} s saved"
        for layer, each in sums.items()
    ]
    return "\n".join(lines)


def _weights() -> str:
    if importlib.util.find_spec("huggingface_hub") is None:
        return "none, as chatterbox is not installed"
    from cbtui.engine.chatterbox.checkpoint import checkpoint_in_hub_cache, hub_cache_folder

    there = [model for model in MODELS if checkpoint_in_hub_cache(model)]
    return f"{', '.join(there) or 'none complete'} in {hub_cache_folder()}"


def _what_to_do() -> str:
    return (
        "What to do: give one process all the work. `cbtui run a.yaml b.yaml c.yaml` loads once for all three, and a\n"
        "run that was stopped goes on at its next chunk. Render the same text again with the same voice, settings and\n"
        "seed, and no model is loaded at all."
    )


def indexed_takes(folder: Path) -> list[Path]:
    """The links of the chunk index whose takes are still there."""
    return [link for link in folder.glob("[0-9a-f]*/[0-9a-f]*") if link.exists()] if folder.is_dir() else []


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"

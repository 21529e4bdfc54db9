"""The chatterbox engine beside the library's own path: loading, voices, decoding, and the whole line.

Each measurement is a process of its own, ours and the library's in turn, so that neither finds what the other left.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Literal

from cbtui.bench.figures import Tell
from cbtui.core.task import ModelName

Bench = Literal["load", "voice", "decode", "render"]


class BenchFailed(Exception):
    """A measurement did not come to an end. The message is what its process said last."""


def bench_load(folder: Path, *, model: ModelName, device: str, rounds: int, tell: Tell) -> dict[str, Any]:
    """The `figures` of `cbtui bench load --json`, version 1.

    `stock`; ours up to the library's own object (`model`), and until it is ready to speak with `exact` or `fast`
    products: `seconds` from the folder, with everything imported before; `peak_bytes` that the process's resident
    memory grew by, pages of the mapped file among them. `import_seconds`: what the import takes first, for stock that
    of `chatterbox.tts`. `speedup`, `import_speedup`, `whole_speedup` (of both together) and `peak_memory_ratio` are to
    stock, medians of `rounds` processes each.
    """
    sides = ("stock", "model", "exact", "fast")
    taken = _in_turn("load", sides, folder, model=model, device=device, rounds=rounds, tell=tell)
    figures = {side: _medians(taken[side]) for side in sides}
    for side in sides[1:]:
        stock, ours = figures["stock"], figures[side]
        ours["speedup"] = stock["seconds"] / ours["seconds"]
        ours["import_speedup"] = stock["import_seconds"] / ours["import_seconds"]
        ours["whole_speedup"] = _from_import(stock) / _from_import(ours)
        ours["peak_memory_ratio"] = ours["peak_bytes"] / stock["peak_bytes"]
    return figures


def _from_import(figures: dict[str, float]) -> float:
    return figures["import_seconds"] + figures["seconds"]


def bench_voice(folder: Path, *, model: ModelName, device: str, rounds: int, tell: Tell) -> dict[str, Any]:
    """The `figures` of `cbtui bench voice --json`, version 1.

    `stock`: `seconds` for the voice of a 10 s clip, which the library takes at each call. Ours: `first`, computed and
    stored, and `second`, found on disk by another process; each with its `speedup`.
    """
    taken = _in_turn("voice", ("stock", "ours"), folder, model=model, device=device, rounds=rounds, tell=tell)
    stock = _medians(taken["stock"])
    ours = _medians(taken["ours"])
    return {
        "stock": stock,
        **{
            which: {"seconds": ours[f"{which}_seconds"], "speedup": stock["seconds"] / ours[f"{which}_seconds"]}
            for which in ("first", "second")
        },
    }


def bench_decode(
    folder: Path, *, model: ModelName, device: str, batch: int, rounds: int, tokens: int, tell: Tell
) -> dict[str, Any]:
    """The `figures` of `cbtui bench decode --json`, version 1.

    `tokens_per_second` of `stock`, and of ours by precision and batch (`exact_1`, `fast_8`), prefill included, each
    with its `speedup`: of all sequences together. `tokens` a sequence at most.
    """
    names = [f"{precision}_{size}" for precision in ("exact", "fast") for size in sorted({1, batch})]
    more = {"tokens": tokens}
    taken = _in_turn("decode", ("stock", *names), folder, model=model, device=device, rounds=rounds, tell=tell, **more)
    figures = {side: _medians(each) for side, each in taken.items()}
    for name in names:
        figures[name]["speedup"] = figures[name]["tokens_per_second"] / figures["stock"]["tokens_per_second"]
    return figures


def bench_render(
    folder: Path, *, model: ModelName, device: str, batch: int, rounds: int, chunks: int, tell: Tell
) -> dict[str, Any]:
    """The `figures` of `cbtui bench render --json`, version 1.

    `chunks` of a text, to watermarked samples: by the library's `generate()` one after another, and by the engine
    (`exact`, `fast`) with `batch` at once. `seconds`, `speech_seconds`, `rtf` (their ratio; under 1 is faster than
    speech), and the `speedup` by it; `vocode_seconds` of all, from speech tokens to sound, and the `vocode_speedup` for
    a second of speech.
    """
    sides = ("stock", f"exact_{batch}", f"fast_{batch}")
    more = {"chunks": chunks}
    taken = _in_turn("render", sides, folder, model=model, device=device, rounds=rounds, tell=tell, **more)
    figures = {side.partition("_")[0]: _medians(each) for side, each in taken.items()}
    for each in figures.values():
        each["rtf"] = each["seconds"] / each["speech_seconds"]
    for side in ("exact", "fast"):
        stock, ours = figures["stock"], figures[side]
        ours["speedup"] = stock["rtf"] / ours["rtf"]
        ours["vocode_speedup"] = _vocode_rtf(stock) / _vocode_rtf(ours)
    return figures


def _vocode_rtf(figures: dict[str, float]) -> float:
    return figures["vocode_seconds"] / figures["speech_seconds"]


def make_checkpoint(folder: Path, model: ModelName) -> Path:
    """A random checkpoint of full size, made in `folder` if there is none. It takes 3 GB there."""
    order = {"bench": "checkpoint", "side": "checkpoint", "folder": str(folder), "model": model}
    return Path(_measure(order)["folder"])


def _in_turn(
    bench: Bench,
    sides: tuple[str, ...],
    folder: Path,
    *,
    model: ModelName,
    device: str,
    rounds: int,
    tell: Tell,
    **more: int,
) -> dict[str, list[dict[str, float]]]:
    taken: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides:
            tell(f"{side}, {number + 1} of {rounds}")
            order = {"bench": bench, "side": side, "folder": str(folder), "model": model, "device": device, **more}
            taken[side].append(_measure(order))
    return taken


def _measure(order: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "cbtui.bench.model_worker", json.dumps(order)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BenchFailed(said[-1] if said else f"{order['side']} ended with status {done.returncode}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])  # the libraries print too
    return figures


def _medians(taken: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in taken) for name in taken[0]}

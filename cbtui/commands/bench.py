"""`cbtui bench WHAT`: what this machine makes of cbtui, in figures."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbtui.commands import exits
from cbtui.commands.missing import require
from cbtui.commands.stopping import exit_on_signals
from cbtui.console import Console, plain_console
from cbtui.core.task import ModelName
from cbtui.paths import Places, find_places

VERSION = 1


def add_arguments(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    benches = parser.add_subparsers(dest="bench", metavar="WHAT", required=True)
    queue = benches.add_parser(
        "queue", parents=[common], allow_abbrev=False, help="the store, the watcher and a host at full size"
    )
    queue.add_argument("--tasks", type=_count, default=100_000, metavar="N", help="tasks in the store (100000)")
    queue.add_argument("--burst", type=_count, default=20_000, metavar="N", help="files dropped at once (20000)")
    queue.add_argument("--drops", type=_count, default=200, metavar="N", help="files dropped one by one (200)")
    screen = benches.add_parser(
        "ui", parents=[common], allow_abbrev=False, help="first paint, keys, bytes sent and memory of the screen"
    )
    screen.add_argument("--tasks", type=_count, default=100_000, metavar="N", help="tasks in the queue (100000)")
    screen.add_argument("--starts", type=_count, default=10, metavar="N", help="starts of the app (10)")
    screen.add_argument("--keys", type=_count, default=100, metavar="N", help="keys pressed in each measurement (100)")
    load = _add_model_bench(benches, common, "load", "loading the model, against the library's own loading")
    voice = _add_model_bench(benches, common, "voice", "the voice of a clip, against the library's")
    decode = _add_model_bench(benches, common, "decode", "speech tokens a second, against the library's")
    decode.add_argument("--tokens", type=_count, default=80, metavar="N", help="tokens a sequence at most (80)")
    render = _add_model_bench(benches, common, "render", "a text to sound, against the library's generate()")
    render.add_argument("--chunks", type=_count, default=16, metavar="N", help="chunks of the text (16)")
    for bench in (queue, screen, load, voice, decode, render):
        bench.add_argument("--json", action="store_true", help="one JSON object, for scripts")


def _add_model_bench(benches: Any, common: argparse.ArgumentParser, name: str, text: str) -> argparse.ArgumentParser:
    bench: argparse.ArgumentParser = benches.add_parser(name, parents=[common], allow_abbrev=False, help=text)
    bench.add_argument("--rounds", type=_count, default=3, metavar="N", help="measurements of each, for a median (3)")
    return bench


def run(arguments: argparse.Namespace, places: Places) -> int:
    """Works in a temporary folder of its own, never in `places`. With `--json`, one object of version 1:

    `version`, `bench`, `machine` (`system`, `cores`, `python`, `sqlite`, `versions` of packages, and for the queue
    `file_system`), and `figures`, whose names are those of the bench's own docstring.
    """
    from cbtui.bench.figures import lines, rounded
    from cbtui.bench.models import BenchFailed
    from cbtui.engine.base import EngineUnavailable
    from cbtui.host.store import StoreError

    console = plain_console()
    exit_on_signals()
    benches: dict[str, Callable[[argparse.Namespace, Path, Console], tuple[dict[str, Any], dict[str, Any]]]] = {
        "queue": _queue,
        "ui": _ui,
        **dict.fromkeys(("load", "voice", "decode", "render"), _model),
    }
    try:
        with tempfile.TemporaryDirectory(prefix="cbtui-bench-") as folder:
            machine, figures = benches[arguments.bench](arguments, Path(folder), console)
    except (StoreError, BenchFailed, EngineUnavailable, OSError) as error:
        console.tell(f"cbtui bench {arguments.bench}: {error}")
        return exits.FAILED
    figures = rounded(figures)
    if arguments.json:
        content = {"version": VERSION, "bench": arguments.bench, "machine": machine, "figures": figures}
        console.result(json.dumps(content, indent=2))
    else:
        for line in lines({"machine": machine, **figures}):
            console.result(line)
    return exits.DONE


def _queue(arguments: argparse.Namespace, folder: Path, console: Console) -> tuple[dict[str, Any], dict[str, Any]]:
    require("psutil", "watchfiles")
    from cbtui.bench.figures import machine
    from cbtui.bench.queue import bench_queue

    figures = bench_queue(
        folder,
        tasks=arguments.tasks,
        burst=arguments.burst,
        drops=arguments.drops,
        tell=lambda text: console.tell(f"cbtui bench queue: {text}"),
    )
    return machine("watchfiles", folder=folder), figures


def _ui(arguments: argparse.Namespace, folder: Path, console: Console) -> tuple[dict[str, Any], dict[str, Any]]:
    require("textual", "psutil")
    from cbtui.bench.figures import machine
    from cbtui.bench.screen import bench_screen

    figures = bench_screen(
        folder,
        tasks=arguments.tasks,
        starts=arguments.starts,
        keys=arguments.keys,
        model_dir=arguments.model_dir,
        tell=lambda text: console.tell(f"cbtui bench ui: {text}"),
    )
    return machine("textual", "rich", "torch"), figures


def _model(arguments: argparse.Namespace, folder: Path, console: Console) -> tuple[dict[str, Any], dict[str, Any]]:
    """Stock and ours in turn, on the checkpoint of `--model-dir`, or on a random one of full size."""
    require("psutil", "torch", "chatterbox")
    from cbtui.bench import models
    from cbtui.bench.figures import machine
    from cbtui.engine.chatterbox.checkpoint import checkpoint_in

    bench = arguments.bench
    model: ModelName = arguments.model or "english"

    def tell(text: str) -> None:
        console.tell(f"cbtui bench {bench}: {text}")

    if arguments.model_dir:
        checkpoint = checkpoint_in(Path(arguments.model_dir), model).folder
    else:
        tell("a random checkpoint of full size, made once")
        checkpoint = models.make_checkpoint(find_places().cache / "bench", model)
    options = {"model": model, "device": arguments.device or "auto", "rounds": arguments.rounds, "tell": tell}
    batch = arguments.batch or 8
    figures = {
        "load": lambda: models.bench_load(checkpoint, **options),
        "voice": lambda: models.bench_voice(checkpoint, **options),
        "decode": lambda: models.bench_decode(checkpoint, batch=batch, tokens=arguments.tokens, **options),
        "render": lambda: models.bench_render(checkpoint, batch=batch, chunks=arguments.chunks, **options),
    }[bench]()
    return machine("chatterbox-tts", "torch", "transformers"), figures


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number

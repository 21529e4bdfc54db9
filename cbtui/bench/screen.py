"""The screen on this machine: how soon it paints, how soon it answers a key, what it sends, what it holds."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cbtui.bench.figures import percentiles
from cbtui.bench.pty_app import PtyApp
from cbtui.bench.store import put_tasks
from cbtui.host.lock import HostLock
from cbtui.host.store import open_store, store_path
from cbtui.paths import Places, find_places

Tell = Callable[[str], None]

_BARE = """
from textual.app import App
from textual.widgets import Footer, Static
class Bare(App):
    def compose(self):
        yield Static("painted")
        yield Footer()
Bare().run()
"""
_WATCHED_SECONDS = 5.0
# A host that renders this long text is busy for as long as any measurement takes.
_LONG_TEXT = "\n\n".join(f"This is paragraph number {number}, which says a few words." for number in range(3000))
_IMPORTING, _LOADED = "Importing torch", "cached for future use"


def bench_screen(
    folder: Path, *, tasks: int, starts: int, keys: int, model_dir: str | None, tell: Tell
) -> dict[str, Any]:
    """`first_paint` in seconds with its `ratio` to a bare Textual app; `key_to_paint_ms` under `idle`, `loading` and
    `decoding`; `bytes_per_second` at `rest` and under `load`; `memory` in bytes of a viewer of many tasks.

    What needs a model is None without `model_dir`, a folder with a checkpoint.
    """
    tell(f"first paint, {starts} times")
    figures: dict[str, Any] = {"first_paint": _first_paint(folder / "paint", starts)}
    tell("keys while nothing happens, and what is sent then")
    with _app(folder / "idle") as app:
        app.wait_for(b"jobs/1")
        app.read(2.0)
        idle = _keys(app, keys)
        # What the last key changed beside the list.
        app.read(2.0)
        rest = _bytes_per_second(app)
    tell("keys while drafts are rendered, and what is sent then")
    with _app(folder / "drafts", text=_LONG_TEXT) as app:
        app.wait_for(b"rendering")
        load = _bytes_per_second(app)
    loading = decoding = None
    if model_dir is not None:
        tell("keys while the model is imported, loaded and decodes")
        loading, decoding = _while_the_model_works(folder / "model", keys, model_dir)
    figures["key_to_paint_ms"] = {"idle": idle, "loading": loading, "decoding": decoding}
    figures["bytes_per_second"] = {"rest": rest, "load": load}
    tell(f"a viewer of {tasks} tasks")
    figures["memory"] = _memory(folder / "memory", tasks)
    return figures


def _first_paint(folder: Path, starts: int) -> dict[str, float]:
    """Seconds from the start of the process to its first picture; the bare app and ours in turn."""
    bare, ours = [], []
    for number in range(starts + 1):
        with PtyApp([sys.executable, "-c", _BARE], folder) as app:
            taken = app.wait_for(b"painted")
        with _app(folder / str(number)) as app:
            ours_taken = app.wait_for(b"starting")
        # The first start of each reads files that the others find in memory.
        if number:
            bare.append(taken)
            ours.append(ours_taken)
    middle, bare_middle = percentiles(ours), percentiles(bare)
    return {"seconds": middle["p50"], "bare_seconds": bare_middle["p50"], "ratio": middle["p50"] / bare_middle["p50"]}


def _keys(app: PtyApp, keys: int) -> dict[str, float]:
    """Milliseconds from a key to the picture of what it did: the cursor goes up and down between two tasks."""
    chance = random.Random(1)
    taken = []
    for number in range(keys):
        app.read(chance.uniform(0.02, 0.1))
        taken.append(1000 * app.answer_to(b"jk"[number % 2 : number % 2 + 1], "❯".encode()))
    return percentiles(taken)


def _while_the_model_works(folder: Path, keys: int, model_dir: str) -> tuple[dict[str, float], dict[str, float]]:
    with _app(folder, text=_LONG_TEXT, options=["--engine", "chatterbox", "--model-dir", model_dir]) as app:
        log = folder / "state" / "cbtui.log"
        _wait_for_log(app, log, _IMPORTING)
        loading: list[float] = []
        chance = random.Random(1)
        while _LOADED not in log.read_text(errors="replace"):
            app.read(chance.uniform(0.0, 0.02))
            loading.append(1000 * app.answer_to(b"jk"[len(loading) % 2 : len(loading) % 2 + 1], "❯".encode()))
        app.read(2.0)
        return percentiles(loading), _keys(app, keys)


def _wait_for_log(app: PtyApp, log: Path, text: str) -> None:
    end = time.monotonic() + 120.0
    while not log.exists() or text not in log.read_text(errors="replace"):
        if time.monotonic() > end:
            raise TimeoutError(f"{text!r} did not come in {log}")
        app.read(0.05)


def _bytes_per_second(app: PtyApp) -> float:
    before = app.received
    app.read(_WATCHED_SECONDS)
    return (app.received - before) / _WATCHED_SECONDS


def _memory(folder: Path, tasks: int) -> dict[str, float]:
    """A viewer's memory beyond what it holds with two tasks, in bytes."""
    held = []
    for count in (2, tasks):
        places = _places(folder / str(count))
        with open_store(store_path(places)).store as store:
            put_tasks(store, count)
        lock = HostLock(places)
        lock.take()
        try:
            with _app(folder / str(count)) as app:
                app.wait_for(b"viewer")
                app.read(1.0)
                app.answer_to(b"G", "❯".encode())
                app.read(1.0)
                held.append(app.resident_bytes)
        finally:
            lock.release()
    return {"tasks": tasks, "viewer_bytes": held[1], "bytes_per_task": max(0.0, (held[1] - held[0]) / tasks)}


@contextmanager
def _app(folder: Path, *, text: str = "", options: list[str] | None = None) -> Iterator[PtyApp]:
    """The app over a folder of two tasks, drafts unless `options` say otherwise."""
    places = _places(folder)
    places.jobs.mkdir(parents=True, exist_ok=True)
    for number in range(2):
        (places.jobs / f"{number}.txt").write_text(text or "A few words.")
    command = [sys.executable, "-m", "cbtui", *(options or ["--engine", "espeak"])]
    folders = ["--jobs-dir", places.jobs, "--output-dir", places.output, "--state-dir", places.state]
    with PtyApp([*command, *map(str, folders)], folder) as app:
        yield app


def _places(folder: Path) -> Places:
    folder.mkdir(parents=True, exist_ok=True)
    return find_places(jobs=str(folder / "jobs"), output=str(folder / "output"), state=str(folder / "state"))

"""Downloading a checkpoint from the hub, with visible progress and an end in sight.

The hub's client can wait for more than ten minutes on a silent server, so it runs in a child process that is ended
when nothing arrives. `python -m cbtui.engine.chatterbox.download REPOSITORY FILE...` is that child.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

from cbtui.core.events import EventSink, Noticed
from cbtui.core.task import ModelName
from cbtui.engine.base import EngineUnavailable, PreparationStopped
from cbtui.engine.chatterbox.checkpoint import (
    FILES,
    REPOSITORIES,
    Checkpoint,
    checkpoint_in_hub_cache,
    hub_cache_folder,
    missing_from_hub_cache,
)

_FIRST_ANSWER_SECONDS = 10.0
_STALL_SECONDS = 60.0
_POLL_SECONDS = 0.2


def download_checkpoint(
    model: ModelName,
    *,
    emit: EventSink,
    should_stop: Callable[[], bool],
    first_answer_seconds: float = _FIRST_ANSWER_SECONDS,
    stall_seconds: float = _STALL_SECONDS,
) -> Checkpoint:
    """Fetch the files of a model that the hub's cache lacks.

    Raises EngineUnavailable, within seconds when offline, and PreparationStopped.
    """
    missing = missing_from_hub_cache(model)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise _unavailable(model, "HF_HUB_OFFLINE is set")
    downloading = f"Downloading the {model} model from {REPOSITORIES[model]}: {', '.join(missing)}"
    emit(Noticed(downloading, doing=f"asking the hub for the {model} model"))
    # All files, not only the missing ones, so that they come from one revision.
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, REPOSITORIES[model], *FILES[model]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HF_HUB_ETAG_TIMEOUT": "10", "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONUNBUFFERED": "1"},
    )
    try:
        _follow(
            child,
            model,
            emit=emit,
            should_stop=should_stop,
            first_answer_seconds=first_answer_seconds,
            stall_seconds=stall_seconds,
        )
    finally:
        child.kill()
        child.wait()
    checkpoint = checkpoint_in_hub_cache(model)
    if checkpoint is None:
        raise _unavailable(model, "the download ended, but files are still missing")
    emit(Noticed(f"The {model} model is downloaded"))
    return checkpoint


def _follow(
    child: subprocess.Popen[str],
    model: ModelName,
    *,
    emit: EventSink,
    should_stop: Callable[[], bool],
    first_answer_seconds: float,
    stall_seconds: float,
) -> None:
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    errors: list[str] = []
    assert child.stdout is not None
    assert child.stderr is not None
    threading.Thread(target=_read_lines, args=(child.stdout, lines), daemon=True).start()
    reader = threading.Thread(target=errors.extend, args=(child.stderr,), daemon=True)
    reader.start()
    patience, waited = first_answer_seconds, 0.0
    while True:
        if should_stop():
            raise PreparationStopped
        try:
            line = lines.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            waited += _POLL_SECONDS
            if waited >= patience:
                why = f" ({errors[0].strip()})" if errors else ""
                raise _unavailable(model, f"the hub sent nothing for {patience:.0f} s{why}") from None
            continue
        if line is None:
            break
        patience, waited = stall_seconds, 0.0
        emit(Noticed(line, doing=f"downloading {model}: {line}"))
    if child.wait() != 0:
        reader.join()
        said = errors[-1].strip() if errors else f"the download ended with status {child.returncode}"
        raise _unavailable(model, said)


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line.strip())
    lines.put(None)


def _unavailable(model: ModelName, reason: str) -> EngineUnavailable:
    missing = ", ".join(missing_from_hub_cache(model)) or "none"
    return EngineUnavailable(
        f"the {model} model cannot be downloaded. Connect to the network and try again, or copy the files of "
        f"{REPOSITORIES[model]} into a folder and name it with --model-dir; --engine espeak renders a draft without "
        f"it. What the hub said: {reason}. Missing in {hub_cache_folder()}: {missing}."
    )


def _progress_class() -> type[Any]:
    """A tqdm that prints a line for every twentieth of a file: to the parent, any line is a sign of life."""
    from tqdm import tqdm

    class Lines(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._name = str(kwargs.get("desc") or "file").rstrip(": ")
            self._told = -1
            # The hub's client names its bars, which a plain tqdm does not know.
            kwargs.pop("name", None)
            with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
                super().__init__(*args, **{**kwargs, "file": nowhere, "disable": False})

        def display(self, *args: Any, **kwargs: Any) -> None:
            """Nothing: lines are printed by `update`."""

        def close(self) -> None:
            """Nothing to clear."""

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            twentieth = int(20 * self.n / self.total) if self.total else int(self.n / 1e7)
            if twentieth != self._told:
                self._told = twentieth
                of = f" of {self.total / 1e6:.0f}" if self.total else ""
                print(f"{self._name}: {self.n / 1e6:.0f}{of} MB", flush=True)  # noqa: T201
            return True

    return Lines


def _fetch(repository: str, names: list[str]) -> Iterator[str]:
    from huggingface_hub import hf_hub_download

    bars = _progress_class()
    for name in names:
        hf_hub_download(repository, name, tqdm_class=bars)
        yield name


def main() -> int:
    """The child: downloads, a line on stdout for each step; the last line on stderr says why it failed."""
    repository, *names = sys.argv[1:]
    try:
        for name in _fetch(repository, names):
            print(f"{name}: there", flush=True)  # noqa: T201
    except Exception as error:  # noqa: BLE001 - whatever the hub's client raises, the parent gets it as one line
        sys.stderr.write(json.dumps(f"{type(error).__name__}: {error}".splitlines()[0])[1:-1] + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

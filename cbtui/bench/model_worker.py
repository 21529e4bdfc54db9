"""One measurement of `cbtui bench load|voice|decode|render`, in a process of its own.

Takes its order as JSON, and prints its figures as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from cbtui.core.events import ignore_events
from cbtui.core.task import MODEL_SAMPLING
from cbtui.engine.base import ChunkFailure, ChunkRequest, Voice
from cbtui.engine.cache import ModelCache
from cbtui.engine.chatterbox.engine import TOKEN_CAP, ChatterboxEngine
from cbtui.engine.voices import VoiceStore

# From the public domain: Dickens, A Tale of Two Cities.
_TEXTS = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.",
    "It was the epoch of belief, it was the epoch of incredulity, it was the season of Light.",
    "It was the season of Darkness, it was the spring of hope, it was the winter of despair.",
    "We had everything before us, we had nothing before us, we were all going direct to Heaven.",
)

_BUILTIN = Voice("reader")


def main() -> None:
    order = json.loads(sys.argv[1])
    measure: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "checkpoint": _checkpoint,
        "load": _load,
        "voice": _voice,
        "decode": _decode,
        "render": _render,
    }
    figures = measure[order["bench"]](order)
    print(json.dumps(figures))  # noqa: T201


def _checkpoint(order: Mapping[str, Any]) -> dict[str, str]:
    from cbtui.engine.chatterbox.library import import_library
    from cbtui.engine.chatterbox.random_checkpoint import random_checkpoint

    import_library()
    folder = Path(order["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    return {"folder": str(random_checkpoint(folder, order["model"], layers=None))}


def _load(order: Mapping[str, Any]) -> dict[str, float]:
    started = time.perf_counter()
    if order["side"] == "stock":
        importlib.import_module("chatterbox.tts")
    else:
        from cbtui.engine.chatterbox.library import import_library

        import_library()
    imported = time.perf_counter() - started
    with _peak_growth() as peak:
        started = time.perf_counter()
        loaded = _load_side(order)
        seconds = time.perf_counter() - started
    del loaded
    return {"seconds": seconds, "import_seconds": imported, "peak_bytes": float(peak[0])}


def _load_side(order: Mapping[str, Any]) -> Any:
    if order["side"] == "stock":
        return _stock(order)
    if order["side"] != "model":
        return _engine(order, batch=1)
    from cbtui.engine.chatterbox.checkpoint import checkpoint_in
    from cbtui.engine.chatterbox.device import resolve_device
    from cbtui.engine.chatterbox.loader import load_model

    checkpoint = checkpoint_in(Path(order["folder"]), order["model"])
    return load_model(checkpoint, resolve_device(order["device"]), map_layers=True)


def _voice(order: Mapping[str, Any]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        clip = _clip(Path(folder) / "clip.wav")
        if order["side"] == "stock":
            from cbtui.engine.chatterbox.stock import derive_stock

            stock = _stock(order)
            derive_stock(stock, clip)  # the first ever compiles
            return {"seconds": derive_stock(stock, clip)}
        from cbtui.engine.clips import digest_clip

        request = _request(0, order, Voice("reader", clip, digest_clip(clip)))
        cache, kept = ModelCache(), Path(folder) / "voices"
        _derive(_engine(order, batch=1, cache=cache, voices=Path(folder) / "warm"), request)
        first = _derive(_engine(order, batch=1, cache=cache, voices=kept), request)
        # A store of its own, as another process would have: the voice comes from the disk.
        second = min(_derive(_engine(order, batch=1, cache=cache, voices=kept), request) for _ in range(5))
        return {"first_seconds": first, "second_seconds": second}


def _derive(engine: Any, request: ChunkRequest) -> float:
    loaded = engine.stream(emit=ignore_events, should_stop=lambda: False).loaded
    started = time.perf_counter()
    engine.voice(loaded, request, ignore_events)
    return time.perf_counter() - started


def _decode(order: Mapping[str, Any]) -> dict[str, float]:
    most = order["tokens"]
    if order["side"] == "stock":
        from cbtui.engine.chatterbox.stock import draw_stock

        stock = _stock(order)
        draw_stock(stock, order["model"], _TEXTS[0], seed=0, most=3)
        started = time.perf_counter()
        drawn = draw_stock(stock, order["model"], _TEXTS[0], seed=1, most=most)
        return {"tokens_per_second": drawn / (time.perf_counter() - started)}
    batch = int(order["side"].rpartition("_")[2])
    engine = _engine(order, batch=batch, cap=most)
    # The voice is read before, as the first chunk of a book does for all others.
    _draw(engine, [_request(0, order)])
    requests = [_request(number, order) for number in range(1, batch + 1)]
    started = time.perf_counter()
    drawn = _draw(engine, requests)
    return {"tokens_per_second": drawn / (time.perf_counter() - started)}


def _draw(engine: Any, requests: list[ChunkRequest]) -> int:
    """How many tokens in all."""
    from cbtui.engine.chatterbox.decode import Broken, Drawn

    tokens = 0
    for outcome in engine.stream(emit=ignore_events, should_stop=lambda: False).draw(requests):
        if isinstance(outcome, Broken):
            raise outcome.error
        tokens += outcome.tokens.numel() if isinstance(outcome, Drawn) else 0
    return tokens


def _render(order: Mapping[str, Any]) -> dict[str, float]:
    texts = [_TEXTS[number % len(_TEXTS)] for number in range(order["chunks"])]
    if order["side"] == "stock":
        from cbtui.engine.chatterbox.stock import generate_stock

        stock = _stock(order)
        generate_stock(stock, order["model"], ["Hello."], seed=0)
        started = time.perf_counter()
        speech, vocoding = generate_stock(stock, order["model"], texts, seed=1)
        return {"seconds": time.perf_counter() - started, "speech_seconds": speech, "vocode_seconds": vocoding}
    engine = _engine(order, batch=int(order["side"].rpartition("_")[2]))
    _speak(engine, [_request(0, order, text="Hello.")])
    started = time.perf_counter()
    speech, vocoding = _speak(engine, [_request(number + 1, order, text=text) for number, text in enumerate(texts)])
    return {"seconds": time.perf_counter() - started, "speech_seconds": speech, "vocode_seconds": vocoding}


def _speak(engine: Any, requests: list[ChunkRequest]) -> tuple[float, float]:
    """Seconds of speech in all, and those it took to make them of speech tokens."""
    samples, vocoding = 0, 0.0
    for answer in engine.render(requests, emit=ignore_events, should_stop=lambda: False):
        if isinstance(answer, ChunkFailure):
            raise RuntimeError(answer.reason)
        samples += len(answer.samples)
        vocoding += answer.facts.vocode_seconds
    return samples / float(engine.sample_rate), vocoding


def _stock(order: Mapping[str, Any]) -> Any:
    from cbtui.engine.chatterbox.device import resolve_device
    from cbtui.engine.chatterbox.library import import_library
    from cbtui.engine.chatterbox.stock import load_stock

    import_library()
    return load_stock(order["model"], Path(order["folder"]), resolve_device(order["device"]))


def _engine(
    order: Mapping[str, Any],
    *,
    batch: int,
    cap: int = TOKEN_CAP,
    cache: ModelCache | None = None,
    voices: Path = Path("no-voices"),
) -> Any:
    """Our engine, its model loaded."""

    precision = order["side"].partition("_")[0]
    engine = ChatterboxEngine(
        order["model"],
        cache=cache or ModelCache(),
        voices=VoiceStore(voices),
        token_cap=cap,
        device=order["device"],
        model_dir=Path(order["folder"]),
        precision="fast" if precision == "fast" else "exact",
        batch=batch,
    )
    engine.load(emit=ignore_events, should_stop=lambda: False)
    return engine


def _request(number: int, order: Mapping[str, Any], voice: Voice = _BUILTIN, *, text: str = _TEXTS[0]) -> ChunkRequest:
    return ChunkRequest(str(number), text, voice, MODEL_SAMPLING[order["model"]], number, "en")


def _clip(path: Path) -> Path:
    """Ten seconds of a buzz that rises and falls as a voice does."""
    import numpy as np
    import soundfile

    rate = 24_000
    time_ = np.arange(10 * rate) / rate
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 3 * time_)) / rate
    buzz = sum(np.sin(number * phase) / number for number in range(1, 30))
    soundfile.write(path, (0.2 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_))).astype(np.float32), rate)
    return path


@contextmanager
def _peak_growth() -> Iterator[list[int]]:
    """Bytes that the process's resident memory grew by in the block, at the most, looked at every 2 ms."""
    process, peak, over = psutil.Process(), [0], threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while not over.wait(0.002):
            peak[0] = max(peak[0], process.memory_info().rss - before)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield peak
    finally:
        over.set()
        watching.join()


if __name__ == "__main__":
    main()

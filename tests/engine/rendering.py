"""Rendering with the real engine on test checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cbtui.core.events import Event
from cbtui.core.task import MODEL_SAMPLING
from cbtui.engine.base import ChunkRequest, Voice
from cbtui.engine.cache import ModelCache
from cbtui.engine.chatterbox.engine import ChatterboxEngine
from cbtui.engine.clips import digest_clip
from cbtui.engine.voices import VoiceStore
from tests.support.checkpoint import checkpoint

TEXT = "Hello there, this is a test."
# One step of the flow where the sound itself is not the point: the vocoder is nearly all of the time.
QUICK = 1

# Loaded once for all tests of the engine.
models = ModelCache()


def engine_of(model: str, voices: VoiceStore, **options: Any) -> ChatterboxEngine:
    return ChatterboxEngine(
        model,  # type: ignore[arg-type]
        voices=voices,
        device="cpu",
        model_dir=checkpoint(model),
        **{"cache": models, "flow_steps": QUICK, **options},
    )


def request(number: int = 0, *, model: str = "english", seed: int = 1, clip: Path | None = None, **more: Any) -> Any:
    voice = Voice("reader", clip, digest_clip(clip) if clip else None)
    sampling = MODEL_SAMPLING[model]  # type: ignore[index]
    fields = {"text": TEXT, "voice": voice, "sampling": sampling, "seed": seed, "language": "en", **more}
    return ChunkRequest(str(number), **fields)


def render(engine: ChatterboxEngine, requests: Iterable[ChunkRequest], events: list[Event] | None = None) -> list[Any]:
    heard = [] if events is None else events
    return list(engine.render(requests, emit=heard.append, should_stop=lambda: False))


def loaded(engine: ChatterboxEngine, cache: ModelCache = models) -> Any:
    """The library's model object that the engine works with."""
    from cbtui.engine.chatterbox.cached_model import find_checkpoint, get_model

    return get_model(cache, find_checkpoint(engine.model, checkpoint(engine.model)), "cpu").model

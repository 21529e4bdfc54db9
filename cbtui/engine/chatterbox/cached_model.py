"""The way to a model: its checkpoint, found or downloaded, and the process-wide cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbtui.core.events import EventSink, Noticed, ignore_events
from cbtui.core.task import ModelName
from cbtui.engine.base import EngineUnavailable
from cbtui.engine.cache import ModelCache, ModelKey
from cbtui.engine.chatterbox.checkpoint import Checkpoint, checkpoint_in, checkpoint_in_hub_cache
from cbtui.engine.chatterbox.library import import_library, is_imported, library_version

# The names under which the library's classes are known; they stand in the log.
CLASS_NAMES = {
    "english": "ChatterboxTTS",
    "multilingual": "ChatterboxMultilingualTTS",
    "turbo": "ChatterboxTurboTTS",
}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The library's model object, and its built-in voice as it was at loading.

    The object may be in other hands too, and its `generate()` replaces the voice for good.
    """

    model: Any
    builtin_voice: Mapping[str, Any] | None


def find_checkpoint(
    model: ModelName,
    model_dir: Path | None = None,
    *,
    emit: EventSink = ignore_events,
    should_stop: Callable[[], bool] = lambda: False,
) -> Checkpoint:
    """The checkpoint in `model_dir`, else in the hub's cache, else downloaded.

    Raises EngineUnavailable, also where chatterbox is not installed, and PreparationStopped.
    """
    library_version()
    if model_dir is not None:
        return checkpoint_in(model_dir, model)
    found = checkpoint_in_hub_cache(model)
    if found is not None:
        return found
    from cbtui.engine.chatterbox.download import download_checkpoint

    return download_checkpoint(model, emit=emit, should_stop=should_stop)


def get_model(
    cache: ModelCache, checkpoint: Checkpoint, device: str = "auto", *, emit: EventSink = ignore_events
) -> LoadedModel:
    """The model of a checkpoint, loaded once per process, device and checkpoint. Raises EngineUnavailable."""
    if not is_imported():
        emit(Noticed("Importing torch and chatterbox"))
    import_library()
    from cbtui.engine.chatterbox.device import resolve_device

    on = resolve_device(device)
    loaded: LoadedModel = cache.get(
        ModelKey(checkpoint.model, on, checkpoint.revision),
        label=CLASS_NAMES[checkpoint.model],
        load=lambda: _load_with_room(cache, checkpoint, on),
        measure=_measure,
        emit=emit,
    )
    return loaded


def _load_with_room(cache: ModelCache, checkpoint: Checkpoint, device: str) -> LoadedModel:
    """Load; where memory runs out, let go of the other models and try once more."""
    import torch

    try:
        try:
            return _load(checkpoint, device)
        except torch.OutOfMemoryError:
            if not cache.clear():
                raise
        return _load(checkpoint, device)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise EngineUnavailable(
            f"the {checkpoint.model} model cannot be loaded on {device}: {reason} "
            "See what cbtui doctor says, free memory there, or choose --device cpu."
        ) from error


def _load(checkpoint: Checkpoint, device: str) -> LoadedModel:
    from cbtui.engine.chatterbox.conditionals import flatten_voice
    from cbtui.engine.chatterbox.loader import load_model

    model = load_model(checkpoint, device)
    return LoadedModel(model, flatten_voice(model.conds) if model.conds is not None else None)


def _measure(loaded: LoadedModel) -> int:
    """Bytes of all parameters and buffers."""
    modules = (loaded.model.t3, loaded.model.s3gen, loaded.model.ve)
    return sum(tensor.nbytes for module in modules for tensor in (*module.parameters(), *module.buffers()))

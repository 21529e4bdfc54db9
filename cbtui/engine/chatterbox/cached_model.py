"""The way to a model: its checkpoint, found or downloaded, and the process-wide cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbtui.core.events import EventSink, Noticed, ignore_events
from cbtui.core.task import ModelName
from cbtui.engine.base import EngineUnavailable
from cbtui.engine.cache import ModelCache, ModelKey
from cbtui.engine.chatterbox.checkpoint import Checkpoint, checkpoint_in, checkpoint_in_hub_cache

# The names under which the library's classes are known; they stand in the log.
CLASS_NAMES = {
    "english": "ChatterboxTTS",
    "multilingual": "ChatterboxMultilingualTTS",
    "turbo": "ChatterboxTurboTTS",
}


def find_checkpoint(
    model: ModelName,
    model_dir: Path | None = None,
    *,
    emit: EventSink = ignore_events,
    should_stop: Callable[[], bool] = lambda: False,
) -> Checkpoint:
    """The checkpoint in `model_dir`, else in the hub's cache, else downloaded. Raises EngineUnavailable."""
    if model_dir is not None:
        return checkpoint_in(model_dir, model)
    found = checkpoint_in_hub_cache(model)
    if found is not None:
        return found
    from cbtui.engine.chatterbox.download import download_checkpoint

    return download_checkpoint(model, emit=emit, should_stop=should_stop)


def get_model(
    cache: ModelCache, checkpoint: Checkpoint, device: str = "auto", *, emit: EventSink = ignore_events
) -> Any:
    """The library's model object for a checkpoint, loaded once per process, device and checkpoint."""
    from cbtui.engine.chatterbox.library import import_library, is_imported

    if not is_imported():
        emit(Noticed("Importing torch and chatterbox"))
    import_library()
    from cbtui.engine.chatterbox.device import resolve_device

    on = resolve_device(device)
    return cache.get(
        ModelKey(checkpoint.model, on, checkpoint.revision),
        label=CLASS_NAMES[checkpoint.model],
        load=lambda: _load(checkpoint, on),
        measure=_measure,
        emit=emit,
    )


def _load(checkpoint: Checkpoint, device: str) -> Any:
    import torch

    from cbtui.engine.chatterbox.loader import load_model

    try:
        return load_model(checkpoint, device)
    except torch.OutOfMemoryError as error:
        raise EngineUnavailable(
            f"the {checkpoint.model} model does not fit into the memory of {device}: "
            f"{str(error).splitlines()[0]} Free memory there, or choose --device cpu."
        ) from error


def _measure(model: Any) -> int:
    """Bytes of all parameters and buffers."""
    modules = (model.t3, model.s3gen, model.ve)
    return sum(tensor.nbytes for module in modules for tensor in (*module.parameters(), *module.buffers()))

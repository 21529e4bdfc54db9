"""The way to a model: its checkpoint, found or downloaded, and the process-wide cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbtui.core.events import EventSink, Noticed, ignore_events
from cbtui.core.task import ModelName, Precision
from cbtui.engine.base import EngineUnavailable, OutOfMemory
from cbtui.engine.cache import ModelCache, ModelKey
from cbtui.engine.chatterbox.checkpoint import Checkpoint, checkpoint_in, checkpoint_in_hub_cache
from cbtui.engine.chatterbox.library import import_library, is_imported, library_version

if TYPE_CHECKING:
    from cbtui.engine.chatterbox.speaking import Speaking

# The names under which the library's classes are known; they stand in the log.
CLASS_NAMES = {
    "english": "ChatterboxTTS",
    "multilingual": "ChatterboxMultilingualTTS",
    "turbo": "ChatterboxTurboTTS",
}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The library's model object, its built-in voice as it was at loading, and what we speak with.

    The object may be in other hands too, and its `generate()` replaces the voice for good. `key` is the cache's.
    """

    key: ModelKey
    model: Any
    builtin_voice: Mapping[str, Any] | None
    _speaking: dict[Precision, Speaking] = field(default_factory=dict)

    def speaking(self, precision: Precision) -> Speaking:
        """Decoder and vocoder over this model's weights, made when they are first asked for."""
        from cbtui.engine.chatterbox.speaking import Speaking

        if precision not in self._speaking:
            self._speaking[precision] = Speaking.of(self.model, precision)
        return self._speaking[precision]


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
    cache: ModelCache,
    checkpoint: Checkpoint,
    device: str = "auto",
    *,
    precision: Precision | None = None,
    emit: EventSink = ignore_events,
) -> LoadedModel:
    """The model of a checkpoint, loaded once per process, device and checkpoint.

    With a precision, it is ready to speak in it: that is a part of loading. Raises EngineUnavailable, and OutOfMemory
    where the device has no room for it.
    """
    if not is_imported():
        emit(Noticed("Importing torch and chatterbox", doing="importing torch and chatterbox"))
    import_library()
    from cbtui.engine.chatterbox.device import resolve_device

    key = ModelKey(checkpoint.model, resolve_device(device), checkpoint.revision)
    loaded: LoadedModel = cache.get(
        key,
        label=CLASS_NAMES[checkpoint.model],
        load=lambda: _load_with_room(cache, checkpoint, key, precision),
        measure=_measure,
        emit=emit,
    )
    return loaded


def _load_with_room(
    cache: ModelCache, checkpoint: Checkpoint, key: ModelKey, precision: Precision | None
) -> LoadedModel:
    """Load; where memory runs out, let go of the other models and try once more."""
    from cbtui.engine.chatterbox.faults import first_line, let_go_of_frames, ran_out_of_memory

    what = f"the {key.model} model cannot be loaded on {key.device}"
    try:
        try:
            return _load(checkpoint, key, precision)
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
            let_go_of_frames(error)
            if not cache.clear():
                raise
        return _load(checkpoint, key, precision)
    except (RuntimeError, MemoryError) as error:
        reason = first_line(error)
        if not ran_out_of_memory(error):
            raise EngineUnavailable(f"{what}: {reason} See what cbtui doctor says, or choose --device cpu.") from error
        let_go_of_frames(error)
        raise OutOfMemory(
            f"{what}, which has too little memory: {reason} "
            "See what cbtui doctor says, free memory there, or choose --device cpu."
        ) from error


def _load(checkpoint: Checkpoint, key: ModelKey, precision: Precision | None) -> LoadedModel:
    from cbtui.engine.chatterbox.conditionals import flatten_voice
    from cbtui.engine.chatterbox.loader import load_model

    # What we speak with has the layers in a form of its own; nobody else reads them then.
    model = load_model(checkpoint, key.device, map_layers=precision is not None)
    loaded = LoadedModel(key, model, flatten_voice(model.conds) if model.conds is not None else None)
    if precision is not None:
        loaded.speaking(precision)
    return loaded


def _measure(loaded: LoadedModel) -> int:
    """Bytes of all parameters and buffers."""
    modules = (loaded.model.t3, loaded.model.s3gen, loaded.model.ve)
    return sum(tensor.nbytes for module in modules for tensor in (*module.parameters(), *module.buffers()))

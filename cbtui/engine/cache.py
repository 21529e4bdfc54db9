"""The model cache: a model is loaded once per process, and every look-up says whether it hit, and what that saved."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cbtui.core.events import CacheEvent, Event, EventSink, Noticed, ignore_events
from cbtui.core.task import ModelName

log = logging.getLogger("cbtui.cache")


@dataclass(frozen=True, slots=True)
class ModelKey:
    """What makes a loaded model the one that is asked for. `revision` is the checkpoint's."""

    model: ModelName
    device: str
    revision: str

    def __str__(self) -> str:
        return f"{self.model}@{self.device}"


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A loaded model and what it cost: `seconds` to load, `bytes` it holds."""

    value: Any
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What the cache holds and has done in this process. `load_seconds` and `bytes` are by key."""

    keys: tuple[str, ...]
    load_seconds: dict[str, float]
    bytes: dict[str, int]
    hits: int
    misses: int
    seconds_saved: float

    @property
    def bytes_held(self) -> int:
        return sum(self.bytes.values())


@dataclass(slots=True)
class _Counts:
    hits: int = 0
    misses: int = 0
    seconds_saved: float = 0.0


@dataclass(slots=True)
class ModelCache:
    """Loaded models by key. Safe to share between threads: two callers of one key make one load."""

    _models: dict[ModelKey, CachedModel] = field(default_factory=dict)
    _loading: dict[ModelKey, threading.Lock] = field(default_factory=dict)
    _counts: _Counts = field(default_factory=_Counts)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(
        self,
        key: ModelKey,
        *,
        label: str,
        load: Callable[[], Any],
        measure: Callable[[Any], int],
        emit: EventSink = ignore_events,
    ) -> Any:
        """The model for `key`, by `load` if it is not cached. A load that raises is not cached; its error passes."""
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            cached = self._models.get(key)
            if cached is not None:
                return self._hit(key, label, cached, emit)
            loading_now = f"Loading {label} {key.model} for device: {key.device} (cache miss)"
            log.info("%s", loading_now)
            emit(Noticed(loading_now, doing=f"loading {key.model}"))
            started = time.monotonic()
            value = load()
            cached = CachedModel(value, time.monotonic() - started, measure(value))
            with self._lock:
                self._models[key] = cached
                self._counts.misses += 1
            message = f"Model loaded in {cached.seconds:.1f}s and cached for future use in this session"
            log.info("%s", message)
            emit(CacheEvent("model", str(key), hit=False, seconds=cached.seconds, message=message))
            return value

    def _hit(self, key: ModelKey, label: str, cached: CachedModel, emit: EventSink) -> Any:
        with self._lock:
            self._counts.hits += 1
            self._counts.seconds_saved += cached.seconds
        message = (
            f"Using cached {label} {key.model} for device: {key.device} "
            f"(cache hit, originally loaded in {cached.seconds:.1f}s)"
        )
        log.info("%s", message)
        emit(CacheEvent("model", str(key), hit=True, saved=cached.seconds, message=message))
        return cached.value

    def info(self) -> CacheInfo:
        with self._lock:
            named = {self._name(key): cached for key, cached in self._models.items()}
            return CacheInfo(
                keys=tuple(named),
                load_seconds={name: cached.seconds for name, cached in named.items()},
                bytes={name: cached.bytes for name, cached in named.items()},
                hits=self._counts.hits,
                misses=self._counts.misses,
                seconds_saved=self._counts.seconds_saved,
            )

    def _name(self, key: ModelKey) -> str:
        """`english@cuda`, with the revision where two checkpoints of one model are loaded."""
        alike = sum(str(other) == str(key) for other in self._models)
        return str(key) if alike == 1 else f"{key}#{key.revision}"

    def peek(self, key: ModelKey) -> Any | None:
        """The model for `key` if it is loaded; no look-up that counts. Who keeps it, keeps its memory."""
        with self._lock:
            cached = self._models.get(key)
        return cached.value if cached else None

    def loaded_keys(self) -> tuple[ModelKey, ...]:
        """What is loaded, in the order of loading."""
        with self._lock:
            return tuple(self._models)

    def discard(self, unwanted: Callable[[ModelKey], bool]) -> int:
        """Let go of the models with an unwanted key and give their memory back; returns how many went."""
        with self._lock:
            going = [key for key in self._models if unwanted(key)]
            for key in going:
                del self._models[key]
            some_stay = bool(self._models)
        if going:
            gc.unfreeze()
            give_back_memory()
            if some_stay:
                # As after loading: what stays is too much for the collector to walk while people wait.
                gc.freeze()
        return len(going)

    def clear(self) -> int:
        """Let go of all models and give their memory back; returns how many there were."""
        return self.discard(lambda key: True)


def give_back_memory() -> None:
    """Collect what nobody holds any more, and return to the devices what torch keeps for later. Imports nothing."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    try:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if torch.backends.mps.is_available():
            torch.mps.empty_cache()
    except RuntimeError as error:  # of a device that is lost
        log.warning("a device does not take its memory back: %s", error)


def _log_event(event: Event) -> None:
    """What is told while a Python program waits for a download."""
    if isinstance(event, Noticed):
        log.info("%s", event.message)


# The one on purpose: what the process loaded, whoever asks.
shared_models = ModelCache()


class ChatterboxModelCache:
    """The process-wide cache of Chatterbox models, for Python programs. All methods may be called on the class.

    model = ChatterboxModelCache.get_model(device="cuda", model="english")
    wav = model.generate("Hello.")
    """

    @staticmethod
    def get_model(device: str = "auto", model: ModelName = "english", model_dir: str | Path | None = None) -> Any:
        """The library's own model object: `ChatterboxTTS`, `ChatterboxMultilingualTTS` or `ChatterboxTurboTTS`.

        `device`: `auto`, `cuda`, `mps` or `cpu`. Raises `cbtui.engine.base.EngineUnavailable`, which says what to do.
        """
        from cbtui.engine.chatterbox.cached_model import find_checkpoint, get_model

        checkpoint = find_checkpoint(model, None if model_dir is None else Path(model_dir), emit=_log_event)
        return get_model(shared_models, checkpoint, device).model

    @staticmethod
    def get_cache_info() -> dict[str, Any]:
        """`cached_keys`, `size`, `load_times` (seconds), `hits`, `misses`, `seconds_saved`, `bytes_held`."""
        info = shared_models.info()
        return {
            "cached_keys": list(info.keys),
            "size": len(info.keys),
            "load_times": info.load_seconds,
            "hits": info.hits,
            "misses": info.misses,
            "seconds_saved": info.seconds_saved,
            "bytes_held": info.bytes_held,
        }

    @staticmethod
    def explain_cache_behavior() -> str:
        """Why a new process misses, what survives on disk and what to do, with this machine's figures."""
        from cbtui.engine.cache_explained import explain
        from cbtui.paths import find_places

        return explain(find_places(), shared_models.info())

    @staticmethod
    def clear_cache() -> None:
        """Let go of all models and give their memory back."""
        shared_models.clear()

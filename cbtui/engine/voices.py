"""Voices kept on disk and in memory: what a model derives from a reference clip is derived once per machine."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cbtui.atomic import write_bytes
from cbtui.core.events import CacheEvent, EventSink
from cbtui.core.fingerprint import fingerprint

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Tensors = Mapping[str, npt.NDArray[np.generic]]

# Counted up when the way voices are derived or stored changes.
_FORMAT = 1
_MEMORY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredVoice:
    """A voice as named arrays. `seconds` is what deriving it took."""

    tensors: Tensors
    seconds: float

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())


class VoiceStore:
    """Voices by content hash of clip, model and revision. Safe to share between threads.

    On disk one safetensors file a voice; in memory the most recently used, bounded in bytes. A damaged file is a miss
    and is written again.
    """

    def __init__(self, folder: Path, *, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._recent: OrderedDict[str, StoredVoice] = OrderedDict()
        self._lock = threading.RLock()

    def get(
        self, *, digest: str, model: str, revision: str, name: str, derive: Callable[[], Tensors], emit: EventSink
    ) -> StoredVoice:
        """The voice of a clip, by `derive` if it is not stored; `name` is for the log. What `derive` raises passes."""
        key = voice_key(digest=digest, model=model, revision=revision)
        with self._lock:
            voice = self._recent.get(key) or self._read(key)
            if voice is not None:
                emit(CacheEvent("voice", key, hit=True, saved=voice.seconds, message=f"{name}: stored voice used"))
            else:
                started = time.monotonic()
                tensors = derive()
                voice = StoredVoice(tensors, time.monotonic() - started)
                message = f"{name}: voice made in {voice.seconds:.1f}s and stored for later"
                try:
                    self._write(key, voice)
                except OSError as error:
                    message = f"{name}: voice made in {voice.seconds:.1f}s; it cannot be stored: {error}"
                emit(CacheEvent("voice", key, hit=False, seconds=voice.seconds, message=message))
            self._remember(key, voice)
            return voice

    def clear(self) -> int:
        """Forget all voices, on disk and in memory; returns how many files went."""
        with self._lock:
            self._recent.clear()
            files = stored_voices(self._folder)
            for path in files:
                path.unlink(missing_ok=True)
            return len(files)

    def _remember(self, key: str, voice: StoredVoice) -> None:
        self._recent[key] = voice
        self._recent.move_to_end(key)
        while len(self._recent) > 1 and sum(kept.bytes for kept in self._recent.values()) > self._memory_bytes:
            self._recent.popitem(last=False)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"

    def _read(self, key: str) -> StoredVoice | None:
        from safetensors import SafetensorError, safe_open

        path = self._path(key)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as file:  # type: ignore[no-untyped-call]
                seconds = float((file.metadata() or {})["seconds"])
                return StoredVoice({name: file.get_tensor(name) for name in file.keys()}, seconds)  # noqa: SIM118
        except (SafetensorError, OSError, KeyError, ValueError):
            return None

    def _write(self, key: str, voice: StoredVoice) -> None:
        from safetensors.numpy import save

        write_bytes(self._path(key), save(dict(voice.tensors), metadata={"seconds": f"{voice.seconds:.6f}"}))


def voice_key(*, digest: str, model: str, revision: str) -> str:
    """The name of a voice in the store: 32 hex digits over everything that decides it."""
    return fingerprint({"clip": digest, "model": model, "revision": revision, "format": _FORMAT})[:32]


def stored_voices(folder: Path) -> list[Path]:
    """The files of all stored voices."""
    return sorted(folder.glob("*.safetensors")) if folder.is_dir() else []

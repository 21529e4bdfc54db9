"""The chatterbox engine: requests in, watermarked samples out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbtui.core.events import EventSink, Noticed
from cbtui.core.task import UNUSED_SAMPLING, ModelName, Precision, Sampling
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, UnusableReference, Vitals, all_are_wanted
from cbtui.engine.cache import ModelCache, ModelKey
from cbtui.engine.chatterbox.cached_model import LoadedModel, find_checkpoint, get_model
from cbtui.engine.chatterbox.checkpoint import Checkpoint
from cbtui.engine.chatterbox.languages import helper_version, missing_helper
from cbtui.engine.chatterbox.library import library_version
from cbtui.engine.chatterbox.vitals import read_vitals
from cbtui.engine.clips import MIN_SECONDS, read_clip
from cbtui.engine.voices import VoiceStore

if TYPE_CHECKING:
    from cbtui.engine.chatterbox.stream import ChunkStream

# Counted up when our part of the line changes the samples.
_LINE_VERSION = 2
SAMPLE_RATE = 24_000
# `max_new_tokens` of the library's `generate()`: 40 s of speech.
TOKEN_CAP = 1000
# What a batch that is to be found starts from; the device, once it is known, takes it down.
MOST_AT_ONCE = 32

# `ChatterboxTurboTTS.prepare_conditionals` asserts more than 5 s.
_TURBO_MIN_CLIP_SECONDS = 5.05


class ChatterboxEngine:
    """One of the three models on one device. Loads when the first request needs it, through the process-wide cache.

    It holds no model itself, so a model that the cache lets go of is gone, and the next request loads it again.
    `token_cap`, `flow_steps` (None: the model's own) and `precision` are there to trade quality for speed; all three
    decide samples. `batch` (None: what the device does best) decides none of them, but for rounding on a GPU.
    """

    name = "chatterbox"
    sample_rate = SAMPLE_RATE
    draft = False

    def __init__(
        self,
        model: ModelName,
        *,
        cache: ModelCache,
        voices: VoiceStore,
        device: str = "auto",
        model_dir: Path | None = None,
        token_cap: int = TOKEN_CAP,
        flow_steps: int | None = None,
        precision: Precision = "exact",
        batch: int | None = None,
    ) -> None:
        self.model = model
        self._batch = batch or MOST_AT_ONCE
        self._fits_itself = batch is None
        self._fitting = MOST_AT_ONCE
        self._precision = precision
        self._cache = cache
        self._voices = voices
        self._device = device
        self._model_dir = model_dir
        self._token_cap = token_cap
        self._flow_steps = flow_steps
        self._checkpoint: Checkpoint | None = None
        self._key: ModelKey | None = None
        self._warned: set[str] = set()

    @property
    def batch(self) -> int:
        """Chunks at once: as many as were asked for, or as the device's free memory had room for at the last look."""
        return min(self._batch, self._fitting) if self._fits_itself else self._batch

    @batch.setter
    def batch(self, most: int) -> None:
        self._batch = most

    def identity(self, request: ChunkRequest) -> Mapping[str, object]:
        checkpoint = self._prepared()
        sampling = request.sampling
        return {
            "engine": self.name,
            "engine_version": f"{library_version()}+{_LINE_VERSION}",
            "model": self.model,
            "revision": checkpoint.revision,
            "voice": request.voice.digest or "builtin",
            "sampling": {field: getattr(sampling, field) for field in _used_sampling(self.model)},
            "language": self._language_facts(request.language),
            "seed": request.seed,
            "text": request.text,
            "token_cap": self._token_cap,
            "flow_steps": self._flow_steps,
            "precision": self._precision,
        }

    def prepare(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Find the checkpoint, downloading it if it is not on this machine. Raises EngineUnavailable."""
        if self._checkpoint is None:
            self._checkpoint = find_checkpoint(self.model, self._model_dir, emit=emit, should_stop=should_stop)

    def load(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Have the model in memory. Raises EngineUnavailable, OutOfMemory and PreparationStopped."""
        self.prepare(emit=emit, should_stop=should_stop)
        self._key = self._get_model(emit).key

    def vitals(self) -> Vitals:
        """Hooks are those that others left on the model: we need none."""
        return read_vitals(self._cache.peek(self._key), self._key.device) if self._key else Vitals()

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[ChunkResult | ChunkFailure]:
        waiting = iter(requests)
        first = next(waiting, None)
        if first is None or should_stop():
            return
        stream = self.stream(emit=emit, should_stop=should_stop, is_wanted=is_wanted)
        yield from stream.answer(itertools.chain([first], waiting))

    def stream(
        self,
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> ChunkStream:
        """What answers requests, with the model loaded and held: what the cache lets go of goes with the stream."""
        self.load(emit=emit, should_stop=should_stop)
        # After loading, which tells of the import of the libraries and keeps it quiet.
        from cbtui.engine.chatterbox.stream import ChunkStream

        loaded = self._loaded(emit)
        speaking = loaded.speaking(self._precision)
        if self._fits_itself:
            self._fitting = speaking.fitting_batch()
        return ChunkStream(
            loaded,
            speaking,
            voice_of=lambda request: self.voice(loaded, request, emit),
            batch=lambda: self.batch,
            cap=self._token_cap,
            flow_steps=self._flow_steps,
            emit=emit,
            should_stop=should_stop,
            is_wanted=is_wanted,
        )

    def _loaded(self, emit: EventSink) -> LoadedModel:
        """The model, loaded again where the cache let go of it in between."""
        there: LoadedModel | None = self._cache.peek(self._key) if self._key else None
        return there or self._get_model(emit)

    def _get_model(self, emit: EventSink) -> LoadedModel:
        return get_model(self._cache, self._prepared(), self._device, precision=self._precision, emit=emit)

    def _prepared(self) -> Checkpoint:
        if self._checkpoint is None:
            raise RuntimeError("prepare() comes before identity() and render()")
        return self._checkpoint

    def _language_facts(self, language: str) -> list[str | None] | None:
        """What decides how the multilingual model reads a text."""
        return [language, helper_version(language)] if self.model == "multilingual" else None

    def _warn_of_missing_helper(self, language: str, emit: EventSink) -> None:
        if self.model != "multilingual" or language in self._warned:
            return
        self._warned.add(language)
        package = missing_helper(language)
        if package:
            emit(Noticed(f"language {language} is spoken better with: pip install {package}", "warning"))

    def voice(self, loaded: LoadedModel, request: ChunkRequest, emit: EventSink) -> Mapping[str, Any]:
        """The voice of a request, from memory, from disk, or derived from its clip.

        Raises UnusableReference, and `stream.Refused` where there is neither a clip nor a voice of the checkpoint's.
        """
        from cbtui.engine.chatterbox.conditionals import derive_voice
        from cbtui.engine.chatterbox.stream import Refused

        self._warn_of_missing_helper(request.language, emit)
        wanted = request.voice
        if wanted.reference is None:
            if loaded.builtin_voice is None:
                raise Refused(
                    f"speaker {wanted.speaker} has no reference clip, and the checkpoint has no voice of its own "
                    "(conds.pt). Give the speaker a reference.",
                    retry=False,
                )
            return loaded.builtin_voice
        reference, digest = wanted.reference, wanted.digest

        def derive() -> Mapping[str, Any]:
            minimum = _TURBO_MIN_CLIP_SECONDS if self.model == "turbo" else MIN_SECONDS
            clip = read_clip(reference, min_seconds=minimum)
            if digest is not None and clip.digest != digest:
                raise UnusableReference(f"the reference clip {reference} changed while it was in use. Render again.")
            return derive_voice(loaded.model, clip)

        if digest is None:
            return derive()
        return self._voices.get(
            digest=digest,
            model=self.model,
            revision=f"{self._prepared().revision} {library_version()}",
            name=reference.name,
            derive=derive,
            emit=emit,
        ).tensors


def _used_sampling(model: ModelName) -> list[str]:
    return [field.name for field in fields(Sampling) if field.name not in UNUSED_SAMPLING[model]]

"""The chatterbox engine: requests in, watermarked samples out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from cbtui.core.events import ChunkProgressed, EventSink, Noticed
from cbtui.core.task import UNUSED_SAMPLING, ModelName, Sampling
from cbtui.engine.base import ChunkFacts, ChunkFailure, ChunkRequest, ChunkResult, UnusableReference, Vitals
from cbtui.engine.cache import ModelCache, ModelKey
from cbtui.engine.chatterbox.cached_model import LoadedModel, find_checkpoint, get_model
from cbtui.engine.chatterbox.checkpoint import Checkpoint
from cbtui.engine.chatterbox.languages import LanguageUnavailable, helper_version, missing_helper
from cbtui.engine.chatterbox.library import library_version
from cbtui.engine.chatterbox.vitals import read_vitals
from cbtui.engine.clips import MIN_SECONDS, read_clip
from cbtui.engine.voices import VoiceStore

# Counted up when our part of the line changes the samples.
_LINE_VERSION = 1
SAMPLE_RATE = 24_000
# `max_new_tokens` of the library's `generate()`: 40 s of speech.
TOKEN_CAP = 1000

# `T3Config.max_text_tokens`, start and stop included; beyond it is an IndexError, on CUDA an assert.
_MAX_TEXT_TOKENS = 2048
# Fewer speech tokens than this make the vocoder's convolutions larger than their input; Turbo adds three of its own.
_MIN_SPEECH_TOKENS: Mapping[ModelName, int] = {"english": 3, "multilingual": 3, "turbo": 1}
_SPEECH_TOKENS = 6561
# `ChatterboxTurboTTS.prepare_conditionals` asserts more than 5 s.
_TURBO_MIN_CLIP_SECONDS = 5.05


class _Refused(Exception):
    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


class ChatterboxEngine:
    """One of the three models on one device. Loads when the first request needs it, through the process-wide cache.

    It holds no model itself, so a model that the cache lets go of is gone, and the next request loads it again.
    `token_cap` and `flow_steps` (None: the model's own) are there to trade quality for speed; both decide samples.
    """

    name = "chatterbox"
    sample_rate = SAMPLE_RATE
    draft = False
    # It decodes one sequence at a time.
    batch = 1

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
    ) -> None:
        self.model = model
        self._cache = cache
        self._voices = voices
        self._device = device
        self._model_dir = model_dir
        self._token_cap = token_cap
        self._flow_steps = flow_steps
        self._checkpoint: Checkpoint | None = None
        self._key: ModelKey | None = None
        self._warned: set[str] = set()

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
        }

    def prepare(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Find the checkpoint, downloading it if it is not on this machine. Raises EngineUnavailable."""
        if self._checkpoint is None:
            self._checkpoint = find_checkpoint(self.model, self._model_dir, emit=emit, should_stop=should_stop)

    def load(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Have the model in memory. Raises EngineUnavailable, OutOfMemory and PreparationStopped."""
        self.prepare(emit=emit, should_stop=should_stop)
        self._key = get_model(self._cache, self._prepared(), self._device, emit=emit).key

    def vitals(self) -> Vitals:
        """Hooks are counted as they are: while a chunk is decoded, its own are among them."""
        return read_vitals(self._cache.peek(self._key), self._key.device) if self._key else Vitals()

    def render(
        self, requests: Iterable[ChunkRequest], *, emit: EventSink, should_stop: Callable[[], bool]
    ) -> Iterator[ChunkResult | ChunkFailure]:
        begun = False
        for request in requests:
            if should_stop():
                return
            if not begun:
                self.load(emit=emit, should_stop=should_stop)
                begun = True
            self._warn_of_missing_helper(request.language, emit)
            answer = self._answer(request, emit, should_stop)
            if answer is None:
                return
            yield answer

    def _answer(
        self, request: ChunkRequest, emit: EventSink, should_stop: Callable[[], bool]
    ) -> ChunkResult | ChunkFailure | None:
        """The result of one request, None when it was stopped. Raises EngineUnavailable, DeviceLost and OutOfMemory."""
        from cbtui.engine.chatterbox.decode import Stopped
        from cbtui.engine.chatterbox.faults import explain_fault

        try:
            return self._render_one(request, emit, should_stop)
        except Stopped:
            return None
        except _Refused as refused:
            return ChunkFailure(request.request_id, str(refused), retry_with_next_seed=refused.retry)
        except (UnusableReference, LanguageUnavailable) as error:
            return ChunkFailure(request.request_id, str(error), retry_with_next_seed=False)
        # What the library and torch raise for a text or a draw they cannot do; one chunk must not end the batch.
        except (RuntimeError, ValueError, IndexError, AssertionError, MemoryError) as error:
            return explain_fault(request.request_id, error, self._key.device if self._key else self._device)

    def _loaded(self, emit: EventSink) -> LoadedModel:
        """The model, loaded again where the cache let go of it in between."""
        there: LoadedModel | None = self._cache.peek(self._key) if self._key else None
        return there or get_model(self._cache, self._prepared(), self._device, emit=emit)

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

    def _render_one(self, request: ChunkRequest, emit: EventSink, should_stop: Callable[[], bool]) -> ChunkResult:
        import torch

        from cbtui.engine.chatterbox.conditionals import s3gen_reference, t3_condition
        from cbtui.engine.chatterbox.decode import Stopped, Watch, draw_tokens, draw_tokens_turbo
        from cbtui.engine.chatterbox.vocode import vocode

        loaded = self._loaded(emit)
        model = loaded.model
        voice = self._voice(loaded, request, emit)
        text = self._text_tokens(model, request)
        generator = torch.Generator(model.device).manual_seed(request.seed)
        started = time.monotonic()
        drawn = (draw_tokens_turbo if self.model == "turbo" else draw_tokens)(
            model.t3,
            t3_condition(voice, request.sampling.exaggeration, model.device),
            text,
            sampling=request.sampling,
            generator=generator,
            watch=Watch(lambda count: emit(ChunkProgressed(request.request_id, count)), should_stop),
            cap=self._token_cap,
        )
        decoded = time.monotonic()
        speech = _speech_only(drawn.tokens, keep_beginning=self.model == "turbo")
        if speech.numel() < _MIN_SPEECH_TOKENS[self.model]:
            raise _Refused("the model ended the speech before it began", retry=True)
        if should_stop():
            raise Stopped
        samples = vocode(
            model,
            speech,
            s3gen_reference(voice, model.device),
            seed=request.seed,
            generator=generator,
            steps=self._flow_steps,
            should_stop=should_stop,
        )
        facts = ChunkFacts(
            tokens=int(drawn.tokens.numel()),
            decode_seconds=decoded - started,
            vocode_seconds=time.monotonic() - decoded,
            reached_token_cap=drawn.reached_cap,
        )
        return ChunkResult(request.request_id, samples, facts)

    def _voice(self, loaded: LoadedModel, request: ChunkRequest, emit: EventSink) -> Mapping[str, Any]:
        from cbtui.engine.chatterbox.conditionals import derive_voice

        wanted = request.voice
        if wanted.reference is None:
            if loaded.builtin_voice is None:
                raise _Refused(
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

    def _text_tokens(self, model: Any, request: ChunkRequest) -> Any:
        from cbtui.engine.chatterbox.prompt import text_tokens

        tokens = text_tokens(model, self.model, request.text, request.language)
        if tokens.size(1) > _MAX_TEXT_TOKENS:
            raise _Refused(
                f"the chunk has {tokens.size(1)} text tokens; the model takes {_MAX_TEXT_TOKENS}. "
                "Set a smaller chunking.limit.",
                retry=False,
            )
        return tokens


def _speech_only(tokens: Any, *, keep_beginning: bool) -> Any:
    """What the vocoder gets: none of the tokens that stand for no speech.

    As in the library, all before a drawn start token (6561) is dropped too, unless `keep_beginning` says otherwise.
    """
    starts = (tokens == _SPEECH_TOKENS).nonzero()
    if len(starts) and not keep_beginning:
        tokens = tokens[int(starts[-1]) + 1 :]
    return tokens[tokens < _SPEECH_TOKENS]


def _used_sampling(model: ModelName) -> list[str]:
    return [field.name for field in fields(Sampling) if field.name not in UNUSED_SAMPLING[model]]

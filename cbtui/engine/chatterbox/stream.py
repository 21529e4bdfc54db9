"""One stream of chunk requests through a loaded model: into prompts, into tokens, into samples."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from cbtui.core.events import ChunkProgressed, EventSink
from cbtui.core.fingerprint import fingerprint
from cbtui.core.side_thread import SideThread
from cbtui.core.task import ModelName
from cbtui.engine.base import (
    ChunkFacts,
    ChunkFailure,
    ChunkRequest,
    ChunkResult,
    EngineUnavailable,
    UnusableReference,
    all_are_wanted,
)
from cbtui.engine.chatterbox.cached_model import LoadedModel
from cbtui.engine.chatterbox.conditionals import s3gen_reference, t3_condition
from cbtui.engine.chatterbox.decode import MODEL_ERRORS, Broken, Drawn, Outcome, Stepped, Stopped, Watch
from cbtui.engine.chatterbox.faults import explain_fault
from cbtui.engine.chatterbox.gathering import Gathering, SpeakingFailed, Spoken, Unspoken
from cbtui.engine.chatterbox.languages import LanguageUnavailable
from cbtui.engine.chatterbox.prefill import Prompt
from cbtui.engine.chatterbox.prompt import text_tokens
from cbtui.engine.chatterbox.speaking import Speaking
from cbtui.engine.chatterbox.vocode import Speech

Voice = Mapping[str, Any]

# `T3Config.max_text_tokens`, start and stop included; beyond it is an IndexError, on CUDA an assert.
_MAX_TEXT_TOKENS = 2048
# Fewer speech tokens than this make the vocoder's convolutions larger than their input; Turbo adds three of its own.
_MIN_SPEECH_TOKENS: Mapping[ModelName, int] = {"english": 3, "multilingual": 3, "turbo": 1}
_SPEECH_TOKENS = 6561


class Refused(Exception):
    """A request that the model must not get, or whose draw is of no use. `retry`: another seed may do better."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


@dataclass(slots=True)
class _InWork:
    """A request that is being decoded. `decode_seconds` is its share of the steps it took part in."""

    request: ChunkRequest
    voice: Voice
    decode_seconds: float = 0.0
    tokens: int = 0


@dataclass(slots=True)
class ChunkStream:
    """Answers requests with one model. `voice_of` derives or finds a request's voice, `cap` is in speech tokens."""

    loaded: LoadedModel
    speaking: Speaking
    voice_of: Callable[[ChunkRequest], Voice]
    batch: Callable[[], int]
    cap: int
    flow_steps: int | None
    emit: EventSink
    should_stop: Callable[[], bool]
    is_wanted: Callable[[str], bool] = all_are_wanted
    _in_work: dict[str, _InWork] = field(default_factory=dict)
    _refused: deque[ChunkFailure] = field(default_factory=deque)
    _since: float = field(default_factory=time.monotonic)

    def answer(self, requests: Iterable[ChunkRequest | None]) -> Iterator[ChunkResult | ChunkFailure]:
        """Results as they come, until the caller stops. Raises EngineUnavailable, DeviceLost and OutOfMemory.

        What was spoken by then is finished whatever ends the stream; what only was drawn is for the caller to ask anew.
        """
        gathering = Gathering(
            self.speaking.vocoder,
            at_once=min(self.speaking.spoken_at_once, max(1, self.batch())),
            steps=self.flow_steps,
            should_stop=self.should_stop,
            is_wanted=self.is_wanted,
        )
        with SideThread[ChunkResult | ChunkFailure]("cbtui-watermark", beside=self.speaking.marks_beside) as finishing:
            try:
                for outcome in self.draw(requests):
                    self._share_out_time()
                    yield from self._take_refused()
                    if not isinstance(outcome, Stepped):
                        yield from self._follow(outcome, gathering)
                    if gathering.is_due(more_to_come=bool(self._in_work)):
                        yield from self._speak(gathering, finishing)
                    yield from (done.result() for done in finishing.ready())
                    self._since = time.monotonic()
                yield from self._speak(gathering, finishing)
            except Stopped:
                self._refused.clear()
            except EngineUnavailable:
                yield from (done.result() for done in finishing.rest())
                raise
            yield from (done.result() for done in finishing.rest())
        yield from self._take_refused()

    def draw(self, requests: Iterable[ChunkRequest | None]) -> Iterator[Outcome | Stepped]:
        """Speech tokens alone. Raises Stopped."""
        watch = Watch(self._progressed, self.should_stop, self.batch, self.is_wanted)
        yield from self.speaking.decoder.decode(self._prompts(requests), watch)

    def _prompts(self, requests: Iterable[ChunkRequest | None]) -> Iterator[Prompt | None]:
        for request in requests:
            if self.should_stop():
                return
            if request is None:
                yield None
                continue
            try:
                voice = self.voice_of(request)
                prompt = self._prompt(request, voice)
            except (Refused, UnusableReference, LanguageUnavailable, *MODEL_ERRORS) as error:
                self._refused.append(self._failure(request, error))
                continue
            self._in_work[request.request_id] = _InWork(request, voice)
            yield prompt

    def _prompt(self, request: ChunkRequest, voice: Voice) -> Prompt:
        model, name = self.loaded.model, self.loaded.key.model
        tokens = text_tokens(model, name, request.text, request.language)
        if tokens.size(1) > _MAX_TEXT_TOKENS:
            raise Refused(
                f"the chunk has {tokens.size(1)} text tokens; the model takes {_MAX_TEXT_TOKENS}. "
                "Set a smaller chunking.limit.",
                retry=False,
            )
        exaggeration = request.sampling.exaggeration
        return Prompt(
            request.request_id,
            _name_voice(voice, exaggeration),
            lambda: t3_condition(voice, exaggeration, model.device),
            tokens,
            request.sampling,
            torch.Generator(model.device).manual_seed(request.seed),
            # The library's turbo draws one before it counts.
            self.cap + 1 if name == "turbo" else self.cap,
        )

    def _follow(self, outcome: Outcome, gathering: Gathering) -> Iterator[ChunkFailure]:
        """Gather what was drawn, or tell why not."""
        work = self._in_work.pop(outcome.prompt.request_id)
        if isinstance(outcome, Broken):
            yield self._failure(work.request, outcome.error)
        elif isinstance(outcome, Drawn):
            try:
                gathering.add(self._unspoken(work, outcome))
            except (Refused, *MODEL_ERRORS) as error:
                yield self._failure(work.request, error)

    def _speak(self, gathering: Gathering, finishing: SideThread[ChunkResult | ChunkFailure]) -> Iterator[ChunkFailure]:
        """Speak what was gathered and have it finished, or tell why not. Raises Stopped."""
        for each in gathering.speak():
            if isinstance(each, SpeakingFailed):
                yield self._failure(each.request, each.error)
                continue
            try:
                finishing.give(partial(self._finish, each))
            except MODEL_ERRORS as error:
                yield self._failure(each.request, error)

    def _unspoken(self, work: _InWork, drawn: Drawn) -> Unspoken:
        """Raises Refused where there is too little to speak."""
        request, name = work.request, self.loaded.key.model
        speech = _speech_only(drawn.tokens, keep_beginning=name == "turbo")
        if speech.numel() < _MIN_SPEECH_TOKENS[name]:
            raise Refused("the model ended the speech before it began", retry=True)
        facts = ChunkFacts(
            tokens=int(drawn.tokens.numel()),
            decode_seconds=work.decode_seconds,
            vocode_seconds=0.0,
            reached_token_cap=drawn.reached_cap,
        )
        reference = s3gen_reference(work.voice, self.loaded.model.device)
        return Unspoken(request, Speech(speech, reference, request.seed, drawn.prompt.generator), facts)

    def _finish(self, spoken: Spoken) -> ChunkResult | ChunkFailure:
        started = time.monotonic()
        try:
            marked = self.speaking.vocoder.mark(spoken.samples)
        except MODEL_ERRORS as error:
            return self._failure(spoken.request, error)
        seconds = spoken.facts.vocode_seconds + time.monotonic() - started
        return ChunkResult(spoken.request.request_id, marked, replace(spoken.facts, vocode_seconds=seconds))

    def _failure(self, request: ChunkRequest, error: Exception) -> ChunkFailure:
        """Raises EngineUnavailable, DeviceLost and OutOfMemory for what is no fault of this chunk."""
        if isinstance(error, Refused):
            return ChunkFailure(request.request_id, str(error), retry_with_next_seed=error.retry)
        if isinstance(error, UnusableReference | LanguageUnavailable):
            return ChunkFailure(request.request_id, str(error), retry_with_next_seed=False)
        return explain_fault(request.request_id, error, self.loaded.key.device)

    def _take_refused(self) -> Iterator[ChunkFailure]:
        while self._refused:
            yield self._refused.popleft()

    def _progressed(self, request_id: str, count: int) -> None:
        self._in_work[request_id].tokens += 1
        self.emit(ChunkProgressed(request_id, count))

    def _share_out_time(self) -> None:
        """Charge the time since the last result to the requests in work, by the tokens that each got in it."""
        elapsed = time.monotonic() - self._since
        total = sum(work.tokens for work in self._in_work.values())
        for work in self._in_work.values():
            work.decode_seconds += elapsed * work.tokens / total if total else 0.0
            work.tokens = 0


def _name_voice(voice: Voice, exaggeration: float) -> str:
    """A name for all of a voice that the decoder's prompt depends on."""
    parts = {name: array.tobytes().hex() for name, array in voice.items() if name.startswith("t3.")}
    return fingerprint({"voice": parts, "exaggeration": exaggeration})


def _speech_only(tokens: torch.Tensor, *, keep_beginning: bool) -> torch.Tensor:
    """What the vocoder gets: none of the tokens that stand for no speech.

    As in the library, all before a drawn start token (6561) is dropped too, unless `keep_beginning` says otherwise.
    """
    starts = (tokens == _SPEECH_TOKENS).nonzero()
    if len(starts) and not keep_beginning:
        tokens = tokens[int(starts[-1]) + 1 :]
    return tokens[tokens < _SPEECH_TOKENS]

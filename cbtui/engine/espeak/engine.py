"""The draft engine: espeak-ng behind the engine protocol, a few short-lived processes at a time."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from cbtui.core.events import EventSink, Noticed
from cbtui.engine.base import ChunkFacts, ChunkFailure, ChunkRequest, ChunkResult, Vitals, all_are_wanted
from cbtui.engine.espeak import speaking
from cbtui.engine.espeak.resample import resample
from cbtui.engine.espeak.speaking import Cancelled, Installation, NotSpoken, UnknownVoice, Utterance
from cbtui.engine.espeak.voices import choose_voice, spoken_text

SAMPLE_RATE = 24_000

# Raised when what this package makes of the same request changes, so that no cached take of before is used.
_PROCESSING_VERSION = 1
_WORDS_PER_MINUTE = 175
_MOST_WORKERS = 4
_STOP_POLL_SECONDS = 0.05


class EspeakEngine:
    """Drafts for listening to the text. Equal requests give equal samples, in any process.

    Exaggeration, temperature and seed have no meaning here. Tags such as `[laugh]` are left out of the speech, or
    spoken as words where there is nothing else. `batch` chunks are spoken at once, each by a process of its own.
    """

    name = "espeak"
    model = "draft"
    sample_rate = SAMPLE_RATE
    draft = True

    def __init__(self, *, workers: int | None = None) -> None:
        self.batch = workers or max(1, min(_usable_cpus(), _MOST_WORKERS))
        self._said_draft = False

    def prepare(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """Check that espeak-ng is installed. Raises EngineUnavailable."""
        speaking.find_installation()

    def load(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        """There is no model: this checks that espeak-ng is installed. Raises EngineUnavailable."""
        speaking.find_installation()

    def vitals(self) -> Vitals:
        """Nothing stays in this process from one chunk to the next."""
        return Vitals()

    def identity(self, request: ChunkRequest) -> Mapping[str, object]:
        """All that decides the samples of this request. Raises EngineUnavailable without espeakng-loader."""
        voice = choose_voice(request)
        return {
            "engine": self.name,
            "model": self.model,
            "engine_version": f"espeakng-loader {speaking.installed_version()}",
            "processing": _PROCESSING_VERSION,
            "sample_rate": SAMPLE_RATE,
            "language": request.language,
            "voice": voice.name,
            "pitch": voice.pitch,
            "words_per_minute": _WORDS_PER_MINUTE,
            "text": spoken_text(request.text),
        }

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[ChunkResult | ChunkFailure]:
        """Results as they finish. Once the stream has ended, for whatever reason, no child process is left.

        `is_wanted` is not asked: a chunk takes a moment.

        Raises EngineUnavailable when espeakng-loader is missing or does not work on this machine.
        """
        installation = speaking.find_installation()
        self._say_draft_once(emit)
        waiting = iter(requests)
        running: set[Future[ChunkResult | ChunkFailure]] = set()
        cancelled = threading.Event()
        workers = self.batch
        with ThreadPoolExecutor(workers, thread_name_prefix="espeak") as pool:
            try:
                while not should_stop():
                    for request in itertools.islice(waiting, workers - len(running)):
                        if request is None:
                            break
                        running.add(pool.submit(_answer, request, installation, cancelled))
                    if not running:
                        return
                    finished, running = wait(running, _STOP_POLL_SECONDS, FIRST_COMPLETED)
                    for future in finished:
                        yield future.result()
            finally:
                cancelled.set()

    def _say_draft_once(self, emit: EventSink) -> None:
        if not self._said_draft:
            self._said_draft = True
            emit(Noticed("espeak speaks drafts: good for listening to the text, not the final speech"))


def _answer(
    request: ChunkRequest, installation: Installation, cancelled: threading.Event
) -> ChunkResult | ChunkFailure:
    if cancelled.is_set():
        raise Cancelled
    voice = choose_voice(request)
    utterance = Utterance(spoken_text(request.text), voice.name, voice.pitch, _WORDS_PER_MINUTE)
    started = time.perf_counter()
    try:
        spoken, rate = speaking.speak(utterance, installation, cancelled)
    except UnknownVoice:
        return ChunkFailure(request.request_id, _unknown_voice(request, voice.name), retry_with_next_seed=False)
    except NotSpoken as error:
        return ChunkFailure(request.request_id, str(error), retry_with_next_seed=error.may_pass)
    except OSError as error:
        return ChunkFailure(request.request_id, f"espeak-ng could not be started: {error}")
    spoken_at = time.perf_counter()
    samples = resample(spoken, rate, SAMPLE_RATE)
    facts = ChunkFacts(
        decode_seconds=spoken_at - started,
        vocode_seconds=time.perf_counter() - spoken_at,
        draft=True,
    )
    return ChunkResult(request.request_id, samples, facts)


def _unknown_voice(request: ChunkRequest, name: str) -> str:
    if request.voice.espeak_voice is None:
        return f"espeak-ng has no voice {name!r} for the language {request.language!r}"
    return (
        f"espeak-ng has no voice {request.voice.espeak_voice!r}, named by speaker {request.voice.speaker!r}: "
        "write one such as en-us, de or en-us+f3, or leave espeak_voice out"
    )


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

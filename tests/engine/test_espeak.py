"""The draft engine: real espeak-ng, real child processes; only misbehaving children are made up."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from cbtui.audio.takes import Samples, read_take
from cbtui.core.events import Event, Noticed, ignore_events
from cbtui.core.task import LANGUAGES, Sampling
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, Engine, Voice
from cbtui.engine.espeak import EspeakEngine
from tests.support.clips import longest_silence, reference_clip, rms

RATE = 24_000
TEXT = "The night train had left, and nobody on the platform seemed to mind."

# One sentence for each script; the other languages share Latin words that all of them can read.
SCRIPTS = {
    "ar": "مرحبا، كيف حالك اليوم؟",
    "el": "Καλημέρα, τι κάνεις σήμερα;",
    "he": "שלום, מה שלומך היום?",
    "hi": "नमस्ते, आप आज कैसे हैं?",
    "ja": "こんにちは、お元気ですか。",
    "ko": "안녕하세요, 오늘 어떠세요?",
    "ru": "Добрый день, как вы сегодня?",
    "zh": "你好，今天天气很好。",
}


def request(
    text: str = TEXT, *, speaker: str = "default", voice: str | None = None, language: str = "en", name: str = "1"
) -> ChunkRequest:
    return ChunkRequest(name, text, Voice(speaker, espeak_voice=voice), Sampling(), seed=0, language=language)


def render(*requests: ChunkRequest) -> dict[str, ChunkResult | ChunkFailure]:
    results = EspeakEngine().render(requests, emit=ignore_events, should_stop=lambda: False)
    return {result.request_id: result for result in results}


def spoken(one: ChunkRequest) -> Samples:
    result = render(one)[one.request_id]
    assert isinstance(result, ChunkResult), result
    return result.samples


def failure(one: ChunkRequest) -> ChunkFailure:
    result = render(one)[one.request_id]
    assert isinstance(result, ChunkFailure)
    return result


def test_it_is_an_engine() -> None:
    engine: Engine = EspeakEngine()
    assert (engine.name, engine.sample_rate, engine.draft) == ("espeak", RATE, True)


def test_a_result_is_a_measured_draft() -> None:
    result = render(request())["1"]
    assert isinstance(result, ChunkResult)
    assert result.samples.dtype == np.float32
    assert result.samples.ndim == 1
    assert result.facts.draft
    assert result.facts.tokens == 0
    assert result.facts.decode_seconds > 0
    assert result.facts.vocode_seconds > 0


def test_equal_requests_sound_equal_whatever_was_spoken_before() -> None:
    alone = spoken(request())
    among_others = render(request("Something else first."), *(request(name=str(n)) for n in range(2, 8)))
    for name in range(2, 8):
        result = among_others[str(name)]
        assert isinstance(result, ChunkResult)
        assert np.array_equal(result.samples, alone)


@pytest.mark.parametrize("voice", ["en-us", "en-us+f2", "en-us+Alicia", "en-us+whisper"])
def test_the_clock_does_not_decide_the_samples(voice: str) -> None:
    started, first = int(time.time()), spoken(request("Hush.", voice=voice))
    # Noise would be seeded with the seconds of the clock.
    while int(time.time()) <= started + 1:
        assert np.array_equal(spoken(request("Hush.", voice=voice)), first)


def test_another_process_speaks_the_same_samples() -> None:
    script = f"""
import hashlib
from tests.engine.test_espeak import request, spoken
print(hashlib.sha256(spoken(request({TEXT!r}, speaker="alice")).tobytes()).hexdigest())
"""
    here = hashlib.sha256(spoken(request(speaker="alice")).tobytes()).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == here


def test_every_language_sounds() -> None:
    results = render(
        *(request(SCRIPTS.get(code, "Hotel banana, radio piano."), language=code, name=code) for code in LANGUAGES)
    )
    assert set(results) == set(LANGUAGES)
    for code, result in results.items():
        assert isinstance(result, ChunkResult), (code, result)
        assert rms(result.samples) > 0.04, code
        assert 1 < len(result.samples) / RATE < 8, code


@pytest.mark.parametrize(
    "text", ["😀", "你好 мир שלום", "[laugh]", "…", "— —", "<b>", "x" * 350, "\ud800 hello", "語" * 350]
)
def test_any_text_sounds(text: str) -> None:
    assert rms(spoken(request(text))) > 0.01


def test_text_without_any_sign_fails_and_says_so() -> None:
    answer = failure(request(" \n "))
    assert "nothing to speak" in answer.reason
    assert not answer.retry_with_next_seed


def test_tags_are_left_out_of_the_speech() -> None:
    plain = spoken(request("Well  that was close."))
    assert np.array_equal(spoken(request("Well [chuckle] that was close.")), plain)
    assert np.array_equal(spoken(request("Well </b> that was close.")), plain)


def test_a_tag_that_stands_alone_is_spoken_as_its_word() -> None:
    assert np.array_equal(spoken(request("[laugh]")), spoken(request(" laugh ")))


def test_brackets_and_comparisons_that_are_no_tags_are_spoken() -> None:
    assert len(spoken(request("See page [12] and 3 < 4 or 5 > 4."))) > len(spoken(request("See page and 3")))


def test_control_characters_are_not_commands_to_espeak() -> None:
    assert np.array_equal(spoken(request("\x0180S Hello there.")), spoken(request(" 80S Hello there.")))


def test_speakers_have_voices_of_their_own() -> None:
    voices = {speaker: spoken(request(speaker=speaker)) for speaker in ("default", "alice", "bob")}
    for one, other in itertools.combinations(voices.values(), 2):
        length = min(len(one), len(other))
        assert rms(one[:length] - other[:length]) > 0.01


def test_a_named_voice_speaks_for_any_speaker() -> None:
    one = spoken(request(speaker="alice", voice="en-us+f3"))
    other = spoken(request(speaker="bob", voice="en-us+f3"))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, spoken(request(voice="en-us")))


@pytest.mark.parametrize("voice", ["en-gb", "fr-fr", "EN-US", "English (America)", "no", "zh"])
def test_usual_names_of_voices_are_known(voice: str) -> None:
    assert rms(spoken(request(voice=voice))) > 0.01


def test_a_named_voice_is_taken_at_its_word() -> None:
    assert np.array_equal(spoken(request(voice="en")), spoken(request(voice="en-gb")))
    assert not np.array_equal(spoken(request(voice="en")), spoken(request(voice="en-us")))


@pytest.mark.parametrize(
    "voice", ["atlantean", "en-us+nobody", "en-us+", "", "../../etc/passwd", "en\0us", "en-us+../f1", "é" * 500]
)
def test_an_unknown_voice_fails_by_name(voice: str) -> None:
    answer = failure(request(speaker="alice", voice=voice))
    assert repr(voice) in answer.reason
    assert "'alice'" in answer.reason
    assert not answer.retry_with_next_seed


def test_identity_tells_what_decides_the_samples() -> None:
    engine = EspeakEngine()
    assert engine.identity(request()) == engine.identity(request(name="2"))
    different = [request(), request("Other."), request(language="de"), request(speaker="bob"), request(voice="fr")]
    identities = [engine.identity(one) for one in different]
    for one, other in itertools.combinations(identities, 2):
        assert one != other
    assert "0.2" in str(identities[0]["engine_version"])


def test_that_results_are_drafts_is_noticed_once() -> None:
    engine, events = EspeakEngine(), list[Event]()
    for _ in range(2):
        list(engine.render([request("Hi.")], emit=events.append, should_stop=lambda: False))
    (event,) = events
    assert isinstance(event, Noticed)
    assert "draft" in event.message


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    render(request(), request(voice="atlantean", name="2"))
    assert capfd.readouterr() == ("", "")


def test_requests_are_taken_only_when_there_is_room() -> None:
    taken = 0

    def stream() -> Iterable[ChunkRequest]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield request("Hi.", name=str(number))

    results = EspeakEngine(workers=2).render(stream(), emit=ignore_events, should_stop=lambda: False)
    next(iter(results))
    assert taken == 2


def test_a_lowered_batch_holds_from_the_next_call() -> None:
    engine, taken = EspeakEngine(workers=4), list[str]()

    def stream() -> Iterable[ChunkRequest]:
        for number in range(100):
            taken.append(str(number))
            yield request("Hi.", name=str(number))

    engine.batch = 1
    next(iter(engine.render(stream(), emit=ignore_events, should_stop=lambda: False)))
    assert taken == ["0"]


def test_a_failure_does_not_end_the_stream() -> None:
    results = render(request(voice="atlantean", name="bad"), request(name="good"))
    assert isinstance(results["bad"], ChunkFailure)
    assert isinstance(results["good"], ChunkResult)


def test_where_there_is_nothing_just_now_it_asks_again_while_it_works() -> None:
    asked = iter([request("A sentence of some length.", name="first"), None, request(name="second"), None])
    results = EspeakEngine(workers=2).render(asked, emit=ignore_events, should_stop=lambda: False)
    assert {result.request_id for result in results} == {"first", "second"}
    assert list(asked) == []


def test_no_requests_give_no_results() -> None:
    assert render() == {}


def test_a_reference_clip_is_speech_of_the_length_asked_for(tmp_path: Path) -> None:
    samples, rate = read_take(reference_clip(tmp_path / "clip.wav", seconds=12.5))
    assert (len(samples), rate) == (300_000, RATE)
    assert rms(samples) > 0.05
    assert longest_silence(samples, rate, 0.01) < 1

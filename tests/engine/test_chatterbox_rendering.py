"""The chatterbox engine against each known wrong sound and crash of its library."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock, patch

import pytest
import torch

from cbtui.core.events import ChunkProgressed, Event, Noticed
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, DeviceLost, EngineUnavailable, OutOfMemory
from cbtui.engine.cache import ModelCache
from cbtui.engine.chatterbox.estimator import Estimator
from cbtui.engine.chatterbox.flow import Flow
from cbtui.engine.chatterbox.speaking import Speaking
from cbtui.engine.voices import VoiceStore
from tests.engine.rendering import engine_of, loaded, render, request


def test_hooks_do_not_pile_up(voices: VoiceStore) -> None:
    engine = engine_of("multilingual", voices)
    model = loaded(engine)

    def hooks() -> int:
        parts = (model.t3, model.s3gen, model.ve)
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for part in parts for m in part.modules())

    before, attention = hooks(), model.t3.tfmr.config._attn_implementation
    render(engine, [request(number, model="multilingual", seed=number) for number in range(6)])
    assert hooks() == before
    assert model.t3.tfmr.config._attn_implementation == attention


def test_hooks_are_gone_after_a_cancel_too(voices: VoiceStore) -> None:
    engine = engine_of("multilingual", voices)
    model = loaded(engine)
    asked = iter([False, False, False])
    stopped = engine.render(
        [request(model="multilingual")], emit=lambda event: None, should_stop=lambda: next(asked, True)
    )
    assert list(stopped) == []
    assert all(not layer.self_attn._forward_hooks for layer in model.t3.tfmr.layers)


def test_speech_cut_off_at_the_token_cap_is_flagged(voices: VoiceStore) -> None:
    [cut] = render(engine_of("english", voices, token_cap=5), [request()])
    [whole] = render(engine_of("english", voices), [request()])
    assert cut.facts.reached_token_cap
    assert cut.facts.tokens == 5
    assert not whole.facts.reached_token_cap


def test_an_end_at_once_asks_for_the_next_seed(voices: VoiceStore) -> None:
    cache = ModelCache()
    engine = engine_of("english", voices, cache=cache)
    head = loaded(engine, cache).t3.speech_head.weight
    with torch.inference_mode():
        head[6562, 1] = 50.0  # the dimension that is the same at every position
    [failure] = render(engine, [request()])
    assert failure == ChunkFailure("0", "the model ended the speech before it began", retry_with_next_seed=True)


def test_an_empty_text_never_reaches_the_model(voices: VoiceStore) -> None:
    [failure] = render(engine_of("english", voices), [request(text="  \n")])
    assert isinstance(failure, ChunkFailure)
    assert "empty text" in failure.reason


def test_more_text_tokens_than_the_model_has_are_refused(voices: VoiceStore) -> None:
    [failure] = render(engine_of("english", voices), [request(text="word " * 500)])
    assert isinstance(failure, ChunkFailure)
    assert not failure.retry_with_next_seed
    assert "chunking.limit" in failure.reason


def test_progress_counts_tokens(voices: VoiceStore) -> None:
    events: list[Event] = []
    [result] = render(engine_of("english", voices), [request(7)], events)
    counts = [event.tokens for event in events if isinstance(event, ChunkProgressed)]
    assert counts == list(range(1, result.facts.tokens + 1))


@pytest.mark.parametrize("model", ["english", "turbo"])
def test_a_cancel_is_followed_before_the_next_token(model: str, voices: VoiceStore) -> None:
    cancelled = threading.Event()
    tokens: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, ChunkProgressed):
            tokens.append(event.tokens)
            if event.tokens == 2:
                cancelled.set()

    stream = engine_of(model, voices, batch=1).render(
        [request(model=model, seed=2), request(1, model=model)], emit=listen, should_stop=cancelled.is_set
    )
    assert list(stream) == []
    assert tokens == [1, 2]


def test_a_cancel_is_followed_within_the_vocoder(voices: VoiceStore) -> None:
    begun: list[int] = []
    mels = Flow.mels

    def begin(self: Flow, *arguments: Any, **more: Any) -> Any:
        begun.append(1)
        return mels(self, *arguments, **more)

    with patch.object(Flow, "mels", begin), patch.object(Estimator, "direction", side_effect=AssertionError):
        stream = engine_of("english", voices).render(
            [request()], emit=lambda event: None, should_stop=lambda: bool(begun)
        )
        assert list(stream) == []
    assert begun == [1]


def test_requests_are_taken_only_when_there_is_room(voices: VoiceStore) -> None:
    counts: dict[str, int] = {}
    taken: list[dict[str, int]] = []

    def requests() -> Iterator[ChunkRequest]:
        for number in range(3):
            taken.append(dict(counts))
            yield request(number)

    def listen(event: Event) -> None:
        if isinstance(event, ChunkProgressed):
            counts[event.request_id] = event.tokens

    first, *_ = engine_of("english", voices, batch=2).render(requests(), emit=listen, should_stop=lambda: False)
    assert [len(before) for before in taken] == [0, 1, 2]
    assert taken[2]["0"] == first.facts.tokens


def test_what_comes_while_others_are_decoded_joins_them(voices: VoiceStore) -> None:
    progress: list[tuple[str, int]] = []

    def requests() -> Iterator[ChunkRequest | None]:
        yield request(0)
        while len(progress) < 5:
            yield None
        yield request(1)

    def listen(event: Event) -> None:
        if isinstance(event, ChunkProgressed):
            progress.append((event.request_id, event.tokens))

    results = list(engine_of("english", voices, batch=2).render(requests(), emit=listen, should_stop=lambda: False))
    assert [result.request_id for result in results] == ["0", "1"]
    joined = progress.index(("1", 1))
    assert progress[joined - 1] == ("0", 5)
    assert progress[joined + 1] == ("0", 6)


class Watermarker:
    """Marks samples when it is allowed to."""

    def __init__(self) -> None:
        self.begun, self.allowed = threading.Event(), threading.Event()

    def apply_watermark(self, samples: Any, *, sample_rate: int) -> Any:
        self.begun.set()
        assert self.allowed.wait(60)
        return samples


@pytest.fixture
def beside() -> Iterator[None]:
    """The watermark is another thread's, as on a GPU."""
    with patch.object(Speaking, "marks_beside", True):
        yield


@pytest.mark.usefixtures("beside")
def test_the_next_chunk_is_decoded_while_one_is_finished(voices: VoiceStore) -> None:
    engine, slow, decoded = engine_of("english", voices, batch=1), Watermarker(), []

    def listen(event: Event) -> None:
        if isinstance(event, ChunkProgressed) and event.request_id == "1":
            decoded.append(event.tokens)
            if event.tokens == 3:
                assert slow.begun.wait(60)
                slow.allowed.set()

    with patch.object(loaded(engine), "watermarker", slow):
        answers = engine.render([request(0), request(1)], emit=listen, should_stop=lambda: False)
        assert next(answers).request_id == "0"
        # Word of it came in the middle of the next.
        assert len(decoded) >= 3
        (last,) = answers
    assert last.request_id == "1"
    assert decoded == list(range(1, last.facts.tokens + 1))


def test_on_the_cpu_no_other_thread_computes(voices: VoiceStore) -> None:
    engine, threads = engine_of("english", voices, batch=1), set()
    marker = loaded(engine).watermarker

    def mark(samples: Any, *, sample_rate: int) -> Any:
        threads.add(threading.current_thread())
        return marker.apply_watermark(samples, sample_rate=sample_rate)

    with patch.object(loaded(engine), "watermarker", Mock(apply_watermark=mark)):
        render(engine, [request(0), request(1)])
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize("marks_beside", [True, False])
def test_what_has_sounded_is_finished_when_the_rest_is_cancelled(marks_beside: bool, voices: VoiceStore) -> None:
    cancelled = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, ChunkProgressed) and event.request_id == "1":
            cancelled.set()

    engine = engine_of("english", voices, batch=1)
    with patch.object(Speaking, "marks_beside", marks_beside):
        [whole] = engine.render([request(0), request(1)], emit=listen, should_stop=cancelled.is_set)
    [alone] = render(engine, [request(0)])
    assert whole.request_id == "0"
    assert (whole.samples == alone.samples).all()


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize(("message", "kind"), [("CUDA error: gone", DeviceLost), ("CUDA out of memory", OutOfMemory)])
def test_what_has_sounded_is_finished_when_the_device_fails_at_another(
    message: str, kind: type[Exception], voices: VoiceStore
) -> None:
    mels, slow = Flow.mels, Watermarker()

    def fail_later(self: Flow, *arguments: Any, **more: Any) -> Any:
        if slow.begun.is_set():
            threading.Timer(0.05, slow.allowed.set).start()
            raise RuntimeError(message)
        return mels(self, *arguments, **more)

    engine = engine_of("english", voices, batch=1)
    with patch.object(loaded(engine), "watermarker", slow), patch.object(Flow, "mels", fail_later):
        answers = engine.render([request(0), request(1)], emit=lambda event: None, should_stop=lambda: False)
        assert next(answers).request_id == "0"
        with pytest.raises(kind):
            next(answers)


@pytest.mark.parametrize("marks_beside", [True, False])
def test_a_chunk_that_cannot_be_marked_fails_alone(marks_beside: bool, voices: VoiceStore) -> None:
    engine = engine_of("english", voices, batch=2)
    marker = loaded(engine).watermarker
    marked = iter([ValueError("no carrier"), None])

    def mark(samples: Any, *, sample_rate: int) -> Any:
        error = next(marked)
        if error:
            raise error
        return marker.apply_watermark(samples, sample_rate=sample_rate)

    with (
        patch.object(loaded(engine), "watermarker", Mock(apply_watermark=mark)),
        patch.object(Speaking, "marks_beside", marks_beside),
    ):
        failed, spoken = render(engine, [request(0), request(1)])
    assert isinstance(failed, ChunkFailure)
    assert failed.reason == "the model failed: ValueError: no carrier."
    assert isinstance(spoken, ChunkResult)


def test_chinese_without_its_tables_is_an_error_and_not_a_wrong_sound(voices: VoiceStore) -> None:
    [failure] = render(
        engine_of("multilingual", voices), [request(model="multilingual", text="你好世界", language="zh")]
    )
    assert isinstance(failure, ChunkFailure)
    assert "spacy-pkuseg" in failure.reason


@pytest.mark.parametrize(
    ("language", "text"), [("de", "Guten Tag, wie geht es?"), ("no", "God dag."), ("ja", "今日は。")]
)
def test_the_multilingual_model_speaks_other_languages(voices: VoiceStore, language: str, text: str) -> None:
    [given] = render(engine_of("multilingual", voices), [request(model="multilingual", text=text, language=language)])
    assert isinstance(given, ChunkResult)


def test_turbo_reads_its_tags_as_tokens(voices: VoiceStore) -> None:
    from cbtui.engine.chatterbox.prompt import text_tokens

    model = loaded(engine_of("turbo", voices))
    tagged = text_tokens(model, "turbo", "Well [laugh] yes.", "en")
    assert int(model.tokenizer.convert_tokens_to_ids("[laugh]")) in tagged[0].tolist()


def test_nothing_of_the_libraries_reaches_stdout_or_stderr(
    voices: VoiceStore, capfd: pytest.CaptureFixture[str]
) -> None:
    render(engine_of("turbo", voices), [request(model="turbo", seed=2)])
    render(engine_of("english", voices), [request()])
    written = capfd.readouterr()
    assert written.out == ""
    assert "Sampling" not in written.err
    assert "it/s" not in written.err


def failing(voices: VoiceStore, error: Exception | Callable[..., None]) -> Any:
    """The answer to a request whose decoding raises, or does as told."""
    engine = engine_of("english", voices)
    with patch.object(loaded(engine).t3.text_emb, "forward", side_effect=error):
        return render(engine, [request(1)])


def test_what_the_library_raises_for_one_chunk_fails_that_chunk(voices: VoiceStore) -> None:
    [failure] = failing(voices, RuntimeError("Kernel size can't be greater than actual input size"))
    assert "Kernel size" in failure.reason
    assert failure.retry_with_next_seed


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.00 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:115] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_memory_that_runs_out_says_where_and_what_to_do(voices: VoiceStore, error: Exception) -> None:
    with pytest.raises(OutOfMemory, match=r"out of memory on cpu .*chunking\.limit"):
        failing(voices, error)


def test_memory_that_python_lacks_is_the_machines(voices: VoiceStore) -> None:
    with pytest.raises(OutOfMemory, match="out of memory on this machine"):
        failing(voices, MemoryError())


def test_what_a_chunk_had_in_hand_is_free_while_its_error_is_looked_at(voices: VoiceStore) -> None:
    class Activations:
        pass

    held: list[weakref.ref[Activations]] = []

    def run_out(*arguments: Any, **more: Any) -> None:
        activations = Activations()
        held.append(weakref.ref(activations))
        raise torch.OutOfMemoryError("tried to allocate")

    with pytest.raises(OutOfMemory) as caught:
        failing(voices, run_out)
    assert caught.value.__cause__ is not None
    assert [activations() for activations in held] == [None]


def test_a_device_that_is_gone_is_lost_to_this_process(voices: VoiceStore) -> None:
    with pytest.raises(DeviceLost, match="does nothing more in this process"):
        failing(voices, RuntimeError("CUDA error: device-side assert triggered"))


def test_a_gpu_that_torch_has_no_code_for_is_not_lost_but_unusable(voices: VoiceStore) -> None:
    with pytest.raises(EngineUnavailable, match="no code for the device") as caught:
        failing(voices, RuntimeError("CUDA error: no kernel image is available for execution on the device"))
    assert not isinstance(caught.value, DeviceLost)


def test_a_language_that_lacks_a_helpful_package_is_told_once(voices: VoiceStore) -> None:
    events: list[Event] = []
    requests = [request(number, model="multilingual", text="Привет.", language="ru") for number in range(2)]
    render(engine_of("multilingual", voices, token_cap=5), requests, events)
    warnings = [event.message for event in events if isinstance(event, Noticed) and event.level == "warning"]
    assert warnings == ["language ru is spoken better with: pip install russian-text-stresser"]

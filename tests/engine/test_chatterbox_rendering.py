"""The chatterbox engine against the library's own `generate()`, and against each of its known wrong sounds."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cbtui.core.events import CacheEvent, ChunkProgressed, Event
from cbtui.core.task import MODEL_SAMPLING, Sampling
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, Voice
from cbtui.engine.cache import ModelCache
from cbtui.engine.chatterbox.engine import ChatterboxEngine
from cbtui.engine.clips import digest_clip
from cbtui.engine.voices import VoiceStore
from tests.engine.stock import cut_to_test_size, load_stock
from tests.support.checkpoint import checkpoint

TEXT = "Hello there, this is a test."
# One step of the flow where the sound itself is not the point: the vocoder is nearly all of the time.
QUICK = 1

_models = ModelCache()


@pytest.fixture
def voices(tmp_path: Path) -> VoiceStore:
    return VoiceStore(tmp_path / "voices")


def engine_of(model: str, voices: VoiceStore, **options: Any) -> ChatterboxEngine:
    return ChatterboxEngine(
        model,  # type: ignore[arg-type]
        cache=_models,
        voices=voices,
        device="cpu",
        model_dir=checkpoint(model),
        **{"flow_steps": QUICK, **options},
    )


def request(number: int = 0, *, model: str = "english", seed: int = 1, clip: Path | None = None, **more: Any) -> Any:
    voice = Voice("reader", clip, digest_clip(clip) if clip else None)
    sampling = MODEL_SAMPLING[model]  # type: ignore[index]
    fields = {"text": TEXT, "voice": voice, "sampling": sampling, "seed": seed, "language": "en", **more}
    return ChunkRequest(str(number), **fields)


def render(engine: ChatterboxEngine, requests: Iterable[ChunkRequest], events: list[Event] | None = None) -> list[Any]:
    heard = [] if events is None else events
    return list(engine.render(requests, emit=heard.append, should_stop=lambda: False))


def loaded(engine: ChatterboxEngine) -> Any:
    """The model object that the engine works with."""
    from cbtui.engine.chatterbox.cached_model import find_checkpoint, get_model

    return get_model(_models, find_checkpoint(engine.model, checkpoint(engine.model)), "cpu")


@pytest.mark.parametrize("model", ["english", "multilingual", "turbo"])
def test_the_samples_equal_the_librarys_to_the_bit_for_the_same_seed(model: str, voices: VoiceStore) -> None:
    stock = load_stock(model, checkpoint(model))
    language = {"language_id": "en"} if model == "multilingual" else {}
    torch.manual_seed(3)
    with cut_to_test_size():
        expected = stock.generate(TEXT, **language)[0].numpy()
    [given] = render(engine_of(model, voices, flow_steps=None), [request(model=model, seed=3)])
    assert isinstance(given, ChunkResult)
    np.testing.assert_array_equal(given.samples, expected)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(cfg_weight=0.3, temperature=1.0, exaggeration=0.9),
        Sampling(repetition_penalty=2.0, min_p=0.0, top_p=0.8),
        Sampling(cfg_weight=1.0, temperature=0.4),
    ],
)
def test_the_tokens_equal_the_librarys_for_other_parameters(
    sampling: Sampling, voices: VoiceStore, english_checkpoint: Path
) -> None:
    stock = load_stock("english", english_checkpoint)
    expected: list[torch.Tensor] = []

    class Enough(Exception):
        pass

    def remember(speech_tokens: torch.Tensor, **rest: Any) -> None:
        expected.append(speech_tokens)
        raise Enough

    stock.s3gen.inference = remember
    torch.manual_seed(5)
    with pytest.raises(Enough):
        stock.generate(
            TEXT,
            exaggeration=sampling.exaggeration,
            cfg_weight=sampling.cfg_weight,
            temperature=sampling.temperature,
            repetition_penalty=sampling.repetition_penalty,
            min_p=sampling.min_p,
            top_p=sampling.top_p,
        )
    [given] = render(engine_of("english", voices), [request(seed=5, sampling=sampling)])
    samples_per_token = 960  # 24,000 Hz, 25 tokens a second
    assert len(given.samples) == len(expected[0]) * samples_per_token


def test_guidance_of_zero_speaks_where_the_library_crashes(voices: VoiceStore) -> None:
    [given] = render(engine_of("english", voices), [request(sampling=Sampling(cfg_weight=0.0))])
    assert isinstance(given, ChunkResult)
    assert np.abs(given.samples).max() > 0.001


def test_guidance_of_zero_means_the_conditional_logits_alone(voices: VoiceStore) -> None:
    almost = render(engine_of("english", voices), [request(sampling=Sampling(cfg_weight=1e-9))])
    none = render(engine_of("english", voices), [request(sampling=Sampling(cfg_weight=0.0))])
    assert len(none[0].samples) == len(almost[0].samples)


def test_a_seed_gives_the_same_samples_whatever_was_rendered_before(voices: VoiceStore, clip: Path) -> None:
    engine = engine_of("english", voices)
    wanted = request(1, seed=9)
    [alone] = render(engine, [wanted])
    others = [request(2, seed=4, clip=clip), request(3, seed=5, sampling=Sampling(temperature=1.2))]
    torch.manual_seed(77)
    after = render(engine, [*others, wanted])[-1]
    np.testing.assert_array_equal(after.samples, alone.samples)


def test_rendering_leaves_the_callers_random_numbers_alone(voices: VoiceStore) -> None:
    torch.manual_seed(1)
    expected = torch.rand(4)
    torch.manual_seed(1)
    render(engine_of("english", voices), [request()])
    assert torch.equal(torch.rand(4), expected)


def test_a_voice_does_not_bleed_into_the_next_request(voices: VoiceStore, clip: Path) -> None:
    engine = engine_of("english", voices)
    [before] = render(engine, [request(1)])
    own = loaded(engine).conds
    with_clip, after = render(engine, [request(2, clip=clip), request(3)])
    assert loaded(engine).conds is own
    np.testing.assert_array_equal(after.samples, before.samples)
    assert len(with_clip.samples) != len(after.samples) or not np.array_equal(with_clip.samples, after.samples)


def test_the_library_gets_copies_of_a_voice(voices: VoiceStore) -> None:
    engine = engine_of("english", voices)
    conds = loaded(engine).conds
    before = {name: tensor.clone() for name, tensor in conds.gen.items() if torch.is_tensor(tensor)}
    render(engine, [request(1), request(2)])
    assert conds.t3.cond_prompt_speech_emb is None
    for name, tensor in before.items():
        assert conds.gen[name].dtype == tensor.dtype
        assert torch.equal(conds.gen[name], tensor)


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
    engine = engine_of("english", voices)
    head = loaded(engine).t3.speech_head.weight
    kept = head[6562].clone()
    try:
        with torch.inference_mode():
            head[6562, 1] = 50.0  # the dimension that is the same at every position
        [failure] = render(engine, [request()])
    finally:
        with torch.inference_mode():
            head[6562] = kept
    assert failure == ChunkFailure("0", "the model ended the speech before it began", retry_with_next_seed=True)


def test_an_empty_text_never_reaches_the_model(voices: VoiceStore) -> None:
    with pytest.raises(ValueError, match="empty text"):
        render(engine_of("english", voices), [request(text="  \n")])


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

    stream = engine_of(model, voices).render(
        [request(model=model, seed=2), request(1, model=model)], emit=listen, should_stop=cancelled.is_set
    )
    assert list(stream) == []
    assert tokens == [1, 2]


def test_a_cancel_is_followed_within_the_vocoder(voices: VoiceStore) -> None:
    engine = engine_of("english", voices, flow_steps=None)
    once_a_step = loaded(engine).s3gen.flow.decoder.estimator.time_mlp
    calls: list[int] = []
    counting = once_a_step.register_forward_hook(lambda *rest: calls.append(1))
    try:
        stream = engine.render([request()], emit=lambda event: None, should_stop=lambda: bool(calls))
        assert list(stream) == []
    finally:
        counting.remove()
    assert calls == [1]


def test_requests_are_taken_only_when_there_is_room(voices: VoiceStore) -> None:
    taken: list[int] = []

    def requests() -> Iterator[ChunkRequest]:
        for number in range(3):
            taken.append(number)
            yield request(number)

    results = engine_of("english", voices).render(requests(), emit=lambda event: None, should_stop=lambda: False)
    next(results)
    assert taken == [0]


def test_a_clip_becomes_a_voice_once(voices: VoiceStore, clip: Path) -> None:
    events: list[Event] = []
    engine = engine_of("english", voices)
    first, second = render(engine, [request(1, clip=clip), request(2, clip=clip)], events)
    looked_up = [event.hit for event in events if isinstance(event, CacheEvent) and event.layer == "voice"]
    assert looked_up == [False, True]
    np.testing.assert_array_equal(first.samples, second.samples)


def test_a_stored_voice_sounds_like_a_fresh_one(tmp_path: Path, clip: Path) -> None:
    [fresh] = render(engine_of("english", VoiceStore(tmp_path)), [request(clip=clip)])
    events: list[Event] = []
    [stored] = render(engine_of("english", VoiceStore(tmp_path)), [request(clip=clip)], events)
    assert [event.hit for event in events if isinstance(event, CacheEvent) and event.layer == "voice"] == [True]
    np.testing.assert_array_equal(stored.samples, fresh.samples)


def test_exaggeration_belongs_to_the_request_and_not_to_the_stored_voice(voices: VoiceStore, clip: Path) -> None:
    engine = engine_of("english", voices)
    lively = replace(MODEL_SAMPLING["english"], exaggeration=1.5)
    calm, other, calm_again = render(
        engine, [request(1, clip=clip), request(2, clip=clip, sampling=lively), request(3, clip=clip)]
    )
    np.testing.assert_array_equal(calm.samples, calm_again.samples)
    assert engine.identity(request(clip=clip)) != engine.identity(request(clip=clip, sampling=lively))
    assert other.facts.tokens > 0


def test_a_clip_that_changed_since_it_was_hashed_is_refused(voices: VoiceStore, clip: Path, tmp_path: Path) -> None:
    changing = tmp_path / "clip.wav"
    changing.write_bytes(clip.read_bytes())
    wanted = request(clip=changing)
    changing.write_bytes(clip.read_bytes()[:-4000])
    [failure] = render(engine_of("english", voices), [wanted])
    assert isinstance(failure, ChunkFailure)
    assert not failure.retry_with_next_seed


def test_turbo_refuses_a_clip_under_five_seconds(voices: VoiceStore, tmp_path: Path) -> None:
    from tests.support.clips import reference_clip

    short = reference_clip(tmp_path / "short.wav", seconds=4)
    [failure] = render(engine_of("turbo", voices), [request(model="turbo", clip=short)])
    assert "at least 5.05 s" in failure.reason


def test_a_speaker_without_a_clip_needs_the_checkpoints_own_voice(voices: VoiceStore, english_checkpoint: Path) -> None:
    engine = engine_of("english", voices)
    model = loaded(engine)
    kept, model.conds = model.conds, None
    try:
        [failure] = render(engine, [request()])
    finally:
        model.conds = kept
    assert "Give the speaker a reference" in failure.reason


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


def test_no_voice_keeps_a_graph(voices: VoiceStore, clip: Path) -> None:
    from cbtui.engine.chatterbox.conditionals import derive_voice, s3gen_reference, t3_condition
    from cbtui.engine.clips import read_clip

    arrays = derive_voice(loaded(engine_of("english", voices)), read_clip(clip))
    tensors = [*s3gen_reference(arrays, "cpu").values(), t3_condition(arrays, 0.5, "cpu").speaker_emb]
    assert all(not tensor.requires_grad for tensor in tensors if tensor is not None)


def test_nothing_of_the_libraries_reaches_stdout_or_stderr(
    voices: VoiceStore, capfd: pytest.CaptureFixture[str]
) -> None:
    render(engine_of("turbo", voices), [request(model="turbo", seed=2)])
    render(engine_of("english", voices), [request()])
    written = capfd.readouterr()
    assert written.out == ""
    assert "Sampling" not in written.err
    assert "it/s" not in written.err

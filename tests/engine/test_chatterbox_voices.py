"""Voices of the chatterbox engine: once per clip, never another request's, never the library's to change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from cbtui.core.events import CacheEvent, Event
from cbtui.core.task import MODEL_SAMPLING
from cbtui.engine.base import ChunkFailure
from cbtui.engine.cache import ModelKey
from cbtui.engine.chatterbox.cached_model import LoadedModel
from cbtui.engine.voices import VoiceStore
from tests.engine.rendering import engine_of, loaded, render, request


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
    without = LoadedModel(ModelKey("english", "cpu", "voiceless"), loaded(engine), None)
    with patch("cbtui.engine.chatterbox.engine.get_model", return_value=without):
        [failure] = render(engine, [request()])
    assert "Give the speaker a reference" in failure.reason


def test_no_voice_keeps_a_graph(voices: VoiceStore, clip: Path) -> None:
    from cbtui.engine.chatterbox.conditionals import derive_voice, s3gen_reference, t3_condition
    from cbtui.engine.clips import read_clip

    arrays = derive_voice(loaded(engine_of("english", voices)), read_clip(clip))
    tensors = [*s3gen_reference(arrays, "cpu").values(), t3_condition(arrays, 0.5, "cpu").speaker_emb]
    assert all(not tensor.requires_grad for tensor in tensors if tensor is not None)


def test_what_others_do_to_the_model_object_does_not_change_the_built_in_voice(voices: VoiceStore, clip: Path) -> None:
    engine = engine_of("english", voices)
    [before] = render(engine, [request()])
    model = loaded(engine)
    kept = model.conds
    try:
        model.prepare_conditionals(clip)  # as `generate(audio_prompt_path=...)` does
        [after] = render(engine, [request()])
    finally:
        model.conds = kept
    np.testing.assert_array_equal(after.samples, before.samples)

"""Voices are derived once per machine, and a damaged one is derived again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cbtui.core.events import CacheEvent, Event
from cbtui.engine.base import UnusableReference
from cbtui.engine.voices import StoredVoice, VoiceStore, stored_voices

TENSORS = {"t3.speaker_emb": np.arange(4, dtype=np.float32), "gen.prompt_token": np.arange(3, dtype=np.int64)}


class Asked:
    """A store in a folder, what it was asked to derive, and what it told."""

    def __init__(self, folder: Path, **options: int) -> None:
        self.store = VoiceStore(folder, **options)
        self.derived: list[str] = []
        self.events: list[Event] = []

    def get(self, digest: str = "a", *, model: str = "english", revision: str = "1") -> StoredVoice:
        def derive() -> dict[str, np.ndarray]:
            self.derived.append(digest)
            return dict(TENSORS)

        return self.store.get(
            digest=digest, model=model, revision=revision, name="a.wav", derive=derive, emit=self.events.append
        )


def test_a_voice_is_derived_once_and_hits_after_that(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.get()
    asked.get()
    assert asked.derived == ["a"]
    assert [event.hit for event in asked.events if isinstance(event, CacheEvent)] == [False, True]


def test_another_process_finds_it_on_disk_with_its_types(tmp_path: Path) -> None:
    first = Asked(tmp_path).get()
    asked = Asked(tmp_path)
    voice = asked.get()
    assert asked.derived == []
    assert voice.seconds == pytest.approx(first.seconds, abs=1e-6)
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(voice.tensors[name], tensor)
        assert voice.tensors[name].dtype == tensor.dtype


def test_clip_model_and_revision_each_make_another_voice(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.get()
    asked.get("b")
    asked.get(model="turbo")
    asked.get(revision="2")
    assert len(asked.derived) == 4
    assert len(stored_voices(tmp_path)) == 4


@pytest.mark.parametrize("damage", [b"", b"not tensors", None])
def test_a_damaged_voice_is_derived_again(tmp_path: Path, damage: bytes | None) -> None:
    Asked(tmp_path).get()
    [path] = stored_voices(tmp_path)
    path.write_bytes(path.read_bytes()[:-4] if damage is None else damage)
    asked = Asked(tmp_path)
    asked.get()
    assert asked.derived == ["a"]
    fresh = Asked(tmp_path)
    fresh.get()
    assert fresh.derived == []


def test_memory_is_bounded_in_bytes_and_disk_keeps_the_rest(tmp_path: Path) -> None:
    asked = Asked(tmp_path, memory_bytes=50)
    asked.get("a")
    asked.get("b")
    asked.get("a")
    assert asked.derived == ["a", "b"]
    assert len(asked.store._recent) == 1


def test_a_clip_that_cannot_be_used_is_not_stored(tmp_path: Path) -> None:
    def refuse() -> dict[str, np.ndarray]:
        raise UnusableReference("silent")

    store = VoiceStore(tmp_path)
    with pytest.raises(UnusableReference):
        store.get(digest="a", model="english", revision="1", name="a.wav", derive=refuse, emit=lambda event: None)
    assert stored_voices(tmp_path) == []


def test_clear_forgets_memory_and_disk(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.get()
    assert asked.store.clear() == 1
    asked.get()
    assert asked.derived == ["a", "a"]

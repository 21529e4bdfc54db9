"""What a model speaks with on which device, and how many chunks at once."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import torch

from cbtui.engine.chatterbox import speaking
from cbtui.engine.chatterbox.speaking import Speaking, make_decoder

GIB = 2**30


@pytest.fixture
def made() -> Iterator[list[str]]:
    """The names of the decoders that were made; none is."""
    names: list[str] = []
    with (
        patch.object(speaking, "SlotDecoder", lambda *rest: names.append("slots")),
        patch.object(speaking, "Decoder", lambda *rest, room: names.append(f"each alone, room {room}")),
    ):
        yield names


@pytest.mark.parametrize(
    ("device", "expected"),
    [("cuda:1", "slots"), ("cpu", "each alone, room None"), ("mps", "each alone, room 256")],
)
def test_only_cuda_decodes_in_slots(made: list[str], device: str, expected: str) -> None:
    make_decoder(SimpleNamespace(device=torch.device(device)), "exact")
    assert made == [expected]


@pytest.mark.parametrize(("device", "expected"), [("cuda:1", 8), ("cpu", 1), ("mps", 1)])
def test_only_cuda_speaks_several_chunks_in_one_batch(
    made: list[str], monkeypatch: pytest.MonkeyPatch, device: str, expected: int
) -> None:
    monkeypatch.setattr(speaking, "Vocoder", lambda model, precision: None)
    model = SimpleNamespace(t3=SimpleNamespace(device=torch.device(device)))
    assert Speaking.of(model, "exact").spoken_at_once == expected


def fitting(monkeypatch: pytest.MonkeyPatch, *, free: int, kept: int = 0, held: int = 0) -> int:
    """On a card with a decoder whose sequences take a gibibyte each."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 80 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 10 * GIB + kept)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 10 * GIB)
    decoder: Any = SimpleNamespace(
        device=torch.device("cuda"), held_bytes=held, bytes_for=lambda positions: GIB if positions == 700 else 0
    )
    return Speaking(decoder, vocoder=None, spoken_at_once=8).fitting_batch()  # type: ignore[arg-type]


def test_half_of_the_free_memory_is_for_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitting(monkeypatch, free=9 * GIB) == 4


def test_memory_that_is_ours_to_use_again_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitting(monkeypatch, free=1 * GIB, kept=3 * GIB, held=6 * GIB) == 5


def test_there_is_always_one_and_never_more_than_the_device_does_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitting(monkeypatch, free=0) == 1
    assert fitting(monkeypatch, free=79 * GIB) == 32

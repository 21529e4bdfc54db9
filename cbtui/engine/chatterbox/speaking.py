"""What a loaded model speaks with: our decoder and vocoder over its weights, in one precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psutil
import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.decode import ROOM, Decoder
from cbtui.engine.chatterbox.decode_slots import SlotDecoder
from cbtui.engine.chatterbox.vocode import Vocoder

# Where a step of more sequences gives hardly more tokens a second: two CPU cores are at their best at 8 (measured);
# on a GPU the products of 32 take little longer than those of one.
_MOST_AT_ONCE = {"cpu": 8, "mps": 8, "cuda": 32}
# Chunks whose tokens become sound in one batch: on two CPU cores it gains nothing (measured); on a GPU a chunk alone
# takes longer to launch than to compute.
_SPOKEN_AT_ONCE = {"cpu": 1, "mps": 1, "cuda": 8}
# Positions of a sequence when it ends, for a chunk of the usual length with its voice and text.
_USUAL_POSITIONS = 700
# What the sequences may take of the memory that is free; the vocoder and others need some too.
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Speaking:
    """Text tokens to speech tokens to samples, one caller at a time; `spoken_at_once` chunks at most in one batch."""

    decoder: Decoder
    vocoder: Vocoder
    spoken_at_once: int

    @classmethod
    def of(cls, model: Any, precision: Precision) -> Speaking:
        at_once = _SPOKEN_AT_ONCE[model.t3.device.type]
        return cls(make_decoder(model.t3, precision), Vocoder(model, precision), at_once)

    @property
    def marks_beside(self) -> bool:
        """Whether the watermark is another thread's. Not where both are the processor's: each thread that computes with
        torch has a team of OpenMP's, and with more of them than cores every team waits asleep instead of awake, which
        costs S3Gen 18 % (measured, two cores) where the watermark takes 25 ms a chunk.
        """
        return self.decoder.device.type != "cpu"

    def fitting_batch(self) -> int:
        """How many chunks at once this device does best, as its free memory allows."""
        device = self.decoder.device
        if device.type == "cuda":
            free = _free_on_card(device) + self.decoder.held_bytes
        else:
            free = psutil.virtual_memory().available
        fitting = int(free * _SHARE / self.decoder.bytes_for(_USUAL_POSITIONS))
        return max(1, min(_MOST_AT_ONCE[device.type], fitting))


def make_decoder(t3: Any, precision: Precision) -> Decoder:
    """What suits the device: on CUDA a step costs its launches, elsewhere what it computes."""
    if t3.device.type == "cuda":
        return SlotDecoder(t3, precision)
    return Decoder(t3, precision, room=None if t3.device.type == "cpu" else ROOM)


def _free_on_card(device: torch.device) -> int:
    """Bytes that nobody has, and those that torch keeps for later."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)

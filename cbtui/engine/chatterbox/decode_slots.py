"""Drawing speech tokens on a GPU: all sequences in one memory, each step launched as a whole, nobody waiting.

The host launches a step before it reads the tokens of the one before, so the device always has work. A sequence that
has ended by then is stepped once too often: that token is ignored, and its generator goes back, because the vocoder
goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.attention import KeyValues
from cbtui.engine.chatterbox.decode import MODEL_ERRORS, ROOM, Decoder, Drawn, Outcome, Stepped, Watch
from cbtui.engine.chatterbox.graphs import Launcher, OnItsWay, launcher_for
from cbtui.engine.chatterbox.guard import watched_heads
from cbtui.engine.chatterbox.prefill import Prompt, Sequence
from cbtui.engine.chatterbox.products import product_dtype
from cbtui.engine.chatterbox.sampling import Cuts, start_race
from cbtui.engine.chatterbox.slot_step import SlotStep
from cbtui.engine.chatterbox.slots import Shape, Slots

# Positions that a step looks back over, and that there is memory for, come in such steps: each makes another graph.
STRIDE = 256


@dataclass(frozen=True, slots=True)
class _InFlight:
    """A step that was launched: slot by slot, who is in it, and where the generators were before."""

    sequences: tuple[Sequence, ...]
    generators: tuple[torch.Tensor, ...]
    tokens: OnItsWay

    def drawn(self) -> list[tuple[Sequence, int]]:
        """Waits for the device."""
        return list(zip(self.sequences, self.tokens.read().tolist(), strict=True))

    def take_back(self, sequence: Sequence) -> None:
        """Let the sequence's generator be as if it had not drawn in this step."""
        for each, state in zip(self.sequences, self.generators, strict=True):
            if each is sequence:
                sequence.prompt.generator.set_state(state)


class SlotDecoder(Decoder):
    """A decoder whose sequences lie in slots, as many as there are in work, growing in powers of two.

    `room`: how many tokens a sequence gets memory for at first; `stride`: positions come in multiples of it.
    """

    def __init__(
        self,
        t3: Any,
        precision: Precision,
        *,
        room: int = ROOM,
        stride: int = STRIDE,
        launcher: Launcher | None = None,
    ) -> None:
        super().__init__(t3, precision, room=0)
        self._room, self._stride = room, stride
        transformer = self._transformer
        watched = watched_heads(transformer.layers) if t3.hp.is_multilingual else []
        self._shape = Shape(
            layers=transformer.layers,
            rows=1 if t3.is_gpt else 2,
            heads=transformer.heads,
            head_size=transformer.head_size,
            tokens=t3.speech_head.out_features,
            watched=len(watched),
            device=self.device,
            # With `fast`, half to read and to hold: what it adds to the rounding of the products is not to be seen
            # (logits of the test checkpoints: 5.5e-4 relative to `exact`, with float32 here 5.6e-4).
            dtype=product_dtype(precision),
        )
        self._computation = SlotStep(t3, transformer, watched)
        self._launcher = launcher or launcher_for(self.device)
        self._slots: Slots | None = None
        self._placed: list[Sequence] = []
        self._in_flight: _InFlight | None = None
        self._laid = KeyValues.empty(layers=0, rows=self._shape.rows, heads=0, capacity=0, size=0, device=self.device)

    @property
    def bytes_per_position(self) -> int:
        return self._shape.bytes_per_position

    @property
    def held_bytes(self) -> int:
        return self._slots.bytes if self._slots else 0

    def bytes_for(self, positions: int) -> int:
        return self._in_strides(positions) * self.bytes_per_position

    def decode(self, prompts: Iterator[Prompt | None], watch: Watch) -> Iterator[Outcome | Stepped]:
        self._clear()
        if self._slots is not None and self._slots.count > max(1, watch.batch()):
            self._let_go()
        yield from super().decode(prompts, watch)

    def _step(self, active: list[Sequence], watch: Watch) -> list[tuple[Sequence, int]]:
        """The tokens of the step before, while the next one is under way."""
        try:
            slots = self._settle(active, watch)
            if self._shape.watched:
                return self._step_guarded(slots)
            before, self._in_flight = self._in_flight, self._launch(slots)
            drawn = before.drawn() if before else []
        except MODEL_ERRORS:
            self._let_go()
            raise
        return [(sequence, token) for sequence, token in drawn if sequence in active]

    def _end(self, sequence: Sequence, *, reached_cap: bool) -> Drawn:
        if self._in_flight is not None:
            self._in_flight.take_back(sequence)
        return super()._end(sequence, reached_cap=reached_cap)

    def _launch(self, slots: Slots) -> _InFlight:
        generators = tuple(each.prompt.generator.get_state() for each in self._placed)
        self._forward(slots)
        self._choose(slots)
        return _InFlight(tuple(self._placed), generators, self._fetch_tokens(slots))

    def _step_guarded(self, slots: Slots) -> list[tuple[Sequence, int]]:
        """The guard looks at each step, and may change its logits; so here the host waits."""
        reach = self._forward(slots)
        told = OnItsWay.from_device(slots.weights[:, : len(self._placed), :reach]).read()
        for slot, sequence in enumerate(self._placed):
            guard, own = sequence.guard, slots.state.guided[slot : slot + 1]
            if guard is not None:
                guard.tell(told[:, slot, : sequence.length])
                own.copy_(guard.step(own, next_token=sequence.tokens[-1]))
        self._choose(slots)
        return list(zip(self._placed, self._fetch_tokens(slots).read().tolist(), strict=True))

    def _forward(self, slots: Slots) -> int:
        """Launch the first half of a step. Returns how many positions it looks back over."""
        count = self._bucket(slots)
        reach = self._in_strides(max(each.length for each in self._placed) + 1)
        self._launcher.run(("forward", count, reach), lambda: self._computation.forward(slots, count, reach))
        for sequence in self._placed:
            sequence.length += 1
        return reach

    def _choose(self, slots: Slots) -> None:
        count, cuts = self._bucket(slots), Cuts.of(each.prompt.sampling for each in self._placed)
        start_race(slots.state.race, [each.prompt.generator for each in self._placed])
        self._launcher.run(("choose", count, cuts), lambda: self._computation.choose(slots, count, cuts))

    def _fetch_tokens(self, slots: Slots) -> OnItsWay:
        return OnItsWay.from_device(slots.state.last[: len(self._placed)])

    def _bucket(self, slots: Slots) -> int:
        """How many slots a step is about: few sizes, as each makes another graph."""
        return min(_power_of_two(len(self._placed)), slots.count)

    def _settle(self, active: list[Sequence], watch: Watch) -> Slots:
        """Give every active sequence a slot, the first ones, and take the slots of those that left."""
        most = max(watch.batch(), len(active))
        slots = self._make_room(active, most)
        waiting = [sequence for sequence in active if sequence not in self._placed]
        for slot in reversed(range(len(self._placed))):
            if self._placed[slot] not in active:
                if waiting:
                    self._lay(slots, slot, waiting.pop(0))
                else:
                    self._vacate(slots, slot)
        for sequence in waiting:
            self._placed.append(sequence)
            self._lay(slots, len(self._placed) - 1, sequence)
        if slots.count > most:
            self._resize(slots, most, slots.capacity)
        return slots

    def _make_room(self, active: list[Sequence], most: int) -> Slots:
        """A slot for each, and memory for what it needs next."""
        count = min(_power_of_two(len(active)), most)
        capacity = self._in_strides(max(self._needed(sequence) for sequence in active))
        if self._slots is None:
            self._slots = Slots(self._shape, count, capacity)
        slots = self._slots
        if count > slots.count or capacity > slots.capacity:
            self._resize(slots, max(count, slots.count), max(capacity, slots.capacity))
        return slots

    def _needed(self, sequence: Sequence) -> int:
        """How many positions: one more, and some for one that begins."""
        return sequence.length + (1 if sequence.past is self._laid else min(sequence.prompt.cap, self._room))

    def _resize(self, slots: Slots, count: int, capacity: int) -> None:
        self._launcher.forget()
        slots.resize(count, capacity)

    def _lay(self, slots: Slots, slot: int, sequence: Sequence) -> None:
        seen = self._seen([sequence], slots.state.seen[:1])
        slots.lay(
            slot, sequence.past, sequence.length, token=sequence.tokens[-1], seen=seen, own=sequence.prompt.sampling
        )
        self._placed[slot] = sequence
        # What it began with is in the slot.
        sequence.past = self._laid

    def _vacate(self, slots: Slots, slot: int) -> None:
        """Let the last sequence go on in this slot, and leave the last one empty."""
        moved, last = self._placed.pop(), len(self._placed)
        if slot < last:
            slots.move(last, slot, moved.length)
            self._placed[slot] = moved
        slots.leave(last)

    def _clear(self) -> None:
        """Leave every slot empty: those that ended last in another call, or came to no end, still lie in theirs."""
        if self._slots is not None:
            with torch.inference_mode():
                for slot in range(len(self._placed)):
                    self._slots.leave(slot)
        self._placed, self._in_flight = [], None

    def _let_go(self) -> None:
        """Give back all memory but the weights'."""
        self._slots, self._placed, self._in_flight = None, [], None
        self._launcher.forget()

    def _in_strides(self, positions: int) -> int:
        return -(-positions // self._stride) * self._stride


def _power_of_two(count: int) -> int:
    """The smallest that is not below `count`."""
    return int(1 << (count - 1).bit_length())

"""The memory of all sequences that are decoded at once, at addresses that stay.

A step that was recorded once finds everything again where it was: keys and values, and all that the next token depends
on. The sequences in work occupy the first slots.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from cbtui.core.task import Sampling
from cbtui.engine.chatterbox.attention import KeyValues
from cbtui.engine.chatterbox.sampling import Cuts, Parameters


@dataclass(frozen=True, slots=True)
class Shape:
    """What all slots of a model have in common: `rows` is 2 where a row without text goes along.

    `watched`: how many heads the guard looks at. `dtype` is that of keys and values.
    """

    layers: int
    rows: int
    heads: int
    head_size: int
    tokens: int
    watched: int
    device: torch.device
    dtype: torch.dtype

    @property
    def bytes_per_position(self) -> int:
        return 2 * self.layers * self.rows * self.heads * self.head_size * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class State:
    """What the slots have beside keys and values, each tensor with a row a slot.

    Shape [slots], int64: the `last` token, the `position` where it is read, how many are `drawn`, and `counts`, 1 where
    a sequence is and 0 in an empty slot, whose position thus stays where there is memory.
    Shape [slots, tokens]: which tokens count as `seen`, and of the next draw the `race` of random numbers and the
    `guided` logits. The others are the columns of `Parameters`, [slots, 1].
    """

    last: torch.Tensor
    position: torch.Tensor
    drawn: torch.Tensor
    counts: torch.Tensor
    seen: torch.Tensor
    race: torch.Tensor
    guided: torch.Tensor
    cfg_weight: torch.Tensor
    temperature: torch.Tensor
    repetition_penalty: torch.Tensor
    min_p: torch.Tensor
    beyond_top_p: torch.Tensor
    top_k: torch.Tensor

    @classmethod
    def empty(cls, slots: int, shape: Shape) -> State:
        wide = (slots, shape.tokens)
        columns = Parameters.of([Sampling()] * slots, shape.device)
        tensors = [
            *torch.zeros(4, slots, dtype=torch.long, device=shape.device),
            torch.zeros(wide, dtype=torch.bool, device=shape.device),
            # The race in an empty slot is never filled, and with zeros its chances would be infinite.
            torch.ones(wide, device=shape.device),
            torch.zeros(wide, device=shape.device),
            *(getattr(columns, name) for name in _COLUMNS),
        ]
        return cls(*tensors)

    def tensors(self) -> list[torch.Tensor]:
        return [getattr(self, each.name) for each in fields(self)]

    def parameters(self, count: int, cuts: Cuts) -> Parameters:
        """Of the first slots, in the same memory."""
        return Parameters(**{name: getattr(self, name)[:count] for name in _COLUMNS}, cuts=cuts)


_COLUMNS = tuple(each.name for each in fields(Parameters) if each.name != "cuts")


class Slots:
    """Room for `count` sequences of `capacity` positions each.

    `keys` and `values` are of shape [count * rows, heads, capacity, size], one for each layer, a sequence's rows side
    by side; `weights` are the watched heads', [watched, count, capacity], float32.
    """

    def __init__(self, shape: Shape, count: int, capacity: int) -> None:
        self.shape, self.count, self.capacity = shape, count, capacity
        # Zeros: a masked position weighs nothing, but nothing times what happens to lie in memory may be NaN.
        self.keys = [self._positions(count, capacity) for _ in range(shape.layers)]
        self.values = [self._positions(count, capacity) for _ in range(shape.layers)]
        self.weights = torch.zeros(shape.watched, count, capacity, device=shape.device)
        self.places = torch.arange(capacity, device=shape.device)
        self.state = State.empty(count, shape)

    @property
    def bytes(self) -> int:
        own = [*self.keys, *self.values, self.weights, self.places, *self.state.tensors()]
        return sum(tensor.nbytes for tensor in own)

    def resize(self, count: int, capacity: int) -> None:
        """Move to other memory, with what the first slots have in the first positions.

        Layer by layer, so that there is never more than one layer twice; an error leaves nothing that can be used.
        """
        kept, positions = min(count, self.count) * self.shape.rows, min(capacity, self.capacity)
        for tensors in (self.keys, self.values):
            for layer, old in enumerate(tensors):
                tensors[layer] = self._positions(count, capacity)
                tensors[layer][:kept, :, :positions] = old[:kept, :, :positions]
        old_state, self.state = self.state, State.empty(count, self.shape)
        for new, old in zip(self.state.tensors(), old_state.tensors(), strict=True):
            new[: min(count, self.count)] = old[:count]
        self.weights = self.weights.new_zeros(self.shape.watched, count, capacity)
        self.places = torch.arange(capacity, device=self.shape.device)
        self.count, self.capacity = count, capacity

    def lay(self, slot: int, past: KeyValues, length: int, *, token: int, seen: torch.Tensor, own: Sampling) -> None:
        """Begin a sequence that has read `length` positions and drawn its first token.

        `seen`: shape [1, tokens]. One without guidance has a single row; beside it stands the same again, which guides
        to itself.
        """
        rows, here = self.shape.rows, slice(slot * self.shape.rows, (slot + 1) * self.shape.rows)
        for layer in range(self.shape.layers):
            # The first row, where there is but one, is copied to both.
            self.keys[layer][here, :, :length] = past.keys[layer, :rows, :, :length]
            self.values[layer][here, :, :length] = past.values[layer, :rows, :, :length]
        state, columns = self.state, Parameters.of([own], self.shape.device)
        for tensor, number in ((state.last, token), (state.position, length), (state.drawn, 1), (state.counts, 1)):
            tensor[slot] = number
        state.seen[slot] = seen[0]
        for name in _COLUMNS:
            getattr(state, name)[slot] = getattr(columns, name)[0]

    def move(self, source: int, target: int, length: int) -> None:
        """Let the sequence of one slot, which has read `length` positions, go on in another."""
        rows = self.shape.rows
        for tensor in (*self.keys, *self.values):
            tensor[target * rows : (target + 1) * rows, :, :length] = tensor[
                source * rows : (source + 1) * rows, :, :length
            ]
        for tensor in self.state.tensors():
            tensor[target] = tensor[source]

    def leave(self, slot: int) -> None:
        """Let a slot be empty: what is computed in it is read by nobody."""
        self.state.counts[slot] = 0
        self.state.position[slot] = 0
        self.state.drawn[slot] = 0

    def _positions(self, count: int, capacity: int) -> torch.Tensor:
        shape = self.shape
        return torch.zeros(
            count * shape.rows, shape.heads, capacity, shape.head_size, dtype=shape.dtype, device=shape.device
        )

"""One more token for the sequences in the first slots, without a word from the host in between.

All that a step reads and writes lies in the slots, and what it does is decided by numbers that the host knows before:
so it can be recorded once and replayed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from cbtui.engine.chatterbox.sampling import Cuts, guide, probabilities, probabilities_turbo, win
from cbtui.engine.chatterbox.slots import Slots
from cbtui.engine.chatterbox.transformer import Transformer


class SlotStep:
    """The two halves of a step; between them, the guard may change the logits. `watched`: layer and head of each."""

    def __init__(self, t3: Any, transformer: Transformer, watched: list[tuple[int, int]]) -> None:
        self._t3 = t3
        self._transformer = transformer
        self._watched = watched

    def forward(self, slots: Slots, count: int, reach: int) -> None:
        """Let the first `count` slots read their last tokens, looking back over `reach` positions.

        Leaves the guided logits, and the weights of the watched heads.
        """
        t3, state, rows = self._t3, slots.state, slots.shape.rows
        embedded = t3.speech_emb(state.last[:count])
        if t3.speech_pos_emb is not None:
            embedded = embedded + t3.speech_pos_emb.emb(state.drawn[:count])
        positions = _for_rows(state.position[:count], rows)
        attend = SlotAttention(slots, positions, reach, self._watched)
        logits = self._transformer.logits(self._transformer.run(_for_rows(embedded, rows), positions, attend))
        if rows == 1:
            state.guided[:count] = logits
        else:
            state.guided[:count] = guide(logits[0::2], logits[1::2], state.cfg_weight[:count])
        state.position[:count] += state.counts[:count]

    def choose(self, slots: Slots, count: int, cuts: Cuts) -> None:
        """Draw a token for each of the first `count` slots from its logits and its race."""
        state = slots.state
        process = probabilities_turbo if self._t3.is_gpt else probabilities
        chances = process(state.guided[:count], state.seen[:count], state.parameters(count, cuts))
        tokens = win(chances, state.race[:count])
        state.seen[:count].scatter_(1, tokens[:, None], True)
        state.last[:count] = tokens
        state.drawn[:count] += state.counts[:count]


class SlotAttention:
    """Attention of one new position in each row to all before it, over memory that is longer than they need."""

    def __init__(self, slots: Slots, positions: torch.Tensor, reach: int, watched: list[tuple[int, int]]) -> None:
        shape = slots.shape
        self._slots, self._reach, self._watched = slots, reach, watched
        self._rows = positions.size(0)
        self._place = positions[:, None, None, None].expand(-1, shape.heads, 1, shape.head_size)
        beyond = slots.places[:reach] > positions[:, None]
        # Added to the scores, as the kernels want it; made once for all layers.
        self._mask = torch.zeros(beyond.shape, dtype=shape.dtype, device=shape.device).masked_fill(beyond, -torch.inf)

    def __call__(self, layer: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        all_keys, all_values = self._slots.keys[layer][: self._rows], self._slots.values[layer][: self._rows]
        all_keys.scatter_(2, self._place, keys[:, :, None].to(all_keys.dtype))
        all_values.scatter_(2, self._place, values[:, :, None].to(all_values.dtype))
        keys_in_reach, values_in_reach = all_keys[:, :, : self._reach], all_values[:, :, : self._reach]
        asked = queries[:, :, None].to(all_keys.dtype)
        self._watch(layer, asked, keys_in_reach)
        mixed = scaled_dot_product_attention(asked, keys_in_reach, values_in_reach, self._mask[:, None, None])
        return mixed[:, :, 0].to(queries.dtype)

    def _watch(self, layer: int, queries: torch.Tensor, keys: torch.Tensor) -> None:
        """Leave the weights of this layer's watched heads, of each slot's row with the text."""
        rows, size = self._slots.shape.rows, self._slots.shape.head_size
        for number, (watched, head) in enumerate(self._watched):
            if watched == layer:
                scores = torch.bmm(keys[::rows, head].float(), queries[::rows, head].float().mT)[:, :, 0]
                weights = torch.softmax(scores * size**-0.5 + self._mask[::rows].float(), dim=-1)
                self._slots.weights[number, : weights.size(0), : self._reach] = weights


def _for_rows(of_slots: torch.Tensor, rows: int) -> torch.Tensor:
    """Each slot's entry for each of its rows, side by side."""
    return of_slots[:, None].expand(-1, rows, *of_slots.shape[1:]).flatten(0, 1)

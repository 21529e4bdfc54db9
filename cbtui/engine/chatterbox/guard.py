"""The library's alignment guard for the multilingual model, fed by our own attention."""

from __future__ import annotations

from typing import Any

import torch
from chatterbox.models.t3.inference import alignment_stream_analyzer
from chatterbox.models.t3.inference.alignment_stream_analyzer import AlignmentStreamAnalyzer


def watched_heads(layers: int) -> list[tuple[int, int]]:
    """Layer and head of each that is watched in a model of so many layers.

    The released model has 30, where the library's own stay as they are; a smaller one is watched in those it has.
    """
    return [(layer % layers, head) for layer, head in alignment_stream_analyzer.LLAMA_ALIGNED_HEADS]


class AlignmentGuard(AlignmentStreamAnalyzer):  # type: ignore[misc]
    """Watches in three heads how one sequence goes through its text, and holds back or forces the stop token.

    The library's own registers a forward hook for each head at each call, never takes one back, and switches all
    layers to slow attention. This one is told of queries and keys where they are computed, and weighs three heads.
    """

    def __init__(self, *, layers: int, text_slice: tuple[int, int], stop_token: int) -> None:
        self._watched = watched_heads(layers)
        super().__init__(None, None, text_tokens_slice=text_slice, eos_idx=stop_token)

    def _add_attention_spy(self, tfmr: Any, buffer_idx: int, layer_idx: int, head_idx: int) -> None:
        pass

    def see(self, layer: int, queries: torch.Tensor, keys: torch.Tensor) -> None:
        """Queries [rows, heads, n, size] and keys [rows, heads, m, size] of a layer; the first row is the text's."""
        for number, (watched, head) in enumerate(self._watched):
            if watched == layer:
                self.last_aligned_attns[number] = self._weights(queries[0, head], keys[0, head]).cpu()

    def tell(self, weights: torch.Tensor) -> None:
        """The watched heads' weights of the last position, shape [heads, positions], on the CPU."""
        self.last_aligned_attns = list(weights[:, None])

    def _weights(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Attention weights; at first, when the library asks for all positions, of those behind the text alone."""
        count, reach = queries.size(0), keys.size(0)
        scores = queries @ keys.T * queries.size(-1) ** -0.5
        if count == 1:
            return torch.softmax(scores, dim=-1)
        ahead = torch.ones_like(scores, dtype=torch.bool).triu(reach - count + 1)
        weights = torch.zeros(reach, reach, device=scores.device)
        weights[reach - count :] = torch.softmax(scores.masked_fill(ahead, -torch.inf), dim=-1)
        return weights

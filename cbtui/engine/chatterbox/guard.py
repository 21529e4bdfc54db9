"""The library's alignment guard for the multilingual model, without what it leaves behind in the model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chatterbox.models.t3.inference.alignment_stream_analyzer import AlignmentStreamAnalyzer


class _Guard(AlignmentStreamAnalyzer):  # type: ignore[misc]
    def _add_attention_spy(self, tfmr: Any, buffer_idx: int, layer_idx: int, head_idx: int) -> None:
        # The released model has 30 layers, where this changes nothing; a smaller one is watched in the layers it has.
        super()._add_attention_spy(tfmr, buffer_idx, layer_idx % len(tfmr.layers), head_idx)


@contextmanager
def alignment_guard(t3: Any, *, text_slice: tuple[int, int]) -> Iterator[AlignmentStreamAnalyzer]:
    """The guard for one decoding; `text_slice` says where the text tokens stand in the sequence.

    The library registers three forward hooks and switches the attention implementation at each call and never takes
    them back; here both end with the block.
    """
    config = t3.tfmr.config
    implementation, outputs = config._attn_implementation, config.output_attentions
    hooks = [(layer.self_attn, set(layer.self_attn._forward_hooks)) for layer in t3.tfmr.layers]
    try:
        guard = _Guard(t3.tfmr, None, text_tokens_slice=text_slice, eos_idx=t3.hp.stop_speech_token)
        # The guard's own hooks see the weights that eager attention gives; asking for them once more makes
        # transformers leave a hook of its own on every layer and keep the weights of all of them.
        config.output_attentions = outputs
        yield guard
    finally:
        config.output_attentions = outputs
        config._attn_implementation = implementation
        for attention, before in hooks:
            for hook in set(attention._forward_hooks) - before:
                del attention._forward_hooks[hook]

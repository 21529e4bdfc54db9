"""Drawing speech tokens from T3, one sequence at a time, in the order of chatterbox-tts 0.1.7.

The loops of `T3.inference` and `T3.inference_turbo`, with what they lack: a generator per request, progress, a
cancel between two tokens, no guidance at `cfg_weight` 0, and word of whether the model ended by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from cbtui.core.task import Sampling
from cbtui.engine.chatterbox.guard import alignment_guard


class Stopped(Exception):
    """The caller asked to stop; nothing of the sequence is kept."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """`tokens`: shape [n], int64, as drawn, the stop token left out. `reached_cap`: no stop token came."""

    tokens: torch.Tensor
    reached_cap: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """How a decoding is watched: `progressed` gets the count after each token, `should_stop` is asked before it."""

    progressed: Callable[[int], None]
    should_stop: Callable[[], bool]


@torch.inference_mode()
def draw_tokens(
    t3: Any,
    condition: Any,
    text_tokens: torch.Tensor,
    *,
    sampling: Sampling,
    generator: torch.Generator,
    watch: Watch,
    cap: int,
) -> Drawn:
    """Speech tokens of the english or multilingual model.

    `text_tokens`: shape [1, n], with start and stop token. With guidance (`cfg_weight` over 0) a second row without
    text goes along; at 0 there is one row, which is what the formula means and the library crashes on.
    """
    rows = 2 if sampling.cfg_weight > 0 else 1
    text = text_tokens.expand(rows, -1).contiguous()
    start = torch.full((rows, 1), t3.hp.start_speech_token, dtype=torch.long, device=text.device)
    embeds, condition_length = t3.prepare_input_embeds(
        t3_cond=condition, text_tokens=text, speech_tokens=start, cfg_weight=sampling.cfg_weight
    )
    # The start token stands twice, the second time at position 0: so the model was trained to be asked.
    inputs = torch.cat([embeds, _embed(t3, start, 0)], dim=1)
    penalty = RepetitionPenaltyLogitsProcessor(penalty=float(sampling.repetition_penalty))
    warpers = LogitsProcessorList([MinPLogitsWarper(min_p=sampling.min_p), TopPLogitsWarper(top_p=sampling.top_p)])
    seen = start[:1].clone()
    text_slice = (condition_length, condition_length + text.size(1))
    with alignment_guard(t3, text_slice=text_slice) if t3.hp.is_multilingual else nullcontext() as guard:
        past = DynamicCache(config=t3.tfmr.config)
        for step in range(cap):
            if watch.should_stop():
                raise Stopped
            hidden = t3.tfmr(inputs_embeds=inputs, past_key_values=past, use_cache=True).last_hidden_state
            logits = t3.speech_head(hidden[:, -1:])[:, -1]
            logits = logits[:1] + sampling.cfg_weight * (logits[:1] - logits[1:]) if rows == 2 else logits
            if guard is not None:
                logits = guard.step(logits, next_token=int(seen[0, -1]))
            logits = penalty(seen, logits)
            if sampling.temperature != 1.0:
                logits = logits / sampling.temperature
            probabilities = torch.softmax(warpers(seen, logits), dim=-1)
            token = torch.multinomial(probabilities, num_samples=1, generator=generator)
            if int(token) == t3.hp.stop_speech_token:
                return Drawn(seen[0, 1:], reached_cap=False)
            seen = torch.cat([seen, token], dim=1)
            watch.progressed(step + 1)
            inputs = _embed(t3, token, step + 1).expand(rows, -1, -1)
    return Drawn(seen[0, 1:], reached_cap=True)


def _embed(t3: Any, tokens: torch.Tensor, position: int) -> torch.Tensor:
    embedded: torch.Tensor = t3.speech_emb(tokens) + t3.speech_pos_emb.get_fixed_embedding(position)
    return embedded


@torch.inference_mode()
def draw_tokens_turbo(
    t3: Any,
    condition: Any,
    text_tokens: torch.Tensor,
    *,
    sampling: Sampling,
    generator: torch.Generator,
    watch: Watch,
    cap: int,
) -> Drawn:
    """Speech tokens of the turbo model. `text_tokens`: shape [1, n], without start and stop token."""
    processors = LogitsProcessorList()
    if sampling.temperature != 1.0:
        processors.append(TemperatureLogitsWarper(sampling.temperature))
    processors.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1.0:
        processors.append(TopPLogitsWarper(sampling.top_p))
    if sampling.repetition_penalty != 1.0:
        processors.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
    start = torch.full((1, 1), t3.hp.start_speech_token, dtype=torch.long, device=text_tokens.device)
    inputs, _ = t3.prepare_input_embeds(t3_cond=condition, text_tokens=text_tokens, speech_tokens=start, cfg_weight=0.0)
    past = DynamicCache(config=t3.tfmr.config)
    drawn = start[:, :0]
    for step in range(cap + 1):  # the library draws one before it counts
        if watch.should_stop():
            raise Stopped
        hidden = t3.tfmr(inputs_embeds=inputs, past_key_values=past, use_cache=True).last_hidden_state
        logits = t3.speech_head(hidden[:, -1:])[:, -1]
        # The start token counts as seen for the first draw only.
        probabilities = torch.softmax(processors(drawn if step else start, logits), dim=-1)
        token = torch.multinomial(probabilities, num_samples=1, generator=generator)
        if int(token) == t3.hp.stop_speech_token:
            return Drawn(drawn[0], reached_cap=False)
        drawn = torch.cat([drawn, token], dim=1)
        watch.progressed(step + 1)
        inputs = t3.speech_emb(token)
    return Drawn(drawn[0], reached_cap=True)

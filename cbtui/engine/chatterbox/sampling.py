"""From logits to speech tokens: the library's processors in the library's order, for several sequences at once.

Each row has its own parameters, its own tokens seen and its own generator, and gets the token it would get alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from cbtui.core.task import Sampling


@dataclass(frozen=True, slots=True)
class Cuts:
    """How far the likeliest tokens of several sequences have to be sought: `widest` is the greatest `top_k`.

    Where nobody has a `top_p` below 1, there is nothing to sort.
    """

    sorts: bool
    widest: int

    @classmethod
    def of(cls, samplings: Iterable[Sampling]) -> Cuts:
        each = list(samplings)
        return cls(any(one.top_p < 1 for one in each), max(one.top_k for one in each))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of B sequences, each a tensor of shape [B, 1]; `beyond_top_p` is 1 - top_p, and `top_k` is for turbo.

    The numbers are rounded to float32 as torch rounds Python's numbers where they meet a tensor. What of them decides
    which operations there are is in `cuts`, so that nobody has to ask the device.
    """

    cfg_weight: torch.Tensor
    temperature: torch.Tensor
    repetition_penalty: torch.Tensor
    min_p: torch.Tensor
    beyond_top_p: torch.Tensor
    top_k: torch.Tensor
    cuts: Cuts

    @classmethod
    def of(cls, samplings: Sequence[Sampling], device: torch.device) -> Parameters:
        def column(numbers: Iterable[float]) -> torch.Tensor:
            return torch.tensor([[number] for number in numbers], device=device)

        return cls(
            cfg_weight=column(float(one.cfg_weight) for one in samplings),
            temperature=column(float(one.temperature) for one in samplings),
            repetition_penalty=column(float(one.repetition_penalty) for one in samplings),
            min_p=column(float(one.min_p) for one in samplings),
            beyond_top_p=column(1.0 - one.top_p for one in samplings),
            top_k=column(one.top_k for one in samplings),
            cuts=Cuts.of(samplings),
        )


def guide(conditional: torch.Tensor, unconditional: torch.Tensor, cfg_weight: torch.Tensor) -> torch.Tensor:
    """Classifier-free guidance (Ho and Salimans, 2022). Shapes [B, tokens] and [B, 1]."""
    return conditional + cfg_weight * (conditional - unconditional)


def probabilities(logits: torch.Tensor, seen: torch.Tensor, parameters: Parameters) -> torch.Tensor:
    """As `T3.inference` processes logits. `seen`: which tokens a sequence has, the start among them; [B, tokens]."""
    logits = _penalize(logits, seen, parameters.repetition_penalty) / parameters.temperature
    chances = torch.softmax(logits, dim=-1)
    logits = logits.masked_fill(chances < parameters.min_p * chances.amax(dim=-1, keepdim=True), -torch.inf)
    return torch.softmax(_keep_top_p(logits, parameters), dim=-1)


def probabilities_turbo(logits: torch.Tensor, seen: torch.Tensor, parameters: Parameters) -> torch.Tensor:
    """As `T3.inference_turbo` processes logits, whose order is another one."""
    logits = _keep_top_p(_keep_top_k(logits / parameters.temperature, parameters), parameters)
    return torch.softmax(_penalize(logits, seen, parameters.repetition_penalty), dim=-1)


def draw(chances: torch.Tensor, generators: Iterable[torch.Generator]) -> torch.Tensor:
    """A token for each row, shape [B]; row b by generator b alone, with the bits that `torch.multinomial` would give.

    The same race of exponentials, but nothing waits for the device, and one comparison serves all rows.
    """
    race = torch.empty_like(chances)
    start_race(race, generators)
    return win(chances, race)


def start_race(race: torch.Tensor, generators: Iterable[torch.Generator]) -> None:
    """Fill a row, of shape [tokens], for each generator; it does not depend on the chances."""
    for row, generator in zip(race, generators, strict=False):
        row.exponential_(generator=generator)


def win(chances: torch.Tensor, race: torch.Tensor) -> torch.Tensor:
    return (chances / race).argmax(dim=-1)


def _penalize(logits: torch.Tensor, seen: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
    penalized = torch.where(logits < 0, logits * penalty, logits / penalty)
    return torch.where(seen, penalized, logits)


def _keep_top_k(logits: torch.Tensor, parameters: Parameters) -> torch.Tensor:
    widest = min(parameters.cuts.widest, logits.size(-1))
    best = torch.topk(logits, widest, dim=-1).values
    return logits.masked_fill(logits < best.gather(-1, parameters.top_k.clamp(max=widest) - 1), -torch.inf)


def _keep_top_p(logits: torch.Tensor, parameters: Parameters) -> torch.Tensor:
    """The likeliest tokens, all but those of `beyond_top_p` together (Holtzman et al., 2020); always the likeliest."""
    if not parameters.cuts.sorts:
        return logits
    ascending, order = torch.sort(logits, dim=-1)
    unlikely = ascending.softmax(dim=-1).cumsum(dim=-1) <= parameters.beyond_top_p
    unlikely[:, -1].fill_(False)
    return logits.masked_fill(unlikely.scatter(-1, order, unlikely), -torch.inf)

"""Drawing speech tokens from T3 for several requests at once, each as the library would draw them for it alone.

The loops of `T3.inference` and `T3.inference_turbo` (chatterbox-tts 0.1.7), with what they lack: a batch that requests
join and leave at any token, a generator per request, progress, a cancel between two tokens, no guidance at
`cfg_weight` 0, and word of whether the model ended by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from cbtui.core.task import Precision
from cbtui.engine.base import all_are_wanted
from cbtui.engine.chatterbox.attention import EachAlone, Span
from cbtui.engine.chatterbox.prefill import Prefill, Prompt, Sequence
from cbtui.engine.chatterbox.sampling import Parameters, draw, guide, probabilities, probabilities_turbo
from cbtui.engine.chatterbox.transformer import make_transformer


class Stopped(Exception):
    """The caller asked to stop; nothing of the sequences is kept."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """`tokens`: shape [n], int64, as drawn, the stop token left out. `reached_cap`: no stop token came."""

    prompt: Prompt
    tokens: torch.Tensor
    reached_cap: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """A sequence that ended in an error of the model's."""

    prompt: Prompt
    error: Exception


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sequence that nobody wants any more; nothing of it is kept."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Stepped:
    """Every sequence in work has got a further token."""


Outcome = Drawn | Broken | Dropped

# There is nothing to tell them apart by.
_STEPPED = Stepped()


@dataclass(frozen=True, slots=True)
class Watch:
    """How decoding is watched.

    `progressed` gets a request's id and its count after each token; `should_stop` is asked before each, and of every
    sequence, by its request's id, `is_wanted`; `batch` says how many sequences may be in work.
    """

    progressed: Callable[[str, int], None]
    should_stop: Callable[[], bool]
    batch: Callable[[], int]
    is_wanted: Callable[[str], bool] = all_are_wanted


# Ten seconds of speech; what a sequence has too little room for, it gets in such steps.
ROOM = 256

# What the library and torch raise for a text or a draw that they cannot do; one chunk must not end the others.
MODEL_ERRORS = (RuntimeError, ValueError, IndexError, AssertionError, MemoryError)


class Decoder:
    """Draws tokens from one T3 on its device, with weights of its own making.

    `room`: how many tokens' keys and values a sequence gets memory for at first. On the CPU memory that was not
    written to costs nothing, and None gives all at once.
    """

    def __init__(self, t3: Any, precision: Precision, *, room: int | None = None) -> None:
        self._t3 = t3
        self._transformer = make_transformer(t3, precision)
        self._prefill = Prefill(t3, self._transformer, room)
        self._stop = t3.hp.stop_speech_token

    @property
    def device(self) -> torch.device:
        device: torch.device = self._t3.device
        return device

    @property
    def bytes_per_position(self) -> int:
        """Keys and values of one position of one sequence, with its row without text where the model has one."""
        shape, rows = self._transformer, 1 if self._t3.is_gpt else 2
        return 2 * rows * shape.layers * shape.heads * shape.head_size * torch.float32.itemsize

    @property
    def held_bytes(self) -> int:
        """What of the device's memory is kept for further sequences while none is in work."""
        return 0

    def bytes_for(self, positions: int) -> int:
        """What a sequence takes that has so many positions when it ends."""
        return positions * self.bytes_per_position

    def decode(self, prompts: Iterator[Prompt | None], watch: Watch) -> Iterator[Outcome | Stepped]:
        """Results as they end, and word of each step. A prompt is taken when there is room for it, in the same step in
        which one leaves; where there is none just now (None), one is asked for after each step. Raises Stopped.
        """
        active: list[Sequence] = []
        while True:
            yield from _drop_unwanted(active, watch)
            while len(active) < max(1, watch.batch()):
                prompt = next(prompts, None)
                if prompt is None:
                    break
                yield from self._begin(prompt, active, watch)
            if not active:
                return
            yield from self._advance(active, watch)
            yield _STEPPED

    def _begin(self, prompt: Prompt, active: list[Sequence], watch: Watch) -> Iterator[Drawn | Broken]:
        if watch.should_stop():
            raise Stopped
        try:
            with torch.inference_mode():
                sequence, logits = self._prefill.begin(prompt)
                [token] = self._draw([sequence], logits)
        except MODEL_ERRORS as error:
            yield Broken(prompt, error)
            return
        active.append(sequence)
        yield from self._take([(sequence, token)], active, watch)

    def _advance(self, active: list[Sequence], watch: Watch) -> Iterator[Drawn | Broken]:
        """One more token for every active sequence."""
        if watch.should_stop():
            raise Stopped
        sequences = list(active)
        try:
            with torch.inference_mode():
                drawn = self._step(active, watch)
        except MODEL_ERRORS as error:
            active.clear()
            for sequence in sequences:
                yield Broken(sequence.prompt, error)
            return
        yield from self._take(drawn, active, watch)

    def _step(self, active: list[Sequence], watch: Watch) -> list[tuple[Sequence, int]]:
        """The next token of each active sequence."""
        return list(zip(active, self._draw(active, self._next_logits(active)), strict=True))

    def _take(self, drawn: list[tuple[Sequence, int]], active: list[Sequence], watch: Watch) -> Iterator[Drawn]:
        """Give each sequence its token; those that ended leave the active ones."""
        ended = []
        for sequence, token in drawn:
            if token != self._stop:
                sequence.tokens.append(token)
                watch.progressed(sequence.prompt.request_id, len(sequence.tokens))
            if token == self._stop or len(sequence.tokens) >= sequence.prompt.cap:
                active.remove(sequence)
                ended.append(self._end(sequence, reached_cap=token != self._stop))
        yield from ended

    def _end(self, sequence: Sequence, *, reached_cap: bool) -> Drawn:
        tokens = torch.tensor(sequence.tokens, dtype=torch.long, device=self._t3.device)
        return Drawn(sequence.prompt, tokens, reached_cap)

    def _next_logits(self, sequences: list[Sequence]) -> torch.Tensor:
        """Let each sequence read its last token; logits of shape [all rows, tokens], sequence by sequence."""
        for sequence in sequences:
            if sequence.length == sequence.past.capacity:
                sequence.past = sequence.past.grown(ROOM)
        embedded = self._embed_last(sequences)
        rows = torch.tensor([sequence.rows for sequence in sequences], device=embedded.device)
        spans = [
            Span(sequence.past, sequence.length, 1, sequence.guard.see if sequence.guard else None)
            for sequence in sequences
        ]
        positions = torch.tensor([place for span in spans for place in span.positions], device=embedded.device)
        hidden = self._transformer.run(embedded.repeat_interleave(rows, dim=0), positions, EachAlone(spans))
        for sequence in sequences:
            sequence.length += 1
        return self._transformer.logits(hidden)

    def _embed_last(self, sequences: list[Sequence]) -> torch.Tensor:
        t3 = self._t3
        last = torch.tensor([sequence.tokens[-1] for sequence in sequences], device=t3.device)
        embedded: torch.Tensor = t3.speech_emb(last)
        if t3.speech_pos_emb is not None:
            drawn = torch.tensor([len(sequence.tokens) for sequence in sequences], device=t3.device)
            embedded = embedded + t3.speech_pos_emb.emb(drawn)
        return embedded

    def _draw(self, sequences: list[Sequence], logits: torch.Tensor) -> list[int]:
        """A token for each sequence, from logits as `_next_logits` gives them."""
        firsts, begin = [], 0
        for sequence in sequences:
            firsts.append(begin)
            begin += sequence.rows
        lasts = [first + sequence.rows - 1 for first, sequence in zip(firsts, sequences, strict=True)]
        parameters = Parameters.of([sequence.prompt.sampling for sequence in sequences], logits.device)
        if self._t3.is_gpt:
            chances = probabilities_turbo(logits, self._seen(sequences, logits), parameters)
        else:
            guided = guide(logits[firsts], logits[lasts], parameters.cfg_weight)
            for row, sequence in enumerate(sequences):
                if sequence.guard is not None:
                    last = sequence.tokens[-1] if sequence.tokens else self._t3.hp.start_speech_token
                    guided[row : row + 1] = sequence.guard.step(guided[row : row + 1], next_token=last)
            chances = probabilities(guided, self._seen(sequences, guided), parameters)
        drawn: list[int] = draw(chances, [sequence.prompt.generator for sequence in sequences]).tolist()
        return drawn

    def _seen(self, sequences: list[Sequence], logits: torch.Tensor) -> torch.Tensor:
        """Which tokens count as drawn before, shape [B, tokens]: with turbo, the start token does at first only."""
        seen = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
        for row, sequence in zip(seen, sequences, strict=True):
            row[sequence.tokens] = True
            if not (self._t3.is_gpt and sequence.tokens):
                row[self._t3.hp.start_speech_token] = True
        return seen


def _drop_unwanted(active: list[Sequence], watch: Watch) -> Iterator[Dropped]:
    for sequence in [each for each in active if not watch.is_wanted(each.prompt.request_id)]:
        active.remove(sequence)
        yield Dropped(sequence.prompt)

"""The beginning of a sequence: voice, text and start token, read by the transformer before anything is drawn.

What depends on the voice alone is read once per voice: the conditioning, and with guidance the whole row without
text, of which only the length differs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from cbtui.core.task import Sampling
from cbtui.engine.chatterbox.attention import EachAlone, KeyValues, Span
from cbtui.engine.chatterbox.guard import AlignmentGuard
from cbtui.engine.chatterbox.transformer import Transformer

# The row without text is read in pieces of this many positions, always the same ones, so that no bit of it depends on
# how long the texts were before.
_PIECE = 64
# A voice takes 8 MB, and with guidance 0.25 MB for each text token of its longest text; turbo's takes 74 MB.
_PREFIX_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a sequence begins with. `voice` names the voice, with all that decides `condition`, a `T3Cond`.

    `text_tokens`: shape [1, n], int64. `cap`: how many tokens may be drawn.
    """

    request_id: str
    voice: str
    condition: Callable[[], Any]
    text_tokens: torch.Tensor
    sampling: Sampling
    generator: torch.Generator
    cap: int


@dataclass(slots=True, eq=False)
class Sequence:
    """A sequence in decoding, equal to itself alone: `length` positions are read, `tokens` are drawn."""

    prompt: Prompt
    past: KeyValues
    length: int
    guard: AlignmentGuard | None = None
    tokens: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.past.rows


@dataclass(slots=True)
class _Prefix:
    """A voice as the transformer has read it: its conditioning, and the row without text as far as it was needed."""

    voiced: KeyValues
    length: int
    embedded: torch.Tensor
    textless: KeyValues | None = None
    textless_length: int = 0

    @property
    def bytes(self) -> int:
        return self.voiced.bytes + (self.textless.bytes if self.textless else 0)


class Prefill:
    """Begins sequences for one T3, keeping what its voices have in common.

    `room` is how many tokens a sequence has room for at first (None: for all that it may draw).
    """

    def __init__(self, t3: Any, transformer: Transformer, room: int | None = None) -> None:
        self._t3 = t3
        self._drawing_room = room
        self._transformer = transformer
        self._prefixes: OrderedDict[str, _Prefix] = OrderedDict()

    def begin(self, prompt: Prompt) -> tuple[Sequence, torch.Tensor]:
        """A new sequence and the logits of its first draw, shape [rows, tokens].

        With guidance (`cfg_weight` over 0) a second row without text goes along; at 0 there is one row, which is what
        the formula means and the library crashes on.
        """
        prefix = self._prefix(prompt)
        text = self._embed_text(prompt.text_tokens)
        # The start token stands twice, the second time at position 0 again: so the model was trained to be asked.
        start = self._embed_start()
        if self._t3.is_gpt:
            start = start[:1]
        read = prefix.length + text.size(0)
        guided = prompt.sampling.cfg_weight > 0 and not self._t3.is_gpt
        drawn = prompt.cap if self._drawing_room is None else min(prompt.cap, self._drawing_room)
        past = self._room(rows=2 if guided else 1, capacity=read + start.size(0) + drawn)
        sequence = Sequence(prompt, past, read + start.size(0))
        if self._t3.hp.is_multilingual:
            sequence.guard = AlignmentGuard(
                layers=self._transformer.layers,
                text_slice=(prefix.length, read),
                stop_token=self._t3.hp.stop_speech_token,
            )
        past.row(0).begin_with(prefix.voiced, prefix.length)
        spans = [Span(past.row(0), prefix.length, read + start.size(0) - prefix.length, self._spy(sequence))]
        hidden = [text, start]
        if guided:
            past.row(1).begin_with(self._textless(prefix, read), read)
            spans.append(Span(past.row(1), read, start.size(0)))
            hidden.append(start)
        result = self._run(torch.cat(hidden), spans)
        last = [spans[0].length - 1, *([-1] if guided else [])]
        return sequence, self._transformer.logits(result[last])

    def _spy(self, sequence: Sequence) -> Callable[[int, torch.Tensor, torch.Tensor], None] | None:
        guard = sequence.guard
        if guard is None:
            return None
        # The library looks at the positions behind the text only.
        return lambda layer, queries, keys: guard.see(layer, queries[:, :, -2:], keys)

    def _prefix(self, prompt: Prompt) -> _Prefix:
        prefix = self._prefixes.get(prompt.voice)
        if prefix is None:
            embedded = self._t3.prepare_conditioning(prompt.condition())[0]
            voiced = self._room(rows=1, capacity=embedded.size(0))
            self._run(embedded, [Span(voiced, 0, embedded.size(0))])
            prefix = self._prefixes[prompt.voice] = _Prefix(voiced, embedded.size(0), embedded)
        self._prefixes.move_to_end(prompt.voice)
        while len(self._prefixes) > 1 and sum(kept.bytes for kept in self._prefixes.values()) > _PREFIX_BYTES:
            self._prefixes.popitem(last=False)
        return prefix

    def _textless(self, prefix: _Prefix, length: int) -> KeyValues:
        """The row without text, up to at least `length` positions: the conditioning, then bare text positions."""
        if prefix.textless is None or prefix.textless_length < length:
            until = prefix.length - (prefix.length - length) // _PIECE * _PIECE
            longer = self._room(rows=1, capacity=until)
            longer.begin_with(prefix.textless or prefix.voiced, max(prefix.textless_length, prefix.length))
            for begin in range(max(prefix.textless_length, prefix.length), until, _PIECE):
                places = torch.arange(begin - prefix.length, begin - prefix.length + _PIECE, device=self._t3.device)
                # Beyond the last place that a text can have, what is read is never used.
                bare = self._t3.text_pos_emb.emb(places.clamp(max=self._t3.text_pos_emb.emb.num_embeddings - 1))
                self._run(bare, [Span(longer, begin, _PIECE)])
            prefix.textless, prefix.textless_length = longer, until
        return prefix.textless

    def _embed_text(self, tokens: torch.Tensor) -> torch.Tensor:
        embedded: torch.Tensor = self._t3.text_emb(tokens)
        if self._t3.text_pos_emb is not None:
            embedded = embedded + self._t3.text_pos_emb(tokens)
        return embedded[0]

    def _embed_start(self) -> torch.Tensor:
        t3 = self._t3
        embedded: torch.Tensor = t3.speech_emb(torch.tensor([t3.hp.start_speech_token] * 2, device=t3.device))
        return embedded if t3.speech_pos_emb is None else embedded + t3.speech_pos_emb.emb.weight[0]

    def _run(self, hidden: torch.Tensor, spans: list[Span]) -> torch.Tensor:
        positions = torch.tensor([place for span in spans for place in span.positions], device=hidden.device)
        return self._transformer.run(hidden, positions, EachAlone(spans))

    def _room(self, *, rows: int, capacity: int) -> KeyValues:
        shape = self._transformer
        return KeyValues.empty(
            layers=shape.layers,
            rows=rows,
            heads=shape.heads,
            capacity=capacity,
            size=shape.head_size,
            device=self._t3.device,
        )

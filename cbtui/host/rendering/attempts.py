"""Making one take by as many calls of the model as it needs: the next seed after a failure, halves after a cut-off.

What happens is decided by the request alone, so the same request gives the same take again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from cbtui.engine.base import ChunkFacts, ChunkFailure, ChunkRequest, ChunkResult
from cbtui.text.cutter import cut_sentence

if TYPE_CHECKING:
    from cbtui.audio.takes import Samples

# Text shorter than this does not fill the model's 40 s by being read; it is the draw that went wrong.
_SHORTEST_SPLIT = 40


class TakeFailed(Exception):
    """No seed gave a usable take. The message says why the last one did not."""


@dataclass(slots=True)
class _Piece:
    serial: int
    text: str
    seed: int
    failures: int = 0
    result: ChunkResult | None = None


@dataclass(slots=True)
class TakeInProgress:
    """The calls that make up one take. `max_retries` bounds the failures of each piece."""

    request: ChunkRequest
    max_retries: int
    _pieces: list[_Piece] = field(init=False)
    _serials: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self._serials = count()
        self._pieces = [self._new_piece(self.request.text)]

    def waiting(self) -> list[ChunkRequest]:
        """The requests whose results are still wanted; each result goes to `receive` once."""
        return [self._ask(piece) for piece in self._pieces if piece.result is None]

    def receive(self, result: ChunkResult | ChunkFailure) -> None:
        """Raises TakeFailed when nothing more can be tried."""
        serial = int(result.request_id.rpartition(".")[2])
        piece = next(piece for piece in self._pieces if piece.serial == serial)
        if isinstance(result, ChunkFailure):
            self._try_next_seed(piece, result.reason, may_help=result.retry_with_next_seed)
        elif result.facts.reached_token_cap:
            self._split(piece)
        else:
            piece.result = result

    @property
    def whole(self) -> bool:
        return all(piece.result is not None for piece in self._pieces)

    def samples(self) -> Samples:
        """Mono float32, shape [n]; for a whole take."""
        import numpy as np

        return np.concatenate([piece.result.samples for piece in self._pieces if piece.result is not None])

    def facts(self) -> list[ChunkFacts]:
        return [piece.result.facts for piece in self._pieces if piece.result is not None]

    def seeds(self) -> tuple[int, ...]:
        return tuple(piece.seed for piece in self._pieces)

    def _new_piece(self, text: str) -> _Piece:
        return _Piece(next(self._serials), text, self.request.seed)

    def _ask(self, piece: _Piece) -> ChunkRequest:
        request_id = f"{self.request.request_id}.{piece.serial}"
        return replace(self.request, request_id=request_id, text=piece.text, seed=piece.seed)

    def _try_next_seed(self, piece: _Piece, reason: str, *, may_help: bool) -> None:
        piece.failures += 1
        if not may_help or piece.failures > self.max_retries:
            tried = f" (after {piece.failures} seeds)" if piece.failures > 1 else ""
            raise TakeFailed(f"{reason}{tried}")
        piece.seed += 1

    def _split(self, piece: _Piece) -> None:
        length = len(piece.text)
        if length < _SHORTEST_SPLIT:
            reason = "the model did not come to an end within 40 s of speech"
            self._try_next_seed(piece, reason, may_help=True)
            return
        halves = cut_sentence(piece.text, length // 2, length * 2 // 3)
        texts = [half.strip() for half in halves if half.strip()]
        at = self._pieces.index(piece)
        self._pieces[at : at + 1] = [self._new_piece(text) for text in texts]

"""A thousand chunks through one model in a process of its own: `python -m tests.support.engine_soak --help`.

On the test checkpoint, in lengths that differ as those of a book do. Prints a line of JSON after each part: the
`chunks` rendered so far, the Python objects (`blocks`) and the bytes of `memory` in use, the `hooks` on the model, the
`threads`, and of this part alone `tokens_per_second` of decoding and `frames_per_second` from tokens to sound.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cbtui.core.events import ignore_events
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult
from cbtui.engine.voices import VoiceStore
from tests.engine.rendering import engine_of, request
from tests.support.held import held

_WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "then", "runs", "away")
# The library's `S3Gen` makes two mel frames of each token.
_FRAMES_PER_TOKEN = 2


def texts(seed: int) -> Iterator[str]:
    drawing = random.Random(seed)
    while True:
        yield " ".join(drawing.choices(_WORDS, k=drawing.randint(3, 40))).capitalize() + "."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=["english", "multilingual", "turbo"], default="english")
    parser.add_argument("--chunks", type=int, default=1000)
    parser.add_argument("--parts", type=int, default=20)
    arguments = parser.parse_args()
    each = arguments.chunks // arguments.parts
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_of(arguments.model, VoiceStore(Path(folder)), token_cap=60)
        engine.prepare(emit=ignore_events, should_stop=lambda: False)
        spoken = texts(1)
        for part in range(arguments.parts):
            results = list(
                engine.render(
                    _requests(arguments.model, itertools.islice(spoken, each), first=part * each),
                    emit=ignore_events,
                    should_stop=lambda: False,
                )
            )
            print(
                json.dumps({"chunks": (part + 1) * each, **_figures(results), "hooks": engine.vitals().hooks}),
                flush=True,
            )


def _requests(model: str, texts: Iterator[str], *, first: int) -> Iterator[ChunkRequest]:
    for number, text in enumerate(texts, first):
        yield request(number, model=model, text=text, seed=number)


def _figures(results: list[ChunkResult | ChunkFailure]) -> dict[str, float]:
    facts = [result.facts for result in results if isinstance(result, ChunkResult)]
    tokens = sum(each.tokens for each in facts)
    del results[:]
    blocks, memory = held()
    return {
        "spoken": len(facts),
        "blocks": blocks,
        "memory": memory,
        "threads": threading.active_count(),
        "tokens_per_second": tokens / sum(each.decode_seconds for each in facts),
        "frames_per_second": _FRAMES_PER_TOKEN * tokens / sum(each.vocode_seconds for each in facts),
    }


if __name__ == "__main__":
    main()

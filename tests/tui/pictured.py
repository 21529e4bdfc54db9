"""The app over one fixed reading of a queue, so that it looks the same on every machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbtui.core.events import CacheEvent
from cbtui.core.problem import Problem
from cbtui.core.queue import Progress, TaskRow
from cbtui.core.stamp import Stamp
from cbtui.core.status import STATES, Result, State
from cbtui.engine.cache_log import LayerSum
from cbtui.host.estimates import Pace
from cbtui.host.lock import Holder
from cbtui.paths import Places
from cbtui.tui.app import CbtuiApp, Options
from cbtui.tui.hosting import Hosting
from cbtui.tui.messages import QueueRead
from cbtui.tui.snapshot import Snapshot, View

NOON = 1_767_268_800.0
PLACES = Places(*(Path("/home/reader") / name for name in ("jobs", "output", "state", "cache", "config")))
PROBLEMS = (Problem("jobs/book/03.yaml", "speakers.alice.exageration: unknown setting", 6, 3),)

_TASKS: tuple[tuple[str, State, str], ...] = (
    ("book/chapter-04", "rendering", ""),
    ("book/chapter-05", "queued", ""),
    ("book/[red]brackets[/]", "queued", ""),
    ("podcast/漢字と仮名", "paused", ""),
    ("book/chapter-06", "blocked", "no space left on the disk of /home/reader/output"),
    ("game/line-0001", "failed", "chunk 1 (“Halt!”): the model ended the speech before it began (after 3 seeds)"),
    ("book/chapter-03", "invalid", ""),
    ("game/line-0002", "quarantined", "its host died 3 times while rendering it"),
    ("book/chapter-02", "done", ""),
    ("book/chapter-01", "done", ""),
    ("notes/שלום", "cancelled", "its file was deleted"),
)


def row(number: int, task: str, state: State, reason: str) -> TaskRow:
    output = Path(f"/home/reader/output/{task}/20260101-120000/{task.rpartition('/')[2]}.wav")
    return TaskRow(
        number=number,
        id=task,
        source=Path(f"/home/reader/jobs/{task}.txt"),
        stamp=Stamp(1, number, 1, 1),
        digest="d",
        priority=2 if state == "rendering" else 0,
        position=number,
        state=state,
        reason=reason,
        problems=PROBLEMS if state == "invalid" else (),
        attempts=0,
        deaths=0,
        progress=Progress(7, 16, 4321) if state == "rendering" else Progress(),
        result=Result("20260101-120000", output, 754.0, 301.5, 38, 2) if state == "done" else None,
        added=NOON - 600,
        started=NOON - 300,
        finished=NOON if state == "done" else None,
        changed=number,
        model="chatterbox/turbo" if task.startswith("game") else "chatterbox/english",
        voice="builtin",
        characters=4200,
        overtaken=0,
        fresh=False,
    )


def picture() -> Snapshot:
    """A task in every state, a host with a model on a GPU, and look-ups of all three layers."""
    rows = tuple(row(number, *facts) for number, facts in enumerate(_TASKS, 1))
    events = tuple(
        (number, CacheEvent(layer, key, hit=hit, seconds=seconds, saved=saved, message=message, at=NOON + number))
        for number, (layer, key, hit, seconds, saved, message) in enumerate(
            (
                ("model", "english@cuda", False, 8.2, 0.0, "Model loaded in 8.2s"),
                ("voice", "3f9a20c17be1", False, 0.8, 0.0, "al[red].wav: voice made in 0.8s"),
                ("chunk", "91b2c3d4e5f6", False, 4.1, 0.0, "book/chapter-04 #7"),
                ("chunk", "0a1b2c3d4e5f", True, 0.0, 4.4, ""),
                ("model", "english@cuda", True, 0.0, 8.2, "Using the cached model"),
            ),
            1,
        )
    )
    return Snapshot(
        view=View(),
        total=len(rows),
        rows=rows,
        focus=rows[0],
        counts={state: sum(each.state == state for each in rows) for state in STATES},
        seconds_left=4321.0,
        pace=Pace({("chatterbox/english", "builtin"): 0.12}, {"chatterbox/turbo": 0.05}),
        holder=Holder(4711, "studio", NOON - 86400, "/home/reader/jobs", screen=True),
        live=live(NOON),
        cache_events=events,
        cache_sums=(
            LayerSum("model", 1, 1, 8.2, 8.2),
            LayerSum("voice", 0, 1, 0.8, 0.0),
            LayerSum("chunk", 1, 1, 4.1, 4.4),
        ),
    )


def live(at: float) -> dict[str, Any]:
    memory = {
        "at": at,
        "device": "cuda",
        "gpu": "NVIDIA RTX 4090",
        "total_bytes": 24_000_000_000,
        "used_by_us_bytes": 7_300_000_000,
        "used_by_others_bytes": 2_100_000_000,
        "free_bytes": 14_600_000_000,
        "utilisation_percent": 97,
        "temperature_celsius": 64,
        "torch_allocated_bytes": 6_100_000_000,
        "torch_reserved_bytes": 6_900_000_000,
        "torch_peak_bytes": 7_000_000_000,
        "process_rss_bytes": 3_000_000_000,
    }
    models = [{"model": "english@cuda", "bytes": 3_200_000_000, "load_seconds": 8.2}]
    return {
        "at": at,
        "rendering": ["book/chapter-04"],
        "tokens_per_second": 88.0,
        "hold": "",
        "models": models,
        "memory": memory,
    }


class PicturedApp(CbtuiApp):
    """Reads nothing, hosts nothing, and ends when the test does."""

    def __init__(self, options: Options | None = None, snapshot: Snapshot | None = None) -> None:
        hosting = Hosting(PLACES, lambda journal, how: None, lambda entry: None)  # type: ignore[arg-type, return-value]
        hosting.start = lambda post: None  # type: ignore[method-assign]
        super().__init__(PLACES, hosting, options)
        self.is_starting = False
        self.feed.start = self._show  # type: ignore[method-assign]
        self._picture = snapshot or picture()

    def _show(self) -> None:
        self.post_message(QueueRead(self._picture))

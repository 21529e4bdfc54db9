"""How the screen of a task looks, as people have looked at it: `pytest --snapshot-update` after looking again."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from cbtui.audio.peaks import PARTS, Peaks
from cbtui.tui.app import Ending, Options
from cbtui.tui.messages import TaskRead
from cbtui.tui.opened import ChunkFacts, Excerpt, RunFacts, Sound, TaskFacts
from cbtui.tui.screens.task import TaskScreen
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.task_feed import TaskFeed
from cbtui.tui.words import Words
from tests.tui.pictured import PicturedApp, picture
from tests.tui.test_pictures import SIZES, Compare

RUN = Path("/home/reader/output/book/chapter-04/20260101-120000")
TEXTS = ("The [red]tide[/] had gone out.", "“Halt!” said 漢字, and stood.", "שלום, she answered.", "Nobody spoke.")


def chunk(index: int) -> ChunkFacts:
    text, speaker = TEXTS[index % len(TEXTS)], ("alice", "bob")[index % 2]
    state = "done" if index < 7 else "damaged" if index == 7 else "rendering" if index == 8 else "waiting"
    path = RUN / f"chunks/{index + 1:04d}-0a1b2c3d.wav"
    if state != "done":
        return ChunkFacts(index, speaker, text, state, path, 0.3)
    return ChunkFacts(index, speaker, text, state, path, 0.3, index * 5.0, 4.7, 3.1, 118, (42, 43)[: 1 + index % 2])


def facts_of(task: str) -> TaskFacts:
    """What the disk would know of a task under way, or of an invalid file."""
    if task == "book/chapter-03":
        lines = (
            "text: |",
            "  Hello.",
            "speakers:",
            "  alice:",
            "    reference: a.wav",
            "    exageration: 0.5",
            "# end",
        )
        shown = tuple(enumerate(lines[2:], 3))
        return TaskFacts(task, excerpt=Excerpt(Path("jobs/book/03.yaml"), shown, 6, 5), log=("01-01 12:00:00 invalid",))
    heights = tuple(abs(math.sin(part / 37)) * 0.8 * (part % 97 > 12) for part in range(PARTS))
    settings = (
        ("run", RUN.name),
        ("engine", "chatterbox english, version 0.1.7"),
        ("seed", "42"),
        ("voice", "alice: voices/alice.wav, en, exaggeration 0.5, cfg_weight 0.5, temperature 0.8"),
    )
    return TaskFacts(
        task,
        run=RunFacts(RUN.name, RUN, settings, tuple(map(chunk, range(16))), None),
        sound=Sound(Peaks(35.0, tuple(-height for height in heights), heights), "7 of 16 takes"),
        notes=("chunk 8: output/book/chapter-04/chunks/0008.wav cannot be used: it is cut off",),
        log=tuple(f"01-01 12:00:0{number} chunk  {number}/16 chunks, 4.7 s of speech in 3.1 s" for number in range(8)),
    )


def opened(task: str) -> Snapshot:
    snapshot = picture()
    return replace(snapshot, opened=task, opened_row=next(row for row in snapshot.rows if row.id == task))


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskFeed, "want", lambda feed, row: None)


async def look(app: PicturedApp, pilot: Pilot[Ending], task: str) -> None:
    """Open a task, and go to its third chunk."""
    await pilot.pause()
    await app.push_screen(TaskScreen(app.options.words, task))
    app.screen.post_message(TaskRead(facts_of(task)))
    await pilot.press("down", "down", "down")
    await pilot.pause()


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("task", ["book/chapter-04", "book/chapter-03"], ids=["rendering", "invalid"])
def test_a_task_at_every_width(snap_compare: Compare, task: str, width: int) -> None:
    app = PicturedApp(snapshot=opened(task))
    assert snap_compare(app, terminal_size=(width, SIZES[width]), run_before=lambda pilot: look(app, pilot, task))


def test_a_task_in_ascii(snap_compare: Compare) -> None:
    task = "book/chapter-04"
    app = PicturedApp(Options(Words(ascii=True)), opened(task))
    assert snap_compare(app, terminal_size=(80, 24), run_before=lambda pilot: look(app, pilot, task))

"""A task of three chunks, and its screen."""

from __future__ import annotations

from pathlib import Path

from cbtui.paths import Places
from cbtui.tui.screens.task import TaskScreen
from cbtui.tui.widgets.chunks import ChunkList
from tests.tui.support import Screened

# Where no fact takes more than a line.
WIDE = (240, 60)
SENTENCES = ("One is here.", "Two is there.", "Three comes last.")
YAML = """\
speaker: alice
speakers: {alice: {temperature: 0.65}, bob: {exaggeration: 0.9}}
seed: 42
priority: 3
output: {chunk_silence: 0, paragraph_silence: 0}
chunking: {target: 40, limit: 60}
text: |
  One is here.

  <speaker:bob> Two is there.

  <speaker:default> Three comes last.
"""


async def open_task(shown: Screened, task: str, state: str) -> None:
    """Press enter on a task that has come to this state, and wait for what the disk knows of it."""
    await shown.until_state(task, state)
    await shown.until(lambda: shown.snapshot.focus and shown.snapshot.focus.id == task, "the cursor")
    await shown.press("enter")
    await shown.until(lambda: isinstance(shown.app.screen, TaskScreen), "the screen")
    await until_told(shown, task)


async def until_told(shown: Screened, *texts: str) -> None:
    await shown.until(lambda: all(text in shown.text() for text in texts), " and ".join(texts))


def chunk_lines(shown: Screened) -> list[str]:
    chunks = shown.app.screen.query_one(ChunkList)
    return [chunks.render_line(y).text for y in range(len(chunks._chunks))]


def only_run(places: Places, task: str = "jobs/story") -> Path:
    (run,) = (path for path in (places.output / task).iterdir() if path.is_dir())
    return run

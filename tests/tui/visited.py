"""Every screen of the app, each with the way there, and with contents that are the same on every machine."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.command import CommandList
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, OptionList, TextArea

from cbtui.tui.app import CbtuiApp, Ending, Options
from cbtui.tui.asking import about_leaving
from cbtui.tui.drafting import Draft
from cbtui.tui.messages import TaskRead
from cbtui.tui.offering import Offers
from cbtui.tui.screens import add, add_files, models
from cbtui.tui.screens.add import AddScreen
from cbtui.tui.screens.cache import CacheScreen
from cbtui.tui.screens.doctor import Check, DoctorScreen
from cbtui.tui.screens.log import LogScreen
from cbtui.tui.screens.task import TaskScreen
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.tail import Read, Tail
from cbtui.tui.task_feed import TaskFeed
from cbtui.tui.widgets.task_tree import TaskTree
from tests.tui.pictured import PicturedApp
from tests.tui.test_task_pictures import facts_of, opened

ROOT = Path(__file__).parents[2]
TASK = "book/chapter-04"
DEADLINE = 20.0  # seconds

AppPilot = Pilot[Ending]
Visit = Callable[[AppPilot], Awaitable[None]]

CHECKS = (
    Check("python", "ok", "Python 3.11.9, 64 bit", ""),
    Check(
        "torch", "problem", "torch 2.6.0+cpu has no CUDA, and this machine has an RTX 4090", "pip install torch==2.6.0"
    ),
    Check("disk", "warning", "1.2 GB are free where /home/reader/output lies; an hour takes 0.2 GB", "make room there"),
    Check("chatterbox", "ok", "chatterbox-tts 0.1.7", ""),
    Check("espeak", "info", "[red]espeak-ng[/] is not installed: no drafts, and no demo", "apt-get install espeak-ng"),
)
OFFERS = Offers(("book", "book/one", "podcast"), ("voices/alice.wav", "voices/bob.wav"))
MODELS = models.Found(
    {
        "english": "3.2 GB in /home/reader/.cache/huggingface/hub/models--ResembleAI--chatterbox",
        "multilingual": "will be downloaded, about 3.1 GB, from ResembleAI/chatterbox",
        "turbo": "/models/chatterbox lacks t3_turbo_v1.safetensors and s3gen_meanflow.safetensors",
    },
    {"english": 8.2, "turbo": 4.1},
)
LOG = tuple(
    f"2026-01-01 12:00:{number % 60:02d},000 {level} cbtui.{logger}: {message}"
    for number, (level, logger, message) in enumerate(
        [
            ("INFO", "host", "serves /home/reader/jobs with the output in /home/reader/output"),
            ("DEBUG", "cache", "model english@cuda: miss"),
            ("WARNING", "watcher", "book/[red]03.yaml[/] was replaced while it was read; it is read once more"),
            ("ERROR", "host", "game/line-0001: the model ended the speech before it began (after 3 seeds)"),
            ("INFO", "chunks", "book/chapter-04: 7 of 16 chunks, 4321 tokens, 33.4 s of speech in 4.0 s, voice 漢字"),
        ]
        * 12
    )
)


async def _until(pilot: AppPilot, is_met: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not is_met():
        assert time.monotonic() < end, f"did not come on {pilot.app.screen}"
        await pilot.pause(0.01)


def _is_working() -> bool:
    """Whether something is done beside the screen: such a thread has the name of a widget."""
    return any(re.match("cbtui-[A-Z]", thread.name) for thread in threading.enumerate())


async def settle(pilot: AppPilot) -> None:
    """Wait until nothing will look different any more."""
    await _until(pilot, lambda: not _is_working())
    for field in (*pilot.app.screen.query(Input), *pilot.app.screen.query(TextArea)):
        field.cursor_blink = False
    await pilot.pause()
    await pilot.wait_for_scheduled_animations()
    await pilot.pause()


def _of(pilot: AppPilot) -> CbtuiApp:
    assert isinstance(pilot.app, CbtuiApp)
    return pilot.app


async def _task(pilot: AppPilot) -> None:
    app = _of(pilot)
    await app.push_screen(TaskScreen(app.options.words, TASK))
    app.screen.post_message(TaskRead(facts_of(TASK)))
    await pilot.press("down", "down", "down")


async def _add(pilot: AppPilot) -> None:
    app = _of(pilot)
    screen = AddScreen(app.options.words, app.places)
    await app.push_screen(screen)
    await settle(pilot)
    text = "<speaker:alice> The [red]tide[/] had gone out.\n\n“Halt!” said 漢字, and stood. " + "Nobody spoke. " * 30
    screen.draft = Draft(text, "book", "chapter-07", {"model": "turbo", "speaker": "alice", "temperature": "much"})
    await _until(pilot, lambda: screen.query(".-faulty"))


async def _pick(pilot: AppPilot) -> None:
    app = _of(pilot)
    app.kept.folder = Path("books")
    await pilot.press("a")
    await pilot.press("ctrl+o")
    await _until(pilot, lambda: app.screen.query(TaskTree))
    tree = app.screen.query_one(TaskTree)
    await _until(pilot, lambda: len(tree.root.children) == 5)
    await pilot.press("down", "down", "space", "space")


async def _choice(pilot: AppPilot) -> None:
    await pilot.app.push_screen(about_leaving(Snapshot(counts={"queued": 3})))


async def _cache(pilot: AppPilot) -> None:
    app = _of(pilot)
    await app.push_screen(CacheScreen(app.options.words))
    await pilot.press("w")


async def _log(pilot: AppPilot) -> None:
    app = _of(pilot)
    screen = LogScreen(app.options.words, app.places.log)
    await app.push_screen(screen)
    screen._take(Read(LOG, anew=True))
    await pilot.pause()
    await pilot.press("slash")
    screen.query_one(Input).value = "speech"
    await pilot.press("enter")


async def _settings(pilot: AppPilot) -> None:
    await pilot.press("comma")
    await _until(pilot, lambda: pilot.app.screen.query(DataTable) and pilot.app.screen.query_one(DataTable).row_count)
    await pilot.press(*["down"] * 4)


async def _doctor(pilot: AppPilot) -> None:
    await pilot.press("D")
    listed = pilot.app.screen.query_one(OptionList)
    await _until(pilot, lambda: listed.option_count)


async def _palette(pilot: AppPilot) -> None:
    await pilot.press("ctrl+p")
    await _until(pilot, lambda: pilot.app.screen.query(CommandList))
    commands = pilot.app.screen.query_one(CommandList)
    await _until(pilot, lambda: commands.option_count and not any(worker.is_running for worker in pilot.app.workers))


async def _filter(pilot: AppPilot) -> None:
    await pilot.press("j", "space", "space", "slash")
    pilot.app.screen.query_one("#filter", Input).value = "state:failed job:book"


async def _notice(pilot: AppPilot) -> None:
    failed = "chunk 1 (“Halt!”): the model ended the speech before it began (after 3 seeds)"
    pilot.app.notify(failed, title="game/line-0001", severity="error", markup=False)
    pilot.app.notify("added book/chapter-07", markup=False)


def _pressing(key: str) -> Visit:
    async def visit(pilot: AppPilot) -> None:
        await pilot.press(key)

    return visit


QUEUE = "queue"
# By name. The queue is where the app begins.
VISITS: dict[str, Visit] = {
    QUEUE: _pressing("j"),
    "task": _task,
    "add": _add,
    "pick": _pick,
    "choice": _choice,
    "help": _pressing("question_mark"),
    "models": _pressing("m"),
    "cache": _cache,
    "log": _log,
    "settings": _settings,
    "doctor": _doctor,
    "themes": _pressing("t"),
    "palette": _palette,
    "filter": _filter,
    "notice": _notice,
}


def app_for(name: str, options: Options | None = None) -> PicturedApp:
    """The app with what this screen shows."""
    return PicturedApp(options, opened(TASK) if name == "task" else None)


async def go_to(pilot: AppPilot, name: str) -> None:
    """From the app's start to this screen, until it stands still."""
    await settle(pilot)
    await VISITS[name](pilot)
    await settle(pilot)


@contextmanager
def same_everywhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """A machine like any other: its time zone, its paths, its files, its doctor. `folder` may be written to."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    # The themes that come along lie in it.
    monkeypatch.setenv("HOME", str(ROOT))
    books = folder / "books"
    (books / "one").mkdir(parents=True)
    for name in ("chapter-01.txt", "chapter-02.md", "[red]03.yaml", "漢字.txt"):
        (books / name).touch()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(TaskFeed, "want", lambda feed, row: None)
    monkeypatch.setattr(Tail, "start", lambda tail: None)
    monkeypatch.setattr(DoctorScreen, "_run", lambda screen, command: CHECKS)
    monkeypatch.setattr(models, "_look", lambda places, model_dir: MODELS)
    for module in (add, add_files):
        monkeypatch.setattr(module, "find_offers", lambda root: OFFERS)
    yield
    monkeypatch.undo()
    time.tzset()

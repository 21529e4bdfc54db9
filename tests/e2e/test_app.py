"""The real app in a real terminal: what a person sees, presses, closes and comes back to."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.e2e.home import Home, paragraphs
from tests.support.terminal import Terminal


@pytest.fixture
def open_app(home: Home) -> Iterator[object]:
    """Starts the app in a terminal of its own; ends whatever is left at the end."""
    opened: list[Terminal] = []

    def start(*arguments: str, size: tuple[int, int] = (120, 35)) -> Terminal:
        home.jobs.mkdir(parents=True, exist_ok=True)
        command = home.command("--engine", "espeak", *arguments)
        terminal = Terminal(command, cwd=home.root, environment=home.variables(), size=size)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        with terminal:
            pass


def test_a_dropped_file_is_watched_until_it_is_done_and_q_leaves(home: Home, open_app) -> None:
    app = open_app()
    app.until_shown("press a to add")
    home.write("hello.txt", "Hello there.")
    app.until_shown("jobs/hello", "1 done")
    app.press("q")
    assert app.until_ended() == 0
    assert app.is_restored()
    assert home.status()["host"] is None


def test_it_steers(home: Home, open_app) -> None:
    app = open_app()
    app.until_shown("host")
    app.press("P")
    app.until_shown("PAUSED")
    home.write("a.txt", "Hello a.")
    home.write("b.txt", "Hello b.")
    app.until_shown("2 queued")
    app.press("jx")
    app.until_shown("1 queued", "1 cancelled")
    app.press("P")
    app.until_shown("1 done")


def test_a_closed_window_leaves_a_host_that_the_next_app_attaches_to(home: Home, open_app) -> None:
    app = open_app()
    app.until_shown("no model loaded")
    home.write("long.yaml", paragraphs(400))
    app.until_shown("rendering")
    app.hang_up()
    host = app.process.pid
    again = open_app()
    again.until_shown(f"viewer of process {host}", "jobs/long")
    again.until_shown("1 done")
    again.press("q")
    assert again.until_ended() == 0
    assert app.process.poll() is None
    home.cbtui("stop")
    assert app.process.wait(timeout=20) == 0


def test_with_work_under_way_it_asks_how_to_leave(home: Home, open_app) -> None:
    app = open_app()
    app.until_shown("no model loaded")
    home.write("long.yaml", paragraphs(2000))
    app.until_shown("rendering")
    app.press("q")
    app.until_shown("leave the screen", "finish the chunk", "stop now")
    app.press("f")
    assert app.until_ended() == 0
    (task,) = home.status()["tasks"]
    assert (task["state"], task["attempts"]) == ("queued", 0)
    assert home.leftovers() == []


def test_left_headless_it_renders_on(home: Home, open_app) -> None:
    app = open_app()
    app.until_shown("no model loaded")
    home.write("long.yaml", paragraphs(300))
    app.until_shown("rendering")
    app.press("q")
    app.until_shown("leave the screen")
    app.press("h")
    app.until(app.is_restored, "the terminal")
    follower = home.start("status", "--follow")
    follower.wait_for_result('"jobs/long".*"state": "done"')
    follower.process.kill()
    follower.process.communicate()
    app.process.send_signal(signal.SIGTERM)
    assert app.until_ended() == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_the_terminal_restored(home: Home, open_app, number: int) -> None:
    app = open_app()
    app.until_shown("host")
    os.kill(app.process.pid, number)
    assert app.until_ended() == 128 + number
    assert app.is_restored()


def test_when_the_host_dies_a_viewer_says_so_and_takes_over(home: Home, open_app) -> None:
    host = home.watch()
    app = open_app()
    app.until_shown(f"viewer of process {host.process.pid}")
    host.process.kill()
    host.process.communicate()
    app.until_shown("no host: press h")
    app.press("h")
    app.until_shown("no model loaded")
    home.write("hello.txt", "Hello there.")
    app.until_shown("1 done")


# What a name could do to a terminal: set its title, its clipboard, its colours; end the app; open a link.
HOSTILE = [
    "[bold red]x[/]",
    "[/]",
    "[@click=app.quit]x[/]",
    "\x1b]52;c;aGk=\x07x",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp",
    "e\u0301" * 5,
    "漢字" * 5,
    "👩‍👩‍👧",
    "שלום",
]


def test_names_and_texts_of_files_reach_the_terminal_as_plain_text(home: Home, open_app) -> None:
    for number, name in enumerate(HOSTILE):
        safe = name.replace("/", "∕")
        home.write(f"{number}-{safe}.txt", f"Hello {name}.")
        home.write(f"bad-{number}.yaml", f"text: hi\n{name!r}: 1\n")
    app = open_app(size=(80, 40))
    app.until_shown("0-[bold red]x", "2-[@click=app.quit]x", "漢字漢字")
    app.press("G")
    app.press("g")
    app.until_shown("2-[@click=app.quit]x")
    assert b"\x1b]52;" not in app.raw
    assert b"\x1b]0;" not in app.raw
    assert "\u202e".encode() not in app.raw
    assert app.process.poll() is None
    rows = [line for line in app.text.splitlines() if re.search(r"jobs/(bad-)?\d", line)]
    assert len(rows) > len(HOSTILE)
    assert {cell_len(row) for row in rows} == {80}


def test_nothing_of_libraries_reaches_the_screen(home: Home, open_app, tmp_path: Path) -> None:
    app = open_app()
    app.until_shown("no model loaded")
    home.write("hello.txt", "Hello there.")
    app.until_shown("1 done")
    assert "espeak speaks drafts" not in app.text
    assert "espeak speaks drafts" in (home.state / "cbtui.log").read_text()

"""The other screens of the real app, in a real terminal: their keys, and what they say of this very process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.support.terminal import Terminal

_ESCAPE = "\x1b"


@pytest.fixture
def app(home: Home) -> Iterator[Terminal]:
    """The app of a person with settings of their own."""
    settings = Path(home.variables()["XDG_CONFIG_HOME"]) / "cbtui" / "settings.yaml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("app:\n  log_level: debug\n  keys: {pause_queue: [f5, Z], cancel: p}\ntemperature: 0.6\n")
    command = home.command("--engine", "espeak", "--device", "cpu")
    # Large enough for all that is looked for, however long the paths of a test are.
    with Terminal(command, cwd=home.root, environment=home.variables(), size=(180, 50)) as terminal:
        terminal.until_shown("no model loaded")
        yield terminal


def test_keys_of_settings_act_and_their_clashes_are_told(app: Terminal) -> None:
    app.until_shown("the key p is asked to do several things: pause, cancel")
    app.press("Z")
    app.until_shown("PAUSED")
    app.press("\x1b[15~")
    app.until(lambda: "PAUSED" not in app.text, "the queue that goes on")
    app.press("?")
    app.until_shown("halt the whole queue at the next chunk border", "f5  Z")


def test_settings_tell_what_came_from_where(app: Terminal) -> None:
    app.press(",")
    app.until_shown("app.log_level", "debug", "settings.yaml:2", "app.device", "cpu", "command line")
    app.press("\x1b[F")
    app.until_shown("output.paragraph_silence: seconds between two paragraphs")
    assert "0.6" in app.text
    app.press(_ESCAPE)
    app.until_shown("Drop .yaml, .txt or .md files")


def test_the_log_is_that_of_this_process(app: Terminal, home: Home) -> None:
    home.write("hello.txt", "Hello there.")
    app.until_shown("1 done")
    app.press("l")
    app.until_shown("cbtui.log", "jobs/hello")
    app.press("/jobs/hello\r")
    app.until_shown("6 found")


def test_the_palette_finds_a_task_by_its_name(app: Terminal, home: Home) -> None:
    for name in ("alpha", "beta", "gamma"):
        home.write(f"{name}.txt", f"Hello {name}.")
    app.until_shown("3 done")
    app.press("c")
    app.until_shown("all look-ups of this queue")
    app.press("\x10")
    app.until_shown("an action, or a task's name")
    app.press("beta")
    app.until_shown("open this task (done)")
    app.press("\r")
    app.until_shown("from", "jobs/beta.txt")


def test_the_doctor_looks_in_a_process_of_its_own(app: Terminal) -> None:
    app.press("D")
    app.until_shown("looking")
    app.until(lambda: "espeak: espeakng-loader" in app.text, "the checks")
    app.press("q")
    app.until_shown("Drop .yaml, .txt or .md files")


def test_models_can_be_seen_where_nothing_is_installed_for_them(app: Terminal) -> None:
    app.press("m")
    app.until_shown("english", "multilingual", "turbo", "not loaded", "device cpu")

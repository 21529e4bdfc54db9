"""The user's commands: run in order by a thread of their own, fed with the facts, and never a burden to the host."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cbtui.host import hooks as hooks_module
from cbtui.host.hooks import Hooks, Occasion
from cbtui.host.journal import JournalEntry
from cbtui.host.options import HookCommands

SECONDS = 60.0
"""How long anything may take before a test gives up on it; no test measures time."""

BIG = {"task": "book/01", "reason": "x" * 1_000_000}

REPORT = """
import json, os, sys
def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
about = {"session": os.getsid(0), "group": os.getpgid(0), "pid": os.getpid(), "folder": os.getcwd()}
about |= {"inherited": is_open(int(sys.argv[2])), "terminal": os.isatty(0)}
open(sys.argv[1], "w").write(json.dumps(about))
"""


class Journal(list[JournalEntry]):
    def __call__(self, entry: JournalEntry) -> None:
        self.append(entry)


class Gate:
    """A command that waits until the gate is open."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self.script = f"read line < {shlex.quote(str(path))}"

    def open(self) -> None:
        # Opening for reading too never waits for the command to come.
        descriptor = os.open(self._path, os.O_RDWR)
        os.write(descriptor, b"go\n")
        wait_until(lambda: not _holds_line(descriptor))
        os.close(descriptor)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


def shell(script: str, *words: str | Path) -> tuple[str, ...]:
    return ("sh", "-c", script, *map(str, words))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_command_reads_the_facts_as_one_json_object(tmp_path: Path, journal: Journal) -> None:
    written = tmp_path / "facts"
    hooks = Hooks(HookCommands(task_done=shell('cat > "$0"', written)), journal)
    hooks.run(
        "task_done", {"task": "book/Größe", "output": Path("/out/a.wav"), "file": "/jobs/\udcff.txt", "rate": 1.5}
    )
    hooks.close(SECONDS)
    facts = json.loads(written.read_text())
    expected = {"event": "task_done", "task": "book/Größe", "output": "/out/a.wav", "file": "/jobs/\udcff.txt"}
    assert facts == {**expected, "rate": 1.5}
    assert not journal


def test_commands_run_in_order_and_hold_up_nobody(tmp_path: Path, journal: Journal, gate: Gate) -> None:
    written = tmp_path / "order"
    append = f"cat >> {shlex.quote(str(written))}"
    hooks = Hooks(
        HookCommands(task_done=shell(f"{gate.script}; {append}"), task_failed=shell(append), queue_empty=shell(append)),
        journal,
    )
    occasions: tuple[Occasion, ...] = ("task_done", "task_failed", "queue_empty")
    for occasion in occasions:
        hooks.run(occasion, {"task": "a"})
    assert not written.exists()
    gate.open()
    hooks.close(SECONDS)
    events = [json.loads(line)["event"] for line in written.read_text().splitlines()]
    assert events == list(occasions)


def test_an_occasion_without_a_command_is_nothing(journal: Journal) -> None:
    hooks = Hooks(HookCommands(), journal)
    hooks.run("task_failed", {"task": "a"})
    hooks.close(SECONDS)
    assert not journal


def test_a_command_has_a_session_of_its_own_and_nothing_of_the_host(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written = tmp_path / "about"
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    hooks = Hooks(HookCommands(queue_empty=(sys.executable, "-c", REPORT, str(written), str(writing))), journal)
    hooks.run("queue_empty", {})
    hooks.close(SECONDS)
    os.close(reading)
    os.close(writing)
    about = json.loads(written.read_text())
    assert about["session"] == about["group"] == about["pid"]
    assert about["folder"] == str(tmp_path.resolve())
    assert (about["inherited"], about["terminal"]) == (False, False)


def test_without_a_home_commands_run_all_the_same(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    written = tmp_path / "folder"
    hooks = Hooks(HookCommands(queue_empty=shell('pwd > "$0"', written)), journal)
    hooks.run("queue_empty", {})
    hooks.close(SECONDS)
    assert written.read_text() == "/\n"


def test_what_a_command_writes_goes_to_the_log(journal: Journal, capfd: pytest.CaptureFixture[str]) -> None:
    hooks = Hooks(HookCommands(task_done=shell("echo out; echo err >&2")), journal)
    hooks.run("task_done", {})
    hooks.close(SECONDS)
    assert capfd.readouterr() == ("", "out\nerr\n")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (shell("cat > /dev/null; exit 3"), "failed with status 3; the log has its output"),
        (shell("kill -KILL $$"), "was ended by SIGKILL"),
        (("/nowhere/to be found",), "cannot be started: No such file or directory"),
        (("/",), "cannot be started: Permission denied"),
        (("echo", "a\0b"), "cannot be started: embedded null byte"),
    ],
)
def test_a_command_that_does_not_succeed_is_told_once(command: tuple[str, ...], reason: str, journal: Journal) -> None:
    hooks = Hooks(HookCommands(task_failed=command), journal)
    hooks.run("task_failed", {"task": "book/01"})
    hooks.close(SECONDS)
    (entry,) = journal
    assert (entry.kind, entry.level, entry.task) == ("hook", "warning", "book/01")
    assert entry.message.startswith("task_failed: ")
    assert entry.message.endswith(f" {reason}")
    assert entry.facts == {"occasion": "task_failed", "command": list(command), "reason": reason}


def test_a_command_without_an_end_is_ended_with_all_that_it_started(tmp_path: Path, journal: Journal) -> None:
    written = tmp_path / "pids"
    script = 'sleep 600 & echo $! $$ > "$0"; wait'
    hooks = Hooks(HookCommands(task_done=shell(script, written), seconds=2.0), journal)
    hooks.run("task_done", {"task": "a"})
    hooks.close(SECONDS)
    assert [entry.facts["reason"] for entry in journal] == ["was ended because it took more than 2 s"]
    wait_until(lambda: not any(runs(int(pid)) for pid in written.read_text().split()))


def test_a_command_that_ignores_the_request_to_end_is_ended(tmp_path: Path, journal: Journal) -> None:
    written = tmp_path / "pid"
    script = 'trap "" TERM; echo $$ > "$0"; while :; do sleep 600; done'
    hooks = Hooks(HookCommands(task_done=shell(script, written), seconds=2.0), journal)
    hooks.run("task_done", {})
    hooks.close(SECONDS)
    assert len(journal) == 1
    assert not runs(int(written.read_text()))


def test_a_command_that_never_reads_ends_at_its_time(tmp_path: Path, journal: Journal) -> None:
    written = tmp_path / "next"
    hooks = Hooks(
        HookCommands(task_failed=("sleep", "600"), queue_empty=shell('echo > "$0"', written), seconds=0.2), journal
    )
    hooks.run("task_failed", BIG)
    hooks.run("queue_empty", {})
    hooks.close(SECONDS)
    assert [entry.facts["occasion"] for entry in journal] == ["task_failed"]
    assert written.exists()


def test_a_command_may_leave_the_facts_unread(tmp_path: Path, journal: Journal) -> None:
    written = tmp_path / "next"
    unread = {"task_failed": ("true",), "task_done": shell("exec <&-; sleep 0.3")}
    hooks = Hooks(HookCommands(**unread, queue_empty=shell('echo > "$0"', written)), journal)
    hooks.run("task_failed", BIG)
    hooks.run("task_done", BIG)
    hooks.run("queue_empty", {})
    hooks.close(SECONDS)
    assert written.exists()
    assert not journal


def test_a_slow_reader_gets_all_of_it(tmp_path: Path, journal: Journal, gate: Gate) -> None:
    written = tmp_path / "facts"
    hooks = Hooks(HookCommands(task_failed=shell(f'{gate.script}; cat > "$0"', written)), journal)
    hooks.run("task_failed", BIG)
    gate.open()
    hooks.close(SECONDS)
    assert json.loads(written.read_text()) == {"event": "task_failed", **BIG}
    assert not journal


def test_of_too_many_the_oldest_are_dropped_and_that_is_told_once(
    tmp_path: Path, journal: Journal, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks_module, "MOST_WAITING", 3)
    written, started = tmp_path / "order", tmp_path / "started"
    hooks = Hooks(
        HookCommands(
            queue_empty=shell(f'echo > "$0"; {gate.script}', started), task_done=shell('cat >> "$0"', written)
        ),
        journal,
    )
    hooks.run("queue_empty", {})
    wait_until(started.exists)
    for number in range(6):
        hooks.run("task_done", {"task": f"{number}"})
    gate.open()
    hooks.close(SECONDS)
    assert [json.loads(line)["task"] for line in written.read_text().splitlines()] == ["3", "4", "5"]
    (entry,) = journal
    assert (entry.kind, entry.level) == ("hook", "warning")
    assert entry.message == "more than 3 commands wait for their turn: the oldest are dropped"


def test_closing_ends_what_runs_and_says_what_was_not_run(tmp_path: Path, journal: Journal) -> None:
    written = tmp_path / "pid"
    script = 'echo $$ > "$0".part; mv "$0".part "$0"; sleep 600; :'
    hooks = Hooks(HookCommands(task_done=shell(script, written), seconds=600.0), journal)
    for _ in range(3):
        hooks.run("task_done", {"task": "a"})
    wait_until(written.exists)
    hooks.close(0.0)
    hooks.run("task_done", {"task": "a"})
    assert not runs(int(written.read_text()))
    ended, dropped = journal
    assert ended.facts["reason"] == "was ended because cbtui stops"
    assert dropped.message == "cbtui stops: 2 more commands that were due are not run"


def _holds_line(descriptor: int) -> bool:
    """Whether what was written to a pipe is still in it."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder) > 0

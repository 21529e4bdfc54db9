"""`cbtui watch` as a user runs it: drop a file, hear of it, end it; one host a folder; the log."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.home import Home, Running, no_traceback, paragraphs
from tests.support.terminal import Terminal

SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def host(home: Home) -> Iterator[Running]:
    running = home.watch()
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


def drop(home: Home, name: str, text: str) -> None:
    beside = home.write(f".{name}.tmp", text)
    beside.rename(home.jobs / name)


def test_a_dropped_file_is_rendered_and_every_event_is_a_line(home: Home, host: Running) -> None:
    drop(home, "hello.txt", "Hello there.")
    line = host.wait_for_result("done .*jobs/hello")
    assert str(home.final("jobs/hello")) in line
    ended = host.send(signal.SIGTERM)
    kinds = [line.split()[1] for line in ended.out.splitlines()]
    assert kinds[0] == "started"
    assert kinds[-1] == "stopped"
    assert [kind for kind in kinds if kind in {"added", "rendering", "chunk", "done", "empty"}] == [
        "added",
        "rendering",
        "chunk",
        "done",
        "empty",
    ]
    assert no_traceback(ended)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_in_order(home: Home, host: Running, number: int) -> None:
    drop(home, "long.yaml", paragraphs(200))
    host.wait_for_result("chunk .*jobs/long")
    ended = host.send(number)
    assert ended.status == 128 + number
    (task,) = home.status()["tasks"]
    assert (task["state"], task["attempts"]) == ("queued", 0)
    assert home.leftovers() == []


def test_the_next_host_goes_on_where_this_one_ended(home: Home, host: Running) -> None:
    drop(home, "long.yaml", paragraphs(40))
    host.wait_for_result("chunk .*jobs/long")
    host.send(signal.SIGTERM)
    again = home.watch()
    again.wait_for_result("done .*jobs/long")
    again.send(signal.SIGTERM)
    keys = home.rendered_keys()
    assert len(keys) == len(set(keys)) == 40


def test_events_as_json_lines(home: Home) -> None:
    host = home.watch("--log-json")
    drop(home, "hello.txt", "Hello there.")
    host.wait_for_result('"event": "done"')
    events = [json.loads(line) for line in host.send(signal.SIGTERM).out.splitlines()]
    done = next(event for event in events if event["event"] == "done")
    assert (done["task"], done["level"], done["rendered"], done["draft"]) == ("jobs/hello", "info", 1, True)
    assert done["output"] == str(home.final("jobs/hello"))


def test_a_second_host_says_who_holds_the_folder(home: Home, host: Running) -> None:
    second = home.cbtui("watch")
    assert second.status == 3
    assert f"process {host.process.pid}" in second.err
    assert str(home.jobs) in second.err


def test_a_killed_host_leaves_no_lock(home: Home, host: Running) -> None:
    host.process.kill()
    host.process.wait()
    again = home.watch()
    assert again.send(signal.SIGTERM).status == 128 + signal.SIGTERM


def test_a_folder_named_on_the_line_is_watched(home: Home) -> None:
    folder = home.root / "elsewhere"
    folder.mkdir()
    host = home.start("watch", "--engine", "espeak", folder)
    (folder / "hello.txt").write_text("Hello there.")
    host.wait_for_result("done .*elsewhere/hello")
    host.send(signal.SIGTERM)


def test_it_outlives_its_terminal(home: Home, host: Running) -> None:
    host.process.send_signal(signal.SIGHUP)
    drop(home, "hello.txt", "Hello there.")
    host.wait_for_result("done .*jobs/hello")
    assert host.send(signal.SIGTERM).status == 128 + signal.SIGTERM


def test_a_reader_that_goes_away_does_not_end_it(home: Home, host: Running) -> None:
    assert host.process.stdout is not None
    os.close(os.dup(host.process.stdout.fileno()))
    host.process.stdout.close()
    host.process.stdout = None
    drop(home, "hello.txt", "Hello there.")
    status = home.start("status", "--follow")
    status.wait_for_result('"jobs/hello".*"state": "done"')
    status.process.kill()
    status.process.communicate()
    host.process.send_signal(signal.SIGTERM)
    assert host.process.wait(timeout=20) == 128 + signal.SIGTERM


def test_everything_it_tells_stands_in_the_log(home: Home, host: Running) -> None:
    drop(home, "bad.yaml", "text: hi\nspeekers: {}\n")
    host.wait_for_result("invalid .*speekers")
    host.send(signal.SIGTERM)
    log = (home.state / "cbtui.log").read_text()
    assert "bad.yaml:2:1: speekers: unknown setting" in log
    assert "stopped" in log


def test_a_hook_of_the_settings_gets_the_facts(home: Home) -> None:
    facts = home.root / "facts.json"
    settings = home.root / "config" / "cbtui" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"app:\n  hooks:\n    task_done: [sh, -c, 'cat > {facts}.tmp && mv {facts}.tmp {facts}']\n")
    host = home.watch()
    drop(home, "hello.txt", "Hello there.")
    host.wait_for_result("empty")
    host.send(signal.SIGTERM)
    told = json.loads(facts.read_text())
    assert (told["event"], told["task"], told["output"]) == ("task_done", "jobs/hello", str(home.final("jobs/hello")))


@pytest.mark.parametrize(
    ("notify", "sent"), [("osc9", b"\x1b]9;cbtui: nothing is left to render\x07"), ("bell", b"\x07")]
)
def test_a_terminal_is_told_when_nothing_is_left(home: Home, notify: str, sent: bytes) -> None:
    settings = home.root / "config" / "cbtui" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"app: {{notify: {notify}}}\n")
    drop(home, "hello.txt", "Hello there.")
    command = home.command("watch", "--engine", "espeak")
    with Terminal(command, cwd=home.root, environment=home.variables()) as terminal:
        terminal.until_shown("nothing is left to render")
        terminal.until(lambda: terminal.text and sent in terminal.raw, "the message")

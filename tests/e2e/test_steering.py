"""`cbtui status` and the commands that steer, with a host and without."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.home import Home, Running


@pytest.fixture
def host(home: Home) -> Iterator[Running]:
    running = home.watch()
    yield running
    if running.process.poll() is None:
        running.send(signal.SIGTERM)


def test_status_as_json_has_what_its_version_promises(home: Home, host: Running) -> None:
    home.write("book/good.txt", "Hello there.")
    home.write("bad.yaml", "text: hi\nspeekers: {}\n")
    host.wait_for_result("done .*book/good")
    host.wait_for_result("invalid .*jobs/bad")
    status = home.status()
    assert status["version"] == 1
    assert status["host"]["pid"] == host.process.pid
    assert status["queue"]["paused"] is False
    assert (status["queue"]["counts"]["done"], status["queue"]["counts"]["invalid"]) == (1, 1)
    tasks = {task["task"]: task for task in status["tasks"]}
    good = tasks["book/good"]
    assert (good["job"], good["state"], good["output"]) == ("book", "done", str(home.final("book/good")))
    assert good["result"]["draft"] is True
    assert good["progress"] == {"chunks_done": 1, "chunks_total": 1, "tokens": 0}
    assert "bad.yaml:2:1: speekers" in tasks["jobs/bad"]["error"]


def test_status_for_people(home: Home, host: Running) -> None:
    home.cbtui("pause")
    home.write("hello.txt", "Hello there.")
    host.wait_for_result("added .*jobs/hello")
    lines = home.cbtui("status").out.splitlines()
    assert lines[0].startswith(f"host   process {host.process.pid}")
    assert any(line.startswith("queue  paused, 1 queued") for line in lines)
    assert lines[-1].split()[:2] == ["queued", "jobs/hello"]


def test_following_gives_a_json_line_for_each_change(home: Home, host: Running) -> None:
    follower = home.start("status", "--follow")
    home.write("hello.txt", "Hello there.")
    last = json.loads(follower.wait_for_result('"jobs/hello".*"state": "done"'))
    assert last["output"] == str(home.final("jobs/hello"))
    home.cbtui("remove", "jobs/hello")
    follower.wait_for_result('"jobs/hello", "state": "removed"')
    assert follower.send(signal.SIGINT).status == 128 + signal.SIGINT


def test_commands_are_answered_by_the_host(home: Home, host: Running) -> None:
    home.cbtui("pause")
    for name in ("a", "b", "c"):
        home.write(f"book/{name}.txt", f"Hello {name}.")
        host.wait_for_result(f"added .*book/{name}")
    assert home.cbtui("pause", "book/*").out == "paused: book/a, book/b, book/c\n"
    assert home.cbtui("resume", "c", "b").out == "resumed: book/c, book/b\n"
    assert home.cbtui("move", "c", "1").out == "book/c: now at position 1\n"
    assert home.cbtui("priority", "3", "b").status == 0
    assert [task["task"] for task in home.status()["tasks"]] == ["book/b", "book/c", "book/a"]
    refused = home.cbtui("resume", "b")
    assert (refused.status, refused.out) == (1, "")
    assert "book/b is queued, not paused" in refused.err
    assert home.cbtui("cancel", "a").out == "cancelled: book/a\n"
    home.cbtui("resume")
    host.wait_for_result("empty")
    assert {task["state"] for task in home.status()["tasks"]} == {"done", "cancelled"}


def test_without_a_host_commands_wait_and_say_so(home: Home) -> None:
    waiting = home.cbtui("pause")
    assert waiting.status == 0
    assert "no host" in waiting.err
    assert "waits" in waiting.err
    host = home.watch()
    host.wait_for_result("command .*pause")
    home.write("hello.txt", "Hello there.")
    host.wait_for_result("added .*jobs/hello")
    assert home.status()["queue"]["paused"] is True
    host.send(signal.SIGTERM)


def test_without_a_host_there_is_nothing_to_stop(home: Home) -> None:
    ended = home.cbtui("stop")
    assert (ended.status, ended.out) == (1, "")
    assert "no host runs here" in ended.err
    assert not list(home.state.rglob("*.sqlite*"))


def test_without_a_host_names_that_no_task_has_are_refused_at_once(home: Home) -> None:
    host = home.watch()
    home.cbtui("pause")
    home.write("hello.txt", "Hello there.")
    host.wait_for_result("added .*jobs/hello")
    host.send(signal.SIGTERM)
    for arguments in (["cancel", "nosuch"], ["move", "nosuch", "1"], ["priority", "2", "no*"], ["resume", "nosuch"]):
        ended = home.cbtui(*arguments)
        assert (ended.status, ended.out, "no task" in ended.err) == (1, "", True)
    parked = home.cbtui("cancel", "hello")
    assert (parked.status, "waits" in parked.err) == (0, True)


def test_a_position_before_the_first_is_wrong_usage(home: Home) -> None:
    ended = home.cbtui("move", "hello", "0")
    assert (ended.status, ended.out) == (2, "")
    assert "positions begin at 1" in ended.err


def test_without_a_queue_names_wait_for_the_host_that_makes_it(home: Home) -> None:
    parked = home.cbtui("cancel", "hello")
    assert (parked.status, "waits" in parked.err) == (0, True)


def test_status_before_any_host(home: Home) -> None:
    status = home.status()
    assert (status["version"], status["host"], status["tasks"]) == (1, None, [])
    assert "cbtui watch" in home.cbtui("status").out


def test_the_host_can_be_asked_to_stop(home: Home, host: Running) -> None:
    assert home.cbtui("stop").status == 0
    assert host.end().status == 0


def test_an_added_file_is_rendered(home: Home, host: Running) -> None:
    source = home.root / "letter.txt"
    source.write_text("Dear reader.")
    assert home.cbtui("add", source, "--job", "post").out.startswith("added    post/letter")
    host.wait_for_result("done .*post/letter")

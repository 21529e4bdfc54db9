"""Names of tasks for a shell that completes a line: quick, and silent where there is nothing to say."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from pathlib import Path

import argcomplete
import pytest

from cbtui.commands.task_names import MOST, complete_tasks
from cbtui.host.store import open_store, store_path
from cbtui.paths import find_places
from tests.host.store.helpers import lead, put

TASKS = ("jobs/hello", "book/01", "book/02", "book two/it's [1]", "book two/part 1/a*b", "Book/03")

SCRIPT = """
import argparse, sys
from cbtui.commands.task_names import complete_tasks
folders = argparse.Namespace(jobs_dir=sys.argv[1], state_dir=sys.argv[2])
assert complete_tasks("book/", folders) == {"book/01": "queued", "book/02": "queued"}
assert not {"numpy", "pydantic", "textual", "torch", "watchfiles", "yaml"} & set(sys.modules), set(sys.modules)
"""


class Ended(Exception):
    """argcomplete is through."""


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """What a parser makes of a line that names the folders; in them lies a queue."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return queue(tmp_path, *TASKS)


def queue(root: Path, *tasks: str) -> argparse.Namespace:
    jobs, state = str(root / "jobs"), str(root / "state")
    with open_store(store_path(find_places(jobs=jobs, state=state))).store as store:
        put(store, *tasks)
        for task in tasks[:1]:
            lead(store, task, "done")
    return argparse.Namespace(jobs_dir=jobs, state_dir=state)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", list(TASKS)),
        ("book/", ["book/01", "book/02"]),
        ("book/02", ["book/02"]),
        ("book two/", ["book two/it's [1]", "book two/part 1/a*b"]),
        ("book two/it's [", ["book two/it's [1]"]),
        ("book two/part 1/a*", ["book two/part 1/a*b"]),
        ("boo", ["book/01", "book/02", "book two/it's [1]", "book two/part 1/a*b"]),
        ("01", []),
        ("b*", []),
        ("[!a]", []),
        ("book/%", []),
    ],
)
def test_tasks_are_found_by_how_they_begin(prefix: str, expected: list[str], line: argparse.Namespace) -> None:
    assert sorted(complete_tasks(prefix, line)) == sorted(expected)


def test_each_is_told_with_its_state(line: argparse.Namespace) -> None:
    assert complete_tasks("jobs/", line) == {"jobs/hello": "done"}


def test_there_is_an_end_to_them(tmp_path: Path) -> None:
    line = queue(tmp_path, *(f"book/{number}" for number in range(MOST + 100)))
    assert len(complete_tasks("book/", line)) == MOST
    assert len(complete_tasks("b", line)) == MOST
    assert list(complete_tasks("book/299", line)) == ["book/299"]


def test_what_no_shell_could_show_is_left_out(tmp_path: Path) -> None:
    assert list(complete_tasks("", queue(tmp_path, "book/one\ntwo", "book/größe"))) == ["book/größe"]


def test_without_a_queue_there_are_none_and_none_is_made(tmp_path: Path) -> None:
    line = argparse.Namespace(jobs_dir=str(tmp_path / "jobs"), state_dir=str(tmp_path / "state"))
    assert complete_tasks("", line) == {}
    assert not list(tmp_path.iterdir())


def test_a_damaged_queue_has_none(line: argparse.Namespace) -> None:
    store_path(find_places(jobs=line.jobs_dir, state=line.state_dir)).write_bytes(b"no queue" * 1000)
    assert complete_tasks("", line) == {}


def test_the_user_s_settings_say_where_the_queue_is(line: argparse.Namespace, tmp_path: Path) -> None:
    settings = tmp_path / "config" / "cbtui" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"app: {{jobs_dir: {line.jobs_dir}, state_dir: {line.state_dir}}}")
    assert list(complete_tasks("jobs/", argparse.Namespace())) == ["jobs/hello"]
    assert list(complete_tasks("jobs/", argparse.Namespace(jobs_dir=str(tmp_path / "others")))) == []
    settings.write_text("app: {jobs_dri: x}")
    assert complete_tasks("jobs/", argparse.Namespace()) == {}


def test_argcomplete_takes_them(line: argparse.Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = argparse.ArgumentParser("cbtui")
    parser.add_argument("--jobs-dir")
    parser.add_argument("--state-dir")
    parser.add_argument("tasks", nargs="+").completer = complete_tasks  # type: ignore[attr-defined]
    asked = f"cbtui --jobs-dir {line.jobs_dir} --state-dir {line.state_dir} book/01 'book two/"
    for name, value in {"_ARGCOMPLETE": "1", "COMP_LINE": asked, "COMP_POINT": str(len(asked))}.items():
        monkeypatch.setenv(name, value)
    output = io.StringIO()

    def end(status: int) -> None:
        raise Ended

    with pytest.raises(Ended):
        argcomplete.autocomplete(parser, always_complete_options=False, exit_method=end, output_stream=output)
    assert sorted(output.getvalue().split("\v")) == ["book two/it'\\''s [1]", "book two/part 1/a*b"]


def test_nothing_heavy_is_imported_for_them(line: argparse.Namespace) -> None:
    subprocess.run([sys.executable, "-c", SCRIPT, line.jobs_dir, line.state_dir], check=True, timeout=60)

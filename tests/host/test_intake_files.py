"""How files get into the queue: dropped, written slowly, saved by editors, copied by tools, badly named, unforeseen."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cbtui.core.task import Task
from cbtui.host.rendering.digest import digest_task
from cbtui.host.store.files import Files
from tests.host.serving import Served
from tests.support.fake_engine import FakeEngine

HEARD = {"added", "changed", "invalid", "cancelled", "renamed", "done"}


def heard(served: Served, task: str) -> list[str]:
    """What the intake told of a task, and its ends; its state is written before it is told."""
    served.until(lambda: served.kinds(task)[-1:] == [served.state(task)], f"word of {task}")
    return [kind for kind in served.kinds(task) if kind in HEARD]


def test_a_file_dropped_whole_is_queued_and_rendered(served: Served, engine: FakeEngine) -> None:
    served.drop("hello.txt", "Hello there.")
    row = served.until_state("jobs/hello", "done")
    assert (row.source, engine.texts) == (served.places.jobs / "hello.txt", ["Hello there."])
    assert [row.result.output if row.result else None] == served.finals("jobs/hello")
    assert heard(served, "jobs/hello") == ["added", "done"]


def test_a_file_written_slowly_is_taken_once_and_whole(served: Served, engine: FakeEngine) -> None:
    jobs = served.places.jobs
    parts = [("text: |\n", "One, "), ("  One, two, ", "two, "), ("three.\n", ""), ("seed: 7\n", "four.")]
    with (jobs / "a.yaml").open("w") as yaml, (jobs / "b.txt").open("w") as text:
        for of_yaml, of_text in parts:
            for file, part in ((yaml, of_yaml), (text, of_text)):
                file.write(part)
                file.flush()
            time.sleep(0.3)  # the writers' pause; for what comes of it, the test waits
    served.until_state("jobs/a", "done")
    served.until_state("jobs/b", "done")
    assert sorted(engine.texts) == ["One, two, four.", "One, two, three."]
    assert heard(served, "jobs/a") == heard(served, "jobs/b") == ["added", "done"]


def vim(path: Path, text: str) -> None:
    (path.parent / f".{path.name}.swp").write_text("swap")
    (path.parent / "4913").touch()
    (path.parent / "4913").unlink()
    path.rename(f"{path}~")
    path.write_text(text)
    Path(f"{path}~").unlink()
    (path.parent / f".{path.name}.swp").unlink()


def emacs(path: Path, text: str) -> None:
    (path.parent / f".#{path.name}").symlink_to("me@host.1")
    (path.parent / f"#{path.name}#").write_text("auto-save")
    path.rename(f"{path}~")
    path.with_name(f"#{path.name}#").write_text(text)
    path.with_name(f"#{path.name}#").rename(path)
    (path.parent / f".#{path.name}").unlink()


def nano(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.flush()
        file.write(text)


def vs_code(path: Path, text: str) -> None:
    with path.open("r+") as file:
        file.truncate()
        file.write(text[: len(text) // 2])
        file.flush()
        file.write(text[len(text) // 2 :])


def rsync(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.aX3b9Q")
    beside.write_text(text)
    shutil.copystat(path, beside)
    beside.rename(path)


def scp(path: Path, text: str) -> None:
    for ending in (".filepart", ".part"):
        path.with_name(path.name + ending).write_text(text)
    path.with_name(f"{path.name}.part").unlink()
    path.unlink()
    path.with_name(f"{path.name}.filepart").rename(path)


def sed(path: Path, text: str) -> None:
    beside = path.with_name("sedXyZ12a")
    beside.write_text(text)
    beside.rename(path)


SAVES: list[Callable[[Path, str], None]] = [vim, emacs, nano, vs_code, rsync, scp, sed]


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "done"])
def test_a_save_ends_in_one_task_with_the_final_content(served: Served, engine: FakeEngine, waits: bool) -> None:
    if waits:
        served.ask("pause")
    names = [save.__name__ for save in SAVES]
    for name in names:
        served.drop(f"{name}.yaml", f"text: First of {name}.\n")
    for name in names:
        served.until_state(f"jobs/{name}", "queued" if waits else "done")
    engine.requests.clear()
    for save in SAVES:
        save(served.places.jobs / f"{save.__name__}.yaml", f"text: Second and last of {save.__name__}.\n")
    for name in names:
        served.until_told("changed", f"jobs/{name}")
    served.ask("resume")
    served.until(lambda: len(engine.requests) == len(SAVES), "the new texts are rendered")
    served.until_idle()
    assert sorted(engine.texts) == sorted(f"Second and last of {name}." for name in names)
    assert served.states() == {f"jobs/{name}": "done" for name in names}
    for name in names:
        assert heard(served, f"jobs/{name}") == ["added", *([] if waits else ["done"]), "changed", "done"]


def test_files_of_unfinished_copies_and_editors_are_no_tasks(served: Served) -> None:
    for name in (".a.txt.aX3b9Q", "a.txt.part", "a.txt.filepart", "a.txt~", ".a.txt.swp", "a.wav", "a.txt.tmp"):
        (served.places.jobs / name).write_text("half")
    served.drop("b.txt", "Whole.")
    served.until_state("jobs/b", "done")
    assert set(served.states()) == {"jobs/b"}


NAMES = {
    "not UTF-8": b"caf\xe9.txt",
    "not UTF-8 either": b"caf\xe8.txt",
    "newline": b"two\nlines.txt",
    "escape": b"\x1b]52;c;eA==\x07.txt",
    "bidi": "a\u202etxt.exe.txt".encode(),
    "too long": b"x" * 220 + b".txt",
    "folder": b"gr\xfcn/a.txt",
    "spaces": b"  .txt",
}


def test_a_name_that_cannot_be_a_task_stands_in_the_queue_with_a_message(served: Served) -> None:
    for name in NAMES.values():
        path = served.places.jobs / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("Hello.")
    served.drop("fine.txt", "Fine.")
    served.until_state("jobs/fine", "done")
    served.until(lambda: served.store.queue.counts()["invalid"] == len(NAMES), "each of them is shown")
    rows = {os.fsencode(row.source.relative_to(served.places.jobs)): row for row in served.store.queue.page(limit=99)}
    for name in NAMES.values():
        assert rows[name].state == "invalid"
        assert all(each.message for each in rows[name].problems)
        assert rows[name].id.isprintable()
    assert "rename it" in rows[NAMES["not UTF-8"]].problems[0].message
    assert "control characters" in rows[NAMES["newline"]].problems[0].message
    assert "220 bytes" in rows[NAMES["too long"]].problems[0].message
    (served.places.jobs / os.fsdecode(NAMES["not UTF-8"])).rename(served.places.jobs / "café.txt")
    served.until_state("jobs/café", "done")


def test_a_link_and_a_pipe_are_told_of_and_the_rest_is_taken(served: Served, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("Not to be read.")
    (served.places.jobs / "link.txt").symlink_to(tmp_path / "outside.txt")
    os.mkfifo(served.places.jobs / "pipe.txt")
    served.drop("a.txt", "Hello.")
    served.until_state("jobs/a", "done")
    served.until_told("folder", text="link.txt: is a symbolic link")
    served.until_told("folder", text="pipe.txt: is a named pipe")
    assert set(served.states()) == {"jobs/a"}


def test_an_empty_file_is_invalid_until_it_has_text(served: Served) -> None:
    path = served.places.jobs / "later.txt"
    path.touch()
    row = served.until_state("jobs/later", "invalid")
    assert "no text" in str(row.problems[0])
    path.write_text("Here it is.")
    served.until_state("jobs/later", "done")


def test_an_invalid_file_stands_with_all_its_errors_until_it_is_mended(served: Served) -> None:
    served.drop("bad.yaml", "text: Hello.\nspead: 1\nspeakers:\n  al: {exageration: 0.5, temperature: 99}\n")
    row = served.until_state("jobs/bad", "invalid")
    places = {(each.line, each.column) for each in row.problems}
    assert {(2, 1), (4, 8), (4, 26)} <= places
    assert all(str(each).startswith(f"{served.places.jobs}/bad.yaml:") for each in row.problems)
    served.drop("bad.yaml", "text: Hello.\n")
    row = served.until_state("jobs/bad", "done")
    assert row.problems == ()


def test_an_error_that_nobody_foresaw_keeps_only_its_own_file_out(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest_or_die(task: Task, *more: object) -> str:
        if task.name.startswith("poison"):
            raise RuntimeError("unforeseen")
        return digest_task(task, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("cbtui.host.reading.digest_task", digest_or_die)
    served.ask("pause")
    for name in ("a", "poison-1", "b", "poison-2", "c"):
        served.drop(f"{name}.txt", f"Hello {name}.")
    for name in "abc":
        served.until_state(f"jobs/{name}", "queued")
    for name in ("poison-1", "poison-2"):
        row = served.until_state(f"jobs/{name}", "invalid")
        assert "unforeseen" in str(row.problems[0])
    monkeypatch.undo()
    served.ask("resume")
    for name in ("poison-1", "poison-2", "a", "b", "c"):
        served.until_state(f"jobs/{name}", "done")


def test_an_event_that_nobody_can_deal_with_keeps_only_its_own_file_out(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Files.rename

    def rename_or_die(files: Files, old: Path, new: Path) -> bool:
        if new.name == "poison.txt":
            raise RuntimeError("unforeseen")
        return rename(files, old, new)

    monkeypatch.setattr(Files, "rename", rename_or_die)
    served.ask("pause")
    (served.places.jobs / "folder").mkdir()
    for name in ("a", "poison", "z"):
        (served.places.jobs / "folder" / f"{name}.txt").write_text(f"Hello {name}.")
        served.until_state(f"folder/{name}", "queued")
    (served.places.jobs / "folder").rename(served.places.jobs / "other")
    served.until_state("other/a", "queued")
    served.until_state("other/z", "queued")
    served.until_told("folder", text="unforeseen")

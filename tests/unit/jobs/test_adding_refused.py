"""What cannot be added is told with its place and what to do, and leaves the jobs directory as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cbtui.core.problem import InvalidFile
from cbtui.jobs.destination import find_destination
from tests.unit.jobs.drafts import Drafts, typed
from tests.unit.jobs.helpers import JobsFolder


@pytest.fixture
def drafts(jobs: JobsFolder) -> Drafts:
    return Drafts(jobs)


@pytest.mark.parametrize("written", ["../al.wav", "{root}/al.wav", "x/../../drafts/al.wav"])
def test_a_file_that_cannot_lie_the_same_way_is_refused_with_its_place(drafts: Drafts, written: str) -> None:
    drafts.write("al.wav", b"RIFF")
    drafts.write("a.yaml", f"text: Hi.\nreference: {written.format(root=drafts.root)}")
    (problem,) = drafts.problems("a.yaml")
    assert problem.startswith("drafts/a.yaml:2:1: reference: ")
    assert "cannot go along: copy it beside this file" in problem


def test_the_inputs_of_a_pipeline_do_not_go_along(drafts: Drafts) -> None:
    drafts.write("data/input/texts/one.txt")
    drafts.write("a.yaml", "{input: {text_file: one.txt}}")
    (problem,) = drafts.problems("a.yaml")
    assert problem.startswith("drafts/a.yaml:1:10: input.text_file: 'one.txt' cannot go along")


def test_all_problems_of_all_files_are_told_and_none_is_copied(drafts: Drafts) -> None:
    drafts.write("good.txt")
    drafts.write("a.yaml", "text: Hi.\nseed: x\nreference: ../al.wav\ntempo: 1")
    drafts.write("b.yaml", "text: [")
    problems = drafts.problems("good.txt", "a.yaml", "b.yaml", "c.yaml")
    assert [problem.split(" ")[0] for problem in problems] == [
        "drafts/a.yaml:2:1:",
        "drafts/a.yaml:3:1:",
        "drafts/a.yaml:4:1:",
        "drafts/b.yaml:2:1:",
        "drafts/c.yaml:",
    ]


def test_faulty_settings_of_the_folder_are_told_at_their_place(drafts: Drafts) -> None:
    drafts.jobs.write("book/job.yaml", "tempo: 1")
    drafts.write("a.txt")
    (problem,) = drafts.problems("a.txt", job="book")
    assert problem.startswith("jobs/book/job.yaml:1:1: tempo: ")


def test_what_is_no_file_is_never_replaced(drafts: Drafts) -> None:
    drafts.write("a.txt")
    (drafts.jobs.root / "a.txt").mkdir()
    drafts.write("b.txt")
    (drafts.jobs.root / "b.txt").symlink_to(drafts.root / "b.txt")
    problems = drafts.problems("a.txt", "b.txt", replacing=True)
    assert [problem.split(":")[0] for problem in problems] == ["jobs/a.txt", "jobs/b.txt"]


def test_a_second_file_of_the_same_task_is_refused(drafts: Drafts) -> None:
    drafts.jobs.write("u\N{COMBINING DIAERESIS}.yaml", "text: Hi.")
    drafts.write("ü.txt")
    (problem,) = drafts.problems("ü.txt")
    assert problem == (
        "drafts/ü.txt: would make the same task as jobs/u\N{COMBINING DIAERESIS}.yaml: choose another --name or --job"
    )


def test_two_files_that_would_become_one_are_refused(drafts: Drafts) -> None:
    drafts.write("x/a.txt", "One.")
    drafts.write("y/a.txt", "Two.")
    assert drafts.problems("x/a.txt", "y/a.txt") == [
        "drafts/x/a.txt: and drafts/y/a.txt would both become jobs/a.txt: add one of them to another --job"
    ]
    (problem,) = drafts.problems("x/a.txt", "x/a.txt", "x/../y/a.md")[:1]
    assert "no such file" in problem


def test_two_files_that_make_one_task_are_refused(drafts: Drafts) -> None:
    drafts.write("a.txt")
    drafts.write("a.yaml", "text: Hi.")
    (problem,) = drafts.problems("a.yaml", "a.txt")
    assert problem.startswith("drafts/a.txt: makes the same task")
    assert ".part" not in problem


@pytest.mark.parametrize("name", [".trash/a.txt", "data/input/a.txt"])
def test_a_file_that_no_host_would_find_is_told(drafts: Drafts, name: str) -> None:
    drafts.jobs.write(name, "Hello.")
    (problem,) = drafts.problems(f"../jobs/{name}")
    assert "passed over" in problem


def test_a_folder_is_refused_with_advice(drafts: Drafts) -> None:
    drafts.write("book.txt/a.txt")
    assert drafts.problems("book.txt") == ["drafts/book.txt: is a folder: move it into jobs, or copy it (cp -r)"]


@pytest.mark.parametrize("name", ["job.yaml", "settings.yaml", ".hidden.txt", "x" * 201 + ".txt", "line\nbreak.txt"])
def test_a_file_that_would_be_no_task_is_refused(drafts: Drafts, name: str) -> None:
    drafts.write(name, "text: Hi.")
    assert len(drafts.problems(name)) == 1


@pytest.mark.parametrize("kind", ["link", "pipe", "wave"])
def test_what_is_no_task_file_is_refused_as_the_loader_does(drafts: Drafts, kind: str) -> None:
    if kind == "link":
        (drafts.root / "a.txt").symlink_to(drafts.write("b.txt"))
    elif kind == "pipe":
        os.mkfifo(drafts.root / "a.txt")
    else:
        drafts.write("a.wav")
    (problem,) = drafts.problems("a.wav" if kind == "wave" else "a.txt")
    words = {"link": "symbolic link", "pipe": "named pipe", "wave": "is not a task file"}
    assert words[kind] in problem


HOSTILE = ["../x", "/x", "a/b", "a\nb", "a\x1b[2J", "..", ".", ".x", "", " ", "x" * 300, "\udcff"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused(drafts: Drafts, name: str) -> None:
    drafts.write("a.txt")
    (problem,) = drafts.problems("a.txt", name=name)
    assert problem.isprintable()
    with pytest.raises(InvalidFile):
        typed(drafts.jobs, "Hello.", name=name)
    assert drafts.content() == {}


@pytest.mark.parametrize(
    "job", ["..", "../x", "/x", "a//b", "", ".x", "a/.x", "data/input", "a\nb", "x" * 300, "\udcff"]
)
def test_hostile_jobs_are_refused(jobs: JobsFolder, job: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        find_destination(jobs.root, job)


def test_a_job_behind_a_link_or_a_file_is_refused(drafts: Drafts) -> None:
    (drafts.jobs.root / "link").symlink_to(drafts.root)
    drafts.jobs.write("file", "")
    for job in ("link", "link/below", "file/below"):
        with pytest.raises(ValueError, match=r"jobs/(link|file) is a .*: choose another folder"):
            find_destination(drafts.jobs.root, job)


def test_files_that_come_along_follow_no_link_out_of_the_jobs_directory(drafts: Drafts, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (drafts.jobs.root / "voices").symlink_to(tmp_path / "elsewhere")
    drafts.write("voices/al.wav", b"RIFF")
    drafts.write("a.yaml", "{text: Hi., reference: voices/al.wav}")
    (problem,) = drafts.problems("a.yaml")
    assert "jobs/voices is a symbolic link" in problem
    assert list((tmp_path / "elsewhere").iterdir()) == []

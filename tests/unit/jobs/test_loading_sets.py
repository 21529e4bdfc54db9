"""Many files: found in natural order, each with an answer of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cbtui.jobs import find_task_files, load_tasks
from tests.unit.jobs.helpers import JobsFolder


def _found(jobs: JobsFolder) -> list[str]:
    return [path.relative_to(jobs.root).as_posix() for path in find_task_files(jobs.root)]


def test_files_come_in_natural_order(jobs: JobsFolder) -> None:
    for name in ("10.yaml", "2.txt", "b/1.md", "a10/1.yml", "a9/1.yml", "Chapter 10.txt", "chapter 9.txt"):
        jobs.write(name, "Hi")
    assert _found(jobs) == ["2.txt", "10.yaml", "a9/1.yml", "a10/1.yml", "b/1.md", "chapter 9.txt", "Chapter 10.txt"]


@pytest.mark.parametrize(
    "name",
    [
        ".x.yaml",
        "x.yaml~",
        "x.yaml.part",
        "x.txt.tmp",
        ".x.txt.swp",
        "job.yaml",
        "settings.yaml",
        "a.wav",
        ".git/x.txt",
        "x",
    ],
)
def test_what_is_no_task_is_passed_over(jobs: JobsFolder, name: str) -> None:
    jobs.write(name, "Hi")
    assert _found(jobs) == []


def test_the_inputs_of_a_cbpipe_project_are_material_and_no_tasks(jobs: JobsFolder) -> None:
    jobs.write("project/data/input/texts/1.txt", "Hi")
    jobs.write("project/data/jobs/job1/job_config.yaml", "input: {text_file: 1.txt}")
    assert _found(jobs) == ["project/data/jobs/job1/job_config.yaml"]


def test_a_folder_that_is_missing_holds_nothing(tmp_path: Path) -> None:
    assert find_task_files(tmp_path / "nowhere") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_one_may_not_read_is_passed_over(jobs: JobsFolder) -> None:
    jobs.write("a/1.txt", "Hi")
    jobs.write("b/1.txt", "Hi")
    (jobs.root / "a").chmod(0)
    try:
        assert _found(jobs) == ["b/1.txt"]
    finally:
        (jobs.root / "a").chmod(0o755)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names")
def test_a_name_that_is_not_utf_8_is_found_and_answered(jobs: JobsFolder) -> None:
    jobs.write(os.fsdecode(b"\xff.txt"), "Hi")
    loaded = load_tasks(find_task_files(jobs.root), root=jobs.root)
    assert [str(error) for error in loaded.invalid.values()] == ["jobs/�.txt: the file name is not UTF-8: rename it"]


def test_a_bad_file_does_not_stop_the_others(jobs: JobsFolder) -> None:
    jobs.write("1.txt", "One")
    jobs.write("2.yaml", "text: [")
    jobs.write("3.yaml", "text: Three")
    loaded = load_tasks(find_task_files(jobs.root), root=jobs.root)
    assert [task.name for task in loaded.tasks] == ["1", "3"]
    assert list(loaded.invalid) == [jobs.root / "2.yaml"]


def test_of_two_files_for_one_task_the_later_is_invalid(jobs: JobsFolder) -> None:
    jobs.write("1.txt", "One")
    jobs.write("1.yaml", "text: Uno")
    loaded = load_tasks(find_task_files(jobs.root), root=jobs.root)
    assert [task.text for task in loaded.tasks] == ["One"]
    assert [str(error) for error in loaded.invalid.values()] == [
        "jobs/1.yaml: makes the same task 'jobs/1' as jobs/1.txt: rename one of them"
    ]


def test_a_text_that_a_yaml_names_is_no_task_of_its_own_when_scanning(jobs: JobsFolder) -> None:
    jobs.write("1.txt", "One")
    jobs.write("1.yaml", "text_file: 1.txt")
    files = find_task_files(jobs.root)
    loaded = load_tasks(files, root=jobs.root, scanned=files)
    assert [task.source.name for task in loaded.tasks] == ["1.yaml"]
    assert loaded.invalid == {}
    assert loaded.named_texts == {jobs.root / "1.txt"}


def test_a_mistake_in_the_yaml_does_not_set_its_text_free(jobs: JobsFolder) -> None:
    jobs.write("1.txt", "One")
    jobs.write("two.txt", "Two")
    jobs.write("1.yaml", "text_file: [")
    jobs.write("2.yaml", "text_file: two.txt\nsed: 1")
    loaded = load_tasks(find_task_files(jobs.root), root=jobs.root, scanned=find_task_files(jobs.root))
    assert loaded.tasks == ()
    assert [path.name for path in loaded.invalid] == ["1.yaml", "2.yaml"]


def test_a_text_that_a_person_names_is_a_task(jobs: JobsFolder) -> None:
    text = jobs.write("two.txt", "Two")
    yaml = jobs.write("1.yaml", "text_file: two.txt")
    assert len(load_tasks([text, yaml], root=jobs.root).tasks) == 2


def test_paths_are_shown_as_given_outside_of_the_working_directory(
    jobs: JobsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = jobs.write("x.yaml", "")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = load_tasks([file], root=jobs.root)
    assert str(loaded.invalid[file]).startswith(f"{file}: there is no text")

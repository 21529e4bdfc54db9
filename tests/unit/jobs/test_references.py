"""Files that a task names are found, and stay where they may be."""

from __future__ import annotations

import os
from pathlib import Path

from cbtui.jobs import load_task
from tests.unit.jobs.helpers import JobsFolder


def test_paths_are_relative_to_the_file_that_names_them(jobs: JobsFolder) -> None:
    clip = jobs.clip("voices/a.wav")
    text = jobs.write("book/texts/1.txt", "Once.")
    task = jobs.load("book/1.yaml", "text_file: texts/1.txt\nreference: ../voices/a.wav")
    assert task.text == "Once."
    assert task.references == (text, clip)


def test_a_path_in_job_yaml_is_relative_to_that_job_yaml(jobs: JobsFolder) -> None:
    clip = jobs.clip("book/a.wav")
    jobs.write("book/job.yaml", "reference: a.wav")
    assert jobs.load("book/part/1.yaml", "text: Hi").speakers["default"].reference == clip


def test_a_missing_clip_is_told_with_the_nearest_name(jobs: JobsFolder) -> None:
    jobs.clip("alice.wav")
    content = "text: Hi\nspeakers:\n  alice:\n    reference: alise.wav"
    assert jobs.problems("x.yaml", content) == [
        "jobs/x.yaml:4:5: speakers.alice.reference: no such file: 'alise.wav' (did you mean 'alice.wav'?)"
    ]


def test_a_path_outside_is_refused_and_its_existence_not_told(jobs: JobsFolder) -> None:
    for written in ("/etc/passwd", "../nothing.wav", "a/../../x"):
        assert jobs.problems("x.yaml", f"text: Hi\nreference: {written}") == [
            f"jobs/x.yaml:2:1: reference: '{written}' lies outside of the jobs directory: copy the file into it"
        ]


def test_a_link_does_not_lead_outside(jobs: JobsFolder) -> None:
    (jobs.root / "a.wav").symlink_to("/etc/passwd")
    (jobs.root / "etc").symlink_to("/etc")
    for written in ("a.wav", "etc/passwd"):
        (problem,) = jobs.problems("x.yaml", f"text: Hi\nreference: {written}")
        assert "lies outside of the jobs directory" in problem


def test_a_link_within_the_jobs_directory_is_followed(jobs: JobsFolder) -> None:
    clip = jobs.clip("voices/a.wav")
    (jobs.root / "b.wav").symlink_to("voices/a.wav")
    assert jobs.load("x.yaml", "text: Hi\nreference: b.wav").references == (clip,)


def test_what_is_not_a_file_is_refused(jobs: JobsFolder) -> None:
    (jobs.root / "folder.wav").mkdir()
    os.mkfifo(jobs.root / "pipe.wav")
    jobs.write("empty.wav")
    refused = {"folder.wav": "a folder, not a file", "pipe.wav": "a named pipe, not a file", "empty.wav": "empty"}
    for written, why in refused.items():
        assert jobs.problems("x.yaml", f"text: Hi\nreference: {written}") == [
            f"jobs/x.yaml:2:1: reference: '{written}' is {why}"
        ]


def test_a_clip_over_200_megabytes_is_refused(jobs: JobsFolder) -> None:
    with jobs.clip("huge.wav").open("r+b") as file:
        file.truncate(200_000_001)
    (problem,) = jobs.problems("x.yaml", "text: Hi\nreference: huge.wav")
    assert problem.endswith("'huge.wav' is larger than 200 MB")


def test_a_tilde_is_a_letter_like_any_other(jobs: JobsFolder) -> None:
    (problem,) = jobs.problems("x.yaml", "text: Hi\nreference: ~/a.wav")
    assert problem == "jobs/x.yaml:2:1: reference: no such file: '~/a.wav'"


def test_a_bad_byte_in_the_text_file_is_told_at_its_own_place(jobs: JobsFolder) -> None:
    jobs.write("1.txt", b"one\ntw\xf6\n")
    assert jobs.problems("x.yaml", "text_file: 1.txt") == [
        "jobs/1.txt:2:3: byte 0xf6 is not UTF-8: save the file as UTF-8"
    ]


def test_a_text_file_without_words_is_told_at_the_key(jobs: JobsFolder) -> None:
    jobs.write("1.txt", "\n \n")
    assert jobs.problems("x.yaml", "text_file: 1.txt") == ["jobs/x.yaml:1:1: text_file: there is no text to speak"]


def test_for_a_file_elsewhere_its_own_folder_is_the_root(jobs: JobsFolder, tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "a.wav").write_bytes(b"RIFF")
    file = tmp_path / "desk" / "x.yaml"
    file.write_text("text: Hi\nreference: a.wav")
    assert load_task(file, root=jobs.root).id == "desk/x"

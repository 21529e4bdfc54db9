"""Settings complete each other: the user's, each folder's, the file's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.jobs.helpers import JobsFolder


@pytest.fixture
def user_settings(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "settings.yaml"


def test_the_nearest_file_wins(jobs: JobsFolder, user_settings: Path) -> None:
    user_settings.write_text("temperature: 0.1\nseed: 1\npriority: 1\nmax_retries: 1\n")
    jobs.write("job.yaml", "temperature: 0.2\nseed: 2\npriority: 2")
    jobs.write("book/job.yaml", "temperature: 0.3\nseed: 3")
    task = jobs.load("book/x.yaml", "text: Hi\ntemperature: 0.4", user_settings)
    assert (task.speakers["default"].sampling.temperature, task.seed, task.priority, task.max_retries) == (0.4, 3, 2, 1)


def test_mappings_merge_deeply(jobs: JobsFolder) -> None:
    jobs.write("job.yaml", "speakers: {bob: {temperature: 0.6, top_p: 0.9}, eve: {}}\noutput: {chunk_silence: 1}")
    task = jobs.load("x.yaml", "text: Hi\nspeakers: {bob: {top_p: 0.5}}\noutput: {paragraph_silence: 2}")
    assert set(task.speakers) == {"bob", "eve"}
    assert (task.speakers["bob"].sampling.temperature, task.speakers["bob"].sampling.top_p) == (0.6, 0.5)
    assert (task.output.chunk_silence, task.output.paragraph_silence) == (1.0, 2.0)


def test_null_takes_a_setting_back(jobs: JobsFolder) -> None:
    jobs.write("job.yaml", "seed: 5\nmodel: turbo")
    task = jobs.load("x.yaml", "text: Hi\nseed: null\nmodel: ~")
    assert (task.seed, task.model) == (None, "english")


def test_a_nearer_text_replaces_a_text_file(jobs: JobsFolder) -> None:
    jobs.write("t.txt", "From the folder.")
    jobs.write("job.yaml", "text_file: t.txt")
    assert jobs.load("x.yaml", "seed: 1").text == "From the folder."
    assert jobs.load("y.yaml", "text: Mine.").text == "Mine."
    assert jobs.load("z.txt", "Plain.").text == "Plain."


def test_a_mistake_above_is_told_at_its_own_place_even_if_overridden(jobs: JobsFolder) -> None:
    jobs.write("book/job.yaml", "# voices\ntemperature: 0")
    assert jobs.problems("book/x.yaml", "text: Hi\ntemperature: 1\nsed: 1") == [
        "jobs/book/job.yaml:2:1: temperature: must be at least 0.05: 0 makes the model crash",
        "jobs/book/x.yaml:3:1: sed: unknown setting (did you mean 'seed'?)",
    ]


def test_the_program_s_own_settings_are_passed_over(jobs: JobsFolder, user_settings: Path) -> None:
    user_settings.write_text("app: {theme: dark, anything: [1]}\nmodel: turbo")
    assert jobs.load("x.yaml", "text: Hi", user_settings).model == "turbo"
    jobs.write("job.yaml", "app: {theme: dark}")
    assert jobs.problems("x.yaml") == ["jobs/job.yaml:1:1: app: unknown setting: check its spelling, or remove it"]


def test_the_user_may_name_clips_anywhere(jobs: JobsFolder, user_settings: Path, tmp_path: Path) -> None:
    clip = tmp_path / "config" / "me.wav"
    clip.write_bytes(b"RIFF")
    user_settings.write_text(f"speakers:\n  a: {{reference: me.wav}}\n  b: {{reference: {clip}}}")
    assert jobs.load("x.yaml", "text: Hi", user_settings).references == (clip,)


def test_the_user_s_settings_may_be_a_link_or_missing(jobs: JobsFolder, user_settings: Path, tmp_path: Path) -> None:
    jobs.write("x.yaml", "text: Hi")
    assert jobs.load("x.yaml", None, user_settings).seed is None
    (tmp_path / "dotfile").write_text("seed: 9")
    user_settings.symlink_to(tmp_path / "dotfile")
    assert jobs.load("x.yaml", None, user_settings).seed == 9


def test_a_pipe_called_job_yaml_is_a_problem(jobs: JobsFolder) -> None:
    (jobs.root / "job.yaml").mkdir()
    assert jobs.problems("x.yaml", "text: Hi") == ["jobs/job.yaml: is a folder: put a regular file here"]


def test_a_folder_is_a_job_unless_a_setting_names_it(jobs: JobsFolder) -> None:
    jobs.write("book/job.yaml", "job: My Book")
    assert jobs.load("x.yaml", "text: Hi").job == "jobs"
    assert jobs.load("a/b/x.yaml", "text: Hi").job == "a/b"
    assert jobs.load("book/part1/x.yaml", "text: Hi").job == "My Book"


def test_a_warning_names_the_file_it_comes_from(jobs: JobsFolder) -> None:
    jobs.write("job.yaml", "top_k: 5")
    assert jobs.load("x.yaml", "text: Hi").warnings == ("jobs/job.yaml:1:1: top_k: the model 'english' ignores it",)

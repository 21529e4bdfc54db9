"""Whatever a file or folder is called, and whatever stands in its place: a clear word and the right status."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.home import Home, no_traceback

STRANGE = [
    "two  words",
    "ümläut",
    "emoji 🎉",
    "-dash",
    "--help",
    "[laugh]",
    "100%d",
    "it's",
    'a "quote"',
    "日本",
    "$HOME",
]


def test_files_of_strange_names_render(home: Home) -> None:
    for name in STRANGE:
        home.write(f"{name}.yaml", "text: Hi.")
    ended = home.run()
    assert (ended.status, ended.results) == (0, ["done"] * len(STRANGE))
    for name in STRANGE:
        assert home.final(f"jobs/{name}").is_file()


@pytest.mark.parametrize("arguments", [["./-dash.yaml"], ["--", "-dash.yaml"]])
def test_a_name_with_a_dash_in_front_can_be_given(home: Home, arguments: list[str]) -> None:
    (home.root / "-dash.yaml").write_text("text: Hi.")
    assert home.run(*arguments).results == ["done"]


def test_a_name_with_a_line_break_is_refused_in_one_line(home: Home) -> None:
    home.write("new\nline.yaml", "text: Hi.")
    ended = home.run()
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "control characters" in ended.err


def test_a_name_that_is_not_utf8_is_refused(home: Home) -> None:
    Path(os.fsdecode(bytes(home.jobs) + b"/bad\xff.yaml")).write_text("text: Hi.")
    ended = home.run()
    assert (ended.status, ended.out, no_traceback(ended)) == (2, "", True)
    assert "not UTF-8" in ended.err


def test_folders_above_the_jobs_may_have_any_name(home: Home) -> None:
    odd = Path(os.fsdecode(bytes(home.root) + b"/odd\xff"))
    (odd / "jobs").mkdir(parents=True)
    (odd / "jobs" / "a.yaml").write_text("text: Hi.")
    ended = home.run(odd / "jobs" / "a.yaml")
    assert (ended.status, ended.results, no_traceback(ended)) == (0, ["done"], True)


def test_an_output_folder_that_is_not_utf8_is_used_or_refused_in_words(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    odd = Path(os.fsdecode(bytes(home.root) + b"/odd\xff"))
    ended = home.run("--output-dir", odd)
    assert no_traceback(ended)
    assert ended.status == 0 or "UTF-8" in ended.out + ended.err


@pytest.mark.parametrize("name", ["nowhere.yaml", "nowhere", "nowhere/", "nowhere/a.yaml"])
def test_a_missing_file_is_told(home: Home, name: str) -> None:
    ended = home.run(name)
    assert (ended.status, ended.out, no_traceback(ended)) == (2, "", True)
    assert ended.err.startswith(name.rstrip("/"))
    assert "no such file" in ended.err


def test_a_name_too_long_for_the_disk_is_told(home: Home) -> None:
    ended = home.run("a" * 300 + ".yaml")
    assert (ended.status, ended.out, no_traceback(ended)) == (2, "", True)


def test_an_empty_name_is_not_the_working_directory(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    ended = home.run("")
    assert (ended.status, ended.out, no_traceback(ended)) == (2, "", True)


def test_a_good_file_beside_a_missing_one_renders(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    ended = home.run("jobs/a.yaml", "nowhere.yaml")
    assert (ended.status, ended.results) == (2, ["done"])


def test_a_file_named_twice_renders_once(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    ended = home.run("jobs/a.yaml", "jobs/a.yaml", "./jobs/a.yaml", "jobs")
    assert (ended.status, ended.results) == (0, ["done"])


def test_no_files_at_all_is_told_with_the_folder(home: Home) -> None:
    ended = home.run()
    assert (ended.status, ended.out) == (2, "")
    assert f"no task files in {home.jobs}" in ended.err


def test_a_file_of_another_kind_is_told(home: Home) -> None:
    home.write("a.wav", "RIFF")
    ended = home.run("jobs/a.wav")
    assert (ended.status, ended.out) == (2, "")
    assert "jobs/a.wav: is not a task file" in ended.err


def test_a_file_in_the_place_of_the_output_folder_is_told(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    home.output.write_text("in the way")
    ended = home.run()
    assert (ended.status, ended.results, no_traceback(ended)) == (1, ["failed"], True)
    assert str(home.output) in ended.out
    assert home.output.read_text() == "in the way"


def test_a_file_in_the_place_of_the_state_folder_is_told(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    home.state.write_text("in the way")
    ended = home.run()
    assert ended.status != 0
    assert no_traceback(ended)
    assert str(home.state) in ended.err


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_something_else_in_the_place_of_a_take_is_told_or_replaced(home: Home, kind: str) -> None:
    home.write("a.yaml", "text: Hi.")
    home.run()
    (take,) = (home.runs("jobs/a")[0] / "chunks").glob("*.wav")
    take.unlink()
    take.mkdir() if kind == "folder" else os.mkfifo(take)
    ended = home.run(seconds=10)
    assert no_traceback(ended)
    assert ended.results == (["failed"] if kind == "folder" else ["done"])


def test_a_folder_in_the_place_of_the_finished_file_is_told(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    home.run()
    home.final("jobs/a").unlink()
    home.final("jobs/a").mkdir()
    ended = home.run()
    assert (ended.status, ended.results, no_traceback(ended)) == (1, ["failed"], True)
    assert str(home.final("jobs/a")) in ended.out
    assert home.leftovers() == []


def test_places_are_made_when_they_are_needed(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    ended = home.run("--output-dir", "deep/er/out", "--state-dir", "deep/er/state")
    assert (ended.status, (home.root / "deep/er/out/jobs/a").is_dir()) == (0, True)


def test_without_a_state_folder_the_user_s_own_places_are_used(home: Home) -> None:
    (home.root / "a.yaml").write_text("text: Hi.")
    ended = home.execute([*home.command()[:3], "run", "--engine", "espeak", "a.yaml"])
    assert (ended.status, ended.results) == (0, ["done"])
    assert (home.root / "state" / "cbtui" / "cache-events.jsonl").is_file()
    assert (home.root / "cache" / "cbtui" / "chunks").is_dir()


def test_mistakes_in_other_jobs_are_not_those_of_the_job_that_is_run(home: Home) -> None:
    home.write("book/a.yaml", "text: Hi.")
    home.write("other/bad.yaml", "text: hi\nspeekers: {}\n")
    ended = home.run("--job", "book")
    assert (ended.status, ended.results) == (0, ["done"])
    assert "bad.yaml" not in ended.err
    ended = home.run("--job", "other")
    assert (ended.status, ended.out) == (2, "")
    assert "bad.yaml:2:1" in ended.err


def test_a_job_that_nothing_belongs_to_is_told_also_beside_invalid_files(home: Home) -> None:
    home.write("bad.yaml", "text: hi\nspeekers: {}\n")
    ended = home.run("--job", "nosuch")
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "no task of a job that matches 'nosuch'" in ended.err


def test_what_is_neither_command_nor_folder_is_told(home: Home) -> None:
    ended = home.cbtui("jobz")
    assert (ended.status, ended.out) == (2, "")
    assert "'jobz' is neither a command nor a folder" in ended.err

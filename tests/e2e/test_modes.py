"""`--mode` and `--job` choose what a call is about."""

from __future__ import annotations

import pytest

from tests.e2e.home import Home, no_traceback, paragraphs


@pytest.fixture
def two_jobs(home: Home) -> Home:
    for job in ("job1", "job2"):
        home.write(f"{job}/a.yaml", paragraphs(2, seed=None))
    assert home.run().status == 0
    return home


def _counts(home: Home) -> tuple[int, int]:
    return len(home.runs("job1/a")), len(home.runs("job2/a"))


def test_last_skips_what_is_up_to_date(two_jobs: Home) -> None:
    before = two_jobs.takes("job1/a")
    ended = two_jobs.run("--mode", "last")
    assert (ended.status, ended.results) == (0, ["skipped", "skipped"])
    assert two_jobs.takes("job1/a") == before
    assert _counts(two_jobs) == (1, 1)


def test_new_starts_a_run_with_a_seed_of_its_own(two_jobs: Home) -> None:
    ended = two_jobs.run("--mode", "new", "--job", "job1")
    assert (ended.status, ended.results) == (0, ["done"])
    assert _counts(two_jobs) == (2, 1)
    assert two_jobs.manifest("job1/a")["seed"] == 1


def test_all_brings_every_run_up_to_date(two_jobs: Home) -> None:
    two_jobs.run("--mode", "new", "--job", "job1")
    for run in two_jobs.runs("job1/a"):
        (run / "a.wav").unlink()
    ended = two_jobs.run("--mode", "all")
    assert (ended.status, sorted(ended.results)) == (0, ["done", "done", "skipped"])
    assert all((run / "a.wav").is_file() for run in two_jobs.runs("job1/a"))


def test_last_new_and_all_new_write_finished_files_anew_from_their_takes(two_jobs: Home) -> None:
    two_jobs.run("--mode", "new", "--job", "job1")
    rendered = two_jobs.rendered_keys()
    files = [run / "a.wav" for run in two_jobs.runs("job1/a")]
    whole = [file.read_bytes() for file in files]

    def damage() -> None:
        # As long as before, so that nothing but the mode has them written again.
        for file, content in zip(files, whole, strict=True):
            file.write_bytes(content[:-2] + b"xx")

    def mended() -> list[bool]:
        return [file.read_bytes() == content for file, content in zip(files, whole, strict=True)]

    damage()
    ended = two_jobs.run("--mode", "last-new", "--job", "job1")
    assert (ended.status, ended.results) == (0, ["done"])
    assert mended() == [False, True]
    damage()
    assert two_jobs.run("--mode", "all-new", "--job", "job1").results == ["done", "done"]
    assert mended() == [True, True]
    assert two_jobs.rendered_keys() == rendered


def test_a_mode_for_each_job(two_jobs: Home) -> None:
    ended = two_jobs.run("--mode", "job1:new,job2:all")
    # The file of the new one is put together while the other is found to be up to date.
    assert (ended.status, sorted(ended.results)) == (0, ["done", "skipped"])
    assert _counts(two_jobs) == (2, 1)


def test_jobs_are_found_by_globs_as_in_cbpipe(two_jobs: Home) -> None:
    assert two_jobs.run("--job", "job*").results == ["skipped", "skipped"]
    assert two_jobs.run("--job", "*2").results == ["skipped"]
    assert two_jobs.run("--mode", "job*:last-new").results == ["done", "done"]
    assert _counts(two_jobs) == (1, 1)


def test_a_glob_that_matches_no_job_is_told(two_jobs: Home) -> None:
    ended = two_jobs.run("--job", "book*")
    assert (ended.status, ended.out) == (2, "")
    assert "'book*'" in ended.err


@pytest.mark.parametrize(("mode", "meant"), [("lst", "last"), ("job1:nwe", "new"), ("allnew", "all-new")])
def test_a_wrong_mode_names_the_nearest(home: Home, mode: str, meant: str) -> None:
    ended = home.run("--mode", mode)
    assert (ended.status, ended.out) == (2, "")
    assert f"did you mean '{meant}'?" in ended.err
    assert no_traceback(ended)


def test_an_empty_mode_is_wrong_usage(home: Home) -> None:
    ended = home.run("--mode", "")
    assert (ended.status, no_traceback(ended)) == (2, True)
    assert "unknown mode" in ended.err

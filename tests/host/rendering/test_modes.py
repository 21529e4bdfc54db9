"""`--mode`: which runs a call is about."""

from __future__ import annotations

import pytest

from cbtui.host.rendering.modes import MODES, parse_modes


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_alone_holds_for_every_job(mode: str) -> None:
    assert parse_modes(mode).of("anything") == mode


def test_modes_by_job_leave_the_others_at_last() -> None:
    modes = parse_modes("book:new, podcast:all")
    assert [modes.of(job) for job in ("book", "podcast", "other")] == ["new", "all", "last"]


def test_a_mode_alone_may_stand_beside_modes_by_job() -> None:
    modes = parse_modes("all,book:new")
    assert [modes.of(job) for job in ("book", "other")] == ["new", "all"]


def test_jobs_may_be_globs_and_an_exact_name_goes_first() -> None:
    modes = parse_modes("book*:all,book2:new")
    assert [modes.of(job) for job in ("book1", "book2", "book/part1")] == ["all", "new", "all"]


@pytest.mark.parametrize("text", ["", "newest", "book:", "lsat", "book:neww", ","])
def test_an_unknown_mode_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unknown mode"):
        parse_modes(text)


def test_a_name_that_no_job_has_is_told() -> None:
    modes = parse_modes("book*:new,podcst:all")
    assert modes.idle(["book1", "podcast"]) == ["--mode podcst:all: no job here is called that"]


def test_a_slip_is_answered_with_what_was_meant() -> None:
    with pytest.raises(ValueError, match="did you mean 'last-new'"):
        parse_modes("book:last_new")

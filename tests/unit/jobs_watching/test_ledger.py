"""Looks in, events out, without time or files."""

from __future__ import annotations

from pathlib import Path

from cbtui.core.stamp import Stamp
from cbtui.jobs.watching.ledger import FileEvent, Ledger, Look
from cbtui.jobs.watching.told import FileAppeared, FileChanged, FileRenamed, FileVanished, Rests

RESTS = Rests(brief=1, long=10, gone=5)

SMALL = Stamp(1, 1, 10, 100)
GROWN = Stamp(1, 1, 20, 200)
REPLACED = Stamp(1, 2, 20, 200)
EMPTY = Stamp(1, 1, 0, 100)


def look(ledger: Ledger, at: float, **files: Stamp | None) -> list[FileEvent]:
    """An instant look at everything."""
    return ledger.take(Look(at, at, files, complete=True))


def test_a_file_is_whole_when_two_looks_agree() -> None:
    ledger = Ledger(RESTS)
    assert look(ledger, 0, a=SMALL) == []
    assert look(ledger, 0.9, a=SMALL) == []
    assert look(ledger, 1, a=SMALL) == [FileAppeared(Path("a"), SMALL)]
    assert look(ledger, 2, a=SMALL) == []


def test_a_rest_is_counted_from_the_end_of_one_look_to_the_begin_of_the_next() -> None:
    ledger = Ledger(RESTS)
    ledger.take(Look(0, 5, {"a": SMALL}))
    assert ledger.take(Look(5.5, 9, {"a": SMALL})) == []
    assert ledger.take(Look(6, 6, {"a": SMALL})) == [FileAppeared(Path("a"), SMALL)]


def test_a_file_seen_growing_rests_long() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL)
    look(ledger, 0.5, a=GROWN)
    assert look(ledger, 10, a=GROWN) == []
    assert look(ledger, 10.5, a=GROWN) == [FileAppeared(Path("a"), GROWN)]


def test_a_file_that_grows_soon_after_it_was_told_rests_long() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL)
    look(ledger, 1, a=SMALL)
    look(ledger, 3, a=GROWN)
    assert look(ledger, 5, a=GROWN) == []
    assert look(ledger, 13, a=GROWN) == [FileChanged(Path("a"), GROWN)]


def test_another_file_in_its_place_rests_briefly() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL)
    look(ledger, 1, a=SMALL)
    look(ledger, 3, a=REPLACED)
    assert look(ledger, 4, a=REPLACED) == [FileChanged(Path("a"), REPLACED)]


def test_an_empty_file_rests_long() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=EMPTY)
    assert look(ledger, 9, a=EMPTY) == []
    assert look(ledger, 10, a=EMPTY) == [FileAppeared(Path("a"), EMPTY)]


def test_a_file_held_open_rests_long_but_not_for_ever() -> None:
    ledger = Ledger(RESTS, held_open=lambda path, stamp: True)
    look(ledger, 0, a=SMALL)
    assert look(ledger, 1, a=SMALL) == []
    assert ledger.due() == 10
    assert look(ledger, 10, a=SMALL) == [FileAppeared(Path("a"), SMALL)]


def test_a_file_put_back_before_it_was_missed_is_not_told() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL)
    look(ledger, 1, a=SMALL)
    assert look(ledger, 2) == []
    assert look(ledger, 6, a=SMALL) == []
    assert ledger.due() is None


def test_a_missing_file_vanishes_after_a_rest() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL)
    look(ledger, 1, a=SMALL)
    look(ledger, 2)
    assert look(ledger, 7) == [FileVanished(Path("a"), SMALL)]


def test_the_same_file_under_another_name_is_renamed_one_look_later() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL)
    look(ledger, 1, a=SMALL)
    look(ledger, 2, a=SMALL, b=SMALL)
    assert look(ledger, 3, b=SMALL) == [FileRenamed(Path("a"), Path("b"), SMALL)]
    assert look(ledger, 9, b=SMALL) == []


def test_two_files_that_swap_names_both_changed() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL, b=REPLACED)
    look(ledger, 1, a=SMALL, b=REPLACED)
    look(ledger, 2, a=REPLACED, b=SMALL)
    events = look(ledger, 3, a=REPLACED, b=SMALL)
    assert sorted(events, key=str) == [FileChanged(Path("a"), REPLACED), FileChanged(Path("b"), SMALL)]


def test_what_lies_below_an_unreadable_folder_stands() -> None:
    ledger = Ledger(RESTS)
    files = {"/jobs/book/a": SMALL}
    ledger.take(Look(0, 0, files, complete=True))
    assert len(ledger.take(Look(1, 1, files, complete=True))) == 1
    for at in (2.0, 20.0):
        assert ledger.take(Look(at, at, {}, complete=True, unreadable={"/jobs/book"})) == []
    assert ledger.due() is None
    assert ledger.take(Look(30, 30, files, complete=True)) == []


def test_a_doubted_file_that_changes_is_told_after_a_long_rest() -> None:
    ledger = Ledger(RESTS)
    look(ledger, 0, a=SMALL)
    look(ledger, 1, a=SMALL)
    assert ledger.doubt("a", 1)
    look(ledger, 2, a=REPLACED)
    assert look(ledger, 4, a=REPLACED) == []
    assert look(ledger, 12, a=REPLACED) == [FileChanged(Path("a"), REPLACED)]
    assert not ledger.doubt("a", 20)


def test_an_unknown_file_cannot_be_doubted() -> None:
    assert not Ledger(RESTS).doubt("a", 0)

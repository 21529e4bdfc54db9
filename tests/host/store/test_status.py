"""The steps a task may take."""

from __future__ import annotations

import pytest

from cbtui.core.status import (
    LEGAL_TRANSITIONS,
    SETTLED,
    STATES,
    WAITING,
    IllegalTransition,
    State,
    after_edit,
    after_host_death,
    check_transition,
)


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(LEGAL_TRANSITIONS) == set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_standing_still_is_no_step(state: State) -> None:
    with pytest.raises(IllegalTransition):
        check_transition(state, state)


def test_a_task_is_rendered_from_the_queue_only() -> None:
    assert [state for state in STATES if "rendering" in LEGAL_TRANSITIONS[state]] == ["queued"]


@pytest.mark.parametrize("state", [*WAITING, "rendering"])
def test_what_waits_or_is_rendered_can_be_cancelled(state: State) -> None:
    check_transition(state, "cancelled")


@pytest.mark.parametrize("state", SETTLED)
def test_what_is_settled_only_goes_back_to_the_queue(state: State) -> None:
    assert LEGAL_TRANSITIONS[state] == {"queued"}


@pytest.mark.parametrize("state", WAITING)
def test_what_waits_becomes_invalid_when_its_file_breaks(state: State) -> None:
    check_transition(state, "invalid")
    assert after_edit(state, valid=False) == "invalid"


@pytest.mark.parametrize("state", WAITING)
def test_what_waits_goes_on_waiting_as_it_does_when_its_file_is_edited(state: State) -> None:
    assert after_edit(state, valid=True) == state


@pytest.mark.parametrize("state", ["invalid", *SETTLED])
def test_an_edited_file_puts_its_task_back_into_the_queue(state: State) -> None:
    assert after_edit(state, valid=True) == "queued"


@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_an_edit_goes_where_legal_steps_lead_by_way_of_the_queue_if_need_be(state: State, valid: bool) -> None:
    after = after_edit(state, valid=valid)
    direct = after == state or after in LEGAL_TRANSITIONS[state]
    assert direct or ("queued" in LEGAL_TRANSITIONS[state] and after in LEGAL_TRANSITIONS["queued"])


def test_an_edited_file_does_not_disturb_its_rendering() -> None:
    assert after_edit("rendering", valid=False) == "rendering"


def test_the_third_death_of_the_host_quarantines() -> None:
    assert [after_host_death(deaths) for deaths in (1, 2, 3, 4)] == ["queued", "queued", "quarantined", "quarantined"]


def test_an_illegal_step_says_what_it_was() -> None:
    with pytest.raises(IllegalTransition, match="done cannot become paused"):
        check_transition("done", "paused")

"""Advice in messages: commands for a shell, keys for a screen."""

from __future__ import annotations

from cbtui.actions import actions
from cbtui.core.advice import DOCTOR, RESUME, RETRY_FRESH, in_keys


def test_every_command_that_is_advised_has_a_key() -> None:
    text = f"{RETRY_FRESH}; {RESUME}; see what {DOCTOR} says"
    assert in_keys(text, lambda action: actions()[action].keys) == "R; p; see what D says"


def test_a_message_without_advice_stays_as_it_is() -> None:
    assert in_keys("jobs/a is being rendered", lambda action: "?") == "jobs/a is being rendered"

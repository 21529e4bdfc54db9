"""What messages advise to do, in words for a shell. A screen has keys for the same, by the name of the action."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

RETRY_FRESH = "cbtui retry --fresh"
RESUME = "cbtui resume"
DOCTOR = "cbtui doctor"

_ACTIONS: Mapping[str, str] = {RETRY_FRESH: "retry_fresh", RESUME: "pause", DOCTOR: "doctor"}
_ADVICE = re.compile("|".join(map(re.escape, _ACTIONS)))


def in_keys(text: str, key_of: Callable[[str], str]) -> str:
    """The same message with keys in the place of commands; `key_of` has the key of an action."""
    return _ADVICE.sub(lambda found: key_of(_ACTIONS[found[0]]), text)

"""What a person types into the filter: words, `state:failed`, `job:book*`."""

from __future__ import annotations

from cbtui.core.queue import Filter
from cbtui.core.status import STATES, State


def parse_filter(typed: str) -> Filter:
    """Words must stand in the task's name, in this order; a state may be begun only (`state:f`), and several add up.

    A state that there is not is a word like others, which hardly a name has: nothing fits, rather than everything.
    """
    states: list[State] = []
    job = ""
    words: list[str] = []
    for part in typed.split():
        key, colon, value = part.partition(":")
        named = [state for state in STATES if any(state.startswith(each) for each in value.split(",") if each)]
        if colon and key in {"state", "is"} and named:
            states += named
        elif colon and key == "job" and value:
            job = value
        elif part not in {"state:", "is:", "job:"}:
            words.append(part)
    return Filter(states=tuple(dict.fromkeys(states)), job_glob=job, text=" ".join(words))

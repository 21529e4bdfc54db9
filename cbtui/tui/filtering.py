"""What a person types into the filter: words, `state:failed`, `job:book`."""

from __future__ import annotations

from cbtui.core.queue import Filter
from cbtui.core.status import STATES, State

# A job that is written with one of these is meant as a whole.
_GLOB = frozenset("*?[")


def parse_filter(typed: str) -> Filter:
    """Words must all stand in the task's name; states and a job may be begun only (`state:f`), and states add up.

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
            job = value if _GLOB.intersection(value) else f"{value}*"
        elif part not in {"state:", "is:", "job:"}:
            words.append(part)
    return Filter(states=tuple(dict.fromkeys(states)), job_glob=job, text=" ".join(words))

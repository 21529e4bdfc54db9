"""Ids of tasks for the completion of a shell: quick, and silent about all that goes wrong."""

from __future__ import annotations

import argparse
from glob import escape
from itertools import islice
from typing import TYPE_CHECKING

from cbtui.paths import Places, find_places

if TYPE_CHECKING:
    from cbtui.host.store import Store

MOST = 200
"""More than anybody reads; those who have more type another letter."""


def complete_tasks(prefix: str, parsed_args: argparse.Namespace, **_: object) -> dict[str, str]:
    """At most 200 ids that begin with `prefix`, with their states; none where there is no queue.

    They are those of the jobs directory that the line is about. A completer of argcomplete: to be set as `completer`
    of an argument.
    """
    from cbtui.core.problem import InvalidFile
    from cbtui.host.store import StoreError, attach_store, store_path

    try:
        with attach_store(store_path(_places(parsed_args))) as store:
            return _beginning_with(prefix, store)
    except (StoreError, InvalidFile, OSError):
        return {}


def _places(parsed_args: argparse.Namespace) -> Places:
    """As the command itself would find them. Raises InvalidFile where the user's settings are not in order."""
    from cbtui.settings import load_settings

    jobs, state = (getattr(parsed_args, name, None) for name in ("jobs_dir", "state_dir"))
    settings = load_settings(find_places(jobs=jobs, state=state).user_settings)
    return find_places(jobs=jobs or settings.jobs_dir, state=state or settings.state_dir)


def _beginning_with(prefix: str, store: Store) -> dict[str, str]:
    from cbtui.host.store import Filter

    # An id is its job, a slash, and a name without one: the prefix ends in the job, or in the name behind it.
    rows = store.queue.page(limit=MOST, only=Filter(job_glob=f"{escape(prefix)}*"))
    job, slash, _ = prefix.rpartition("/")
    if slash:
        rows += store.queue.page(limit=MOST, only=Filter(job_glob=escape(job), text=prefix))
    # What a shell could not show, or not read, is left to globs.
    states = {row.id: row.state for row in rows if row.id.startswith(prefix) and row.id.isprintable()}
    return dict(islice(states.items(), MOST))

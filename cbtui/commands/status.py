"""`cbtui status`: the queue, for people and for jq."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cbtui.commands import exits
from cbtui.console import Console, plain_console
from cbtui.host.attaching import open_queue
from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.host.store import Store, TaskRow

VERSION = 1
_PAGE = 500
_SHOWN = 40
_FOLLOW_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    parser.add_argument("--follow", action="store_true", help="a JSON line for each task, then for each change")
    parser.add_argument("--all", action="store_true", help="also what is done, however long the list")


def run(arguments: argparse.Namespace, places: Places) -> int:
    from cbtui.host.store import StoreError

    console = plain_console()
    try:
        if arguments.follow:
            return _follow(console, places)
        store = open_queue(places)
        if store is None:
            return _tell_of_none(console, places, as_json=arguments.json)
        with store:
            if arguments.json:
                for part in _as_json(store, places):
                    console.out.write(part)
                console.result("")
            else:
                _as_table(console, store, places, everything=arguments.all)
    except (StoreError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        console.tell(f"cbtui status: {error}")
        return exits.FAILED
    return exits.DONE


def _tell_of_none(console: Console, places: Places, *, as_json: bool) -> int:
    if as_json:
        queue = {"paused": False, "counts": {}, "seconds_left": None, "swaps_avoided": 0}
        console.result(json.dumps({"version": VERSION, "host": None, "queue": queue, "tasks": []}))
    else:
        console.result(f"No host has served {places.jobs} yet. Start one: cbtui watch {places.jobs}")
    return exits.DONE


def _as_json(store: Store, places: Places) -> Iterator[str]:
    """The object in parts, so that a queue of any length needs little memory."""
    from cbtui.host.summary import host_facts, queue_facts, task_facts

    head = {"version": VERSION, "host": host_facts(places), "queue": queue_facts(store)}
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "tasks": ['
    pace, comma = _pace(store), ""
    for row in _rows(store):
        yield f"{comma}\n  {json.dumps(task_facts(row, pace), ensure_ascii=False)}"
        comma = ","
    yield "]}"


def _rows(store: Store) -> Iterator[TaskRow]:
    page = store.queue.page(limit=_PAGE)
    while page:
        yield from page
        page = store.queue.page(limit=_PAGE, after=page[-1])


def _pace(store: Store) -> Any:
    from cbtui.host.estimates import Pace

    return Pace.of(store.work.speeds())


def _as_table(console: Console, store: Store, places: Places, *, everything: bool) -> None:
    from cbtui.core.status import STATES
    from cbtui.host.store import Filter
    from cbtui.host.summary import host_lines, queue_line, task_line

    for line in host_lines(places):
        console.result(line)
    console.result(f"queue  {queue_line(store)}")
    only = Filter() if everything else Filter(states=tuple(state for state in STATES if state != "done"))
    shown = list(_rows(store)) if everything else list(store.queue.page(limit=_SHOWN, only=only))
    pace = _pace(store)
    width = min(40, max((len(row.id) for row in shown), default=0))
    for row in shown:
        console.result(task_line(row, pace, width))
    more = store.queue.count(only) - len(shown)
    if more > 0:
        console.result(f"and {more} more: cbtui status --all")


def _follow(console: Console, places: Places) -> int:
    """Everything there is, a line each, then a line for each change, until somebody ends it."""
    from cbtui.host.store import StoreError

    told_of_none = False
    while True:
        try:
            store = open_queue(places)
            if store is not None:
                with store:
                    _follow_store(console, store)
        except StoreError:
            # Its host sets it aside, or moves it: the next look finds the new one.
            store = None
        if store is None and not told_of_none:
            told_of_none = True
            console.tell(f"cbtui status: no host has served {places.jobs} yet; waiting for one")
        time.sleep(_FOLLOW_SECONDS)


def _follow_store(console: Console, store: Store) -> None:
    """Ends when the store is another one by now."""
    from cbtui.host.summary import task_facts

    upto = 0
    while store.path.exists():
        changes = store.queue.changed_since(upto)
        if changes.reload:
            return
        pace = _pace(store)
        for row in changes.tasks:
            console.result(json.dumps(task_facts(row, pace), ensure_ascii=False))
        for task in changes.removed if upto else ():
            console.result(json.dumps({"task": task, "state": "removed"}, ensure_ascii=False))
        upto = changes.upto
        if not changes.more:
            time.sleep(_FOLLOW_SECONDS)

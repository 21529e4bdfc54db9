"""`cbtui pause|resume|cancel|retry|remove|move|priority|load|unload|stop`: what a person asks of the host."""

from __future__ import annotations

import argparse

from cbtui.commands import exits
from cbtui.commands.task_names import complete_tasks
from cbtui.console import plain_console
from cbtui.core.task import MODELS
from cbtui.host.attaching import ask_host, open_queue
from cbtui.paths import Places

VERBS = {
    "pause": "halt the queue, or some tasks, at the next chunk border",
    "resume": "go on with the queue, or with some tasks",
    "cancel": "do not render tasks; one that is being rendered ends within a token",
    "retry": "queue tasks that failed, were cancelled or quarantined once more",
    "remove": "take tasks out of the queue; their files and outputs stay",
    "move": "put tasks at a position in the queue; 1 is next",
    "priority": "render tasks before all of less priority",
    "load": "load a model before a task needs it",
    "unload": "let go of a model, or of all, and free their memory",
    "stop": "end the host; what is being rendered goes on with the next one",
}

_TASKS = "names of tasks (job/name or name), or globs such as 'book/*'"


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    if verb in {"load", "unload"}:
        parser.add_argument("model", nargs=None if verb == "load" else "?", choices=MODELS, help="which model")
        return
    if verb == "stop":
        parser.add_argument("--after-chunk", action="store_true", help="once the chunk under way is finished")
        return
    if verb == "priority":
        parser.add_argument("to", type=int, metavar="N", help="0 is usual; more goes before less")
    tasks = parser.add_argument("tasks", nargs="*" if verb in {"pause", "resume"} else "+", metavar="TASK", help=_TASKS)
    tasks.completer = complete_tasks  # type: ignore[attr-defined]
    if verb == "move":
        parser.add_argument("position", type=_position, metavar="POSITION", help="1 is next")
    if verb == "retry":
        parser.add_argument("--fresh", action="store_true", help="as a new run, with another seed; also of done tasks")


def _position(text: str) -> int:
    position = int(text)
    if position < 1:
        raise argparse.ArgumentTypeError("positions begin at 1, which is next")
    return position


def run(arguments: argparse.Namespace, places: Places) -> int:
    from cbtui.host.control import Refused
    from cbtui.host.lock import find_host
    from cbtui.host.store import StoreError

    console = plain_console()
    verb: str = arguments.command
    try:
        if find_host(places) is None:
            _check_without_host(places, verb, getattr(arguments, "tasks", []))
        store = open_queue(places, make=True)
        assert store is not None
        with store:
            command = ask_host(store, places, verb, _arguments(arguments, verb))
    except (Refused, StoreError, OSError) as error:
        console.tell(f"cbtui {verb}: {error}")
        return exits.FAILED
    if command is None:
        console.tell(f"cbtui {verb}: no host of {places.jobs} answers; the command waits in the queue for the next one")
        return exits.DONE
    if command.state == "refused":
        console.tell(f"cbtui {verb}: {command.answer}")
        return exits.FAILED
    console.result(command.answer)
    return exits.DONE


def _check_without_host(places: Places, verb: str, names: list[str]) -> None:
    """Raises Refused for what the next host would refuse, as far as the queue can tell."""
    from cbtui.host.control import Refused, find_named

    if verb == "stop":
        raise Refused(f"no host runs here, for {places.jobs}")
    store = open_queue(places) if names else None
    if store is not None:
        with store:
            find_named(store, names)


def _arguments(arguments: argparse.Namespace, verb: str) -> dict[str, object]:
    """As `cbtui.host.control` and the steward take them."""
    names = ("tasks", "fresh", "to", "after_chunk")
    given = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    if verb == "move":
        given["place"] = arguments.position
    if verb in {"load", "unload"}:
        given["model"] = arguments.model
    return given

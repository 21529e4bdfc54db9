"""Every action of every screen, once: its keys, what the footer calls it, and what it does. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class Action(NamedTuple):
    """`keys` as Textual names them, with commas between. `words` are for the footer, if `shown` there.

    `id` names the action in a keymap; on the queue's screen it is the action itself.
    """

    keys: str
    id: str
    words: str
    meaning: str
    shown: bool = False


QUEUE: tuple[Action, ...] = (
    Action("a", "add", "add", "type or paste a text, or pick files, as new tasks", True),
    Action("enter", "open", "open", "see the whole task with its chunks and its log", True),
    Action("p", "pause", "pause", "pause the marked or current tasks, or let them go on", True),
    Action("x", "cancel", "cancel", "do not render them; one under way ends within a token", True),
    Action("r", "retry", "retry", "queue what failed or was cancelled once more", True),
    Action("R", "retry_fresh", "render anew", "another rendering with another seed, as a run of its own"),
    Action("d", "remove", "remove", "take tasks out of the queue; files and outputs stay", True),
    Action("e", "edit", "edit", "open the task's file in your editor", True),
    Action("o", "play", "play", "play the finished file", True),
    Action("y", "copy_path", "copy path", "copy the finished file's path to the clipboard"),
    Action("K,shift+up", "move_up", "up", "move tasks up in the queue"),
    Action("J,shift+down", "move_down", "down", "move tasks down in the queue"),
    Action("plus,equals_sign", "raise", "priority +", "raise the priority by one"),
    Action("minus", "lower", "priority -", "lower the priority by one"),
    Action("space", "mark", "mark", "mark the task and go on to the next", True),
    Action("V", "mark_range", "mark range", "mark all from the last mark to here"),
    Action("slash", "filter", "filter", "show some tasks: words, state:failed, job:book", True),
    Action("escape", "clear", "clear", "forget marks and filter", True),
    Action("s", "sort", "sort", "sort by queue, name, state, newest"),
    Action("P", "pause_queue", "pause queue", "halt the whole queue at the next chunk border, or go on"),
    Action("h", "take_over", "host", "host this folder where nobody does"),
    Action("m", "models", "models", "what is loaded, and load or unload"),
    Action("c", "cache", "cache", "every cache look-up"),
    Action("l", "log", "log", "what cbtui and the libraries wrote"),
    Action("t", "themes", "theme", "choose the colours"),
    Action("comma", "settings", "settings", "every setting, and where it comes from"),
    Action("D", "doctor", "doctor", "what would stop this machine from rendering"),
)

LIST: tuple[Action, ...] = (
    Action("down,j", "list_down", "down", "one task down"),
    Action("up,k", "list_up", "up", "one task up"),
    Action("pagedown,ctrl+f", "list_page_down", "page down", "one page down"),
    Action("pageup,ctrl+b", "list_page_up", "page up", "one page up"),
    Action("home,g", "list_first", "first", "to the first task"),
    Action("end,G", "list_last", "last", "to the last task"),
)

APP: tuple[Action, ...] = (
    Action("question_mark", "help", "keys", "all keys of this screen", True),
    Action("ctrl+p", "command_palette", "palette", "every action and every task, by name", True),
    Action("q", "quit", "quit", "leave; asks when work is under way; on other screens, back", True),
)

BACK = Action("escape,q", "back", "back", "back to where you came from", True)

_STEPS = (
    Action("j", "line_down", "down", "one line down"),
    Action("k", "line_up", "up", "one line up"),
)
_LINES = (
    *_STEPS,
    Action("home,g", "line_first", "first", "to the first line"),
    Action("end,G", "line_last", "last", "to the last line"),
)

_ON_ONE_TASK = ("pause", "cancel", "retry", "retry_fresh", "remove", "edit", "play", "copy_path")

# Of the other screens, each by the name that its actions' ids begin with.
SCREENS: Mapping[str, tuple[Action, ...]] = {
    "help": (*_LINES, BACK),
    # What acts on a task has the same name, and so the same keys, wherever it is done.
    "task": (
        *(action for action in QUEUE if action.id in _ON_ONE_TASK),
        Action("down,j", "task_list_down", "down", "one chunk down; play and copy path are about the chunk then"),
        Action("up,k", "task_list_up", "up", "one chunk up; above the first, they are about the whole file"),
        Action("pagedown,ctrl+f", "task_list_page_down", "page down", "one page down"),
        Action("pageup,ctrl+b", "task_list_page_up", "page up", "one page up"),
        Action("home,g", "task_list_first", "first", "to the whole file, above the first chunk"),
        Action("end,G", "task_list_last", "last", "to the last chunk"),
        BACK,
    ),
    "models": (
        Action("enter", "models_load", "load", "load the model under the cursor", True),
        Action("u", "models_unload", "unload", "take it out of the memory", True),
        *_LINES,
        BACK,
    ),
    "cache": (
        Action("0", "cache_all", "all", "look-ups of all layers", True),
        Action("1", "cache_model", "models", "look-ups of models alone", True),
        Action("2", "cache_voice", "voices", "look-ups of voices alone", True),
        Action("3", "cache_chunk", "chunks", "look-ups of chunks alone", True),
        Action("w", "cache_why", "why", "why a new process loads the model once more", True),
        *_LINES,
        BACK,
    ),
    "log": (
        Action("slash", "log_search", "search", "search for words, as they are written", True),
        Action("n", "log_next", "next", "the next line that has them", True),
        Action("N", "log_previous", "previous", "the line before that has them"),
        *_STEPS,
        Action("home,g", "log_first", "first", "to the first line"),
        Action("end,G", "log_last", "end", "to the end, and follow what is written", True),
        BACK,
    ),
    "themes": (
        Action("enter", "themes_keep", "keep", "keep these colours, also for the next time", True),
        *(Action(each.keys, f"themes_{each.id}", each.words, each.meaning.replace("task", "theme")) for each in LIST),
        Action("escape,q", "themes_back", "back", "back, in the colours from before", True),
    ),
    "settings": (
        Action("e", "settings_edit", "edit", "open settings.yaml in your editor; makes it where there is none", True),
        *_LINES,
        BACK,
    ),
    "add": (
        Action("ctrl+s", "add_save", "add", "add the text as a task", True),
        Action("ctrl+o", "add_files", "pick files", "add task files with the texts and clips that they name", True),
        Action("escape,q", "add_back", "back", "back to the queue; asks when a text is typed", True),
    ),
    "pick": (
        Action("ctrl+s", "pick_add", "add", "add the marked files, or the one under the cursor", True),
        Action("backspace", "pick_up", "folder above", "show the folder that this one lies in", True),
        Action("escape,q", "pick_back", "back", "back without adding any", True),
    ),
    "doctor": (
        Action("r", "doctor_again", "look again", "look at everything once more", True),
        Action("y", "doctor_copy", "copy fix", "copy the fix under the cursor to the clipboard", True),
        *_LINES,
        BACK,
    ),
}


def actions() -> Mapping[str, Action]:
    """Every action that a keymap may name, by its id."""
    every = [*QUEUE, *LIST, *APP, *(action for screen in SCREENS.values() for action in screen)]
    return {action.id: action for action in every}


def heard_together() -> Iterator[Iterable[Action]]:
    """The actions whose keys are heard at the same time, for each screen."""
    yield (*QUEUE, *LIST, *APP)
    # There, the key that goes back takes the place of the one that leaves.
    yield from ((*screen, *APP[:-1]) for screen in SCREENS.values())

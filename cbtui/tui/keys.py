"""Every key of the queue's screen, once: what the footer shows, what help lists, what a keymap may change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.binding import Binding, BindingType

# Key, action, words for the footer, what it does in a sentence; the action is also the id for a keymap.
_QUEUE: tuple[tuple[str, str, str, str, bool], ...] = (
    ("a", "add", "add", "type or paste a text, or pick files, as new tasks", True),
    ("enter", "open", "open", "see the whole task with its chunks and its log", True),
    ("p", "pause", "pause", "pause the marked or current tasks, or let them go on", True),
    ("x", "cancel", "cancel", "do not render them; one under way ends within a token", True),
    ("r", "retry", "retry", "queue what failed or was cancelled once more", True),
    ("R", "retry_fresh", "render anew", "another rendering with another seed, as a run of its own", False),
    ("d", "remove", "remove", "take tasks out of the queue; files and outputs stay", True),
    ("e", "edit", "edit", "open the task's file in your editor", True),
    ("o", "play", "play", "play the finished file", True),
    ("y", "copy_path", "copy path", "copy the finished file's path to the clipboard", False),
    ("K,shift+up", "move_up", "up", "move tasks up in the queue", False),
    ("J,shift+down", "move_down", "down", "move tasks down in the queue", False),
    ("plus,equals_sign", "raise", "priority +", "raise the priority by one", False),
    ("minus", "lower", "priority -", "lower the priority by one", False),
    ("space", "mark", "mark", "mark the task and go on to the next", True),
    ("V", "mark_range", "mark range", "mark all from the last mark to here", False),
    ("escape", "clear", "clear", "forget marks and filter", False),
    ("slash", "filter", "filter", "show some tasks: words, state:failed, job:book", True),
    ("s", "sort", "sort", "sort by queue, name, state, newest", False),
    ("P", "pause_queue", "pause queue", "halt the whole queue at the next chunk border, or go on", False),
    ("h", "take_over", "host", "host this folder where nobody does", False),
    ("m", "models", "models", "what is loaded, and load or unload", False),
    ("c", "cache", "cache", "every cache look-up", False),
    ("l", "log", "log", "what cbtui and the libraries wrote", False),
    ("t", "themes", "theme", "choose the colours", False),
    ("comma", "settings", "settings", "every setting, and where it comes from", False),
    ("D", "doctor", "doctor", "what would stop this machine from rendering", False),
)

_LIST: tuple[tuple[str, str, str], ...] = (
    ("down,j", "down", "one task down"),
    ("up,k", "up", "one task up"),
    ("pagedown,ctrl+f", "page_down", "one page down"),
    ("pageup,ctrl+b", "page_up", "one page up"),
    ("home,g", "first", "to the first task"),
    ("end,G", "last", "to the last task"),
)

_APP: tuple[tuple[str, str, str, str], ...] = (
    ("question_mark", "help", "keys", "all keys of this screen"),
    ("ctrl+p", "command_palette", "palette", "every action and every task, by name"),
    ("q", "quit", "quit", "leave; asks when work is under way"),
)


def queue_bindings() -> list[BindingType]:
    """Those of the screen, and those of the list on it."""
    actions: list[BindingType] = [
        Binding(key, action, words, show=shown, tooltip=meaning, id=action)
        for key, action, words, meaning, shown in _QUEUE
    ]
    return actions + [
        Binding(key, f"list_{action}", meaning, show=False, id=f"list_{action}") for key, action, meaning in _LIST
    ]


def app_bindings() -> list[BindingType]:
    return [Binding(key, action, words, tooltip=meaning, id=action) for key, action, words, meaning in _APP]


def described() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """For the help screen: groups of (id, keys, meaning)."""
    return [
        ("Tasks", [(action, key, meaning) for key, action, _, meaning, _ in _QUEUE]),
        ("Moving", [(f"list_{action}", key, meaning) for key, action, meaning in _LIST]),
        ("Everywhere", [(action, key, meaning) for key, action, _, meaning in _APP]),
    ]


def clashes(keymap: Mapping[str, str]) -> list[str]:
    """What is wrong with a person's keymap: names that are no action, and keys that would do two things."""
    default = {action: keys for _, group in described() for action, keys, _ in group}
    found = [f"keys.{name}: there is no such action" for name in keymap if name not in default]
    users: dict[str, list[str]] = {}
    for action, keys in {**default, **{name: keys for name, keys in keymap.items() if name in default}}.items():
        for key in _split(keys):
            users.setdefault(key, []).append(action)
    return found + [
        f"the key {key} is asked to do several things: {', '.join(actions)}"
        for key, actions in users.items()
        if len(actions) > 1
    ]


def _split(keys: str) -> Iterable[str]:
    return (key.strip() for key in keys.split(",") if key.strip())

"""Keys as Textual takes them: bindings with ids, which a keymap may change, and what help says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from textual.binding import Binding, BindingType

from cbtui.actions import APP, LIST, QUEUE, SCREENS, Action, actions, heard_together

Described = list[tuple[str, list[tuple[str, str, str]]]]

# Other keys reach the app by way of the widget with the focus, and what comes right behind them, as it does on a slow
# line, is heard as keys of the screen below.
_OPEN_A_FIELD = frozenset({"add", "filter", "log_search", "command_palette"})

# A list hears enter itself, and takes a click for it too; nobody wants gigabytes loaded by a click.
_BEFORE_A_LIST = frozenset({"models_load"})

# Where a terminal has nothing but ASCII; Textual's own signs for these are arrows and the like.
_ASCII_NAMES = {"up": "up", "down": "down", "left": "left", "right": "right", "enter": "enter", "backspace": "bksp"}


def queue_bindings() -> list[BindingType]:
    """Those of the screen, and those of the list on it."""
    return [*_bindings(QUEUE), *(_binding(action, action.id, shown=False) for action in LIST)]


def app_bindings() -> list[BindingType]:
    return list(_bindings(APP))


def screen_bindings(name: str) -> list[BindingType]:
    """Those of another screen; the id of an action begins with the screen's name, the action itself does not."""
    return [_binding(action, action.id.removeprefix(f"{name}_")) for action in SCREENS[name]]


def _bindings(table: Iterable[Action]) -> Iterator[BindingType]:
    return (_binding(action, action.id) for action in table)


def _binding(action: Action, name: str, *, shown: bool | None = None) -> BindingType:
    return Binding(
        action.keys,
        name,
        action.words,
        show=action.shown if shown is None else shown,
        tooltip=action.meaning,
        id=action.id,
        priority=action.id in _OPEN_A_FIELD | _BEFORE_A_LIST,
    )


def described(bindings: Iterable[BindingType] | None = None) -> Described:
    """For the help screen: groups of (id, keys, meaning). Without `bindings`, those of the queue's screen.

    With those of another screen: its own, and the keys of the whole app that it leaves alone.
    """
    if bindings is None:
        return [("Tasks", _described(QUEUE)), ("Moving", _described(LIST)), ("Everywhere", _described(APP))]
    own: dict[str, tuple[str, list[str], str]] = {}
    for binding in Binding.make_bindings(bindings):
        meaning = binding.tooltip or binding.description
        if meaning:
            own.setdefault(binding.action, (binding.id or "", [], meaning))[1].append(binding.key)
    taken = {key for _, keys, _ in own.values() for key in keys}
    everywhere = [action for action in APP if not taken & set(split(action.keys))]
    return [
        ("This screen", [(name, ",".join(keys), meaning) for name, keys, meaning in own.values()]),
        ("Everywhere", _described(everywhere)),
    ]


def _described(table: Iterable[Action]) -> list[tuple[str, str, str]]:
    return [(action.id, action.keys, action.meaning) for action in table]


def clashes(keymap: Mapping[str, str]) -> list[str]:
    """What is wrong with a person's keymap: names that are no action, and keys that would do two things."""
    known = actions()
    found = [f"keys.{name}: there is no such action" for name in keymap if name not in known]
    for together in heard_together():
        users: dict[str, list[str]] = {}
        for action in together:
            for key in split(keymap.get(action.id, action.keys)):
                users.setdefault(key, []).append(action.id)
        found += [
            f"the key {key} is asked to do several things: {', '.join(ids)}"
            for key, ids in users.items()
            if len(ids) > 1
        ]
    return list(dict.fromkeys(found))


def split(keys: str) -> list[str]:
    """The keys of a list with commas, as Textual names them."""
    given = [Binding(key, "") for key in keys.split(",") if key.strip()]
    return [binding.key for binding in Binding.make_bindings(given)]


def in_ascii(key: str) -> str | None:
    """What to call this key where there is only ASCII; None where Textual's own word for it will do."""
    *modifiers, last = key.split("+")
    return "+".join([*modifiers, _ASCII_NAMES[last]]) if last in _ASCII_NAMES else None

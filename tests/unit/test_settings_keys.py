"""Keys of a person's own, from settings.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App
from textual.binding import Binding

from cbtui.actions import actions
from cbtui.core.problem import InvalidFile
from cbtui.settings import load_settings
from cbtui.settings_keys import check_keys


def loaded(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return dict(load_settings(path).keys)


def test_keys_are_read_by_action(tmp_path: Path) -> None:
    keys = loaded(tmp_path, "app:\n  keys: {pause: f5, retry: [r, Ctrl+R], filter: /, mark: ' ', models_load: L}\n")
    assert keys == {"pause": "f5", "retry": "r,ctrl+r", "filter": "slash", "mark": "space", "models_load": "L"}


def test_a_file_without_keys_changes_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, "app:\n  keys:\n  device: cpu\n") == {}


def test_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as raised:
        loaded(tmp_path, "app:\n  keys:\n    puase: f5\n    cancel: ctrl-x\n    retry: {}\n")
    assert [str(problem).partition("settings.yaml:")[2] for problem in raised.value.problems] == [
        "3:5: app.keys.puase: unknown action (did you mean 'pause'?)",
        "4:5: app.keys.cancel: there is no key 'ctrl-x' (did you mean 'ctrl+x'?)",
        "5:5: app.keys.retry: must be a key, or a list of keys, not a mapping",
    ]


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("p", "p"),
        ("P", "P"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        (",", "comma"),
        ("f12, ctrl+r", "f12,ctrl+r"),
        ("shift+ctrl+up", "ctrl+shift+up"),
        ("ctrl+m", "enter"),
        ("PageDown", "pagedown"),
        ("ä", "ä"),
    ],
)
def test_a_key_is_named_as_textual_names_it(said: str, key: str) -> None:
    assert check_keys(said) == key


@pytest.mark.parametrize("said", ["", "a,", "esc", "ctrl+", "hyperspace+a", "shift+p", "f25", "\u200b", "ab"])
def test_what_no_terminal_sends_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"key|write that"):
        check_keys(said)


def test_every_character_has_the_name_that_textual_gives_it() -> None:
    for character in map(chr, range(33, 127)):
        (binding,) = Binding.make_bindings([Binding("comma" if character == "," else character, "")])
        assert check_keys(character) == binding.key


def test_every_default_key_may_be_written_as_a_setting() -> None:
    for action in actions().values():
        assert check_keys(action.keys) == action.keys


def test_an_app_takes_what_is_read() -> None:
    App[None]().set_keymap({name: action.keys for name, action in actions().items()})

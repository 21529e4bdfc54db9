"""The program's own settings, from the user's settings.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.cli import main
from cbtui.commands import demo
from cbtui.core.problem import InvalidFile
from cbtui.host.options import HookCommands, HostOptions
from cbtui.settings import Settings, load_settings


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return path


def test_a_missing_file_sets_nothing(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.yaml") == Settings()


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "app:\n  output_dir: books\n  device: cuda\n"))
    assert settings == Settings(output_dir=str(tmp_path / "books"), device="cuda")


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "app: {model_dir: ~/models}"))
    assert settings.model_dir == str(Path("~/models").expanduser())


def test_settings_of_tasks_beside_them_are_not_their_concern(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "temperature: 0.7\n")) == Settings()


def test_all_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as raised:
        load_settings(written(tmp_path, "app:\n  output_dri: books\n  log_level: LOUD\n"))
    first, second = raised.value.problems
    assert (first.line, first.column) == (2, 3)
    assert "unknown setting (did you mean 'output_dir'?)" in first.message
    assert second.line == 3
    assert "must be debug, info, warning or error" in second.message


def problem(tmp_path: Path, setting: str) -> str:
    """What is said of one setting, written beneath `app:`, with its place."""
    with pytest.raises(InvalidFile) as raised:
        load_settings(written(tmp_path, f"app:\n  {setting}\n"))
    (found,) = raised.value.problems
    return f"{found.line}:{found.column}: {found.message}"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("'90'", 90.0),
        ("30 s", 30.0),
        ("30 min", 1800.0),
        ("30m", 1800.0),
        ("1.5 hours", 5400.0),
        ("2 h", 7200.0),
        ("1 day", 86_400.0),
        ("never", None),
        ("Off", None),
        ("no", None),
        ("null", None),
        ("", None),
    ],
)
def test_how_long_models_stay_is_said_as_people_say_it(tmp_path: Path, said: str, seconds: float | None) -> None:
    assert load_settings(written(tmp_path, f"app:\n  idle_unload: {said}\n")).host.idle_unload == seconds


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("soon", "must be seconds, or a time such as '30 min' or '2 h', not 'soon'"),
        ("30 parsecs", "must be seconds, or a time such as '30 min' or '2 h', not '30 parsecs'"),
        ("yes", "must be seconds, or a time such as '30 min' or '2 h', not 'yes'"),
        ("true", "must be seconds, or a time such as '30 min' or '2 h', not 'true'"),
        ("[1]", "must be seconds, or a time such as '30 min' or '2 h', not a list"),
        ("0", "must be above 0: 'never' keeps models in memory"),
        ("0 min", "must be above 0: 'never' keeps models in memory"),
        ("-5", "must be above 0: 'never' keeps models in memory"),
        (".nan", "must be a finite number, not '.nan'"),
        ("11 days", "must be at most 864000: 'never' keeps models in memory"),
    ],
)
def test_what_is_no_time_is_told_with_its_place(tmp_path: Path, said: str, words: str) -> None:
    assert problem(tmp_path, f"idle_unload: {said}") == f"2:3: app.idle_unload: {words}"


def test_how_many_may_overtake_is_a_whole_number(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "app: {overtake: 0}")).host.overtake == 0
    assert load_settings(written(tmp_path, "app: {overtake: null}")).host.overtake == HostOptions().overtake
    assert problem(tmp_path, "overtake: 1.5") == "2:3: app.overtake: must be a whole number, not '1.5'"
    assert problem(tmp_path, "overtake: 1001") == "2:3: app.overtake: must be at most 1000"


@pytest.mark.parametrize(
    ("said", "notify"),
    [("off", "off"), ("no", "off"), ("'false'", "off"), ("Bell", "bell"), ("osc9", "osc9"), ("null", "osc9")],
)
def test_how_a_terminal_is_told(tmp_path: Path, said: str, notify: str) -> None:
    assert load_settings(written(tmp_path, f"app: {{notify: {said}}}")).notify == notify


def test_another_way_to_tell_a_terminal_is_a_mistake(tmp_path: Path) -> None:
    expected = "2:3: app.notify: must be off, bell or osc9, not 'bel' (did you mean 'bell'?)"
    assert problem(tmp_path, "notify: bel") == expected


def test_commands_are_lists_of_words_or_text_that_is_split(tmp_path: Path) -> None:
    text = """
app:
  hooks:
    task_done: notify-send "a task" is\\ done
    task_failed:
      - mail
      - -s
      - 42
      - ""
      - |
        a text
        of two lines
    queue_empty: [sh, -c, 'cat > x; echo $HOME']
    seconds: 1 min
"""
    assert load_settings(written(tmp_path, text)).host.hooks == HookCommands(
        task_done=("notify-send", "a task", "is done"),
        task_failed=("mail", "-s", "42", "", "a text\nof two lines\n"),
        queue_empty=("sh", "-c", "cat > x; echo $HOME"),
        seconds=60.0,
    )


@pytest.mark.parametrize("said", ["null", "''", "[]", "{}"])
def test_no_command_is_a_command_too(tmp_path: Path, said: str) -> None:
    setting = f"app: {{hooks: {said if said == '{}' else f'{{task_done: {said}}}'}}}"
    assert load_settings(written(tmp_path, setting)).host == HostOptions()


def test_a_program_given_as_a_path_is_found_from_the_file_s_folder(tmp_path: Path) -> None:
    hooks = load_settings(
        written(tmp_path, "app:\n  hooks: {task_done: bin/told x/y, task_failed: [~/told], queue_empty: /bin/true}\n")
    ).host.hooks
    assert hooks.task_done == (str(tmp_path / "bin/told"), "x/y")
    assert hooks.task_failed == (str(Path("~/told").expanduser()),)
    assert hooks.queue_empty == ("/bin/true",)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{a: b}", "must be a command: text, or a list of words, not a mapping"),
        ("[a, [b]]", "word 2 must be text, not a list"),
        ("[a, b, null]", "word 3 is empty: write '' if that is meant"),
        ("['', b]", "must begin with the name of a program"),
        ("'say \"hello'", "has a quote or a backslash without its end: write a list of words instead"),
        ("'jq . | mail me'", "'|' needs a shell, and none runs it: write [sh, -c, '...']"),
    ],
)
def test_what_is_no_command_is_told_with_its_place(tmp_path: Path, said: str, words: str) -> None:
    assert problem(tmp_path, f"hooks:\n    task_done: {said}") == f"3:5: app.hooks.task_done: {words}"


def test_mistakes_within_hooks_are_told_with_all_others(tmp_path: Path) -> None:
    text = "app:\n  notfy: bell\n  hooks:\n    task_fail: x\n    seconds: 0\n  overtake: x\n"
    with pytest.raises(InvalidFile) as raised:
        load_settings(written(tmp_path, text))
    told = {(each.line, each.message) for each in raised.value.problems}
    assert told == {
        (2, "app.notfy: unknown setting (did you mean 'notify'?)"),
        (4, "app.hooks.task_fail: unknown setting (did you mean 'task_failed'?)"),
        (5, "app.hooks.seconds: must be above 0"),
        (6, "app.overtake: must be a number, not 'x'"),
    }


@pytest.mark.parametrize("setting", ["hooks: notify-send", "hooks: [a]", "hooks: ''"])
def test_hooks_are_a_mapping(tmp_path: Path, setting: str) -> None:
    assert problem(tmp_path, setting) == "2:3: app.hooks: must be a mapping of settings"


@pytest.mark.parametrize("text", ["", "app: {overtake: 3, device: cuda}"])
def test_a_command_gets_the_settings_whether_there_are_any_or_not(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(demo, "run", lambda arguments, places: seen.append(arguments.settings) or 0)
    (tmp_path / "cbtui").mkdir()
    if text:
        written(tmp_path / "cbtui", text)
    assert main(["demo"]) == 0
    assert seen == [Settings(device="cuda", host=HostOptions(overtake=3)) if text else Settings()]

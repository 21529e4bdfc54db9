"""Every setting: what it is, where that comes from, and the file that names them all."""

from __future__ import annotations

import re

import pytest

from cbtui.jobs.schema import known_keys
from cbtui.paths import Places
from cbtui.settings import Settings, load_settings
from cbtui.settings_catalogue import APP, TASKS, template
from cbtui.settings_listing import Listed, list_settings


def write(places: Places, text: str) -> Settings:
    """The settings of a process that starts with this file."""
    places.config.mkdir(parents=True, exist_ok=True)
    places.user_settings.write_text(text)
    return load_settings(places.user_settings)


def listed(places: Places, started_with: Settings | None = None, **given: str) -> dict[str, Listed]:
    listing = list_settings(places, started_with or Settings(), given)
    assert not listing.problems
    return {each.known.name: each for each in listing.settings}


def facts(each: Listed) -> tuple[str, str, str]:
    return each.value, each.source, each.later


def test_every_setting_of_a_task_is_in_the_catalogue() -> None:
    below = {"chunking": "chunking.{}", "output": "output.{}"}
    names = {name for name in known_keys(()) if name not in below}
    names |= {form.format(name) for section, form in below.items() for name in known_keys((section,))}
    assert {known.name for known in TASKS} == names - {"text", "text_file"}


def test_every_setting_of_the_program_is_in_the_catalogue() -> None:
    names = {known.name.removeprefix("app.").partition(".")[0] for known in APP}
    kept = set(Settings.__dataclass_fields__) | set(type(Settings().host).__dataclass_fields__)
    assert names == kept - {"host"}


def test_the_template_sets_nothing(places: Places) -> None:
    assert write(places, template()) == Settings()
    assert listed(places)["temperature"].source == "built-in"


def test_all_of_the_template_may_be_used(places: Places) -> None:
    clip = places.config / "voices" / "reader.wav"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"RIFF")
    used = re.sub(r"(?m)^( *)# ([a-z_ ]+:)", r"\1\2", template())
    settings = write(places, used)
    assert settings.host.idle_unload == 1800
    assert settings.keys == {"pause": "f5"}
    rows = listed(places, settings)
    assert {each.source for each in rows.values()} & {"built-in"} <= {"built-in"}
    assert rows["output.chunk_silence"].source.startswith("settings.yaml:")
    assert facts(rows["app.hooks.task_done"])[0] == "notify-send 'a task is done'"


def test_without_a_file_all_is_built_in(places: Places) -> None:
    rows = listed(places)
    assert facts(rows["app.device"]) == ("auto", "built-in", "")
    assert facts(rows["temperature"]) == ("0.8", "built-in", "")
    assert facts(rows["repetition_penalty"])[0] == "english 1.2, multilingual 2, turbo 1.2"
    assert facts(rows["top_k"])[0] == "1000, for turbo alone"
    assert rows["app.jobs_dir"].value == str(places.jobs)


def test_the_file_is_named_with_the_line(places: Places) -> None:
    settings = write(
        places, "app:\n  device: cuda\n  idle_unload: 30 min\ntemperature: 0.6\noutput: {chunk_silence: 1}\n"
    )
    rows = listed(places, settings)
    assert facts(rows["app.device"]) == ("cuda", "settings.yaml:2", "")
    assert facts(rows["app.idle_unload"]) == ("30 min 00 s", "settings.yaml:3", "")
    assert facts(rows["temperature"]) == ("0.6", "settings.yaml:4", "")
    assert facts(rows["output.chunk_silence"]) == ("1", "settings.yaml:5", "")


def test_the_command_line_wins(places: Places) -> None:
    settings = write(places, "app: {device: cuda}\nmodel: turbo\n")
    rows = listed(places, settings, device="cpu", model="english")
    assert facts(rows["app.device"]) == ("cpu", "command line", "")
    assert facts(rows["model"]) == ("english", "command line", "")


def test_a_folder_s_own_settings_count_for_its_tasks(places: Places) -> None:
    write(places, "temperature: 0.6\nseed: 1\n")
    places.jobs.mkdir()
    (places.jobs / "job.yaml").write_text("\ntemperature: 0.5\n")
    rows = listed(places)
    assert facts(rows["temperature"]) == ("0.5", "job.yaml:2", "")
    assert facts(rows["seed"]) == ("1", "settings.yaml:2", "")


def test_a_change_of_the_program_s_waits_for_the_next_start(places: Places) -> None:
    settings = write(places, "app: {overtake: 3}\n")
    write(places, "app:\n  device: mps\n")
    rows = listed(places, settings)
    assert facts(rows["app.device"]) == ("auto", "built-in", "mps, settings.yaml:2")
    assert facts(rows["app.overtake"]) == ("3", "settings.yaml, since changed", "8, built-in")


def test_mistakes_are_told_and_the_rest_is_listed(places: Places) -> None:
    places.config.mkdir()
    places.user_settings.write_text("app: {devise: '[/]'}\ntemperature: 99\nseed: 5\n")
    listing = list_settings(places, Settings(), {})
    assert [each.partition(": ")[0] for each in listing.problems] == ["settings.yaml:1:7", "settings.yaml:2:1"]
    rows = {each.known.name: each for each in listing.settings}
    assert rows["seed"].value == "5"
    assert rows["temperature"].source == "built-in"


@pytest.mark.parametrize("content", [b"app: [", b"a: \xff\xff", b"a: &x 1\nb: *x\n", b"[1, 2]", b"app: 3"])
def test_whatever_the_file_holds_there_is_a_list(places: Places, content: bytes) -> None:
    places.config.mkdir()
    places.user_settings.write_bytes(content)
    listing = list_settings(places, Settings(), {})
    assert listing.problems
    assert len(listing.settings) == len(APP) + len(TASKS)
    assert len(set(listing.problems)) == len(listing.problems)


def test_a_folder_in_the_file_s_place_is_told(places: Places) -> None:
    places.user_settings.mkdir(parents=True)
    assert list_settings(places, Settings(), {}).settings

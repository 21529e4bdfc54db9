"""A text without a file becomes a task under a name of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cbtui.core.problem import InvalidFile
from cbtui.jobs.safe_open import TEXT_LIMIT
from cbtui.jobs.typed_text import MAX_NAME_LENGTH, name_for, with_settings
from tests.unit.jobs.drafts import typed
from tests.unit.jobs.helpers import JobsFolder


def test_a_text_is_named_by_its_first_words(jobs: JobsFolder) -> None:
    added = typed(jobs, "Hello, World! This is said.", job="book")
    assert (added.outcome, added.task, added.path.name) == (
        "added",
        "book/hello-world-this-is-said",
        "hello-world-this-is-said.txt",
    )
    assert added.path.read_text() == "Hello, World! This is said."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Don't stop.", "don-t-stop"),
        ("<speaker:bob> [laugh] Well.\nThen.", "well-then"),
        ("---\nseed: 5\n---\nBelow.", "below"),
        ("---\nA rule at the top.", "a-rule-at-the-top"),
        ("नमस्ते दुनिया", "नमस्ते-दुनिया"),
        ("日本語のテキスト。" * 9, ("日本語のテキスト-" * 9)[:35]),
        ("ÜBER u\N{COMBINING DIAERESIS}ber", "über-über"),
        ("x" * 99, "x" * MAX_NAME_LENGTH),
        ("../../etc/passwd", "etc-passwd"),
        ("[laugh]", "task"),
        ("\x1b]0;x\x07", "0-x"),
        ("one two three four five six seven eight nine ten", "one-two-three-four-five-six-seven-eight"),
    ],
)
def test_names_are_slugs_of_any_script(text: str, name: str) -> None:
    assert name_for(text) == name


def test_texts_never_take_one_another_s_names(jobs: JobsFolder) -> None:
    jobs.write("hello.yaml", "text: Hi.")
    jobs.write("hello-3.txt", "Hi.")
    assert [typed(jobs, "Hello.").path.name for _ in range(3)] == ["hello-2.txt", "hello-4.txt", "hello-5.txt"]
    assert typed(jobs, "Bye.", name="hello").task == "jobs/hello-6"


def test_a_name_that_is_taken_in_the_last_moment_is_left_alone(
    jobs: JobsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_second(source: Path, target: Path) -> None:
        if target.name == "hello.txt":
            target.write_text("Somebody else's.")
        link(source, target)

    monkeypatch.setattr(os, "link", link_second)
    assert typed(jobs, "Hello.").path.name == "hello-2.txt"
    assert (jobs.root / "hello.txt").read_text() == "Somebody else's."


def test_options_become_settings_of_the_text(jobs: JobsFolder) -> None:
    jobs.write("job.yaml", 'speakers: {"no": {}}')
    settings: dict[str, str | int] = {"engine": "espeak", "speaker": "no", "seed": 5, "priority": -2}
    added = typed(jobs, "---\nHello.", settings=settings)
    task = jobs.load(added.path.name)
    assert (task.engine, task.default_speaker, task.seed, task.priority) == ("espeak", "no", 5, -2)
    assert task.text == "---\nHello."


def test_front_matter_is_passed_on_as_it_is(jobs: JobsFolder) -> None:
    text = "---\r\nseed: 7 # mine\r\n---\r\nHello."
    added = typed(jobs, text)
    assert added.path.read_bytes() == text.encode()
    with pytest.raises(
        InvalidFile, match=r"^stdin: the text begins with settings of its own: use those or the options"
    ):
        typed(jobs, text, settings={"seed": 5})


@pytest.mark.parametrize("value", ['a"\ntempo: 1', "\udcff", "🎉", "<bob>", "x" * 300])
def test_hostile_options_are_no_more_than_values(jobs: JobsFolder, value: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        typed(jobs, "Hello.", settings={"speaker": value})
    (problem,) = refused.value.problems
    assert str(problem).startswith("stdin: speaker: ")
    assert list(jobs.root.iterdir()) == []


@pytest.mark.parametrize("text", ["", " \n\t", "...", "---\nseed: 5\n---\n"])
def test_a_text_without_words_is_refused(jobs: JobsFolder, text: str) -> None:
    with pytest.raises(InvalidFile, match="stdin: there is no text to speak"):
        typed(jobs, text)
    assert list(jobs.root.iterdir()) == []


def test_places_in_a_text_s_own_settings_are_told(jobs: JobsFolder) -> None:
    with pytest.raises(InvalidFile, match=r"^stdin:3:1: tempo: unknown setting"):
        typed(jobs, "---\nseed: 5\ntempo: 1\n---\nHello.")


def test_a_text_that_options_make_too_long_is_refused(jobs: JobsFolder) -> None:
    with pytest.raises(InvalidFile, match=r"^stdin: is larger than 16 MiB"):
        typed(jobs, "x" * TEXT_LIMIT, settings={"seed": 5})


def test_settings_stand_in_lines_of_their_own() -> None:
    assert with_settings("Hello.", {"seed": 5, "speaker": "al"}) == '---\nseed: 5\nspeaker: "al"\n---\nHello.'

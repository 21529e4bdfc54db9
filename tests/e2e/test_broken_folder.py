"""A folder full of broken files: each gets its answer, and the good ones render."""

from __future__ import annotations

import codecs
import os
import re

import pytest

from tests.e2e.home import Home, no_traceback

# Name -> content and what the one line about it says behind the file's name.
BROKEN: dict[str, tuple[bytes, str]] = {
    "syntax.yaml": (b"text: [Hi\n", r"2:1: expected"),
    "tab.yaml": (b"text: Hi\nspeakers:\n\tbob: {}\n", r"3:1: .*tabs"),
    "type.yaml": (b"text: {a: b}\n", r"1:1: text: must be text"),
    "range.yaml": (b"text: Hi\ntemperature: 9\n", r"2:1: temperature: must be at most"),
    "alias.yaml": (b"text: &a Hi\n", r"1:7: text: anchors and aliases"),
    "deep.yaml": (b"text: " + b"[" * 30_000, r"1:\d+: nested deeper"),
    "latin1.yaml": ("text: Grüße\n".encode("latin-1"), r"1:9: byte 0xfc is not UTF-8"),
    "nul.yaml": (b"text: Hi\0there\n", r"1:9: holds a NUL byte"),
    "huge.yaml": (b"text: " + b"word " * 400_000, r"is larger than 1 MiB"),
    "clip.yaml": (b"text: Hi\nreference: nowhere.wav\n", r"2:1: reference: no such file: 'nowhere.wav'"),
    "outside.yaml": (b"text_file: ../../etc/passwd\n", r"1:1: text_file: .*outside of the jobs directory"),
    "silent.yaml": (b"text: '...'\n", r"1:1: text: there is no text to speak"),
    "unknown.yaml": (b"text: Hi\nexageration: 1\n", r"2:1: exageration: unknown setting \(did you mean"),
    "broken.txt": (b"---\nseed: x\n---\nHi\n", r"2:1: seed: must be a number"),
    "binary.txt": (bytes(range(256)) * 20, r"3:115: byte 0x80 is not UTF-8"),
}
GOOD: dict[str, bytes] = {
    "good.yaml": b"text: All is well.\n",
    "bom.yaml": codecs.BOM_UTF8 + b"text: All is well here too.\n",
    "utf16.yaml": "text: Wide letters.\n".encode("utf-16"),
    "plain.txt": b"Just text.\n",
}


def _fill(home: Home) -> None:
    for name, (content, _) in BROKEN.items():
        home.write(name, content)
    for name, content in GOOD.items():
        home.write(name, content)
    os.mkfifo(home.jobs / "pipe.yaml")


def test_each_broken_file_has_its_answer_and_the_good_ones_render(home: Home) -> None:
    _fill(home)
    ended = home.run()
    assert (ended.status, ended.results) == (2, ["done"] * len(GOOD))
    assert no_traceback(ended)
    told = [line for line in ended.err.splitlines() if line.startswith("jobs/")]
    expected = {**{name: says for name, (_, says) in BROKEN.items()}, "pipe.yaml": "is a named pipe"}
    for name, says in expected.items():
        (line,) = [line for line in told if line.startswith(f"jobs/{name}:")]
        assert re.fullmatch(rf"jobs/{re.escape(name)}:\s?{says}.*", line), line
    assert len(told) == len(expected)
    for name in GOOD:
        assert home.final(f"jobs/{name.rpartition('.')[0]}").stat().st_size > 10_000
    assert home.run().results == ["skipped"] * len(GOOD)


def test_all_mistakes_of_a_file_are_told_at_once(home: Home) -> None:
    home.write("a.yaml", "text: Hi\nseed: x\ntemperature: 0\nlanguage: klingon\n")
    ended = home.run()
    assert (ended.status, ended.out) == (2, "")
    assert [line.split(":")[1] for line in ended.err.splitlines()] == ["2", "3", "4"]


def test_a_mistake_in_a_folder_s_settings_is_told_once_for_each_task_at_most(home: Home) -> None:
    home.write("book/job.yaml", "temprature: 1\n")
    home.write("book/a.yaml", "text: Hi")
    home.write("b.yaml", "text: Hi")
    ended = home.run()
    assert (ended.status, ended.results) == (2, ["done"])
    assert ended.err.count("jobs/book/job.yaml:1:1: temprature: unknown setting") == 1


def test_an_unknown_speaker_in_a_text_is_a_warning(home: Home) -> None:
    home.write("a.yaml", 'text: "Hi. <speaker:bo> Ho."\nspeakers: {bob: {}}\n')
    ended = home.run()
    assert (ended.status, ended.results) == (0, ["done"])
    assert re.search(r"^warning: .*unknown speaker 'bo' \(did you mean 'bob'\?\)", ended.err, re.MULTILINE)


def test_a_text_of_one_unspeakable_tag_makes_no_empty_file(home: Home) -> None:
    home.write("a.yaml", 'text: "[!]"\n')
    ended = home.run()
    assert ended.status != 0
    assert not list(home.output.rglob("*.wav"))


@pytest.mark.parametrize("content", ["text: [Hi", "nonsense: 1", "text: Hi\n temperature: 0"])
def test_a_broken_settings_file_of_the_user_is_told_with_its_name(home: Home, content: str) -> None:
    (home.root / "config" / "cbtui").mkdir(parents=True)
    (home.root / "config" / "cbtui" / "settings.yaml").write_text(content)
    home.write("a.yaml", "text: Hi")
    ended = home.run()
    assert (ended.status, ended.out, no_traceback(ended)) == (2, "", True)
    assert "settings.yaml:" in ended.err

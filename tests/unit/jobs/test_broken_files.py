"""A bad file is an answer: what is wrong, where, and what to do, for all of it at once."""

from __future__ import annotations

import codecs
import os
import socket
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cbtui.core.problem import InvalidFile
from cbtui.jobs import load_task
from tests.unit.jobs.helpers import JobsFolder

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))

ONE_PROBLEM = {
    "unknown key": ("text: Hi\ntemprature: 1", "2:1: temprature: unknown setting (did you mean 'temperature'?)"),
    "misspelt text": ("txt: Hi", "1:1: txt: unknown setting (did you mean 'text'?)"),
    "tab": ("text: Hi\nspeakers:\n\tbob: {}", "3:1: YAML does not allow tabs for indentation: use spaces"),
    "open quote": ('text: Hi\njob: "x\n', "3:1: the quote that opens in line 2 is never closed"),
    "open list": ("text: [Hi\n", "2:1: expected ',' or ']' in the list that opens in line 1"),
    "second colon": (
        "text: Note: this",
        "1:11: no ':' expected here: check the indentation, or put the value in quotes",
    ),
    "at sign": ("text: @home", "1:7: a value cannot begin with '@': put it in quotes"),
    "question mark": ("text: ? a", "1:7: '?' has a meaning of its own in YAML: put the value in quotes"),
    "bad indentation": (
        "text: Hi\n seed: 1",
        "2:6: no ':' expected here: check the indentation, or put the value in quotes",
    ),
    "lone surrogate": ('text: "\\ud800"', "1:10: this escape is not a character"),
    "half an escape": ('text: "\\u12"', "1:10: this escape needs more hexadecimal digits"),
    "alias": ("text: *x", "1:7: text: anchors and aliases (*x) are not allowed: write the value out"),
    "anchor": ("text: &x Hi", "1:7: text: anchors and aliases (&x) are not allowed: write the value out"),
    "alias as a key": ("text: Hi\n*x : y", "2:1: ?: anchors and aliases (*x) are not allowed: write the value out"),
    "tag": (
        "text: !!python/name:os.system x",
        "1:7: text: tags such as !!python/name:os.system are not allowed: remove it",
    ),
    "duplicate key": ("text: Hi\nseed: 1\ntext: Ho", "3:1: text: is given twice (first in line 1): keep one"),
    "list as a key": ("text: Hi\n? [a]\n: b", "2:3: a key must be a word, not a list or a mapping"),
    "two documents": (
        "text: Hi\n---\ntext: Ho",
        "2:1: several documents in one file: keep one, and remove everything from this '---'",
    ),
    "only words": ("Hello there", "1:1: a task file holds settings (key: value), and this is text"),
    "only a list": ("- Hello", "1:1: a task file holds settings (key: value), and this is a list"),
    "flow nesting": ("[" * 30_000, "1:52: nested deeper than 50 levels"),
    "mapping nesting": ("{a: " * 30_000, "1:205: nested deeper than 50 levels"),
    "block nesting": ("- " * 30_000, "1:103: nested deeper than 50 levels"),
    "key nesting": ("? " * 30_000, "1:103: nested deeper than 50 levels"),
    "too many values": ("text: [" + "a," * 20_000 + "]", "1:20004: more than 10000 values in one file"),
    "huge integer": ("text: Hi\nseed: " + "9" * 6000, "2:1: seed: must be at most 9223372032559808512"),
    "huge exponent": ("text: Hi\ntop_p: 1e999", "2:1: top_p: must be at most 1"),
    "empty text": ("seed: 1\ntext:", "2:1: text: there is no text to speak"),
    "blank text": ("text: '  \t '", "1:1: text: there is no text to speak"),
    "only signs": (
        "text: '... <speaker:bob> !?'",
        "1:1: text: there is no text to speak: it has neither letters nor numbers",
    ),
    "text twice": ("text: Hi\ntext_file: x.yaml", "2:1: text_file: give either 'text' or 'text_file', not both"),
    "unknown speaker": (
        "text: Hi\nspeaker: alic\nspeakers: {alice: {}}",
        "2:1: speaker: unknown speaker 'alic' (did you mean 'alice'?)",
    ),
    "no speakers": ("text: Hi\nspeaker: alice", "2:1: speaker: unknown speaker 'alice' (known: none)"),
    "speaker name": (
        "text: Hi\nspeakers:\n  'a>b': {}",
        "3:3: speakers.a>b: a speaker's name is a word that can stand in <speaker:name>",
    ),
    "temperature zero": (
        "text: Hi\ntemperature: 0",
        "2:1: temperature: must be at least 0.05: 0 makes the model crash",
    ),
    "not a number": ("text: Hi\ntemperature: .nan", "2:1: temperature: must be a finite number, not '.nan'"),
    "infinity": ("text: Hi\nexaggeration: .inf", "2:1: exaggeration: must be a finite number, not '.inf'"),
    "truth as a number": ("text: Hi\nseed: true", "2:1: seed: must be a number, not 'true'"),
    "quoted number": ("text: Hi\nseed: '5'", "2:1: seed: must be a number without quotes, not '5'"),
    "fraction": ("text: Hi\ntop_k: 2.5", "2:1: top_k: must be a whole number, not '2.5'"),
    "no penalty": (
        "text: Hi\nrepetition_penalty: 0",
        "2:1: repetition_penalty: must be at least 1: 0 or less makes the model crash",
    ),
    "min_p one": ("text: Hi\nmin_p: 1", "2:1: min_p: must be below 1: no token would be left"),
    "top_p zero": ("text: Hi\ntop_p: 0", "2:1: top_p: must be above 0: no token would be left"),
    "negative seed": ("text: Hi\nseed: -1", "2:1: seed: must be at least 0: leave it out for a new one each run"),
    "long chunks": (
        "text: Hi\nchunking: {limit: 601}",
        "2:12: chunking.limit: must be at most 600: the model garbles longer texts",
    ),
    "target over limit": (
        "text: Hi\nchunking: {target: 300, limit: 200}",
        "2:12: chunking.target: 300 is over the limit of 200: must be at most that",
    ),
    "number for a mapping": ("text: Hi\nchunking: 5", "2:1: chunking: must be a mapping (key: value), not '5'"),
    "list for a mapping": (
        "text: Hi\nspeakers: [bob]\nspeaker: bob",
        "2:1: speakers: must be a mapping (key: value), not a list",
    ),
    "mapping for text": ("text: {a: b}", "1:1: text: must be text, not a mapping"),
    "unknown engine": (
        "text: Hi\nengine: espeek",
        "2:1: engine: must be chatterbox or espeak, not 'espeek' (did you mean 'espeak'?)",
    ),
    "name of a language": (
        "text: Hi\nlanguage: german",
        "2:1: language: unknown language 'german' (did you mean 'de'?)",
    ),
    "region of a language": (
        "text: Hi\nlanguage: en-US",
        "2:1: language: unknown language 'en-US' (did you mean 'en'?)",
    ),
    "job above": ("text: Hi\njob: ../x", "2:1: job: a job's name must not hold '..'"),
    "job with an empty part": ("text: Hi\njob: /x", "2:1: job: a job's name has an empty part"),
    "job too long": (
        "text: Hi\njob: " + "x" * 201,
        "2:1: job: a job's name has a part of 201 bytes: at most 200 are allowed",
    ),
    "latin-1": (b"text: Hi\njob: caf\xe9", "2:9: byte 0xe9 is not UTF-8: save the file as UTF-8"),
    "NUL": (b"text: a\0b", "1:8: holds a NUL byte, so it is not text: save it as UTF-8"),
    "broken UTF-16": (codecs.BOM_UTF16_LE + b"t\0e", "1:2: byte 0x65 is not UTF-16: save the file as UTF-8"),
    "UTF-16 without a mark": (
        "text: Hi".encode("utf-16-le"),
        "1:2: holds a NUL byte, so it is not text: save it as UTF-8",
    ),
}


@pytest.mark.parametrize("name", ONE_PROBLEM)
def test_one_mistake_is_one_problem(jobs: JobsFolder, name: str) -> None:
    content, expected = ONE_PROBLEM[name]
    assert jobs.problems("x.yaml", content) == [f"jobs/x.yaml:{expected}"]


def test_all_mistakes_are_told_at_once_from_top_to_bottom(jobs: JobsFolder) -> None:
    content = """\
speakers:
  alice:
    exageration: 0.5
    temperature: 9
speaker: bob
chunking: {target: 400, limit: 300}
output: {format: mp3}
seed: -1
seed: 2
text_file: nowhere.txt
"""
    assert jobs.problems("book/01.yaml", content) == [
        "jobs/book/01.yaml:3:5: speakers.alice.exageration: unknown setting (did you mean 'exaggeration'?)",
        "jobs/book/01.yaml:4:5: speakers.alice.temperature: must be at most 5: the model babbles above it",
        "jobs/book/01.yaml:5:1: speaker: unknown speaker 'bob' (known: 'alice')",
        "jobs/book/01.yaml:6:12: chunking.target: 400 is over the limit of 300: must be at most that",
        "jobs/book/01.yaml:7:10: output.format: must be wav, not 'mp3'",
        "jobs/book/01.yaml:8:1: seed: must be at least 0: leave it out for a new one each run",
        "jobs/book/01.yaml:9:1: seed: is given twice (first in line 8): keep one",
        "jobs/book/01.yaml:10:1: text_file: no such file: 'nowhere.txt'",
    ]


def test_an_alias_bomb_is_named_once_and_never_expanded(jobs: JobsFolder) -> None:
    problems = jobs.problems("x.yaml", "text: Hi\nspeakers:\n  " + BOMB.replace("\n", "\n  "))
    assert problems[0] == "jobs/x.yaml:3:3: speakers.a0: must be a mapping (key: value), not a list"
    assert sum("anchors" in problem for problem in problems) == 1


def test_a_file_of_nothing_but_mistakes_is_told_the_first_hundred(jobs: JobsFolder) -> None:
    assert len(jobs.problems("x.yaml", "text: Hi\n" + "text: Hi\n" * 5000)) == 101
    assert len(jobs.problems("y.yaml", "text: Hi\n" + "".join(f"k{n}: 1\n" for n in range(4000)))) == 100


def test_an_empty_file_has_no_text(jobs: JobsFolder) -> None:
    assert jobs.problems("x.yaml", "") == ["jobs/x.yaml: there is no text to speak: give 'text' or 'text_file'"]
    assert jobs.problems("x.txt", " \n") == ["jobs/x.txt: there is no text to speak"]


def test_a_byte_order_mark_is_no_mistake(jobs: JobsFolder) -> None:
    assert jobs.load("x.yaml", codecs.BOM_UTF8 + b"text: Hi").text == "Hi"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_marked_utf_16_and_32_are_read(jobs: JobsFolder, encoding: str) -> None:
    assert jobs.load("x.yaml", "text: Grüße 😀\n".encode(encoding)).text == "Grüße 😀"


def test_without_the_c_parser_the_answers_are_as_clear(jobs: JobsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cbtui.jobs.yaml_nodes._LOADER", yaml.SafeLoader)
    assert jobs.load("x.yaml", "text: Hi\nlanguage: no\nmodel: multilingual").text == "Hi"
    assert jobs.problems("x.yaml", "[" * 30_000) == ["jobs/x.yaml:1:52: nested deeper than 50 levels"]
    assert jobs.problems("x.yaml", "text: Hi\n\tseed: 1") == [
        "jobs/x.yaml:2:1: YAML does not allow tabs for indentation: use spaces"
    ]
    assert jobs.problems("x.yaml", 'text: "\\ud800"') == [
        "jobs/x.yaml:1:7: text: holds half a character (a lone surrogate)"
    ]


def test_columns_count_characters(jobs: JobsFolder) -> None:
    (problem,) = jobs.problems("x.yaml", "text: Hi\nspeakers: {ä😀: {}, b: {tempo: 1}}")
    assert problem.startswith("jobs/x.yaml:2:24: speakers.b.tempo: unknown setting")


class TestWhatIsNotAFile:
    def test_a_pipe_is_refused_at_once(self, jobs: JobsFolder) -> None:
        os.mkfifo(jobs.root / "x.yaml")
        assert jobs.problems("x.yaml") == ["jobs/x.yaml: is a named pipe: put a regular file here"]

    def test_a_folder_is_refused(self, jobs: JobsFolder) -> None:
        (jobs.root / "x.yaml").mkdir()
        assert jobs.problems("x.yaml") == ["jobs/x.yaml: is a folder: put a regular file here"]

    def test_a_link_is_refused(self, jobs: JobsFolder) -> None:
        jobs.write("real.yaml", "text: Hi")
        (jobs.root / "x.yaml").symlink_to("real.yaml")
        assert jobs.problems("x.yaml") == ["jobs/x.yaml: is a symbolic link: put the file itself here"]

    def test_a_socket_is_refused(self, jobs: JobsFolder) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("jobs/x.yaml")
            assert jobs.problems("x.yaml") == ["jobs/x.yaml: is a socket or a device: put a regular file here"]

    def test_a_device_is_refused(self) -> None:
        with pytest.raises(InvalidFile, match="not a task file"):
            load_task(Path("/dev/zero"), root=Path("/dev"))

    def test_a_file_that_is_gone_says_so(self, jobs: JobsFolder) -> None:
        assert jobs.problems("x.yaml") == ["jobs/x.yaml: no such file"]

    def test_a_file_that_is_too_large_is_not_read(self, jobs: JobsFolder) -> None:
        assert jobs.problems("x.yaml", "text: " + "a " * (1 << 20)) == [
            "jobs/x.yaml: is larger than 1 MiB: put long texts into a file of their own (text_file)"
        ]
        assert jobs.problems("x.txt", "a" * (16 << 20) + "a") == [
            "jobs/x.txt: is larger than 16 MiB: split it into parts"
        ]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_one_may_not_read_says_so(self, jobs: JobsFolder) -> None:
        jobs.write("x.yaml", "text: Hi").chmod(0)
        assert "permission denied" in jobs.problems("x.yaml")[0]

    def test_another_kind_of_file_is_no_task(self, jobs: JobsFolder) -> None:
        assert jobs.problems("x.wav", "text: Hi") == [
            "jobs/x.wav: is not a task file: its name must end in one of .yaml .yml .txt .md"
        ]


class TestNamesOfFiles:
    @pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names")
    def test_a_name_that_is_not_utf_8_is_shown_and_refused(self, jobs: JobsFolder) -> None:
        name = os.fsdecode(b"caf\xe9.txt")
        assert jobs.problems(name, "Hi") == ["jobs/caf�.txt: the file name is not UTF-8: rename it"]

    @pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names")
    def test_a_folder_that_is_not_utf_8_is_refused(self, jobs: JobsFolder) -> None:
        name = os.fsdecode(b"b\xfcch/1.txt")
        assert jobs.problems(name, "Hi") == ["jobs/b�ch/1.txt: a job's name is not UTF-8: rename it"]

    def test_control_characters_are_refused_and_never_printed(self, jobs: JobsFolder) -> None:
        assert jobs.problems("a\x1b[31m\nb.txt", "Hi") == [
            "jobs/a�[31m�b.txt: the file name holds control characters: rename it"
        ]

    def test_a_name_too_long_for_an_output_folder_is_refused(self, jobs: JobsFolder) -> None:
        (problem,) = jobs.problems("ä" * 120 + ".txt", "Hi")
        assert problem.endswith("the file name has a part of 240 bytes: at most 200 are allowed")

    def test_a_nul_in_a_path_is_refused(self, jobs: JobsFolder) -> None:
        with pytest.raises(InvalidFile, match="control characters"):
            load_task(jobs.root / "a\0b.yaml", root=jobs.root)


_WORDS = ["text", "speakers", "job", "input", "generation", "null", "0", "é", "\\ud800", "\0", "  ", "\n", "\t"]
_SIGNS = [": ", "- ", "{", "}", "[", "]", ",", '"', "'", "&a", "*a", "!!str", ">", "|", "#", "?", "---", "..."]
_FRAGMENTS = st.lists(st.sampled_from(_WORDS + _SIGNS)).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=300), _FRAGMENTS.map(str.encode)), kind=st.sampled_from(["yaml", "txt", "md"])
)
@example(content=b"---\n- a\n---\nHi", kind="txt")
@example(content=b"? *a\n: &b c\ntext: *b", kind="yaml")
@example(content=b"speakers: {'': }\nspeaker: ''", kind="yaml")
@example(content=b"generation: {speakers: [{id: }, {id: a}, {id: a}, 5]}", kind="yaml")
@example(content=b"generation: {speakers: [{id: a}], default_speaker: {b: c}}", kind="yaml")
@example(content=b"job: {}\ngeneration: {speakers: {}, default_speaker: x}\nchunking: 7", kind="yaml")
def test_any_bytes_are_a_task_or_an_invalid_file(jobs: JobsFolder, content: bytes, kind: str) -> None:
    problems = jobs.problems(f"x.{kind}", content)
    assert all(problem.startswith(f"jobs/x.{kind}") and problem.isprintable() for problem in problems)

"""The end of a file that others write to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from cbtui.tui import tail
from cbtui.tui.tail import Read, Tail


def tail_of(path: Path) -> Tail:
    return Tail(path, lambda read: None)


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_what_is_there_then_what_is_added(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\nthr")
    looking = tail_of(path)
    assert looking.look() == Read(("one", "two"), anew=True)
    assert looking.look() is None
    append(path, "ee\n")
    assert looking.look() == Read(("three",))


def test_only_the_end_of_a_long_file_from_a_line_s_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LIMIT", 1000)
    path = tmp_path / "log"
    path.write_text("".join(f"line {number:05d}\n" for number in range(1000)))
    read = tail_of(path).look()
    assert read is not None
    assert len(read.lines) == 90
    assert (read.lines[0], read.lines[-1]) == ("line 00910", "line 00999")


def test_a_missing_file_is_told_once_and_found_later(tmp_path: Path) -> None:
    path = tmp_path / "log"
    looking = tail_of(path)
    assert looking.look() == Read((), anew=True, trouble="there is no log yet")
    assert looking.look() is None
    path.write_text("here\n")
    assert looking.look() == Read(("here",), anew=True)


def test_a_rotated_log_goes_on_in_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    looking = tail_of(path)
    looking.look()
    path.rename(tmp_path / "log.1")
    path.write_text("new\n")
    assert looking.look() == Read(("new",))


def test_a_file_that_was_emptied_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("a long line of before\n")
    looking = tail_of(path)
    looking.look()
    path.write_text("short\n")
    assert looking.look() == Read(("short",), anew=True)


def test_what_is_written_too_fast_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LIMIT", 100)
    path = tmp_path / "log"
    path.write_text("one\n")
    looking = tail_of(path)
    looking.look()
    append(path, "x\n" * 500)
    read = looking.look()
    assert read is not None
    assert read.anew
    assert len(read.lines) <= 50
    assert looking.look() is None


def test_what_steers_a_terminal_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(
        b"\x1b[31mred\x1b[0m\n"
        b"\x1b]52;c;aGVsbG8=\x07clip\n"
        b" 10%|#   |\r 50%|##  |\r100%|####|\r\n"
        b"tab\there\x07\x9b\n"
        b"\xff\xfe half a letter \xe2\x82\n"
        b"[/] [@click=app.quit]x[/]\n"
    )
    read = tail_of(path).look()
    assert read is not None
    assert read.lines == (
        "red",
        "clip",
        "100%|####|",
        "tab     here��",
        "�� half a letter �",
        "[/] [@click=app.quit]x[/]",
    )


def test_a_folder_or_a_pipe_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        read = tail_of(path).look()
        assert read is not None
        assert read.trouble


def test_the_thread_posts_what_it_finds(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\n")
    posted = threading.Event()
    looking = Tail(path, lambda read: posted.set(), seconds=0.01)
    looking.start()
    assert posted.wait(10)
    looking.stop()

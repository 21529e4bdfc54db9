"""`cbtui add`: tasks come into the jobs directory whole, and every refusal says why and leaves nothing."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cbtui.jobs import find_task_files
from tests.e2e.home import SECONDS, Ended, Home, no_traceback

BIG = "A line of text that is said again and again.\n" * 245_000  # 11 MB


def _add_text(home: Home, text: str | bytes, *arguments: str) -> Ended:
    """`cbtui add -` with this on stdin."""
    data = text.encode() if isinstance(text, str) else text
    return home.cbtui("add", "-", *arguments, stdin=None, input=data)


def _lies(home: Home) -> list[str]:
    """All that lies in the jobs directory, hidden things too."""
    return sorted(str(path.relative_to(home.jobs)) for path in home.jobs.rglob("*"))


def _refused(home: Home, ended: Ended, status: int = 2) -> bool:
    return (ended.status, ended.out, _lies(home), no_traceback(ended)) == (status, "", [], True)


def test_a_file_and_what_it_names_come_and_render(home: Home) -> None:
    (home.root / "one.txt").write_text("Hello.")
    (home.root / "a.yaml").write_text("text_file: one.txt")
    ended = home.cbtui("add", "a.yaml", "--job", "book")
    assert (ended.status, ended.out, ended.err) == (0, f"added    book/a  {home.jobs}/book/a.yaml\n", "")
    assert home.run("--job", "book").results == ["done"]


def test_the_same_again_is_no_mistake(home: Home) -> None:
    (home.root / "a.txt").write_text("Hello.")
    home.cbtui("add", "a.txt")
    for name in ("a.txt", "jobs/a.txt"):
        ended = home.cbtui("add", name)
        line = f"present  jobs/a  {home.jobs}/a.txt (is already in the jobs directory)\n"
        assert (ended.status, ended.out, ended.err) == (0, line, "")


def test_other_content_needs_a_word(home: Home) -> None:
    home.write("a.txt", "Old.")
    (home.root / "a.txt").write_text("New.")
    ended = home.cbtui("add", "a.txt")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("jobs/a.txt: is there already, with other content: choose another --name or --job, ")
    assert (home.jobs / "a.txt").read_text() == "Old."
    assert home.cbtui("add", "a.txt", "--replace").out == f"replaced jobs/a  {home.jobs}/a.txt\n"
    assert (home.jobs / "a.txt").read_text() == "New."


def test_one_bad_file_keeps_all_out(home: Home) -> None:
    (home.root / "a.txt").write_text("Hello.")
    (home.root / "b.yaml").write_text("text: Hi.\ntempo: 1")
    ended = home.cbtui("add", "a.txt", "b.yaml")
    assert _refused(home, ended)
    assert ended.err.splitlines() == [
        "b.yaml:2:1: tempo: unknown setting: check its spelling, or remove it",
        "cbtui add: nothing was added",
    ]


def test_a_text_from_stdin_becomes_a_task(home: Home) -> None:
    ended = _add_text(home, "Hello there.\n", "--job", "notes", "--seed", "5", "--engine", "espeak")
    assert (ended.status, ended.out, ended.err) == (
        0,
        f"added    notes/hello-there  {home.jobs}/notes/hello-there.txt\n",
        "",
    )
    assert home.cbtui("run").results == ["done"]
    assert home.manifest("notes/hello-there")["seed"] == 5


def test_two_at_the_same_moment_overwrite_nothing(home: Home) -> None:
    texts = [f"Hello. {number}" for number in range(4)]
    running = [
        subprocess.Popen(
            home.command("add", "-", "--name", "hello"),
            env=home.variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in texts
    ]
    # Each waits for the end of its text, so all go on at once.
    for process, text in zip(running, texts, strict=True):
        assert process.stdin is not None
        process.stdin.write(text.encode())
        process.stdin.flush()
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    assert [(process.communicate(timeout=SECONDS)[1], process.returncode) for process in running] == [(b"", 0)] * 4
    assert _lies(home) == ["hello-2.txt", "hello-3.txt", "hello-4.txt", "hello.txt"]
    assert sorted(path.read_text() for path in home.jobs.iterdir()) == texts


def test_a_scan_sees_whole_files_only(home: Home) -> None:
    sizes: dict[Path, set[int]] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for path in find_task_files(home.jobs):
                sizes.setdefault(path, set()).add(path.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        added = [_add_text(home, BIG, "--name", "big") for _ in range(3)]
    finally:
        ended.set()
        watcher.join()
    assert [each.status for each in added] == [0, 0, 0]
    names = [home.jobs / name for name in ("big.txt", "big-2.txt", "big-3.txt")]
    assert {path: path.stat().st_size for path in names} == dict.fromkeys(names, len(BIG))
    assert all(seen == {len(BIG)} for seen in sizes.values())
    assert len(_lies(home)) == 3


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a\nb", "a\x1b[2Jb", "", ".x", "x" * 300])
def test_hostile_names_are_refused_in_a_line(home: Home, name: str) -> None:
    (home.root / "a.txt").write_text("Hello.")
    for ended in (home.cbtui("add", "a.txt", "--name", name), _add_text(home, "Hello.", "--name", name)):
        assert _refused(home, ended)
        assert len(ended.err.splitlines()) == 2
        assert "\x1b" not in ended.err


@pytest.mark.parametrize("job", ["../x", "/etc", "a\nb", "", ".git", "data/input"])
def test_hostile_jobs_are_refused_in_a_line(home: Home, job: str) -> None:
    ended = _add_text(home, "Hello.", "--job", job)
    assert _refused(home, ended)
    assert ended.err.startswith("cbtui add: --job: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"One.\nTwo \xe9", "stdin:2:5: byte 0xe9 is not UTF-8"),
        (b"Nul \0.", "stdin:1:5: holds a NUL byte"),
        (b"", "stdin: there is no text to speak"),
        (b" \n", "stdin: there is no text to speak"),
        (b"---\ntempo: 1\n---\nHi.", "stdin:2:1: tempo: unknown setting"),
        (b"x" * ((16 << 20) + 1), "stdin: is larger than 16 MiB: split it into parts"),
    ],
    # The name of a test is a variable of its children's environment, which has a limit.
    ids=["not UTF-8", "NUL", "empty", "blank", "unknown setting", "too large"],
)
def test_what_is_no_text_is_refused(home: Home, text: bytes, said: str) -> None:
    ended = _add_text(home, text)
    assert _refused(home, ended)
    assert ended.err.startswith(said)


def test_a_closed_stdin_is_told(home: Home) -> None:
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *home.command("add", "-")]
    ended = home.execute(command)
    assert _refused(home, ended)
    assert ended.err.startswith("stdin: is closed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.txt", "--seed", "5"], "--seed goes only with '-': write 'seed: 5' into the file"),
        (["a.txt", "--model", "turbo"], "--model goes only with '-': write 'model: turbo' into the file"),
        (["a.txt", "b.txt", "--name", "x"], "--name goes with one file only"),
        (["a.txt", "-"], "'-' stands alone"),
        (["-", "--replace"], "--replace does not go with '-'"),
        ([""], "one of the names is empty"),
        (["-", "--speaker", "bob"], "unknown speaker 'bob'"),
        (["-", "--language", "xx"], "unknown language 'xx'"),
        (["-", "--priority", "x"], "invalid int value"),
        (["-", "--seed", "-1"], "seed: must be at least 0"),
        ([], "required: FILE"),
        (["jobs"], "is a folder: move it into jobs, or copy it (cp -r)"),
    ],
)
def test_wrong_usage_is_told(home: Home, arguments: list[str], said: str) -> None:
    (home.root / "a.txt").write_text("Hello.")
    ended = home.cbtui("add", *arguments, stdin=None, input=b"Hello.")
    assert _refused(home, ended)
    assert said in ended.err


def _limit(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_is_told_and_leaves_nothing(home: Home) -> None:
    (home.root / "a.txt").write_text(BIG)
    home.jobs.rmdir()
    ended = home.cbtui("add", "a.txt", "--job", "book", preexec_fn=_limit(1_000_000))
    assert (ended.status, ended.out, home.jobs.exists()) == (1, "", False)
    assert ended.err == f"cbtui add: {home.jobs}/book/a.txt: File too large. Nothing was added.\n"


def test_a_file_in_the_place_of_the_jobs_directory_is_told(home: Home) -> None:
    home.jobs.rmdir()
    home.jobs.write_text("in the way")
    for ended in (_add_text(home, "Hello."), _add_text(home, "Hello.", "--name", "x")):
        assert (ended.status, ended.out, no_traceback(ended)) == (1, "", True)
        assert ended.err.startswith(f"cbtui add: {home.jobs}: Not a directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(home: Home) -> None:
    home.jobs.chmod(0o500)
    ended = _add_text(home, "Hello.")
    assert _refused(home, ended, status=1)
    assert ended.err == f"cbtui add: {home.jobs}: Permission denied. Nothing was added.\n"


def _at_a_terminal(home: Home, keys: bytes) -> tuple[int, str, str]:
    """`cbtui add -` with a terminal as stdin, once it asks: its status, stdout and stderr."""
    ours, theirs = os.openpty()
    # The first terminal that the leader of a session opens sends it the signals of its keys.
    command = ["sh", "-c", f'exec "$@" <{os.ttyname(theirs)}', "sh", *home.command("add", "-")]
    with closing(os.fdopen(ours, "wb", buffering=0)) as keyboard:
        process = subprocess.Popen(
            command,
            cwd=home.root,
            env=home.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stderr is not None
        asked = process.stderr.readline().decode()
        keyboard.write(keys)
        out, err = process.communicate(timeout=SECONDS)
    os.close(theirs)
    return process.returncode, out.decode(), asked + err.decode()


def test_a_text_can_be_typed(home: Home) -> None:
    status, out, err = _at_a_terminal(home, b"Hello there.\n\x04")
    assert (status, err) == (0, "Type the text, end with Ctrl-D.\n")
    assert out == f"added    jobs/hello-there  {home.jobs}/hello-there.txt\n"


def test_typing_can_be_given_up(home: Home) -> None:
    status, out, _ = _at_a_terminal(home, b"Hello there.\n\x03")
    assert (status, out, _lies(home)) == (128 + signal.SIGINT, "", [])


def test_help_imports_nothing_heavy(home: Home) -> None:
    code = (
        "import sys; from cbtui.cli import main\n"
        "try: main(['add', '--help'])\n"
        "except SystemExit: pass\n"
        "print('heavy' if {'yaml', 'pydantic', 'platformdirs', 'numpy'} & sys.modules.keys() else 'light')"
    )
    assert home.execute([sys.executable, "-c", code]).out.endswith("light\n")

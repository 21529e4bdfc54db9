"""What happens outside of the screen: the editor, the player, the clipboard."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cbtui.paths import Places
from cbtui.tui import outside, terminal
from cbtui.tui.app import CbtuiApp
from tests.support.gated_engine import GatedEngine
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person at this very machine, with no program but those that a test makes."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    for name in ("SSH_CONNECTION", "SSH_TTY", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return programs


@pytest.fixture
def suspended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A driver without a terminal cannot give one away; here it pretends to."""
    told: list[str] = []

    @contextmanager
    def suspend(app: CbtuiApp) -> Iterator[None]:
        told.append("off")
        yield
        told.append("on")

    monkeypatch.setattr(CbtuiApp, "suspend", suspend)
    return told


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def until_notified(shown: Screened, *texts: str) -> None:
    await shown.until(lambda: any(all(text in note for text in texts) for note in notes(shown)), " and ".join(texts))


def notes(shown: Screened) -> list[str]:
    return [f"{note.title}: {note.message}" for note in shown.app._notifications]


async def done(shown: Screened, places: Places, name: str = "a.txt") -> Path:
    """A rendered task under the cursor; its file."""
    (places.jobs / name).write_text("Hello there.")
    task = f"jobs/{Path(name).stem}"
    await shown.until_state(task, "done")
    await shown.until(lambda: shown.app.screen.current and shown.app.screen.current.state == "done", "the cursor")
    return shown.app.screen.current.result.output


async def test_the_editor_has_the_terminal_and_changes_the_file(
    places: Places, bare_machine: Path, monkeypatch: pytest.MonkeyPatch, suspended: list[str], tmp_path: Path
) -> None:
    streams = [(tmp_path / name).open("w+") for name in ("in", "out", "err")]
    for name, stream in zip(("__stdin__", "__stdout__", "__stderr__"), streams, strict=True):
        monkeypatch.setattr(sys, name, stream)
    editor = program(bare_machine, "my editor", 'echo "editing $2"; echo oops >&2; echo "Hello anew." > "$2"')
    monkeypatch.setenv("VISUAL", f"'{editor}' --wait")
    async with screened(places) as shown:
        await done(shown, places, "a [∕] $(touch x).txt")
        await shown.press("e")
        assert suspended == ["off", "on"]
        assert (tmp_path / "out").read_text() == f"editing {places.jobs}/a [∕] $(touch x).txt\n"
        assert (tmp_path / "err").read_text() == "oops\n"
        assert not notes(shown)
        await shown.until(
            lambda: len(shown.snapshot.rows) == 1 and shown.snapshot.rows[0].characters in {11, 12}, "the text"
        )
    for stream in streams:
        stream.close()


@pytest.mark.parametrize(
    ("editor", "told"),
    [
        ("no-such-editor", "there is no editor no-such-editor: set VISUAL or EDITOR"),
        ("failing", "failing ended with status 3"),
        ("'unclosed", "cannot be understood: No closing quotation"),
        ("plain", "plain cannot be started: Permission denied"),
        ("", "there is no editor vi"),
    ],
)
async def test_an_editor_that_fails_is_told_and_the_screen_comes_back(
    places: Places, monkeypatch: pytest.MonkeyPatch, suspended: list[str], editor: str, told: str
) -> None:
    programs = Path(os.environ["PATH"])
    program(programs, "failing", "exit 3")
    program(programs, "plain", "").chmod(0o644)
    monkeypatch.setenv("EDITOR", editor)
    async with screened(places) as shown:
        await done(shown, places)
        await shown.press("e")
        await until_notified(shown, told)
        assert suspended in (["off", "on"], [])


async def test_a_file_that_is_gone_and_a_terminal_that_cannot_be_handed_over_are_told(places: Places) -> None:
    async with screened(places) as shown:
        await done(shown, places)
        await shown.press("e")
        await until_notified(shown, "cannot be handed to an editor")
        outside.edit(shown.app, places.jobs / "[/]\x1b.txt")
        await until_notified(shown, "the file is gone", "[/]�.txt")


async def test_ctrl_c_is_for_the_editor_and_what_ends_the_app_is_heard_after_it(
    places: Places, bare_machine: Path, monkeypatch: pytest.MonkeyPatch, suspended: list[str]
) -> None:
    monkeypatch.setenv("PATH", f"{bare_machine}:/usr/bin:/bin")
    heard: list[int] = []
    monkeypatch.setattr(CbtuiApp, "exit", lambda app, ending=None: heard.append(ending.signal))
    for number in (signal.SIGINT, signal.SIGTERM):
        # It would sleep long, were it not told to end.
        script = f"trap 'exit 0' TERM; kill -{int(number)} $PPID; sleep {0.1 if number == signal.SIGINT else 60} & wait"
        program(bare_machine, f"editor-{number}", script)
    async with screened(places) as shown:
        await done(shown, places)
        for number, expected in ((signal.SIGINT, []), (signal.SIGTERM, [signal.SIGTERM])):
            monkeypatch.setenv("EDITOR", f"editor-{number}")
            await shown.press("e")
            await shown.until(lambda expected=expected: heard == expected, "the signal")
        monkeypatch.undo()


async def test_nothing_is_posted_while_nobody_reads(places: Places, bare_machine: Path) -> None:
    async with screened(places) as shown:
        before = shown.snapshot
        with shown.app.feed.held():
            (places.jobs / "a.txt").write_text("Hello.")
            await shown.until(lambda: list(places.output.glob("jobs/a/*/a.wav")), "its file")
            assert not shown.snapshot.rows
            assert shown.snapshot.view == before.view
        await shown.until_state("jobs/a", "done")


async def test_the_first_player_there_is_plays_the_file_and_the_same_key_stops_it(
    places: Places, bare_machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", f"{bare_machine}:/usr/bin:/bin")
    program(bare_machine, "pw-play", f"echo $$ \"$@\" >> '{tmp_path}/played'; echo noise; exec sleep 60")
    async with screened(places) as shown:
        path = await done(shown, places)
        await shown.press("o")
        await shown.until(lambda: (tmp_path / "played").exists() and (tmp_path / "played").read_text(), "the player")
        pid, played = (tmp_path / "played").read_text().split()
        assert played == str(path)
        await until_notified(shown, "pw-play plays a.wav")
        await shown.press("o")
        await shown.until(lambda: not _is_running(int(pid)), "silence")
        await until_notified(shown, "stopped")
        assert "noise" not in shown.text()
        await shown.press("o")
        await shown.until(lambda: len((tmp_path / "played").read_text().splitlines()) == 2, "the player once more")
    pid = (tmp_path / "played").read_text().splitlines()[-1].split()[0]
    assert not _is_running(int(pid))


async def test_with_a_chunk_under_the_cursor_its_take_is_played_also_while_the_rest_is_rendered(
    places: Places, bare_machine: Path, tmp_path: Path
) -> None:
    program(bare_machine, "aplay", f"echo \"$@\" >> '{tmp_path}/played'")
    engine = GatedEngine()
    async with screened(places, engine) as shown:
        (places.jobs / "a.yaml").write_text(
            "chunking: {target: 40, limit: 40}\ntext: |\n  One is here.\n\n  Two is there."
        )
        engine.let(1)
        await shown.until(lambda: engine.begun[1:] and shown.app.screen.current, "the second chunk")
        await shown.press("enter")
        await shown.until(lambda: "1 of 2 chunks" in shown.text(), "the chunks")
        await shown.press("o")
        await until_notified(shown, "jobs/a has no finished file yet")
        await shown.press("down", "o")
        await shown.until((tmp_path / "played").exists, "the player")
        assert (tmp_path / "played").read_text().startswith("-q ")
        assert Path((tmp_path / "played").read_text().split()[1]).name.startswith("0001-")
        await shown.press("down", "o")
        await until_notified(shown, "the file is gone", "0002-")


async def test_without_a_player_or_with_one_that_fails_it_says_so(places: Places, bare_machine: Path) -> None:
    async with screened(places) as shown:
        path = await done(shown, places)
        await shown.press("o")
        await until_notified(shown, "nothing here plays sound", "pw-play, paplay")
        program(bare_machine, "paplay", "echo 'Connection refused [/]' >&2; exit 1")
        await shown.press("o")
        await until_notified(shown, "paplay failed: Connection refused [/]")
        path.unlink()
        await shown.press("o")
        await until_notified(shown, "the file is gone", path.name)


async def test_over_ssh_no_sound_is_tried_and_the_command_to_fetch_it_is_copied(
    places: Places, bare_machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(bare_machine, "pw-play", f"touch '{tmp_path}/played'")
    monkeypatch.setenv("SSH_CONNECTION", "198.51.100.7 50022 192.0.2.1 22")
    async with screened(places) as shown:
        path = await done(shown, places, "a b [∕].txt")
        await shown.press("o")
        await until_notified(shown, "does not come over SSH", "scp '")
        copied = shown.app.clipboard
        program_, source, target = shlex.split(copied)
        assert (program_, target) == ("scp", ".")
        host, _, remote = source.partition(":")
        assert host.endswith("@192.0.2.1")
        # As a shell on this machine would read it.
        assert shlex.split(remote) == [str(path)]
        assert not (tmp_path / "played").exists()


@pytest.mark.parametrize(
    ("connection", "begin"),
    [
        ("2001:db8::7 50022 2001:db8::1 22", "scp 'USER@[2001:db8::1]:/a.wav' ."),
        ("198.51.100.7 50022 192.0.2.1 2222", "scp -P 2222 USER@192.0.2.1:/a.wav ."),
        ("", "scp USER@HOST:/a.wav ."),
        ("nonsense", "scp USER@HOST:/a.wav ."),
    ],
)
async def test_the_host_is_the_one_that_the_person_came_to(
    monkeypatch: pytest.MonkeyPatch, connection: str, begin: str
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", connection)
    monkeypatch.setattr(outside.getpass, "getuser", lambda: "USER")
    monkeypatch.setattr(outside.socket, "gethostname", lambda: "HOST")
    assert outside.fetch_command(Path("/a.wav")) == begin


PATHS = ("/a/b.wav", "/a b/[/] 'x' \"y\" $HOME `id`;*?.wav", "/漢字/é~.wav", "/tab\there/\x1b[31m\n.wav", "/\udcff.wav")


@pytest.mark.parametrize("path", PATHS)
async def test_a_shell_reads_a_copied_path_as_it_is(path: str) -> None:
    word = outside.shell_word(path)
    assert word.isprintable()
    echoed = subprocess.run(["/bin/bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert echoed.stdout == os.fsencode(path)


async def test_the_path_is_sent_to_the_clipboard_and_told(places: Places) -> None:
    async with screened(places) as shown:
        path = await done(shown, places, "a [∕].txt")
        await shown.press("y")
        await until_notified(shown, "sent to the terminal's clipboard", "a [∕].wav")
        assert shown.app.clipboard == f"'{path}'"


async def test_editors_and_players_are_words(monkeypatch: pytest.MonkeyPatch, bare_machine: Path) -> None:
    monkeypatch.setenv("VISUAL", "  ")
    monkeypatch.setenv("EDITOR", "code --wait 'a b'")
    assert terminal.editor() == ["code", "--wait", "a b"]
    monkeypatch.delenv("EDITOR")
    program(bare_machine, "vim", "")
    assert terminal.editor() == ["vim"]
    assert terminal.find_player() is None
    program(bare_machine, "mpv", "")
    assert terminal.find_player() == ["mpv", "--no-video", "--really-quiet"]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

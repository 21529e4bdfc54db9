"""What happens outside of the screen: the person's editor, a player, the clipboard."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.app import App, SuspendNotSupported

from cbtui.core.clean import is_clean, visible
from cbtui.core.queue import TaskRow
from cbtui.tui import terminal
from cbtui.tui.notices import SENT_TO_CLIPBOARD

if TYPE_CHECKING:
    from cbtui.tui.app import CbtuiApp

_SOUND = "sound"
# Of what a player complains about; the end says why it failed.
_SAID_BYTES = 2000
_ENDING: tuple[int, ...] = (signal.SIGTERM, signal.SIGHUP)
# What neither a shell nor scp's own globbing gives a meaning to.
_PLAIN = re.compile(r"[\w@%+=:,./-]", re.ASCII)


def edit(app: App[Any], path: Path) -> None:
    """Open a file in the person's editor, which has the terminal until it ends; says what went wrong."""
    if not path.exists():
        _complain(app, f"the file is gone: {path}")
        return
    try:
        command = terminal.editor()
    except ValueError as error:
        _complain(app, f"VISUAL or EDITOR cannot be understood: {error}")
        return
    trouble = ""
    try:
        with cast("CbtuiApp", app).feed.held(), app.suspend():
            # Whatever is raised in there would leave the screen off.
            trouble = _run_editor([*command, str(path)])
    except SuspendNotSupported:
        trouble = "this terminal cannot be handed to an editor"
    if trouble:
        _complain(app, trouble)


def _run_editor(command: Sequence[str]) -> str:
    """What went wrong, if anything did."""
    try:
        # Descriptors 1 and 2 of this process are the log.
        streams = {"stdin": sys.__stdin__, "stdout": sys.__stdout__, "stderr": sys.__stderr__}
        with _signals_held() as forward_to, subprocess.Popen(command, **streams) as process:  # type: ignore[call-overload]
            forward_to(process)
            process.wait()
    except FileNotFoundError:
        return f"there is no editor {command[0]}: set VISUAL or EDITOR"
    except (OSError, ValueError) as error:
        return f"{command[0]} cannot be started: {getattr(error, 'strerror', None) or error}"
    ended = process.returncode
    return f"{command[0]} ended with status {ended}: is the file as you want it?" if ended else ""


@contextmanager
def _signals_held() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Ctrl-C is for the editor alone; what ends the app ends the editor first, and is heard afterwards.

    Gives what is to be told of the editor's process.
    """
    heard: list[int] = []
    editors: list[subprocess.Popen[bytes]] = []

    def hear(number: int, _: object) -> None:
        heard.append(number)
        forward()

    def forward() -> None:
        for process in editors:
            if endings := [number for number in heard if number in _ENDING]:
                process.send_signal(endings[-1])

    def forward_to(process: subprocess.Popen[bytes]) -> None:
        editors.append(process)
        forward()

    # The event loop hears signals through this descriptor, and would act on them once the editor ended.
    wakeup = signal.set_wakeup_fd(-1)
    numbers = [signal.SIGINT, *_ENDING, *(() if _has_a_shell() else (signal.SIGTSTP,))]
    before = {number: signal.signal(number, hear) for number in numbers}
    try:
        yield forward_to
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        for number in heard:
            if number in _ENDING:
                os.kill(os.getpid(), number)


def _has_a_shell() -> bool:
    """Whether somebody would wake this process after Ctrl-Z; without, it would sleep for ever."""
    parent = os.getppid()
    return parent > 0 and os.getsid(parent) == os.getsid(0)


def play(app: App[Any], row: TaskRow, take: Path | None = None) -> None:
    """Play the finished file of a task, or one take, in the background; the same once more stops it.

    Where the person sits at another machine, it says how to fetch the file instead.
    """
    sound = _sound_of(app, row, take)
    if sound is None:
        return
    if terminal.is_remote():
        command = fetch_command(sound)
        app.copy_to_clipboard(command)
        app.notify(
            visible(command),
            title=f"sound does not come over SSH; fetch it with ({SENT_TO_CLIPBOARD})",
            markup=False,
            timeout=15,
        )
        return
    playing = [worker.name for worker in app.workers if worker.group == _SOUND and worker.is_running]
    if str(sound) in playing:
        app.workers.cancel_group(app, _SOUND)
        app.notify("stopped", markup=False, timeout=2)
        return
    player = terminal.find_player()
    if player is None:
        names = ", ".join(command[0] for command in terminal.PLAYERS)
        _complain(app, f"nothing here plays sound; one of these would: {names}")
        return
    # Another sound takes the place of the one that is played; leaving the app ends it.
    app.run_worker(_play(app, player, sound), name=str(sound), group=_SOUND, exclusive=True, exit_on_error=False)


async def _play(app: App[Any], player: Sequence[str], sound: Path) -> None:
    if not await asyncio.to_thread(sound.is_file):
        _complain(app, f"the file is gone: {sound}")
        return
    try:
        process = await asyncio.create_subprocess_exec(
            *player,
            str(sound),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        _complain(app, f"{player[0]} cannot be started: {error.strerror}")
        return
    app.notify(f"{player[0]} plays {visible(sound.name)}; the same key stops it", markup=False, timeout=3)
    said = b""
    try:
        while process.stderr is not None and (part := await process.stderr.read(_SAID_BYTES)):
            said = (said + part)[-_SAID_BYTES:]
        await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
    if process.returncode:
        lines = said.decode("utf-8", "replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), f"status {process.returncode}")
        _complain(app, f"{player[0]} failed: {last}")


def copy_path(app: App[Any], row: TaskRow, take: Path | None = None) -> None:
    """Put the path of the finished file, or of one take, into the clipboard, as a word for a shell."""
    sound = _sound_of(app, row, take)
    if sound is not None:
        word = shell_word(str(sound))
        app.copy_to_clipboard(word)
        app.notify(visible(word), title=SENT_TO_CLIPBOARD, markup=False, timeout=10)


def fetch_command(path: Path) -> str:
    """What to type on the machine where the person sits, to get a file of this one."""
    connection = os.environ.get("SSH_CONNECTION", "").split()
    # Client's address and port, then ours.
    host, port = (connection[2], connection[3]) if len(connection) == 4 else (socket.gethostname(), "22")
    host = f"[{host}]" if ":" in host else host
    where = f"{getpass.getuser()}@{host}:{_for_scp(str(path))}"
    return f"scp {'' if port == '22' else f'-P {shlex.quote(port)} '}{shell_word(where)} ."


def shell_word(text: str) -> str:
    """`text` as one word for a shell; what a terminal must not be sent, and bytes that are no UTF-8, spelled out."""
    if is_clean(text):
        return shlex.quote(text)
    data = os.fsencode(text)
    return "$'" + "".join(chr(byte) if _is_plain(chr(byte)) else f"\\x{byte:02x}" for byte in data) + "'"


def _for_scp(path: str) -> str:
    """The path as scp wants it: on the other side a shell, or scp itself, looks for backslashes and wildcards."""
    return "".join(letter if _is_plain(letter) or ord(letter) > 0x7F else f"\\{letter}" for letter in path)


def _is_plain(letter: str) -> bool:
    return bool(_PLAIN.fullmatch(letter))


def _sound_of(app: App[Any], row: TaskRow, take: Path | None) -> Path | None:
    """What there is to hear; says so where there is nothing."""
    sound = take or (row.result.output if row.result is not None else None)
    if sound is None:
        _complain(app, f"{row.id} has no finished file yet")
    return sound


def _complain(app: App[Any], text: str) -> None:
    app.notify(visible(text), severity="warning", markup=False, timeout=8)

"""Files on their way into a jobs directory: written in a hidden folder there, then given their names, whole."""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from cbtui.atomic import fsync_folder

Standing = Literal["free", "same", "other", "blocked"]

# How file systems without hard links (exFAT, some FUSE) say so.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


class OccupiedError(Exception):
    """Somebody else gave another file the name `path` first."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


@dataclass(frozen=True, slots=True)
class Staged:
    """A whole file at `path`, and the path it is to have."""

    path: Path
    target: Path


@contextlib.contextmanager
def staging_in(folder: Path) -> Iterator[Path]:
    """A hidden folder in `folder` for the length of the block. Raises OSError naming `folder`.

    Its name starts with a dot and ends with `.part`, so no watcher looks into it. `folder` is made where it is
    missing, and taken back when the block raises.
    """
    made = _make_folders(folder)
    try:
        with _naming(folder):
            hidden = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=folder))
        try:
            yield hidden
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
    except BaseException:
        _remove_folders(made)
        raise


def open_source(path: Path) -> BinaryIO:
    """A file to be copied; never follows a link at `path` itself and never waits for a pipe. Raises OSError."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def stage(content: BinaryIO, staged: Staged) -> None:
    """Write a file, down to the disk, where nobody sees it yet. Raises OSError naming its target."""
    with _naming(staged.target):
        staged.path.parent.mkdir(parents=True, exist_ok=True)
        with staged.path.open("xb") as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())


def standing(staged: Staged) -> Standing:
    """What lies at the target: nothing, the same content, another file, or something that is no file."""
    try:
        mode = staged.target.lstat().st_mode
    except FileNotFoundError:
        return "free"
    if not stat.S_ISREG(mode):
        return "blocked"
    return "same" if filecmp.cmp(staged.path, staged.target, shallow=False) else "other"


def publish(files: Iterable[Staged], *, replace: bool = False) -> None:
    """Give staged files their names, in this order; only `replace` takes a name from another file.

    Raises OccupiedError or OSError, with the files and folders made here taken back; what was replaced stays so.
    """
    made: list[Path] = []
    folders: list[Path] = []
    touched: dict[Path, None] = {}
    try:
        for file in files:
            folders += _make_folders(file.target.parent)
            with _naming(file.target):
                is_new = not os.path.lexists(file.target)
                if replace:
                    file.path.replace(file.target)
                else:
                    _claim(file)
                if is_new:
                    made.append(file.target)
            touched[file.target.parent] = None
        for folder in touched:
            fsync_folder(folder)
    except BaseException:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.unlink()
        _remove_folders(folders)
        raise


def _claim(file: Staged) -> None:
    """Of all who want the name at the same moment, one gets it."""
    try:
        os.link(file.path, file.target)
    except FileExistsError:
        raise OccupiedError(file.target) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _claim_without_links(file)


def _claim_without_links(file: Staged) -> None:
    """An empty file holds the name until the whole one takes its place."""
    try:
        os.close(os.open(file.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    except FileExistsError:
        raise OccupiedError(file.target) from None
    try:
        file.path.replace(file.target)
    except BaseException:
        file.target.unlink(missing_ok=True)
        raise


def _make_folders(folder: Path) -> list[Path]:
    """Make `folder` and those above it; gives the new ones, uppermost first. Raises OSError naming the one."""
    missing = [folder, *folder.parents]
    missing = missing[: next(number for number, path in enumerate(missing) if os.path.lexists(path))]
    made: list[Path] = []
    try:
        for path in reversed(missing):
            try:
                path.mkdir()
            except FileExistsError:  # somebody else made it in this moment
                continue
            made.append(path)
            fsync_folder(path.parent)
    except BaseException:
        _remove_folders(made)
        raise
    return made


def _remove_folders(made: list[Path]) -> None:
    """Those that nobody else has put anything into."""
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            folder.rmdir()


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """An OSError in the block names `path`, as the person knows no hidden files."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error

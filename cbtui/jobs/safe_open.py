"""Reading a file that a person dropped: whatever it is, an answer comes at once and says what to do."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from pathlib import Path

from cbtui.core.clean import clean_text, shown_path
from cbtui.core.problem import InvalidFile, Problem

YAML_LIMIT = 1 << 20
TEXT_LIMIT = 16 << 20

# UTF-32 comes first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)

_WORDS = {
    errno.ENOENT: "no such file",
    errno.ELOOP: "is a symbolic link: put the file itself here",
    errno.EACCES: "permission denied: make the file readable for the user who runs cbtui",
    errno.EPERM: "permission denied: make the file readable for the user who runs cbtui",
    errno.ENXIO: "is a socket or a device: put a regular file here",
    errno.ENAMETOOLONG: "the name is too long: rename the file",
    errno.ENOTDIR: "no such file: a part of its path is not a folder",
}


def read_text(path: Path, *, limit: int) -> str:
    """The cleaned text of a regular file of at most `limit` bytes: UTF-8, or UTF-16/32 with a byte order mark.

    Never follows a symbolic link at `path` itself and never waits for a pipe. Raises InvalidFile.
    """
    return clean_text(decode(read_bytes(path, limit=limit), path))


def read_bytes(path: Path, *, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes. Raises InvalidFile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(path, explain(error)) from None
    except ValueError:
        raise _refusal(path, "the name holds a NUL character: rename the file") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _refusal(path, f"is {kind_of(mode)}: put a regular file here")
        data = _read_capped(descriptor, limit)
    except OSError as error:
        raise _refusal(path, explain(error)) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise _refusal(path, f"is larger than {describe_size(limit)}: {_advice(limit)}")
    return data


def decode(data: bytes, path: Path) -> str:
    """The text in `data`; a byte order mark decides the encoding. Raises InvalidFile naming the first bad byte."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "ignore")
        what = f"byte 0x{data[error.start]:02x} is not {encoding.removesuffix('-sig').upper()}: save the file as UTF-8"
        raise _refusal(path, what, *_place_after(before)) from None
    if "\0" in text:
        before = text[: text.index("\0")]
        raise _refusal(path, "holds a NUL byte, so it is not text: save it as UTF-8", *_place_after(before))
    return text


def explain(error: OSError) -> str:
    """What an error of the operating system means for the file, and what to do."""
    return _WORDS.get(error.errno or 0) or f"cannot be read: {error.strerror or 'unknown error'}"


def kind_of(mode: int) -> str:
    """A file's kind in words, from `st_mode`."""
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"))
    return next((words for test, words in kinds if test(mode)), "a device")


def describe_size(size: int) -> str:
    """A limit in words: `16 MiB`."""
    return f"{size >> 20} MiB"


def _read_capped(descriptor: int, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (part := os.read(descriptor, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _advice(limit: int) -> str:
    return "put long texts into a file of their own (text_file)" if limit == YAML_LIMIT else "split it into parts"


def _place_after(text: str) -> tuple[int, int]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def _refusal(path: Path, message: str, line: int | None = None, column: int | None = None) -> InvalidFile:
    return InvalidFile((Problem(shown_path(path), message, line, column),))

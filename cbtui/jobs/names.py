"""Names of jobs and tasks: they become folder and file names, so they are checked before anything else."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from cbtui.core.clean import is_clean

MAX_NAME_BYTES = 200
_MAX_JOB_BYTES = 1000
_TOO_LONG = f"a job's name is at most {_MAX_JOB_BYTES} bytes long"


def name_of_task(path: Path) -> str:
    """The file's stem in Unicode's composed form. Raises ValueError where it cannot name an output folder."""
    return _checked(unicodedata.normalize("NFC", path.stem), "the file name")


def name_of_job(written: str) -> str:
    """One or more folder names joined by `/`, composed. Raises ValueError where they cannot name a folder."""
    if len(written) > _MAX_JOB_BYTES:
        raise ValueError(_TOO_LONG)
    name = "/".join(_checked(part, "a job's name") for part in unicodedata.normalize("NFC", written).split("/"))
    if len(name.encode()) > _MAX_JOB_BYTES:
        raise ValueError(_TOO_LONG)
    return name


def _checked(part: str, what: str) -> str:
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} is not UTF-8: rename it") from None
    if not part.strip():
        raise ValueError(f"{what} has an empty part")
    if part in (".", ".."):
        raise ValueError(f"{what} must not hold '{part}'")
    if not is_clean(part):
        raise ValueError(f"{what} holds control characters: rename it")
    if size > MAX_NAME_BYTES:
        raise ValueError(f"{what} has a part of {size} bytes: at most {MAX_NAME_BYTES} are allowed")
    return part

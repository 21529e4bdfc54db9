"""What lies on the disk that a field may name: jobs, clips, and how a path may go on. It reads folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cbtui.core.clean import is_clean

# Of those that libsndfile reads, the kinds that people keep voices in.
CLIP_KINDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif")
_MOST_OFFERED = 500
_MOST_LOOKED_AT = 50_000


@dataclass(frozen=True, slots=True)
class Offers:
    """What lies in the jobs directory that a field may name; paths from there."""

    jobs: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()


def find_offers(root: Path) -> Offers:
    """Jobs and clips in the jobs directory, at most some hundreds of each."""
    from cbtui.jobs.scan import natural_order

    jobs: list[Path] = []
    clips: list[Path] = []
    for folder, names in _folders(root):
        below = folder.relative_to(root)
        if not is_clean(str(below)):
            continue
        if below.parts and _is_job(below):
            jobs.append(below)
        clips += [below / name for name in names if name.lower().endswith(CLIP_KINDS) and is_clean(name)]
    return Offers(*(tuple(map(str, natural_order(each)[:_MOST_OFFERED])) for each in (jobs, clips)))


def is_pickable(path: Path) -> bool:
    """Whether a folder or file is shown to somebody who looks for task files."""
    from cbtui.jobs.scan import is_task_name

    return not path.name.startswith(".") and (is_folder(path) or is_task_name(path.name))


def is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def complete(typed: str) -> str | None:
    """How the path of a task file may go on from what was typed; a folder ends with `/`. None where nothing fits."""
    from cbtui.jobs.scan import natural_order

    beginning, slash, begun = typed.rpartition("/")
    folder = Path(os.path.expanduser(beginning + slash or "."))  # noqa: PTH111 - nobody's ~ stays
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are wanted
    except (OSError, ValueError):
        return None
    fitting = natural_order(
        folder / name for name in names if name != begun and name.startswith(begun) and is_clean(name)
    )
    found = next((path for path in fitting[:_MOST_OFFERED] if is_pickable(path)), None)
    return None if found is None else f"{beginning}{slash}{found.name}{'/' if is_folder(found) else ''}"


def _folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Folders that a host looks into, with the names of their files; ends early in a huge tree."""
    from cbtui.jobs.scan import is_passed_over

    looked_at = 0
    for folder, subfolders, names in os.walk(root):
        parent = Path(folder).name
        subfolders[:] = sorted(name for name in subfolders if not is_passed_over(parent, name))
        yield Path(folder), names
        looked_at += len(names) + len(subfolders)
        if looked_at > _MOST_LOOKED_AT:
            return


def _is_job(below: Path) -> bool:
    from cbtui.jobs.names import name_of_job

    try:
        name_of_job(below.as_posix())
    except ValueError:
        return False
    return True

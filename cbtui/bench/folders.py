"""Folders of many files: a look at all of them, the first start of a host over them, and the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cbtui.bench.figures import Tell, percentiles, stopwatch
from cbtui.bench.hosting import hosting, make_places, write_text
from cbtui.core.queue import FoundTask
from cbtui.core.stamp import Stamp
from cbtui.host.reading import Reader
from cbtui.host.store import open_store, store_path
from cbtui.jobs.watching.tree import Tree
from cbtui.paths import Places

_IN_A_JOB = 1000
_AT_ONCE = 1000
_LOOKS = 5
# At about 1,000 files a second, reading more would make the bench take many minutes.
_MOST_READ = 20_000


def bench_folders(folder: Path, files: int, *, tell: Tell) -> dict[str, Any]:
    """`intake`: a host's first start, over at most 20,000 of the files, texts and YAML in turn, 1,000 a job.

    `scan`: a look at all of them, against a bare walk. `restart_seconds`: a host's start where all are known but one.
    """
    places = make_places(folder)
    paths = list(_paths(places.jobs, files))
    read, known = paths[:_MOST_READ], paths[_MOST_READ:]
    tell(f"the first start over {len(read)} files")
    for number, path in enumerate(read):
        write_text(path, number)
    with hosting(places) as hosted:
        first = hosted.until_count(len(read))
    tell(f"a look at {files} files, and the next start over them")
    _make_known(places, known)
    return {
        "intake": {"files": len(read), "seconds": first, "per_second": len(read) / first},
        "scan": {"files": files, **scan(places.jobs)},
        "restart_seconds": restart(places),
    }


def restart(places: Places) -> float:
    """Seconds from a host's start to a new file in the queue, which is looked at after all that are known."""
    last = places.jobs / "new" / "last.txt"
    last.parent.mkdir()
    write_text(last, 0)
    with hosting(places) as hosted:
        return hosted.until_queued("new/last")


def scan(jobs: Path) -> dict[str, float]:
    """Seconds of a complete look, and of a bare walk with an lstat of each file: medians, in turn."""
    tree = Tree(jobs)
    ours, bare = [], []
    for _ in range(_LOOKS):
        with stopwatch() as seconds:
            tree.look()
        ours.append(seconds())
        with stopwatch() as seconds:
            for folder, _, names in os.walk(jobs):
                for name in names:
                    os.lstat(os.path.join(folder, name))  # noqa: PTH118 - the fastest there is
        bare.append(seconds())
    middle, bare_middle = percentiles(ours)["p50"], percentiles(bare)["p50"]
    return {"seconds": middle, "bare_seconds": bare_middle, "ratio": middle / bare_middle}


def _paths(jobs: Path, files: int) -> Iterator[Path]:
    for number in range(files):
        folder = jobs / f"book-{number // _IN_A_JOB:03}"
        if number % _IN_A_JOB == 0:
            folder.mkdir()
        yield folder / f"chapter-{number % _IN_A_JOB:03}.{'yaml' if number % 2 else 'txt'}"


def _make_known(places: Places, paths: list[Path]) -> None:
    """Write files and put them into the queue as an intake that read them would."""
    reader = Reader(places, {})
    surroundings = {folder: reader.surroundings(folder / "any.txt") for folder in {path.parent for path in paths}}
    with open_store(store_path(places)).store as store:
        for first in range(0, len(paths), _AT_ONCE):
            found = []
            for number, path in enumerate(paths[first : first + _AT_ONCE], first):
                write_text(path, number)
                stamp = Stamp.of(path.lstat())
                name = path.relative_to(places.jobs).with_suffix("").as_posix()
                found.append(FoundTask(name, path, stamp, f"{number:064x}", surroundings=surroundings[path.parent]))
            store.files.put(found)

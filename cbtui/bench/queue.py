"""The queue on this machine: the store, folders of files, and how soon a dropped file is queued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbtui.bench.figures import Tell
from cbtui.bench.folders import bench_folders
from cbtui.bench.latency import bench_burst, bench_drops
from cbtui.bench.store import bench_store


def bench_queue(folder: Path, *, tasks: int, burst: int, drops: int, tell: Tell) -> dict[str, Any]:
    """The `figures` of `cbtui bench queue --json`, version 1.

    `*_seconds` and `seconds` are seconds, `*_ms` milliseconds as `p50`, `p99` and `max`, `bytes*` bytes, `per_second`
    tasks or files each second. A `ratio` is ours to the baseline, so of times, less is better, and of rates, more.

    The store, with `tasks` tasks: `bytes_per_task`; `open_seconds` with its check; `insert` (`per_second`,
    `bare_per_second`, `ratio`); `change_ms`, a step of one task until it is on disk, and `change` (`bare_ms`, `ratio`);
    `page_ms` of 50 tasks: `first`, `middle` (behind a task in the middle), `of_a_state`, `unfinished` (all states but
    done), `of_a_name` (one task has that text in its name), and `screen` (90, in the order of the screen); `since_ms`:
    what changed when `nothing`, `one_task` or `250_tasks` did; `work_ms`, the estimate for the whole queue.

    Folders: `intake` (`files`, `seconds`, `per_second`), a host's first start over at most 20,000 new files; `scan`
    (`files`, `seconds`, `bare_seconds`, `ratio`), a look at `tasks` files against os.walk with lstat;
    `restart_seconds`, a host's start over `tasks` files that it knows, until one more that came meanwhile is queued.

    Drops: `drop_to_queued_ms`, from right before the rename to the row in the store; `drop` (`poll_ms`, between two
    looks at the store; `watchfiles_fast_ms` and `watchfiles_defaults_ms`, the same drops seen by a bare loop with
    step 10 and debounce 100, and with its defaults; `ratio_to_fast`, `ratio_to_defaults`). `burst`: `files` renamed
    into the folder at once, in `write_seconds`; `seconds` and `per_second` until all are queued; `wait_ms` of each;
    `middle_drop_ms`, one number: a file dropped when half were queued; `scan` and `restart_seconds` of that folder.
    """
    tell(f"a store of {tasks} tasks")
    return {
        **bench_store(folder / "store", tasks),
        **bench_folders(folder / "folders", tasks, tell=tell),
        **bench_drops(folder / "drops", drops, tell=tell),
        "burst": bench_burst(folder / "burst", burst, tell=tell),
    }

"""Several processes at one store, and processes that are killed in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cbtui.host.store import Store, open_store
from tests.host.store.helpers import names, put

PATIENCE = 60

ADD_ONE_BY_ONE = """
import sys
from pathlib import Path
from cbtui.host.store import attach_store
from tests.host.store.helpers import put
with attach_store(Path(sys.argv[1])) as store:
    for number in range(40):
        put(store, f"{sys.argv[2]}/{number}")
        store.tasks.transition(f"{sys.argv[2]}/{number}", "paused")
"""

ADD_AND_TELL = """
import itertools, sys
from pathlib import Path
from cbtui.host.store import attach_store
from tests.host.store.helpers import put
with attach_store(Path(sys.argv[1])) as store:
    for number in itertools.count():
        put(store, f"book/{number}")
        print(number, flush=True)
"""

STOP_INSIDE_A_TRANSACTION = """
import sys
from pathlib import Path
from cbtui.host.store import attach_store
from tests.host.store.helpers import put
with attach_store(Path(sys.argv[1])) as store, store.transaction():
    store.tasks.transition("book/0", "paused")
    put(store, *(f"book/many-{number}" for number in range(15_000)))
    print("inside", flush=True)
    sys.stdin.read()
"""

OPEN = """
import sys
from pathlib import Path
from cbtui.host.store import open_store
from tests.host.store.helpers import put
opened = open_store(Path(sys.argv[1]))
put(opened.store, f"book/{sys.argv[2]}")
print(opened.set_aside is not None)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def test_two_processes_write_at_once(store: Store, path: Path) -> None:
    writers = [start(ADD_ONE_BY_ONE, path, job) for job in ("one", "two")]
    assert [writer.wait(PATIENCE) for writer in writers] == [0, 0]
    rows = store.queue.page(limit=1000)
    assert {row.id for row in rows} == {f"{job}/{number}" for job in ("one", "two") for number in range(40)}
    assert len({row.changed for row in rows}) == 80
    assert store.queue.counts()["paused"] == 80


def test_what_was_written_before_a_kill_is_there_after_it(path: Path) -> None:
    open_store(path).store.close()
    with start(ADD_AND_TELL, path) as writer:
        assert writer.stdout
        told = [int(writer.stdout.readline()) for _ in range(20)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    opened = open_store(path)
    assert opened.set_aside is None
    with opened.store as store:
        assert names(store)[: len(told)] == [str(number) for number in told]


def test_a_transaction_cut_off_by_a_kill_did_not_happen(path: Path) -> None:
    with open_store(path).store as store:
        put(store, "book/0", "book/1")
    before = path.stat().st_size
    with start(STOP_INSIDE_A_TRANSACTION, path) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "inside\n"
        writer.kill()
    # Otherwise the kill came before anything had reached the file.
    assert path.stat().st_size > before
    opened = open_store(path)
    assert opened.set_aside is None
    with opened.store as store:
        assert names(store) == ["0", "1"]
        assert store.tasks.get("book/0").state == "queued"


@pytest.mark.parametrize("garbage", [b"", b"no database " * 1000], ids=["missing", "unreadable"])
def test_processes_that_start_at_once_make_one_store(path: Path, garbage: bytes) -> None:
    path.parent.mkdir()
    if garbage:
        path.write_bytes(garbage)
    openers = [start(OPEN, path, number) for number in range(3)]
    said = sorted(opener.communicate(timeout=PATIENCE)[0] for opener in openers)
    assert said == sorted(["False\n", "False\n", f"{bool(garbage)}\n"])
    with open_store(path).store as store:
        assert sorted(names(store)) == ["0", "1", "2"]

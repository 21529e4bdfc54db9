"""Rows of the store's tables as frozen facts, and back."""

from __future__ import annotations

import sqlite3
from typing import Any

from cbtui.core.queue import Progress, TaskRow
from cbtui.core.stamp import Stamp
from cbtui.core.status import Result
from cbtui.host.store.values import finite, path_from_bytes, path_to_bytes, problems_from_json, storable, whole


def read_task(row: sqlite3.Row) -> TaskRow:
    """A row of the table `tasks` as a TaskRow."""
    return TaskRow(
        number=row["number"],
        id=row["id"],
        source=path_from_bytes(row["source"]),
        stamp=Stamp.parse(row["stamp"]),
        digest=row["digest"],
        priority=row["priority"],
        position=row["position"],
        state=row["state"],
        reason=row["reason"],
        problems=problems_from_json(row["problems"]),
        attempts=row["attempts"],
        deaths=row["deaths"],
        progress=Progress(row["chunks_done"], row["chunks_total"], row["tokens"]),
        result=_read_result(row) if row["run"] is not None else None,
        added=row["added"],
        started=row["started"],
        finished=row["finished"],
        changed=row["changed"],
        model=row["model"],
        voice=row["voice"],
        characters=row["characters"],
        overtaken=row["overtaken"],
        fresh=bool(row["fresh"]),
    )


def _read_result(row: sqlite3.Row) -> Result:
    return Result(
        run=row["run"],
        output=path_from_bytes(row["output"]) if row["output"] is not None else None,
        speech_seconds=row["speech_seconds"],
        work_seconds=row["work_seconds"],
        rendered=row["rendered"],
        reused=row["reused"],
        draft=bool(row["draft"]),
        reason=row["result_reason"],
    )


def result_facts(result: Result) -> dict[str, Any]:
    """The columns of the table `tasks` that hold a result."""
    return {
        "run": storable(result.run),
        "output": path_to_bytes(result.output) if result.output else None,
        "speech_seconds": finite(result.speech_seconds),
        "work_seconds": finite(result.work_seconds),
        "rendered": whole(result.rendered),
        "reused": whole(result.reused),
        "draft": int(result.draft),
        "result_reason": storable(result.reason),
    }

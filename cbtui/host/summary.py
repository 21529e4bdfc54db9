"""The queue in words and in JSON, as every front end outside of the screen tells it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from cbtui.core.clean import visible
from cbtui.core.durations import format_seconds
from cbtui.core.status import STATES, WAITING
from cbtui.host.estimates import Pace, seconds_left, task_seconds
from cbtui.host.live import LiveFile
from cbtui.host.lock import find_host
from cbtui.host.store import Store, TaskRow
from cbtui.paths import Places

_GB = 1e9


def host_facts(places: Places) -> dict[str, Any] | None:
    """The host of this jobs directory, None where there is none. `live` is what it said of itself within a second."""
    holder = find_host(places)
    if holder is None:
        return None
    live = LiveFile.of(places).read()
    facts = {"pid": holder.pid, "machine": holder.machine, "since": holder.since, "jobs": holder.jobs}
    return {**facts, "screen": holder.screen, "live": live}


def queue_facts(store: Store) -> dict[str, Any]:
    """`counts` by state, whether the queue is `paused`, `seconds_left` (None: not measured yet), `swaps_avoided`."""
    return {
        "paused": store.meta.paused,
        "counts": store.queue.counts(),
        "seconds_left": _rounded(seconds_left(store, Pace.of(store.work.speeds()))),
        "swaps_avoided": store.meta.number("swaps_avoided"),
    }


def task_facts(row: TaskRow, pace: Pace) -> dict[str, Any]:
    """One task. `error` says why it stands where it stands; times are Unix times in seconds."""
    result = row.result
    problems = "\n".join(map(str, row.problems))
    seconds = task_seconds(row, pace) if row.state in {*WAITING, "rendering"} else None
    return {
        "task": row.id,
        "job": row.job,
        "state": row.state,
        "result": None
        if result is None
        else {
            "run": result.run,
            "speech_seconds": round(result.speech_seconds, 3),
            "work_seconds": round(result.work_seconds, 3),
            "rendered": result.rendered,
            "reused": result.reused,
            "draft": result.draft,
        },
        "progress": {
            "chunks_done": row.progress.chunks_done,
            "chunks_total": row.progress.chunks_total,
            "tokens": row.progress.tokens,
        },
        "error": problems or row.reason or (result.reason if result else "") or None,
        "output": os.fsencode(result.output).decode("utf-8", "backslashreplace") if result and result.output else None,
        "file": os.fsencode(row.source).decode("utf-8", "backslashreplace"),
        "priority": row.priority,
        "model": row.model,
        "seconds_left": _rounded(seconds),
        "attempts": row.attempts,
        "added": row.added,
        "started": row.started,
        "finished": row.finished,
    }


def host_lines(places: Places) -> Iterator[str]:
    """Who hosts, what it waits for, its models and its memory."""
    facts = host_facts(places)
    if facts is None:
        yield f"host   none; start one: cbtui watch {places.jobs}"
        return
    yield f"host   process {facts['pid']} on {visible(facts['machine'])}, of {visible(facts['jobs'])}"
    live = facts["live"]
    if live.get("hold"):
        yield f"waits  {visible(live['hold'])}"
    models = ", ".join(f"{each['model']} ({each['bytes'] / _GB:.1f} GB)" for each in live.get("models", ()))
    drafts = "none needed: espeak speaks a draft" if live.get("engine") == "espeak" else ""
    yield f"models {models or drafts or 'none loaded'}"
    memory = live.get("memory")
    if memory:
        yield f"memory {_memory(memory)}"


def queue_line(store: Store) -> str:
    counts = store.queue.counts()
    parts = [f"{counts[state]} {state}" for state in STATES if counts[state]] or ["empty"]
    if store.meta.paused:
        parts.insert(0, "paused")
    seconds = seconds_left(store, Pace.of(store.work.speeds()))
    if seconds:
        parts.append(f"about {format_seconds(seconds)} left")
    return ", ".join(parts)


def task_line(row: TaskRow, pace: Pace, width: int) -> str:
    """State, name and what is to be said of it, in columns."""
    return f"{row.state:<11} {visible(row.id):<{width}}  {_what(row, pace)}".rstrip()


def _what(row: TaskRow, pace: Pace) -> str:
    result = row.result
    if row.state == "done" and result is not None:
        return f"{visible(str(result.output))} ({format_seconds(result.speech_seconds)} of speech)"
    parts = []
    if row.state == "rendering":
        parts.append(f"{row.progress.chunks_done}/{row.progress.chunks_total} chunks")
    seconds = task_seconds(row, pace) if row.state in {"queued", "rendering"} else None
    if seconds is not None:
        parts.append(f"about {format_seconds(seconds)}")
    if row.priority:
        parts.append(f"priority {row.priority}")
    reason = "; ".join(map(str, row.problems)) or row.reason
    if reason:
        parts.append(visible(reason))
    return ", ".join(parts)


def _memory(memory: dict[str, Any]) -> str:
    total, ours, others = (memory[f"{name}_bytes"] for name in ("total", "used_by_us", "used_by_others"))
    if total is None:
        return f"{memory['process_rss_bytes'] / _GB:.1f} GB held by the host"
    where = memory["gpu"] or "the machine"
    used = " and ".join(
        f"{value / _GB:.1f} GB by {who}" for value, who in ((ours, "the host"), (others, "others")) if value is not None
    )
    return f"{visible(where)}, {total / _GB:.1f} GB: {used or 'use unknown'}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)

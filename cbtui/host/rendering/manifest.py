"""The manifest of a run: everything needed to know what its file is, and to go on where it was left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbtui import __version__
from cbtui.core.task import Task
from cbtui.engine.base import Engine
from cbtui.host.rendering.digest import digest_task
from cbtui.host.rendering.plan import Plan, PlannedTake
from cbtui.host.rendering.takes import read_facts, take_stamp

if TYPE_CHECKING:
    from cbtui.audio.export import Finished


def make_manifest(
    task: Task,
    plan: Plan,
    *,
    run: str,
    engine: Engine,
    takes: Sequence[tuple[PlannedTake, Path]],
    finished: Finished | None,
    started: str | None,
) -> dict[str, Any]:
    """The content of `manifest.json`; without `finished` that of a run under way. Times are ISO 8601, UTC.

    Of a run under way it says which chunks there are to be, and nothing yet of their takes.
    """
    return {
        "cbtui": __version__,
        "complete": finished is not None,
        "task": task.id,
        "run": run,
        "source": str(task.source),
        "started": started or _now(),
        "finished": _now() if finished else None,
        "plan": plan.digest,
        "seed": plan.seed,
        "task_digest": digest_task(task),
        "text_sha256": hashlib.sha256(task.text.encode("utf-8", "surrogatepass")).hexdigest(),
        "settings": _settings(task),
        "engine": _engine_facts(engine, plan),
        "warnings": [*task.warnings, *plan.warnings],
        "chunks": [_chunk_facts(take, path if finished else None) for take, path in takes],
        "output": None if finished is None else {**asdict(finished), "path": finished.path.name},
    }


def known_stamps(manifest: Mapping[str, Any]) -> dict[str, list[int]]:
    """The stamps of the takes that a finished run was assembled from, by file name."""
    chunks = manifest.get("chunks")
    entries = [chunk for chunk in chunks if isinstance(chunk, dict)] if isinstance(chunks, list) else []
    return {str(entry.get("file")).rpartition("/")[2]: entry["stamp"] for entry in entries if entry.get("stamp")}


def _chunk_facts(take: PlannedTake, path: Path | None) -> dict[str, Any]:
    facts = read_facts(path) if path else None
    return {
        "file": f"chunks/{take.file_name}",
        "stamp": take_stamp(path) if path else None,
        "key": take.key,
        "speaker": take.chunk.speaker,
        "paragraph": take.chunk.paragraph,
        "text": take.chunk.text,
        "tokens": facts.tokens if facts else None,
        "seconds_spent": facts.seconds_spent if facts else None,
        "seeds": list(facts.seeds) if facts else None,
        "draft": facts.draft if facts else None,
    }


def _engine_facts(engine: Engine, plan: Plan) -> dict[str, object]:
    """What all requests of a run share: engine, versions, model and revision."""
    facts: dict[str, object] = {"name": engine.name, "model": engine.model, "draft": engine.draft}
    if plan.takes:
        identity = engine.identity(plan.takes[0].request)
        facts |= {key: identity[key] for key in ("engine_version", "revision") if key in identity}
    return facts


def _settings(task: Task) -> dict[str, Any]:
    return {
        "engine": task.engine,
        "model": task.model,
        "default_speaker": task.default_speaker,
        "speakers": {
            name: {**asdict(speaker), "reference": str(speaker.reference) if speaker.reference else None}
            for name, speaker in task.speakers.items()
        },
        "seed": task.seed,
        "max_retries": task.max_retries,
        "chunking": asdict(task.chunking),
        "output": asdict(task.output),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

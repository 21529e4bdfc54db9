"""Naming what a task file asks for: the digest changes when the finished file would, and not when a file is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cbtui.core.fingerprint import fingerprint
from cbtui.core.stamp import Stamp
from cbtui.core.status import Result
from cbtui.core.task import Speaker, Task
from cbtui.engine.base import UnusableReference
from cbtui.engine.clips import digest_clip
from cbtui.host.rendering.runs import find_runs

_NO_PART_OF_IT = ("name", "job", "source", "references", "warnings", "priority", "max_retries", "speakers")


class ClipDigests:
    """Digests of clips, each read once for every state that it has."""

    def __init__(self) -> None:
        self._digests: dict[tuple[Path, Stamp], str] = {}

    def __call__(self, clip: Path) -> str:
        """SHA-256 of the content; empty for a clip that cannot be read, which rendering it will complain about."""
        try:
            key = clip, Stamp.of(clip.stat())
            if key not in self._digests:
                self._digests[key] = digest_clip(clip)
            return self._digests[key]
        except (OSError, UnusableReference):
            return ""


def digest_task(task: Task, digest: Callable[[Path], str] | None = None) -> str:
    """SHA-256 (64 hex digits) of text, settings and the content of clips."""
    digest = digest or ClipDigests()
    facts = {name: value for name, value in asdict(task).items() if name not in _NO_PART_OF_IT}
    speakers = {name: _speaker_facts(speaker, digest) for name, speaker in task.speakers.items()}
    return fingerprint({**facts, "speakers": speakers})


def find_finished(output: Path, task: Task, digest: str) -> Result | None:
    """The newest run of a task that is complete and of this digest, as a result; None where there is none.

    Raises OSError.
    """
    for run in reversed(find_runs(output, task)):
        manifest = run.read_manifest()
        if manifest.get("complete") and manifest.get("task_digest") == digest:
            finished = manifest.get("output") or {}
            if run.final.is_file() and run.final.stat().st_size == finished.get("bytes"):
                return _as_result(run.name, run.final, manifest)
    return None


def _as_result(run: str, final: Path, manifest: dict[str, Any]) -> Result:
    chunks = manifest.get("chunks") or []
    return Result(
        run=run,
        output=final,
        speech_seconds=float(manifest["output"].get("seconds") or 0.0),
        reused=len(chunks),
        draft=bool((manifest.get("engine") or {}).get("draft")),
    )


def _speaker_facts(speaker: Speaker, digest: Callable[[Path], str]) -> dict[str, Any]:
    reference = None if speaker.reference is None else digest(speaker.reference)
    return {**asdict(speaker), "reference": reference}

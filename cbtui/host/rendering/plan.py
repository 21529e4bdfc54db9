"""What a run of a task needs: a take for each chunk, named by everything that decides its samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from cbtui.core.chunk import Chunk
from cbtui.core.fingerprint import fingerprint
from cbtui.core.task import Speaker, Task
from cbtui.engine.base import ChunkRequest, Engine, Voice
from cbtui.engine.clips import digest_clip
from cbtui.host.rendering.takes import take_name
from cbtui.text.chunker import chunk_task


@dataclass(frozen=True, slots=True)
class PlannedTake:
    """One take: the chunk, the request that makes it, and its key, 64 hex digits."""

    chunk: Chunk
    request: ChunkRequest
    key: str

    @property
    def file_name(self) -> str:
        return take_name(self.chunk.index, self.key)


@dataclass(frozen=True, slots=True)
class Plan:
    """All takes of a run in the order of reading. `digest` changes when the finished file would."""

    seed: int
    takes: tuple[PlannedTake, ...]
    warnings: tuple[str, ...]
    digest: str


def make_plan(task: Task, engine: Engine, *, seed: int) -> Plan:
    """The plan of one run. Raises UnusableReference for a clip that cannot be read."""
    chunked = chunk_task(task)
    used = {chunk.speaker for chunk in chunked.chunks}
    voices = {name: _voice(task.speakers[name], engine) for name in sorted(used)}
    takes = tuple(_planned(chunk, task, voices[chunk.speaker], engine, seed) for chunk in chunked.chunks)
    digest = fingerprint(
        {
            "takes": [[take.key, take.chunk.ends_paragraph] for take in takes],
            "output": asdict(task.output),
        }
    )
    return Plan(seed, takes, chunked.warnings, digest)


def _planned(chunk: Chunk, task: Task, voice: Voice, engine: Engine, seed: int) -> PlannedTake:
    speaker = task.speakers[chunk.speaker]
    request = ChunkRequest(str(chunk.index), chunk.text, voice, speaker.sampling, seed, speaker.language)
    return PlannedTake(chunk, request, fingerprint(engine.identity(request)))


def _voice(speaker: Speaker, engine: Engine) -> Voice:
    # A draft does not hear the clip, so neither its content nor its absence matters.
    reference: Path | None = None if engine.draft else speaker.reference
    digest = digest_clip(reference) if reference is not None else None
    return Voice(speaker.name, reference, digest, speaker.espeak_voice)

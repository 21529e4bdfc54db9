"""From the disk to what a screen shows of a run. Imported by threads: it needs NumPy and libsndfile."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from cbtui.audio.peaks import Abandoned, Measured, measure, picture
from cbtui.audio.takes import DamagedTake, open_wav
from cbtui.audio.wav import SAMPLE_BYTES, header
from cbtui.core.clean import shown_path
from cbtui.core.problem import InvalidFile
from cbtui.core.queue import TaskRow
from cbtui.core.stamp import Stamp
from cbtui.core.status import WAITING
from cbtui.host.live import LiveFile
from cbtui.host.rendering.runs import MANIFEST_VERSION, Run, runs_in
from cbtui.host.rendering.takes import TakeFacts, read_facts
from cbtui.jobs.safe_open import explain, read_bytes
from cbtui.paths import Places
from cbtui.tui.manifest_words import as_list, as_mapping, as_number, as_text, settings_in_words, silences
from cbtui.tui.opened import ChunkFacts, ChunkState, RunFacts, Sound

# A book of 5,000 chunks has 4 MB.
_MANIFEST_LIMIT = 64 << 20
_TAKE_NAME = re.compile(r"\d{4,}-[0-9a-f]{8}\.wav")
_PARTS_OF_TAKE = 256
_HEADER_BYTES = len(header(0, 1, "float32"))

Value = TypeVar("Value")


class RunReader:
    """Reads the newest run of a task, again and again; of the last one it remembers all that did not change since."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._live = LiveFile.of(places)
        self._folder: Path | None = None
        self._known: dict[tuple[str, str], tuple[Stamp, Any]] = {}
        self._rate = 0
        self.notes: list[str] = []

    def read(self, row: TaskRow) -> RunFacts | None:
        """What the newest run is and how far it is; `notes` then say what could not be read. Raises OSError."""
        self.notes = []
        run = self._newest_run(row)
        if run is None:
            return None
        if run.folder != self._folder:
            self._folder, self._rate = run.folder, 0
            self._known.clear()
        manifest = self._manifest(run)
        finished = run.final if manifest.get("complete") is True and run.final.is_file() else None
        if manifest.get("complete") is True and finished is None:
            self.notes.append(f"the finished file is gone: {shown_path(run.final)}")
        digest = as_text(manifest.get("task_digest"))
        if digest and row.digest and digest != row.digest:
            self.notes.append("the file was edited since: this run is of its earlier text or settings")
        chunks = tuple(self._chunks(run, manifest, row))
        return RunFacts(run.name, run.folder, settings_in_words(manifest, run.name), chunks, finished, digest)

    def hear(self, run: RunFacts, should_stop: Callable[[], bool]) -> tuple[RunFacts, Sound | None]:
        """The sound of a run as a picture, and the run with what was learnt of its takes. Raises Abandoned."""
        if run.finished is not None:
            try:
                measured = self._remembered("whole", run.finished, lambda path: measure(path, should_stop=should_stop))
                return run, Sound(picture([(measured, 0.0)]), "the finished file")
            except (DamagedTake, OSError) as error:
                self.notes.append(_explain(error))
        chunks, sounds = list(run.chunks), []
        for place, chunk in enumerate(chunks):
            if should_stop():
                raise Abandoned
            if chunk.state != "done":
                continue
            try:
                sounds.append((self._remembered("sound", chunk.path, _measure_take), chunk.silence))
            except (DamagedTake, OSError) as error:
                chunks[place] = replace(chunk, state="damaged")
                self.notes.append(f"chunk {chunk.index + 1}: {_explain(error)}")
        heard = run if chunks == list(run.chunks) else replace(run, chunks=tuple(_with_begins(chunks)))
        if not sounds:
            return heard, None
        sounds[-1] = (sounds[-1][0], 0.0)
        return heard, Sound(picture(sounds), f"{len(sounds)} of {len(chunks)} takes")

    def _newest_run(self, row: TaskRow) -> Run | None:
        job, _, name = row.id.rpartition("/")
        folder = self._places.output / job / name
        if row.result is not None and row.result.output is not None:
            # Where it was put then, whatever the output directory is now.
            folder = row.result.output.parent.parent
        elif ".." in folder.parts:
            return None
        runs = runs_in(folder, name)
        if not runs and row.result is not None and row.result.output is not None:
            self.notes.append(f"the run is gone: {shown_path(row.result.output.parent)}")
        return runs[-1] if runs else None

    def _manifest(self, run: Run) -> Mapping[str, Any]:
        try:
            content = self._remembered("manifest", run.manifest, _parse)
        except InvalidFile as error:
            self.notes.append(str(error))
            return {}
        except OSError as error:
            self.notes.append(_explain(error))
            return {}
        except (ValueError, RecursionError):
            self.notes.append(f"{shown_path(run.manifest)} is damaged: only what lies beside it is known")
            return {}
        if not isinstance(content, dict) or content.get("version") != MANIFEST_VERSION:
            self.notes.append(f"{shown_path(run.manifest)} is not a manifest of this version of cbtui")
            return {}
        return content

    def _chunks(self, run: Run, manifest: Mapping[str, Any], row: TaskRow) -> Iterator[ChunkFacts]:
        folder = run.chunks
        files = _files_in(folder)
        entries = as_list(manifest.get("chunks")) or [{"file": name} for name in sorted(files)]
        # Only names: a manifest does not get to point elsewhere.
        names = [as_text(as_mapping(entry).get("file")).rpartition("/")[2] for entry in entries]
        in_work = self._in_work(row, [index for index, name in enumerate(names) if name not in files])
        begins = 0.0
        for index, (entry, silence) in enumerate(
            zip(map(as_mapping, entries), silences(manifest, entries), strict=True)
        ):
            path = folder / names[index]
            stamp = files.get(names[index])
            speaker, text = as_text(entry.get("speaker")), as_text(entry.get("text"))
            if stamp is None:
                state: ChunkState = "waiting" if row.state in {"rendering", *WAITING} else "missing"
                yield ChunkFacts(index, speaker, text, "rendering" if index in in_work else state, path, silence)
                continue
            facts = self._facts(path, stamp, entry)
            seconds = self._length(path, stamp, known=facts is not None)
            yield ChunkFacts(
                index,
                speaker,
                text or (facts.text if facts else ""),
                "done",
                path,
                silence,
                begins=begins,
                speech_seconds=seconds,
                seconds_spent=facts.seconds_spent if facts else None,
                tokens=facts.tokens if facts else None,
                seeds=facts.seeds if facts else (),
            )
            begins += (seconds or 0.0) + silence

    def _in_work(self, row: TaskRow, missing: Sequence[int]) -> Collection[int]:
        """Indices of the chunks whose takes are being made, of those that are missing.

        The host says every second which these are; where all that it said are done, the first one is next.
        """
        if row.state != "rendering":
            return ()
        said = as_list(as_mapping(self._live.read().get("chunks")).get(row.id))
        return {index for index in missing if index in said} or missing[:1]

    def _facts(self, path: Path, stamp: Stamp, entry: Mapping[str, Any]) -> TakeFacts | None:
        """From the manifest where the take is still the one that it tells of, else from beside the take."""
        if as_list(entry.get("stamp")) == [stamp.size, stamp.mtime_ns] and entry.get("seeds") is not None:
            return TakeFacts(
                key="",
                text="",
                tokens=int(as_number(entry.get("tokens")) or 0),
                seconds_spent=as_number(entry.get("seconds_spent")) or 0.0,
                seeds=tuple(seed for seed in as_list(entry.get("seeds")) if isinstance(seed, int)),
                pieces=1,
                draft=entry.get("draft") is True,
            )
        return self._remembered("facts", path, _sound_facts, stamp)

    def _length(self, path: Path, stamp: Stamp, *, known: bool) -> float | None:
        """Seconds of speech: by its size for a take of ours, by its header for one that somebody put there."""
        try:
            if known and self._rate:
                return max(0, stamp.size - _HEADER_BYTES) / SAMPLE_BYTES["float32"] / self._rate
            rate, seconds = self._remembered("header", path, _read_header, stamp)
        except (DamagedTake, OSError):
            return None
        if known:
            self._rate = rate
        return seconds

    def _remembered(self, what: str, path: Path, read: Callable[[Path], Value], stamp: Stamp | None = None) -> Value:
        """What `read` gave or raised when the file was last as it is. Raises OSError for a missing file."""
        stamp = stamp or Stamp.of(path.stat())
        known = self._known.get((what, path.name))
        if known is None or known[0] != stamp:
            try:
                value: Value | Exception = read(path)
            except (DamagedTake, InvalidFile, ValueError, RecursionError) as error:
                value = error
            known = stamp, value
            self._known[what, path.name] = known
        if isinstance(known[1], Exception):
            raise known[1]
        remembered: Value = known[1]
        return remembered


def _parse(path: Path) -> Any:
    return json.loads(read_bytes(path, limit=_MANIFEST_LIMIT))


def _files_in(folder: Path) -> dict[str, Stamp]:
    """The takes that lie in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            return {each.name: Stamp.of(each.stat()) for each in entries if _is_take(each)}
    except FileNotFoundError:
        return {}


def _is_take(entry: os.DirEntry[str]) -> bool:
    return bool(_TAKE_NAME.fullmatch(entry.name)) and entry.is_file()


def _sound_facts(path: Path) -> TakeFacts | None:
    """The facts beside a take, if they are what they should be."""
    if not path.with_suffix(".json").is_file():
        return None
    facts = read_facts(path)
    if facts is None or not isinstance(facts.text, str) or not all(isinstance(seed, int) for seed in facts.seeds):
        return None
    numbers = (facts.tokens, facts.seconds_spent)
    return facts if all(as_number(number) is not None for number in numbers) else None


def _read_header(path: Path) -> tuple[int, float]:
    with open_wav(path) as file:
        return int(file.samplerate), file.frames / file.samplerate


def _measure_take(path: Path) -> Measured:
    return measure(path, parts=_PARTS_OF_TAKE)


def _with_begins(chunks: Sequence[ChunkFacts]) -> Iterator[ChunkFacts]:
    """Where each take begins when those that are there follow one another."""
    begins = 0.0
    for chunk in chunks:
        if chunk.state == "done" and chunk.speech_seconds is not None:
            yield replace(chunk, begins=begins)
            begins += chunk.speech_seconds + chunk.silence
        else:
            yield replace(chunk, begins=None)


def _explain(error: DamagedTake | OSError) -> str:
    if isinstance(error, DamagedTake):
        return f"{shown_path(Path(error.name))} cannot be used: {error.reason}"
    place = shown_path(Path(os.fsdecode(error.filename))) if error.filename else "a file"
    return f"{place}: {explain(error)}"

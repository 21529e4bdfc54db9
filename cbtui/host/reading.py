"""From task files to what the queue takes: each file read together with the settings around it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from cbtui.core.clean import visible
from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.stamp import Stamp
from cbtui.core.status import SETTLED
from cbtui.core.task import Task
from cbtui.host.rendering.digest import ClipDigests, digest_task, find_finished
from cbtui.host.store import FoundTask, KnownFile
from cbtui.jobs import Loaded, load_tasks
from cbtui.jobs.scan import FOLDER_SETTINGS, TEXT_KINDS, is_passed_over, is_task_name
from cbtui.jobs.watching import FileRenamed, FileVanished
from cbtui.jobs.watching.held_open import is_held_open
from cbtui.jobs.watching.tree import Tree, stamp_of
from cbtui.paths import Places


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one file: `found` is None where it is no task of its own but a text that another file names.

    `task` is None for an invalid one. `texts` are the texts it names, as paths below the jobs directory where they
    lie there. `unfinished`: a file that it names is still being written, so there is nothing to say yet.
    """

    source: Path
    found: FoundTask | None
    task: Task | None = None
    texts: tuple[Path, ...] = ()
    unfinished: bool = False


class Reader:
    """Reads task files of one jobs directory. `overrides` are settings of the command line, which win over files.

    `kept` are overrides of an earlier host: what it was through with is kept, though it would come out otherwise.
    """

    def __init__(self, places: Places, overrides: Mapping[str, str], kept: Mapping[str, str] | None = None) -> None:
        self.root = Path(os.path.abspath(places.jobs))  # noqa: PTH100 - Path.absolute keeps '..'
        self._real_root = Path(os.path.realpath(self.root))
        self._output = places.output
        self.user_settings = places.user_settings
        self.overrides: Mapping[str, str] = dict(overrides)
        self._kept = kept
        self._clips = ClipDigests()

    def surroundings(self, path: Path) -> str:
        """Names the settings that a task file here is read with: the user's, `job.yaml` of each folder, overrides."""
        folders = [self.root, *reversed([each for each in path.parents if each.is_relative_to(self.root)][:-1])]
        files = [self.user_settings, *(folder / FOLDER_SETTINGS for folder in folders)]
        stamps = [str(stamp_of(str(file))) for file in files]
        return hashlib.sha256("\n".join([*stamps, repr(sorted(self.overrides.items()))]).encode()).hexdigest()[:16]

    def is_known(self, path: Path, stamp: Stamp, known: KnownFile) -> bool:
        """Whether nothing that decides this task has changed since it was read."""
        return (
            known.stamp == stamp
            and all(stamp_of(str(each)) == there for each, there in known.inputs)
            and known.surroundings == self.surroundings(path)
        )

    def read(self, files: Mapping[Path, Stamp], known: Mapping[Path, KnownFile]) -> tuple[Reading, ...]:
        """Read files, in their order. `known` keeps the name of a task whose file is invalid by now."""
        loaded = self._load(files, self.overrides)
        kept = self._kept_digests([path for path in files if path in known and known[path].state in SETTLED])
        tasks = {task.source: task for task in loaded.tasks}
        return tuple(
            self._reading(
                path,
                stamp,
                tasks.get(path) or loaded.invalid.get(path),
                loaded.texts_named_by.get(path, ()),
                known.get(path),
                kept=kept.get(path, ""),
            )
            for path, stamp in files.items()
        )

    def _load(self, files: Collection[Path], overrides: Mapping[str, str]) -> Loaded:
        return load_tasks(
            files, root=self.root, user_settings=self.user_settings, scanned=frozenset(files), overrides=overrides
        )

    def _kept_digests(self, files: Sequence[Path]) -> dict[Path, str]:
        """What the earlier host took these files for."""
        if self._kept is None or not files:
            return {}
        return {task.source: digest_task(task, self._clips) for task in self._load(files, self._kept).tasks}

    def as_watched(self, path: Path) -> Path:
        """A resolved path by the name that the watcher has for it."""
        return self.root / path.relative_to(self._real_root) if path.is_relative_to(self._real_root) else path

    def can_be_task(self, path: Path) -> bool:
        """Whether the watcher would tell of a file there."""
        if not path.is_relative_to(self.root) or not is_task_name(path.name):
            return False
        folders = [self.root.name, *path.relative_to(self.root).parts[:-1]]
        return not any(is_passed_over(parent, name) for parent, name in pairwise(folders))

    def missed(self, known: Mapping[Path, Stamp]) -> list[FileRenamed | FileVanished]:
        """What became of files that are not where they were when a host last ran.

        A file that bears another name is known by what it is; its device may have another number by now.
        """
        gone = {path: stamp for path, stamp in known.items() if not self._is_there(path)}
        if not gone:
            return []
        new = {stamp[1:]: path for path, stamp in self._others(known).items()}
        told: list[FileRenamed | FileVanished] = []
        for path, stamp in gone.items():
            renamed = new.pop(stamp[1:], None)
            told.append(FileRenamed(path, renamed, stamp) if renamed else FileVanished(path, stamp))
        return told

    def there(self) -> set[Path]:
        """The files that the watcher tells of, as soon as they are whole."""
        return {Path(path) for path in Tree(self.root).look().tasks}

    def _is_there(self, path: Path) -> bool:
        """Whether this is a file of the jobs directory, or may be: it lies where one may not look."""
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return path.is_relative_to(self.root)

    def _others(self, known: Mapping[Path, Stamp]) -> dict[Path, Stamp]:
        """The files that are there and not known."""
        seen = Tree(self.root).look().tasks
        return {Path(path): stamp for path, stamp in seen.items() if stamp is not None and Path(path) not in known}

    def _reading(
        self,
        path: Path,
        stamp: Stamp,
        outcome: Task | InvalidFile | None,
        texts: tuple[Path, ...],
        known: KnownFile | None,
        *,
        kept: str,
    ) -> Reading:
        if outcome is None:
            return Reading(path, None)
        watched = tuple(map(self.as_watched, texts))
        if isinstance(outcome, InvalidFile):
            found = self.refuse(path, stamp, outcome.problems, known)
            # Of a file that cannot be parsed, two texts are a guess; what it named before is likelier.
            named = (*texts, *_named_before(known)) if len(texts) > 1 else texts
            return Reading(path, replace(found, inputs=_stamped(named)), None, watched)
        found = replace(self._found(outcome, stamp, new=known is None), kept=kept)
        if any(there is not None and is_held_open(str(each), there) for each, there in found.inputs):
            return Reading(path, None, None, watched, unfinished=True)
        return Reading(path, found, outcome, watched)

    def refuse(self, path: Path, stamp: Stamp, problems: tuple[Problem, ...], known: KnownFile | None) -> FoundTask:
        """What the queue shows of a file that is no valid task."""
        return FoundTask(
            id=known.task if known else self._name_of(path),
            source=path,
            stamp=stamp,
            digest="",
            problems=problems,
            surroundings=self.surroundings(path),
            inputs=_stamped(_named_before(known)),
        )

    def _found(self, task: Task, stamp: Stamp, *, new: bool) -> FoundTask:
        digest = digest_task(task, self._clips)
        clip = task.speakers[task.default_speaker].reference
        return FoundTask(
            id=task.id,
            source=task.source,
            stamp=stamp,
            digest=digest,
            priority=task.priority,
            model=model_of(task),
            voice="builtin" if clip is None else self._clips(clip)[:16],
            characters=len(task.text),
            surroundings=self.surroundings(task.source),
            inputs=_stamped(task.references),
            finished=find_finished(self._output, task, digest) if new else None,
        )

    def _name_of(self, path: Path) -> str:
        """A name for what cannot be a task yet."""
        folder = path.parent.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else "."
        return visible(f"{self.root.name or 'jobs' if folder == '.' else folder}/{path.stem}")


def model_of(task: Task) -> str:
    """What must be loaded for a task: `chatterbox/turbo`, or `espeak`."""
    return task.engine if task.engine == "espeak" else f"{task.engine}/{task.model}"


def _named_before(known: KnownFile | None) -> list[Path]:
    """What a file named when it was last understood; a text of each kind under one name is a guess."""
    paths = [path for path, _ in known.inputs] if known else []
    return [path for path in paths if not {path.with_suffix(kind) for kind in TEXT_KINDS} <= {*paths}]


def _stamped(paths: Iterable[Path]) -> tuple[tuple[Path, Stamp | None], ...]:
    return tuple((path, stamp_of(str(path))) for path in dict.fromkeys(paths))

"""From a file to a validated Task, or to all that is wrong with the file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cbtui.core.clean import clean_text, shown_path
from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.task import Task
from cbtui.jobs.build import build_task
from cbtui.jobs.cascade import Cascade, Layer, make_layer, merge
from cbtui.jobs.names import name_of_job, name_of_task
from cbtui.jobs.plain_text import split_front_matter, without_heading_marks
from cbtui.jobs.references import Finder
from cbtui.jobs.safe_open import TEXT_LIMIT, YAML_LIMIT, decode, describe_size, read_text
from cbtui.jobs.scan import TEXT_KINDS, YAML_KINDS
from cbtui.jobs.yaml_nodes import Origin, parse_yaml


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a set of files: each is a task, or invalid, or a text that another one names.

    `texts_named_by` holds, for each YAML file of the set, also an invalid one, the resolved paths of text files that
    it names.
    """

    tasks: tuple[Task, ...]
    invalid: Mapping[Path, InvalidFile]
    texts_named_by: Mapping[Path, tuple[Path, ...]]

    @property
    def named_texts(self) -> frozenset[Path]:
        """All text files that YAML files of the set name."""
        return frozenset(text for texts in self.texts_named_by.values() for text in texts)


@dataclass(frozen=True, slots=True)
class _Attempt:
    outcome: Task | InvalidFile
    named_texts: tuple[Path, ...] = ()


def load_task(path: Path, *, root: Path, user_settings: Path | None = None) -> Task:
    """The task in one file of the jobs directory `root`, with the settings above it. Raises InvalidFile.

    For a file elsewhere, the file's own folder takes the place of the root.
    """
    outcome = _attempt(path, Cascade(_absolute(root), user_settings)).outcome
    if isinstance(outcome, InvalidFile):
        raise outcome
    return outcome


def load_text(content: str, path: Path, *, root: Path, user_settings: Path | None = None, shown: str) -> Task:
    """The task that a text file at `path` in `root` would make if it held `content`; neither needs to exist.

    It is called `shown` in problems. Raises InvalidFile.
    """
    data = content.encode(errors="surrogatepass")
    if len(data) > TEXT_LIMIT:
        raise InvalidFile((Problem(shown, f"is larger than {describe_size(TEXT_LIMIT)}: split it into parts"),))
    path, cascade = _absolute(path), Cascade(_absolute(root), user_settings)
    name, job = _names(path, cascade.root, shown)
    text = clean_text(decode(data, Path(shown)))
    layer = _text_layer(text, path.suffix, shown, Finder(path.parent, cascade.root))
    return build_task(merge([*cascade.above(path), layer], shown), path, name=name, job=job)


def load_tasks(
    files: Iterable[Path],
    *,
    root: Path,
    user_settings: Path | None = None,
    scanned: Collection[Path] = (),
    overrides: Mapping[str, str] | None = None,
) -> Loaded:
    """Load every file; a bad one never stops the others. Of two that make the same task, the later is invalid.

    `scanned` are those of the files that were found by looking through a folder: a text among them that a YAML file
    of the set names in `text_file` is no task of its own. `overrides` are settings of the command line, `engine` or
    `model`, which win over every file.
    """
    files = list(dict.fromkeys(files))
    cascade = Cascade(_absolute(root), user_settings, overrides or {})
    attempts = {path: _attempt(path, cascade) for path in files if _is_yaml(path)}
    texts_named_by = {path: attempt.named_texts for path, attempt in attempts.items()}
    named = frozenset(text for texts in texts_named_by.values() for text in texts)
    tasks: dict[str, Task] = {}
    invalid: dict[Path, InvalidFile] = {}
    for path in files:
        if path not in attempts and path in scanned and Path(os.path.realpath(path)) in named:
            continue
        outcome = (attempts.get(path) or _attempt(path, cascade)).outcome
        if isinstance(outcome, InvalidFile):
            invalid[path] = outcome
        elif twin := tasks.get(outcome.id):
            message = f"makes the same task '{outcome.id}' as {shown_path(twin.source)}: rename one of them"
            invalid[path] = InvalidFile((Problem(shown_path(path), message),))
        else:
            tasks[outcome.id] = outcome
    return Loaded(tuple(tasks.values()), invalid, texts_named_by)


def job_of_folder(path: Path, *, root: Path) -> str:
    """The job of a file where no setting gives one, also of a file that is invalid."""
    path, root = _absolute(path), _absolute(root)
    folder = _folder_in(root if path.is_relative_to(root) else path.parent, path)
    try:
        return name_of_job(folder)
    except ValueError:
        return folder


def _attempt(path: Path, cascade: Cascade) -> _Attempt:
    absolute = _absolute(path)
    shown = shown_path(path)
    if not absolute.is_relative_to(cascade.root):
        cascade = cascade.moved_to(absolute.parent)
    try:
        name, job = _names(absolute, cascade.root, shown)
    except InvalidFile as error:
        return _Attempt(error)
    layer: Layer | None = None
    try:
        layer = _task_layer(absolute, shown, cascade.root)
        settings = merge([*cascade.above(absolute), layer, *cascade.below(layer)], shown)
        return _Attempt(build_task(settings, absolute, name=name, job=job), _texts_named_by(layer))
    except InvalidFile as error:
        texts = _texts_named_by(layer) if layer else _texts_beside(absolute)
        return _Attempt(error, texts)


def _task_layer(path: Path, shown: str, root: Path) -> Layer:
    finder = Finder(path.parent, root)
    if _is_yaml(path):
        return make_layer(parse_yaml(read_text(path, limit=YAML_LIMIT), shown), finder)
    if path.suffix.lower() not in TEXT_KINDS:
        if not os.path.lexists(path):
            raise InvalidFile((Problem(shown, "no such file"),))
        kinds = " ".join(YAML_KINDS + TEXT_KINDS)
        raise InvalidFile((Problem(shown, f"is not a task file: its name must end in one of {kinds}"),))
    return _text_layer(read_text(path, limit=TEXT_LIMIT), path.suffix, shown, finder)


def _text_layer(written: str, kind: str, shown: str, finder: Finder) -> Layer:
    """What a text file of this content and ending says."""
    content = split_front_matter(written)
    document = parse_yaml(content.settings or "", shown, what="the block between '---' lines")
    for key in ("text", "text_file", "input"):
        if document.values.pop(key, None) is not None:
            document.problems.append(document.origin((key,)).problem("the text is what stands below the second '---'"))
    document.origins["text",] = Origin(shown, None, None, "")
    layer = make_layer(document, finder)
    text = without_heading_marks(content.text) if kind.lower() == ".md" else content.text
    return Layer(
        layer.path, {**layer.values, "text": text}, layer.origins, layer.broken, layer.problems, layer.warnings
    )


def _names(path: Path, root: Path, shown: str) -> tuple[str, str]:
    """The task's name, and its job's where no setting gives one: the folder's path, or the root's own name."""
    try:
        return name_of_task(path), name_of_job(_folder_in(root, path))
    except ValueError as error:
        raise InvalidFile((Problem(shown, str(error)),)) from None


def _folder_in(root: Path, path: Path) -> str:
    folder = path.parent.relative_to(root).as_posix()
    return root.name or "jobs" if folder == "." else folder


def _texts_named_by(layer: Layer) -> tuple[Path, ...]:
    file = layer.values.get("text_file")
    return (file,) if file is not None else ()


def _texts_beside(path: Path) -> tuple[Path, ...]:
    """What a YAML file that cannot be read probably names: a text of its own name."""
    return tuple(Path(os.path.realpath(path.with_suffix(kind))) for kind in TEXT_KINDS if _is_yaml(path))


def _is_yaml(path: Path) -> bool:
    return path.suffix.lower() in YAML_KINDS


def _absolute(path: Path) -> Path:
    """`path` without `.` and `..`, links left as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps '..'

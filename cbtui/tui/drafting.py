"""A text on its way to become a task: what stands in the form, the file it would become, and what is wrong with it.

Nothing here knows the screen. All of it reads the disk, so it is called beside the screen's thread.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cbtui.core.clean import is_clean, shown_path, visible
from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.task import LANGUAGES, MODELS, UNUSED_SAMPLING, ModelName, Speaker, Task
from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.jobs.adding import Added
    from cbtui.jobs.adding_texts import Composed
    from cbtui.jobs.destination import Destination
    from cbtui.jobs.typed_text import Setting

NUMBERS = ("exaggeration", "cfg_weight", "temperature", "seed", "priority")
SETTINGS = ("model", "language", "speaker", "reference", *NUMBERS)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person typed, as it stands in the fields; blank means the default."""

    text: str = ""
    job: str = ""
    name: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standard:
    """What holds where a field is left blank: `values` in words, by field. `speakers` are those that may be named.

    `own` are settings that `speaker`, who speaks, has of its own above the file, where they win over the file's.
    """

    model: ModelName = "english"
    speakers: tuple[str, ...] = ()
    speaker: str = ""
    own: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would become of a draft: `content` in a new file at `path`.

    `problems` are by field, `text` among them; `warnings` are about a text that can be added.
    """

    path: Path | None = None
    content: str = ""
    standard: Standard = field(default_factory=Standard)
    problems: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Kept:
    """What the app remembers from one visit to the next, as long as it runs."""

    draft: Draft | None = None
    folder: Path | None = None


class Refused(Exception):
    """The draft cannot be added; `problems` say why, by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n".join(problems.values()))
        self.problems = problems


def used_settings(model: ModelName) -> tuple[str, ...]:
    """The settings of a draft that have an effect with this model."""
    unused = UNUSED_SAMPLING[model] if model == "multilingual" else (*UNUSED_SAMPLING[model], "language")
    return tuple(name for name in SETTINGS if name not in unused)


def look(draft: Draft, places: Places) -> Outlook:
    """What would become of the draft now."""
    from cbtui.jobs.adding_texts import check_text
    from cbtui.text.speakers import split_speakers

    problems: dict[str, str] = {}
    standard = Standard()
    composed: Composed | None = None
    warnings: tuple[str, ...] = ()
    try:
        try:
            destination = _destination(draft, places)
        except Refused:
            # Only the job is wrong: what holds for the other fields is that of the top folder.
            standard = _standard(draft, _top(places), places)
            raise
        standard = _standard(draft, destination, places)
        name = _name(draft, destination, problems)
        composed = _compose(draft, name, destination, standard)
        task = check_text(composed, destination, places.user_settings)
        warnings = split_speakers(task.text, task.speakers, task.default_speaker).warnings
    except Refused as refused:
        problems |= refused.problems
    except InvalidFile as error:
        problems |= _by_field(error.problems, standard)
    except OSError as error:
        problems["job"] = explained(error)
    if composed is None:
        return Outlook(None, draft.text, standard, problems)
    return Outlook(composed.path, composed.content, standard, problems, warnings)


def add(draft: Draft, places: Places) -> Added:
    """Make the draft a task. Raises Refused, and OSError naming what could not be written."""
    from cbtui.jobs.adding_texts import add_text

    problems = look(draft, places).problems
    if problems:
        raise Refused(problems)
    destination = _destination(draft, places)
    standard = _standard(draft, destination, places)
    try:
        return add_text(
            draft.text,
            destination,
            name=draft.name.strip() or None,
            settings=_settings(draft, destination, standard),
            user_settings=places.user_settings,
        )
    except InvalidFile as error:
        raise Refused(_by_field(error.problems, standard)) from None


def explained(error: OSError) -> str:
    """What the operating system said, and of what."""
    return f"{visible(str(error.filename or ''))}: {error.strerror or error}".removeprefix(": ")


def _destination(draft: Draft, places: Places) -> Destination:
    from cbtui.jobs.destination import find_destination

    try:
        return find_destination(places.jobs, draft.job.strip() or None)
    except ValueError as error:
        raise Refused({"job": str(error)}) from None


def _top(places: Places) -> Destination:
    from cbtui.jobs.destination import find_destination

    return find_destination(places.jobs)


def _name(draft: Draft, destination: Destination, problems: dict[str, str]) -> str | None:
    """The name that was typed, None where there is none that will do."""
    name = draft.name.strip()
    if not name:
        return None
    try:
        destination.target(name, ".txt")
    except InvalidFile as error:
        problems["name"] = error.problems[0].message
        return None
    return name


def _standard(draft: Draft, destination: Destination, places: Places) -> Standard:
    """What the settings above the draft say, as the loader reads them for a text without any of its own."""
    from cbtui.jobs.cascade import Cascade, merge
    from cbtui.jobs.loader import load_text

    chosen = next((model for model in MODELS if model == draft.settings.get("model")), None)
    content = f"---\nmodel: {chosen}\n---\ntext" if chosen else "text"
    path = destination.folder / "text.txt"
    try:
        task = load_text(content, path, root=destination.root, user_settings=places.user_settings, shown="")
    except InvalidFile:
        # What is wrong there is told where the draft itself is checked.
        return Standard(chosen or "english")
    speaking = draft.settings.get("speaker", "").strip() or task.default_speaker
    speaker = task.speakers.get(speaking, task.speakers[task.default_speaker])
    above = merge(Cascade(destination.root, places.user_settings).above(path), "").values.get("speakers") or {}
    return Standard(
        model=task.model,
        speakers=tuple(name for name in above if is_clean(name)),
        speaker=speaking,
        own=frozenset(name for name, value in above.get(speaking, {}).items() if value is not None),
        values=_in_words(task, speaker, destination.root),
    )


def _in_words(task: Task, speaker: Speaker, root: Path) -> dict[str, str]:
    clip = speaker.reference
    return {
        "model": task.model,
        "language": LANGUAGES[speaker.language],
        "speaker": visible(task.default_speaker),
        "reference": "the model's own voice" if clip is None else visible(_below(clip, root)),
        "exaggeration": f"{speaker.sampling.exaggeration:g}",
        "cfg_weight": f"{speaker.sampling.cfg_weight:g}",
        "temperature": f"{speaker.sampling.temperature:g}",
        "seed": "a new one for each run" if task.seed is None else str(task.seed),
        "priority": str(task.priority),
    }


def _below(path: Path, root: Path) -> str:
    root = Path(os.path.realpath(root))
    return str(path.relative_to(root)) if path.is_relative_to(root) else shown_path(path)


def _compose(draft: Draft, name: str | None, destination: Destination, standard: Standard) -> Composed:
    from cbtui.jobs.adding_texts import compose_text

    return compose_text(draft.text, destination, name=name, settings=_settings(draft, destination, standard))


def _settings(draft: Draft, destination: Destination, standard: Standard) -> dict[str, Setting]:
    """The settings as they are written, those that the speaker has of its own under the speaker's name."""
    given: dict[str, Setting] = {}
    for name in used_settings(standard.model):
        typed = draft.settings.get(name, "").strip()
        if typed:
            given[name] = _setting(name, typed, destination)
    own = {name: given.pop(name) for name in SETTINGS if name in given and name in standard.own}
    return given | {"speakers": {standard.speaker: own}} if own else given


def _setting(name: str, typed: str, destination: Destination) -> Setting:
    if name == "reference":
        path = os.path.join(destination.root, os.path.expanduser(typed))  # noqa: PTH111, PTH118 - nobody's ~ stays
        return os.path.relpath(path, destination.folder)
    return _number(typed) if name in NUMBERS else typed


def _number(typed: str) -> Setting:
    """A number as one; anything else as it is, for the loader to refuse."""
    for kind in (int, float):
        try:
            number = kind(typed)
        except ValueError:
            continue
        # JSON's way of writing NaN and infinity is text in YAML.
        return number if kind is int or math.isfinite(number) else typed
    return typed


def _by_field(problems: tuple[Problem, ...], standard: Standard) -> dict[str, str]:
    """Each problem beside what it is about: the field, else the text, and the job for what its folder says."""
    from cbtui.jobs.adding_texts import TYPED

    found: dict[str, list[str]] = {}
    for problem in problems:
        where, message = ("job", str(problem)) if problem.path != TYPED else _field_of(problem, standard)
        found.setdefault(where, []).append(message)
    return {where: "\n".join(messages) for where, messages in found.items()}


def _field_of(problem: Problem, standard: Standard) -> tuple[str, str]:
    if problem.line is not None:
        return "text", f"line {problem.line}, column {problem.column}: {problem.message}"
    for name in SETTINGS:
        for key in (name, f"speakers.{standard.speaker}.{name}"):
            if problem.message.startswith(f"{key}: "):
                return name, problem.message.removeprefix(f"{key}: ")
    return "text", problem.message

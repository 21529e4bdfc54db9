"""Merged settings -> a Task: defaults filled in, and what only shows when all settings are known."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.task import MODEL_SAMPLING, UNUSED_SAMPLING, Chunking, ModelName, Output, Sampling, Speaker, Task
from cbtui.jobs.cascade import Layer, origin_of
from cbtui.jobs.plain_text import without_heading_marks
from cbtui.jobs.safe_open import TEXT_LIMIT, read_text
from cbtui.jobs.schema import MAX_LIMIT, SAMPLING_KEYS
from cbtui.jobs.values import did_you_mean, quote
from cbtui.jobs.yaml_nodes import KeyPath

DEFAULT_SPEAKER = "default"

# Chatterbox garbles texts over about 300 characters (HAZARDS, chatterbox-tts 0.1.7); the built-in limit is 350.
_LONG_CHUNK = 400

_SPEAKER_TAG = re.compile(r"<speaker:[^<>\n]*>")
_LETTER = re.compile(r"[^\W_]")


def build_task(settings: Layer, source: Path, *, name: str, job: str) -> Task:
    """The task that `settings`, merged, describe. `job` is its name unless the settings have one.

    Raises InvalidFile with the problems of every layer and those found here.
    """
    return _Builder(settings, source).build(name, job)


class _Builder:
    def __init__(self, settings: Layer, source: Path) -> None:
        self._settings = settings
        self._values: Mapping[str, Any] = {key: value for key, value in settings.values.items() if value is not None}
        self._source = source
        self._problems = list(settings.problems)
        self._warnings = list(settings.warnings)

    def build(self, name: str, job: str) -> Task:
        model: ModelName = self._values.get("model", "english")
        engine = self._values.get("engine", "chatterbox")
        text = self._text()
        speakers = self._speakers(model)
        default = self._default_speaker(speakers)
        chunking = self._chunking()
        if engine == "chatterbox":
            self._warn_of_unused(model)
        if self._problems:
            raise InvalidFile(_in_order(self._problems))
        optional = {
            key: self._values[key] for key in ("seed", "priority", "max_retries", "run_label") if key in self._values
        }
        return Task(
            name=name,
            job=self._values.get("job", job),
            source=self._source,
            text=text,
            engine=engine,
            model=model,
            default_speaker=default,
            speakers=speakers,
            chunking=chunking,
            output=Output(**_given(self._values.get("output"))),
            references=self._references(speakers),
            warnings=tuple(str(warning) for warning in self._warnings),
            **optional,
        )

    def _text(self) -> str:
        file: Path | None = self._values.get("text_file")
        if file is not None:
            try:
                text = read_text(file, limit=TEXT_LIMIT)
            except InvalidFile as error:
                self._problems += error.problems
                return ""
            text = without_heading_marks(text) if file.suffix.lower() == ".md" else text
        else:
            text = self._values.get("text", "")
        if not self._doubtful(("text",), ("text_file",)) and not _is_speakable(text):
            self._complain_of_silence(text)
        return text

    def _complain_of_silence(self, text: str) -> None:
        given = next((key for key in ("text_file", "text") if key in self._settings.values), None)
        if given is None:
            keys = "'input.text_file'" if self._settings.pipeline else "'text' or 'text_file'"
            self._problems.append(Problem(self._settings.path, f"there is no text to speak: give {keys}"))
            return
        why = "" if not text.strip() else ": it has neither letters nor numbers"
        self._say((given,), f"there is no text to speak{why}")

    def _speakers(self, model: ModelName) -> dict[str, Speaker]:
        common = _speaking(self._values)
        named: Mapping[str, Mapping[str, Any]] = self._values.get("speakers", {})
        speakers = {name: _make_speaker(name, common | _speaking(own), model) for name, own in named.items()}
        wanted = self._values.get("speaker", DEFAULT_SPEAKER)
        if wanted == DEFAULT_SPEAKER and ("speaker" in self._values or not speakers):
            speakers.setdefault(DEFAULT_SPEAKER, _make_speaker(DEFAULT_SPEAKER, common, model))
        return speakers

    def _default_speaker(self, speakers: Mapping[str, Speaker]) -> str:
        name: str = self._values.get("speaker") or next(iter(speakers))
        if name in speakers:
            return name
        in_doubt = any(place[:1] == ("speakers",) and len(place) <= 2 for place in self._settings.broken)
        if not in_doubt:
            hint = did_you_mean(name, speakers) or f" (known: {', '.join(map(quote, speakers)) or 'none'})"
            self._say(("speaker",), f"unknown speaker {quote(name)}{hint}")
        return name

    def _chunking(self) -> Chunking:
        """Of target and limit, one that is not given follows the other."""
        given = _given(self._values.get("chunking"))
        standard = Chunking()
        limit = given.get("limit", max(standard.limit, given.get("target", 0)))
        target = given.get("target", min(standard.target, limit))
        minimum = given.get("minimum", standard.minimum)
        if not any(place[:1] == ("chunking",) for place in self._settings.broken):
            if target > limit:
                self._say(("chunking", "target"), f"{target} is over the limit of {limit}: must be at most that")
            if minimum > limit:
                self._say(("chunking", "minimum"), f"{minimum} is over the limit of {limit}: must be at most that")
        if limit > _LONG_CHUNK:
            self._warn(("chunking", "limit"), f"chunks over {_LONG_CHUNK} characters often come out garbled: try 350")
        return Chunking(target=target, limit=min(limit, MAX_LIMIT), minimum=minimum)

    def _warn_of_unused(self, model: ModelName) -> None:
        speakers: Mapping[str, Mapping[str, Any]] = self._values.get("speakers", {})
        holders: list[tuple[KeyPath, Mapping[str, Any]]] = [((), self._values)]
        holders += [(("speakers", name), own) for name, own in speakers.items()]
        for place, holder in holders:
            for key in UNUSED_SAMPLING[model]:
                if holder.get(key) is not None:
                    self._warn((*place, key), f"the model '{model}' ignores it")
            spoken = holder.get("language")
            if model != "multilingual" and spoken not in (None, "en"):
                self._warn((*place, "language"), f"the model '{model}' speaks English only: use model: multilingual")

    def _references(self, speakers: Mapping[str, Speaker]) -> tuple[Path, ...]:
        files = [self._values.get("text_file"), *(speaker.reference for speaker in speakers.values())]
        return tuple(dict.fromkeys(file for file in files if file is not None))

    def _doubtful(self, *places: KeyPath) -> bool:
        return any(place in self._settings.broken for place in places)

    def _say(self, place: KeyPath, message: str) -> None:
        self._problems.append(origin_of(self._settings, *map(str, place)).problem(message))

    def _warn(self, place: KeyPath, message: str) -> None:
        self._warnings.append(origin_of(self._settings, *map(str, place)).problem(message))


def _is_speakable(text: str) -> bool:
    """Whether `text` has a letter or a number, in a [tag] or out of it, apart from the names of speakers."""
    return bool(_LETTER.search(_SPEAKER_TAG.sub(" ", text)))


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """File by file as they came, each from top to bottom."""
    files = {problem.path: number for number, problem in reversed(list(enumerate(problems)))}
    return tuple(sorted(problems, key=lambda one: (files[one.path], one.line or 0, one.column or 0)))


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if value is not None}


def _speaking(values: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("reference", "language", "espeak_voice", *SAMPLING_KEYS)
    return {key: values[key] for key in keys if values.get(key) is not None}


def _make_speaker(name: str, settings: Mapping[str, Any], model: ModelName) -> Speaker:
    sampling: Sampling = dataclasses.replace(
        MODEL_SAMPLING[model], **{key: settings[key] for key in SAMPLING_KEYS if key in settings}
    )
    rest = {key: value for key, value in settings.items() if key not in SAMPLING_KEYS}
    return Speaker(name=name, sampling=sampling, **rest)

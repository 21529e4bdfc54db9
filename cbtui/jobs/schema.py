"""What a task file may say, in its native form. Every setting is optional here: files complete each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationError

from cbtui.core.task import ENGINES, MODELS
from cbtui.jobs.names import MAX_NAME_BYTES, name_of_job
from cbtui.jobs.values import choice, did_you_mean, language, line, nearest, number, path, quote, text, whole
from cbtui.jobs.yaml_nodes import MAX_PROBLEMS, KeyPath, Value

MAX_LIMIT = 600
# Later takes of a chunk count up from the seed; the generator takes 63 bits.
MAX_SEED = 2**63 - 2**32

_MAX_LISTED = 12

_CRASHES = "{} makes the model crash"
_GARBLES = "the model garbles longer texts"

Text = Annotated[str | None, PlainValidator(text)]
Line = Annotated[str | None, PlainValidator(line)]
FilePath = Annotated[str | None, PlainValidator(path)]
Language = Annotated[str | None, PlainValidator(language)]
Seconds = Annotated[float | None, PlainValidator(number(0, 60))]
Characters = Annotated[
    int | None, PlainValidator(whole(40, MAX_LIMIT, low_why="shorter chunks sound choppy", high_why=_GARBLES))
]


def _job(value: Value) -> str | None:
    written = text(value)
    return name_of_job(written) if written else None


def _named_mappings(value: Value) -> Value:
    """Lets `alice:` stand for a speaker without settings of her own."""
    if not isinstance(value, Mapping):
        return value
    return {name: {} if settings is None else settings for name, settings in value.items()}


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SamplingSettings(_Settings):
    """The ranges outside of which chatterbox-tts 0.1.7 crashes, on CUDA for good, are impossible to ask for."""

    exaggeration: Annotated[float | None, PlainValidator(number(0, 2))] = None
    cfg_weight: Annotated[float | None, PlainValidator(number(0, 2))] = None
    temperature: Annotated[
        float | None, PlainValidator(number(0.05, 5, low_why=_CRASHES.format(0), high_why="the model babbles above it"))
    ] = None
    repetition_penalty: Annotated[float | None, PlainValidator(number(1, 10, low_why=_CRASHES.format("0 or less")))] = (
        None
    )
    min_p: Annotated[float | None, PlainValidator(number(0, 1, below=True, high_why="no token would be left"))] = None
    top_p: Annotated[float | None, PlainValidator(number(0, 1, above=True, low_why="no token would be left"))] = None
    top_k: Annotated[int | None, PlainValidator(whole(1, 100_000, low_why="no token would be left"))] = None


class SpeakerSettings(SamplingSettings):
    """One speaker; at the top of a file, the defaults of all speakers."""

    reference: FilePath = None
    language: Language = None
    espeak_voice: Line = None


class ChunkingSettings(_Settings):
    """Sizes in characters."""

    target: Characters = None
    limit: Characters = None
    minimum: Annotated[int | None, PlainValidator(whole(0, MAX_LIMIT))] = None


class OutputSettings(_Settings):
    """Silences in seconds."""

    format: Annotated[str | None, PlainValidator(choice(("wav",)))] = None
    sample_format: Annotated[str | None, PlainValidator(choice(("int16", "float32")))] = None
    chunk_silence: Seconds = None
    paragraph_silence: Seconds = None


class TaskSettings(SpeakerSettings):
    """A whole task file, job.yaml or settings.yaml."""

    text: Text = None
    text_file: FilePath = None
    engine: Annotated[str | None, PlainValidator(choice(ENGINES))] = None
    model: Annotated[str | None, PlainValidator(choice(MODELS))] = None
    speaker: Line = None
    speakers: Annotated[dict[str, SpeakerSettings] | None, BeforeValidator(_named_mappings)] = None
    seed: Annotated[int | None, PlainValidator(whole(0, MAX_SEED, low_why="leave it out for a new one each run"))] = (
        None
    )
    priority: Annotated[int | None, PlainValidator(whole(-1000, 1000))] = None
    max_retries: Annotated[int | None, PlainValidator(whole(0, 10))] = None
    job: Annotated[str | None, PlainValidator(_job)] = None
    run_label: Line = None
    chunking: ChunkingSettings | None = None
    output: OutputSettings | None = None


SAMPLING_KEYS = tuple(SamplingSettings.model_fields)


@dataclass(frozen=True, slots=True)
class Checked:
    """The settings that are right, as plain typed values, and what is wrong with the others.

    `meant` are settings that unknown keys were probably meant to be.
    """

    values: dict[str, Any]
    faults: dict[KeyPath, str]
    meant: frozenset[KeyPath] = frozenset()


def check(values: Mapping[str, Value]) -> Checked:
    """Type the values of one file in its native form. Faulty ones are left out and explained."""
    faults = _bad_speaker_names(values)
    meant: set[KeyPath] = set()
    try:
        settings = TaskSettings.model_validate(_without(values, faults))
    except ValidationError as error:
        every = {tuple(fault["loc"]): fault for fault in error.errors(include_url=False)}
        told = dict(list(every.items())[:MAX_PROBLEMS])
        meant = {(*place[:-1], near) for place, fault in told.items() if (near := _nearest_setting(place, fault))}
        settings = TaskSettings.model_validate(_without(values, (*faults, *every)))
        faults |= {place: _words(fault) for place, fault in told.items()}
    return Checked(settings.model_dump(exclude_unset=True), faults, frozenset(meant))


def known_keys(key_path: KeyPath) -> tuple[str, ...]:
    """The settings allowed in the mapping at `key_path`."""
    model: type[BaseModel] = TaskSettings
    if key_path[:1] == ("speakers",):
        model = SpeakerSettings
    elif key_path:
        model = OutputSettings if key_path[0] == "output" else ChunkingSettings
    return tuple(model.model_fields)


def unknown_setting(key: str, known: tuple[str, ...]) -> str:
    """What to say about a key that means nothing here."""
    few = f" (known here: {', '.join(known)})" if len(known) <= _MAX_LISTED else ": check its spelling, or remove it"
    return f"unknown setting{did_you_mean(key, known) or few}"


def _nearest_setting(place: KeyPath, fault: Any) -> str | None:
    if fault["type"] != "extra_forbidden":
        return None
    return nearest(str(place[-1]), known_keys(place[:-1]))


def _words(fault: Any) -> str:
    place: KeyPath = tuple(fault["loc"])
    if fault["type"] == "extra_forbidden":
        return unknown_setting(str(place[-1]), known_keys(place[:-1]))
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    return f"must be a mapping (key: value), not {quote(fault['input'])}"


def _bad_speaker_names(values: Mapping[str, Value]) -> dict[KeyPath, str]:
    speakers = values.get("speakers")
    if not isinstance(speakers, Mapping):
        return {}
    faults: dict[KeyPath, str] = {}
    for name in speakers:
        if not name or name != name.strip() or any(character in name for character in "<>\n\t"):
            faults["speakers", name] = "a speaker's name is a word that can stand in <speaker:name>"
        elif len(name.encode()) > MAX_NAME_BYTES:
            faults["speakers", name] = f"a speaker's name is at most {MAX_NAME_BYTES} bytes long"
    return faults


def _without(values: Mapping[str, Value], left_out: Iterable[KeyPath]) -> dict[str, Value]:
    """A copy of `values` that lacks the given places."""
    below: dict[str | int, list[KeyPath]] = {}
    for place in left_out:
        below.setdefault(place[0], []).append(place[1:])
    return {
        key: _without(value, below.get(key, ())) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if () not in below.get(key, ())
    }

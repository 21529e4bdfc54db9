"""What a manifest says, in words. Anybody may have written it, so nothing of its shape is taken for granted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbtui.core.clean import shown_path
from cbtui.core.task import UNUSED_SAMPLING

_LONGEST_SILENCE = 3600.0
_STAMP_LETTERS = len("20260101-120000")


def as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def as_number(value: Any) -> float | None:
    """A finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def silences(manifest: Mapping[str, Any], entries: Sequence[Any]) -> Iterator[float]:
    """The seconds of silence after each chunk."""
    output = as_mapping(as_mapping(manifest.get("settings")).get("output"))
    between = as_number(output.get("chunk_silence")) or 0.0
    after_paragraph = as_number(output.get("paragraph_silence")) or 0.0
    paragraphs = [as_mapping(entry).get("paragraph") for entry in entries]
    for paragraph, following in zip(paragraphs, [*paragraphs[1:], None], strict=False):
        yield min(_LONGEST_SILENCE, max(0.0, between if paragraph == following else after_paragraph))


def settings_in_words(manifest: Mapping[str, Any], run: str) -> tuple[tuple[str, str], ...]:
    """(what, value) for all that a person may want to know of how a run came about; only what is there."""
    settings = as_mapping(manifest.get("settings"))
    label = run[_STAMP_LETTERS + 1 :]
    told = [
        ("run", run[:_STAMP_LETTERS] + (f", labelled {label}" if label else "")),
        ("engine", _engine(as_mapping(manifest.get("engine")))),
        ("seed", _seed(manifest.get("seed"), settings)),
        *_voices(settings),
        ("chunking", _named(as_mapping(settings.get("chunking")), ("target", "limit", "minimum"))),
        ("output", _output(as_mapping(settings.get("output")))),
        ("retries", _plain(settings.get("max_retries"))),
        *(("warning", as_text(warning)) for warning in as_list(manifest.get("warnings"))),
    ]
    return tuple((what, value) for what, value in told if value)


def _engine(engine: Mapping[str, Any]) -> str:
    name, model = as_text(engine.get("name")), as_text(engine.get("model"))
    parts = [name if model in {"", name} else f"{name} {model}"]
    parts += [
        f"{what} {engine[key]}"
        for what, key in (("revision", "revision"), ("version", "engine_version"))
        if engine.get(key)
    ]
    if engine.get("draft") is True and model != "draft":
        parts.append("a draft")
    return ", ".join(part for part in parts if part)


def _seed(seed: Any, settings: Mapping[str, Any]) -> str:
    number = _plain(seed)
    return f"{number}, drawn for this run" if number and settings.get("seed") is None else number


def _voices(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A line for each speaker, the default one first."""
    first = settings.get("default_speaker")
    speakers = as_mapping(settings.get("speakers"))
    unused = next((names for model, names in UNUSED_SAMPLING.items() if model == settings.get("model")), ())
    for name in sorted(speakers, key=lambda name: (name != first, name)):
        yield "voice", f"{name}: {_voice(as_mapping(speakers[name]), unused)}"


def _voice(speaker: Mapping[str, Any], unused: Sequence[str]) -> str:
    reference = as_text(speaker.get("reference"))
    parts = [shown_path(Path(reference)) if reference and "\0" not in reference else "the built-in voice"]
    parts += [as_text(speaker.get(key)) for key in ("language", "espeak_voice")]
    sampling = as_mapping(speaker.get("sampling"))
    parts.append(_named(sampling, [key for key in sampling if key not in unused]))
    return ", ".join(part for part in parts if part)


def _output(output: Mapping[str, Any]) -> str:
    parts = [as_text(output.get("sample_format"))]
    for what, key in (("after a chunk", "chunk_silence"), ("after a paragraph", "paragraph_silence")):
        if (seconds := as_number(output.get(key))) is not None:
            parts.append(f"{seconds:g} s {what}")
    return ", ".join(part for part in parts if part)


def _named(values: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {_plain(values.get(key))}" for key in keys if _plain(values.get(key)))


def _plain(value: Any) -> str:
    number = as_number(value)
    return "" if number is None else f"{number:.15g}"

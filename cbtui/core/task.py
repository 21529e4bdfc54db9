"""The task: one text that becomes one audio file, with every setting resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

EngineName = Literal["chatterbox", "espeak"]
ModelName = Literal["english", "multilingual", "turbo"]
SampleFormat = Literal["int16", "float32"]

ENGINES: tuple[EngineName, ...] = ("chatterbox", "espeak")
MODELS: tuple[ModelName, ...] = ("english", "multilingual", "turbo")

# The languages of Chatterbox's multilingual checkpoint (chatterbox-tts 0.1.7, mtl_tts.py).
LANGUAGES: Mapping[str, str] = {
    "ar": "Arabic",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "ms": "Malay",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "sw": "Swahili",
    "tr": "Turkish",
    "zh": "Chinese",
}


# `exact` computes as the library does; `fast` reads half the bytes, for a difference that is hard to hear.
Precision = Literal["exact", "fast"]
PRECISIONS = ("exact", "fast")
# Chunks at once; beyond it every device is at its best.
MAX_BATCH = 256


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model draws speech tokens. The ranges that keep it from crashing are checked at loading."""

    exaggeration: float = 0.5
    cfg_weight: float = 0.5
    temperature: float = 0.8
    repetition_penalty: float = 1.2
    min_p: float = 0.05
    top_p: float = 1.0
    top_k: int = 1000


# The defaults of each model's own `generate()` (chatterbox-tts 0.1.7).
MODEL_SAMPLING: Mapping[ModelName, Sampling] = {
    "english": Sampling(),
    "multilingual": Sampling(repetition_penalty=2.0),
    "turbo": Sampling(exaggeration=0.0, cfg_weight=0.0, min_p=0.0, top_p=0.95),
}

# Parameters that a model's `generate()` accepts and ignores, or does not know.
UNUSED_SAMPLING: Mapping[ModelName, tuple[str, ...]] = {
    "english": ("top_k",),
    "multilingual": ("top_k",),
    "turbo": ("exaggeration", "cfg_weight", "min_p"),
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """A name in the text: a reference clip plus parameters.

    `reference` is an absolute path, or None for the voice that the checkpoint ships. `espeak_voice` is a
    voice name of espeak-ng such as `en-us+f3`, for drafts; None lets the engine pick one by the speaker's name.
    """

    name: str
    reference: Path | None = None
    language: str = "en"
    espeak_voice: str | None = None
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Chunking:
    """Sizes of a chunk, in characters: packing aims at `target`, and no chunk is longer than `limit`.

    A last chunk of a paragraph shorter than `minimum` joins its neighbour where `limit` allows.
    """

    target: int = 280
    limit: int = 350
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """The finished file. Silences are in seconds."""

    format: Literal["wav"] = "wav"
    sample_format: SampleFormat = "int16"
    chunk_silence: float = 0.3
    paragraph_silence: float = 0.8


@dataclass(frozen=True, slots=True)
class Task:
    """One text that becomes one audio file.

    `job` is a relative path of one or more folder names; `name` is the file's stem; both are safe as file names.
    `source` is the task file, `references` every other file that decides the result (text file, clips).
    `seed` None means that each new run draws its own; the run keeps it. `speakers` holds `default_speaker`.
    `warnings` are for the person who wrote the file, each already carrying its place.
    """

    name: str
    job: str
    source: Path
    text: str
    engine: EngineName
    model: ModelName
    default_speaker: str
    speakers: Mapping[str, Speaker]
    seed: int | None = None
    priority: int = 0
    max_retries: int = 2
    run_label: str = ""
    chunking: Chunking = field(default_factory=Chunking)
    output: Output = field(default_factory=Output)
    references: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`job/task`, unique in a jobs directory."""
        return f"{self.job}/{self.name}"

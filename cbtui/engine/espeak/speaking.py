"""One utterance, one child process: started, fed, watched, and ended when it hangs or is no longer wanted."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import math
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cbtui.engine.base import EngineUnavailable
from cbtui.engine.espeak.child import HEADER, MARKER, UNKNOWN_VOICE, UNUSABLE_LIBRARY

CHILD = Path(__file__).with_name("child.py")

# Speaking 350 characters takes 30 to 140 ms (measured); this much more is for machines that are busy or swapping.
PATIENCE_SECONDS = 20.0
PATIENCE_PER_CHARACTER = 0.05

_POLL_SECONDS = 0.05
_REASON_CHARACTERS = 300
_INSTALL = "pip install espeakng-loader"


class NotSpoken(Exception):
    """The child gave no usable samples. The message says why; `may_pass` tells whether a new child could do better."""

    may_pass = True


class UnknownVoice(NotSpoken):
    """espeak-ng has no voice of this name."""

    may_pass = False


class NothingToSpeak(NotSpoken):
    """No sound came of the text."""

    may_pass = False


class Cancelled(Exception):
    """The utterance is no longer wanted."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where espeakng-loader lies, and its version."""

    library: Path
    data: Path
    version: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one child speaks. `pitch` goes from 0 to 100, 50 being the voice's own."""

    text: str
    voice: str
    pitch: int
    words_per_minute: int


def installed_version() -> str:
    """The version of espeakng-loader, which brings espeak-ng with it. Raises EngineUnavailable."""
    try:
        return importlib.metadata.version("espeakng-loader")
    except importlib.metadata.PackageNotFoundError as error:
        raise EngineUnavailable(f"the espeak engine needs espeakng-loader. Install it with: {_INSTALL}") from error


def find_installation() -> Installation:
    """The installed espeakng-loader. Raises EngineUnavailable when it is missing or not whole."""
    version = installed_version()
    try:
        loader: Any = importlib.import_module("espeakng_loader")
        library, data = Path(loader.get_library_path()), Path(loader.get_data_path())
    except ImportError as error:
        message = f"the espeak engine needs espeakng-loader ({error}). Install it with: {_INSTALL}"
        raise EngineUnavailable(message) from error
    except RuntimeError as error:
        raise EngineUnavailable(f"espeakng-loader is damaged ({error}). Install it anew: {_INSTALL}") from error
    return Installation(library, data, version)


def speak(
    utterance: Utterance, installation: Installation, cancelled: threading.Event
) -> tuple[npt.NDArray[np.int16], int]:
    """The samples, mono, and their rate in Hz. Blocks until the child has ended.

    Raises NotSpoken when the child gives no usable samples, Cancelled when `cancelled` is set meanwhile,
    and EngineUnavailable when the library cannot work on this machine.
    """
    patience = PATIENCE_SECONDS + PATIENCE_PER_CHARACTER * len(utterance.text)
    status, answer, said = _run_child(_encode(utterance, installation, patience), installation, patience, cancelled)
    reason = said.decode(errors="replace").strip()[-_REASON_CHARACTERS:] or "it gave no reason"
    if status == UNKNOWN_VOICE:
        raise UnknownVoice(reason)
    if status == UNUSABLE_LIBRARY:
        raise EngineUnavailable(f"espeak-ng does not work here: {reason}. Install it anew: {_INSTALL}")
    if status < 0:
        raise NotSpoken(f"espeak-ng was ended by signal {-status}: {reason}")
    if status > 0:
        raise NotSpoken(f"espeak-ng ended with status {status}: {reason}")
    return _decode(answer)


def _encode(utterance: Utterance, installation: Installation, patience: float) -> bytes:
    message = {
        "text": utterance.text,
        "voice": utterance.voice,
        "pitch": utterance.pitch,
        "words_per_minute": utterance.words_per_minute,
        "library": str(installation.library),
        "data": installation.data.name,
        "patience": math.ceil(2 * patience),
    }
    return json.dumps(message).encode()


def _run_child(
    message: bytes, installation: Installation, patience: float, cancelled: threading.Event
) -> tuple[int, bytes, bytes]:
    """The child's exit status, standard output and standard error."""
    deadline = time.monotonic() + patience
    remaining: bytes | None = message
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # espeak-ng cannot open data whose path is longer than about 160 characters (measured): from here it is short.
        cwd=installation.data.parent,
        env={**os.environ, "LC_ALL": "C"},
        # Ctrl-C and a lost SSH line are for the host to act on; they must not fail chunks.
        start_new_session=True,
    ) as process:
        try:
            while True:
                try:
                    answer, said = process.communicate(remaining, timeout=_POLL_SECONDS)
                    return process.returncode, answer, said
                except subprocess.TimeoutExpired:
                    remaining = None
                if cancelled.is_set():
                    raise Cancelled
                if time.monotonic() > deadline:
                    raise NotSpoken(f"espeak-ng gave no answer within {patience:.0f} seconds")
        finally:
            process.kill()


def _decode(answer: bytes) -> tuple[npt.NDArray[np.int16], int]:
    if len(answer) < HEADER.size:
        raise NotSpoken("espeak-ng gave no samples")
    marker, rate, count = HEADER.unpack_from(answer)
    given = (len(answer) - HEADER.size) // 2
    if marker != MARKER or len(answer) != HEADER.size + 2 * count:
        raise NotSpoken(f"espeak-ng's answer is damaged: {given} samples where {count} were announced")
    samples = np.frombuffer(answer, "<i2", offset=HEADER.size)
    if not samples.any():
        raise NothingToSpeak("espeak-ng found nothing to speak in the text")
    return samples, rate

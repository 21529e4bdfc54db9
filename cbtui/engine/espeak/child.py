"""The child process that speaks one utterance with libespeak-ng, then ends. Standard library only, run as a script.

espeak-ng is not thread-safe, and what it says depends on what it said before: only a fresh process is deterministic.

Standard input holds an utterance as JSON (see `Utterance` in speaking.py). Standard output gets `HEADER`, then the
samples as little-endian int16. What goes wrong is told by the exit status and, in words, on standard error.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
from typing import Any

# A marker, the sample rate in Hz, and the number of samples that follow.
HEADER = struct.Struct("<4sII")
MARKER = b"ESPK"

UNKNOWN_VOICE = 3
UNUSABLE_LIBRARY = 4

# Constants of espeak-ng 1.52's speak_lib.h. Neither flag of espeak_Synth for markup (SSML, phonemes) is ever set.
_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _PITCH, _PUNCTUATION = 1, 3, 5
_PUNCTUATION_ALL = 1
_NOISE_SEED = 1

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class _Failed(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Library:
    def __init__(self, path: str, data: str) -> None:
        try:
            self._espeak: Any = ctypes.CDLL(path)
        except OSError as error:
            raise _Failed(UNUSABLE_LIBRARY, f"{path} cannot be loaded: {error}") from error
        self._heard = bytearray()
        self._callback = _Callback(self._hear)
        self.rate: int = self._espeak.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data), _DONT_EXIT)
        if self.rate <= 0:
            raise _Failed(UNUSABLE_LIBRARY, f"espeak-ng cannot read its data in {os.path.realpath(data)}")
        # Breathy voices (f2, f3, f5, Alicia, whisper) are made of noise, which is seeded by the clock.
        self._espeak.espeak_ng_SetRandSeed(ctypes.c_long(_NOISE_SEED))
        self._data = data
        self._espeak.espeak_SetSynthCallback(self._callback)

    def _hear(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._heard += ctypes.string_at(samples, 2 * count)
        return 0

    def choose(self, voice: str, pitch: int, words_per_minute: int) -> None:
        _base, plus, variant = voice.partition("+")
        # espeak-ng says nothing about a variant that it does not have, and speaks without it.
        known = not plus or variant in os.listdir(os.path.join(self._data, "voices", "!v"))  # noqa: PTH118, PTH208
        if not known or not voice.isprintable() or self._espeak.espeak_SetVoiceByName(voice.encode()) != 0:
            raise _Failed(UNKNOWN_VOICE, f"unknown voice {voice!r}")
        self._espeak.espeak_SetParameter(_PITCH, pitch, 0)
        self._espeak.espeak_SetParameter(_RATE, words_per_minute, 0)

    def say(self, text: str) -> bytes:
        """The samples; where the text is nothing but signs that are not spoken, the names of the signs."""
        if not self._say(text):
            self._espeak.espeak_SetParameter(_PUNCTUATION, _PUNCTUATION_ALL, 0)
            self._say(text)
        return bytes(self._heard)

    def _say(self, text: str) -> bool:
        self._heard.clear()
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        if self._espeak.espeak_Synth(encoded, size, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None) != 0:
            raise _Failed(1, "espeak_Synth refused the text")
        self._espeak.espeak_Synchronize()
        return any(self._heard)


def main() -> int:
    utterance = json.loads(sys.stdin.buffer.read())
    # Should the parent die, nobody else ends a child that hangs.
    signal.alarm(utterance["patience"])
    # Whatever the library prints goes to standard error, never between the samples.
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        library = _Library(utterance["library"], utterance["data"])
        library.choose(utterance["voice"], utterance["pitch"], utterance["words_per_minute"])
        samples = library.say(utterance["text"])
    except _Failed as failure:
        sys.stderr.write(f"{failure}\n")
        return failure.status
    with open(answer, "wb") as pipe:  # noqa: PTH123 (a descriptor, not a path)
        pipe.write(HEADER.pack(MARKER, library.rate, len(samples) // 2) + samples)
    return 0


if __name__ == "__main__":
    sys.exit(main())

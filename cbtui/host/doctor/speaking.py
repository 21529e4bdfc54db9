"""The draft voice: installed, and able to say a word."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from cbtui.engine.base import EngineUnavailable
from cbtui.host.doctor.check import Check, Subject, without_advice

_INSTALL = "pip install espeakng-loader"


def check_espeak(subject: Subject) -> Iterator[Check]:
    """A word is really spoken. Without espeak only drafts are missing, unless it is the engine asked for."""
    from cbtui.engine.espeak import speaking

    try:
        installation = speaking.find_installation()
        word = speaking.Utterance("ready", "en", pitch=50, words_per_minute=175)
        samples, rate = speaking.speak(word, installation, threading.Event())
    except (EngineUnavailable, speaking.NotSpoken, OSError) as error:
        yield Check("espeak", "problem" if subject.engine == "espeak" else "info", without_advice(error), _INSTALL)
        return
    seconds = len(samples) / rate
    yield Check("espeak", "ok", f"espeakng-loader {installation.version} spoke a word of {seconds:.1f} s")

"""Drafts by espeak-ng: the built-in voice, for listening to a text and for trying the whole line without a GPU."""

from cbtui.engine.espeak.engine import EspeakEngine

__all__ = ["EspeakEngine"]

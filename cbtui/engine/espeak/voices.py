"""Which of espeak-ng's voices speaks for whom, and which words it is given."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from cbtui.engine.base import ChunkRequest

# Usual names of voices that espeak-ng 1.52 calls otherwise; most languages it knows by their own code.
_OTHER_NAMES = {"en-gb": "en", "fr-fr": "fr", "no": "nb", "zh": "cmn"}
_LANGUAGE_VOICES = _OTHER_NAMES | {"en": "en-us"}

# Variants that are clear, about as loud as the plain voice (RMS 0.07 to 0.10 of full scale, it has 0.08) and unlike
# one another (pitch of 95 to 250 Hz), measured with espeak-ng 1.52.
_VARIANTS = (
    *("m1", "m2", "m3", "m4", "m5", "m6", "m7", "rob"),
    *("f1", "f2", "f3", "f4", "f5", "steph", "Annie", "Alicia"),
)
_PITCHES = (35, 50, 65)
_OWN_PITCH = 50
_PLAIN_SPEAKER = "default"

_TAG = re.compile(r"\[([^\W\d_][\w '-]{0,30})\]|</?([^\W\d_][^<>\n]{0,60})>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class SpokenVoice:
    """A voice name of espeak-ng, with its variant after a `+`, and a pitch from 0 to 100."""

    name: str
    pitch: int = _OWN_PITCH


def choose_voice(request: ChunkRequest) -> SpokenVoice:
    """The voice that the request names, or else its language's voice with a variant and pitch of the speaker's own.

    The choice depends on the speaker's name alone, so a speaker sounds the same in every task; two speakers
    share one of 48 sounds by rare chance. The speaker `default` has the plain voice.
    """
    named = request.voice.espeak_voice
    if named is not None:
        base, plus, variant = named.partition("+")
        return SpokenVoice(_OTHER_NAMES.get(base.lower(), base) + plus + variant)
    base = _LANGUAGE_VOICES.get(request.language, request.language)
    if request.voice.speaker == _PLAIN_SPEAKER:
        return SpokenVoice(base)
    digest = hashlib.sha256(request.voice.speaker.encode("utf-8", "surrogatepass")).digest()
    rest, variant_number = divmod(int.from_bytes(digest[:8]), len(_VARIANTS))
    return SpokenVoice(f"{base}+{_VARIANTS[variant_number]}", _PITCHES[rest % len(_PITCHES)])


def spoken_text(text: str) -> str:
    """The text as a draft speaks it: without tags such as `[laugh]` or `<tag>`, which espeak-ng would read aloud.

    Where nothing but tags is there, their words are spoken, so that no chunk is silent. Control characters, by
    which espeak-ng takes commands, become spaces.
    """
    plain = _CONTROL.sub(" ", text).encode("utf-8", "replace").decode()
    without_tags = _TAG.sub(" ", plain)
    if any(map(str.isalnum, without_tags)) or not _TAG.search(plain):
        return without_tags
    return _TAG.sub(lambda tag: f" {tag[1] or tag[2]} ", plain)

"""Files of cbpipe, the older command-line pipeline, translated into the native form. Every place survives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cbtui.core.problem import Problem
from cbtui.jobs.schema import unknown_setting
from cbtui.jobs.values import did_you_mean, one_of, quote
from cbtui.jobs.yaml_nodes import Document, KeyPath, Plain, Value


@dataclass(frozen=True, slots=True)
class _Becomes:
    """The native place of a setting; `words` translates its value where the words differ."""

    place: KeyPath
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Idle:
    """A setting without effect, called `name` in the warning unless its value changes nothing anyway."""

    name: str
    neutral: tuple[str, ...] = ("0", "0.0", "0.00", "false")


_Table = Mapping[str, "_Becomes | _Idle | _Table"]

_DEVIATION = _Idle("*_max_deviation")
_CONSERVATIVE = _Idle("conservative_candidate")
_PREPROCESSING = _Idle("preprocessing", neutral=())

_SAMPLING: _Table = {
    **{
        name: _Becomes((name,))
        for name in ("exaggeration", "cfg_weight", "temperature", "repetition_penalty", "min_p", "top_p", "top_k")
    },
    "exaggeration_max_deviation": _DEVIATION,
    "cfg_weight_max_deviation": _DEVIATION,
    "temperature_max_deviation": _DEVIATION,
    "top_k_max_deviation": _DEVIATION,
    "norm_loudness": _Idle("norm_loudness"),
}

_SPEAKER: _Table = {
    "id": _Idle("id", neutral=()),
    "reference_audio": _Becomes(("reference",)),
    "language": _Becomes(("language",)),
    "tts_params": _SAMPLING,
    "conservative_candidate": _CONSERVATIVE,
}

_FORM: _Table = {
    "job": {"name": _Becomes(("job",)), "run-label": _Becomes(("run_label",))},
    "input": {"text_file": _Becomes(("text_file",)), "reference_audio": _Becomes(("reference",))},
    "preprocessing": {
        "enabled": _PREPROCESSING,
        "normalize_line_endings": _PREPROCESSING,
        "normalize_quotes": _PREPROCESSING,
        "remove_extra_whitespace": _PREPROCESSING,
        "fix_encoding_issues": _PREPROCESSING,
    },
    "chunking": {
        "target_chunk_limit": _Becomes(("chunking", "target")),
        "max_chunk_limit": _Becomes(("chunking", "limit")),
        "min_chunk_length": _Becomes(("chunking", "minimum")),
        "spacy_model": _Idle("chunking.spacy_model"),
    },
    "generation": {
        "num_candidates": _Idle("generation.num_candidates", neutral=("1",)),
        "max_retries": _Becomes(("max_retries",)),
        "default_speaker": _Becomes(("speaker",)),
        "default_language": _Becomes(("language",)),
        "model_type": _Becomes(
            ("model",), {"standard": "english", "multilingual": "multilingual", "turbo": "turbo", "english": "english"}
        ),
        "tts_params": _SAMPLING,
        "conservative_candidate": _CONSERVATIVE,
        "speakers": {},
    },
    "validation": _Idle("validation", neutral=()),
    "postprocessing": _Idle("postprocessing", neutral=()),
    "audio": {
        "silence_duration": {
            "normal": _Becomes(("output", "chunk_silence")),
            "paragraph": _Becomes(("output", "paragraph_silence")),
            "long": _Idle("audio.silence_duration.long"),
        },
        "normalization": _Idle("audio.normalization"),
        "sample_rate": _Idle("audio.sample_rate", neutral=("24000",)),
    },
    # What cbpipe has no word for is said in ours.
    "engine": _Becomes(("engine",)),
    "seed": _Becomes(("seed",)),
    "priority": _Becomes(("priority",)),
}

# The native settings that a problem in one of these mappings leaves in doubt.
_CONCERNS: Mapping[str | int, tuple[KeyPath, ...]] = {
    "input": (("text_file",),),
    "chunking": (("chunking",),),
    "generation": (("speakers",), ("speaker",)),
}

# What cbpipe takes for the default speaker, whatever that one's id.
_DEFAULT_WORDS = ("default", "0", "reset")

_SIGNS = ("input", "generation", "preprocessing", "validation", "audio")


def is_cbpipe(values: Mapping[str, Value]) -> bool:
    """Whether a file's top-level keys are those of cbpipe."""
    return isinstance(values.get("job"), Mapping) or any(sign in values for sign in _SIGNS)


def translate(document: Document) -> tuple[Document, tuple[Problem, ...]]:
    """The native form of a cbpipe document, and at most one warning that names what has no effect.

    Origins and key names in the result are those of the cbpipe file.
    """
    translation = _Translation(document)
    translation.mapping(document.values, _FORM, (), ())
    translation.settle_default_speaker()
    return translation.native, translation.warnings()


class _Translation:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._idle: dict[str, KeyPath] = {}
        broken = {place for key_path in document.broken for place in _CONCERNS.get(key_path[0], ())}
        self.native = Document(document.path, problems=list(document.problems), broken=broken)

    def mapping(self, values: Value, table: _Table, here: KeyPath, prefix: KeyPath) -> None:
        """Translate a mapping at `here`; native places within it begin with `prefix`."""
        if values is None:
            return
        if not isinstance(values, Mapping):
            self._say(here, f"must be a mapping (key: value), not {quote(values)}")
            return
        for key, value in values.items():
            place = (*here, key)
            rule = table.get(key)
            if place == ("generation", "speakers"):
                self._speakers(value, place)
            elif isinstance(rule, Mapping):
                self.mapping(value, rule, place, prefix)
            elif isinstance(rule, _Becomes):
                self._move(value, rule, place, prefix)
            elif rule is not None:
                self._note_idle(value, rule, place)
            else:
                self._say(place, unknown_setting(key, tuple(table)))
                self.native.broken.update(_CONCERNS.get(place[0], ()))

    def settle_default_speaker(self) -> None:
        """The first speaker is the default where none, or none by name, is said to be."""
        speakers = self.native.values.get("speakers")
        said = self.native.values.get("speaker")
        if speakers and said in (None, *_DEFAULT_WORDS) and said not in speakers:
            first = next(iter(speakers))
            self.native.values["speaker"] = first
            self.native.origins.setdefault(("speaker",), self.native.origins["speakers", first])

    def warnings(self) -> tuple[Problem, ...]:
        if not self._idle:
            return ()
        first = next(iter(self._idle.values()))
        names = ", ".join(self._idle)
        origin = self._document.origin(first)
        return (Problem(origin.path, f"without effect here: {names}", origin.line, origin.column),)

    def _speakers(self, speakers: Value, here: KeyPath) -> None:
        if speakers is None:
            return
        if not isinstance(speakers, list) or not all(isinstance(speaker, Mapping) for speaker in speakers):
            self._say(here, "must be a list of speakers, each beginning with '- id: NAME'")
            self.native.broken.add(("speakers",))
            return
        names: list[str] = []
        for index, speaker in enumerate(speakers):
            place = (*here, index)
            name = speaker.get("id")
            if not isinstance(name, str):
                self._say(place, "a speaker needs an 'id'" + did_you_mean("id", speaker))
                self.native.broken.add(("speakers",))
            elif name in names:
                self._say((*place, "id"), f"two speakers are called {quote(name)}: rename one")
            else:
                names.append(str(name))
                self._put(("speakers", str(name)), {}, (*place, "id"))
                self.mapping(
                    {key: value for key, value in speaker.items() if key != "id"},
                    _SPEAKER,
                    place,
                    ("speakers", str(name)),
                )

    def _move(self, value: Value, rule: _Becomes, here: KeyPath, prefix: KeyPath) -> None:
        if value is None or (value == "" and rule.place in (("job",), ("run_label",))):
            return
        if rule.words:
            word = rule.words.get(value.casefold()) if isinstance(value, str) else None
            if word is None:
                self._say(here, f"must be {one_of(list(rule.words)[:3])}, not {quote(value)}")
                return
            value = Plain(word)
        self._put((*prefix, *rule.place), value, here)

    def _put(self, place: KeyPath, value: Value, origin: KeyPath) -> None:
        mapping: dict[str, Value] = self.native.values
        for depth, key in enumerate(place[:-1], start=1):
            mapping = mapping.setdefault(str(key), {})
            self.native.origins.setdefault(place[:depth], self._document.origin(origin[:-1] or origin))
        mapping[str(place[-1])] = value
        self.native.origins[place] = self._document.origin(origin)

    def _note_idle(self, value: Value, rule: _Idle, here: KeyPath) -> None:
        enabled = value.get("enabled") if isinstance(value, Mapping) else value
        if value is None or (isinstance(enabled, Plain) and enabled.casefold() in rule.neutral):
            return
        self._idle.setdefault(rule.name, here)

    def _say(self, place: KeyPath, message: str) -> None:
        self.native.problems.append(self._document.origin(place).problem(message))

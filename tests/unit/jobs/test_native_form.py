"""A task file in the native form becomes a Task with every setting resolved."""

from __future__ import annotations

import pytest

from cbtui.core.task import Chunking, Output, Sampling
from tests.unit.jobs.helpers import JobsFolder


def test_the_shortest_file_is_a_text(jobs: JobsFolder) -> None:
    task = jobs.load("hello.yaml", "text: Hello.")
    assert (task.id, task.text, task.engine, task.model) == ("jobs/hello", "Hello.", "chatterbox", "english")
    assert task.default_speaker == "default"
    assert task.speakers["default"].sampling == Sampling()
    assert task.seed is None
    assert task.warnings == ()


def test_the_example_of_the_design_loads(jobs: JobsFolder) -> None:
    clip = jobs.clip("voices/alice.wav")
    task = jobs.load(
        "hello.yaml",
        """\
text: |
  Hello. [chuckle] This is cbtui.
model: english
language: en
speaker: alice
speakers:
  alice: {reference: voices/alice.wav, exaggeration: 0.5, cfg_weight: 0.5, temperature: 0.8}
seed: 42
priority: 0
output: {format: wav}
""",
    )
    assert task.text == "Hello. [chuckle] This is cbtui.\n"
    assert task.speakers["alice"].reference == clip
    assert task.references == (clip,)
    assert (task.seed, task.warnings) == (42, ())


def test_every_setting_arrives(jobs: JobsFolder) -> None:
    task = jobs.load(
        "all.yaml",
        """\
text: Hi
engine: ESPEAK
model: multilingual
language: DE
espeak_voice: de+f3
seed: 7
priority: -5
max_retries: 0
job: other/place
run_label: second try
chunking: {target: 100, limit: 200, minimum: 10}
output: {sample_format: float32, chunk_silence: 0, paragraph_silence: 1.5}
""",
    )
    assert (task.job, task.id) == ("other/place", "other/place/all")
    assert (task.engine, task.model) == ("espeak", "multilingual")
    assert (task.seed, task.priority, task.max_retries, task.run_label) == (7, -5, 0, "second try")
    assert task.chunking == Chunking(100, 200, 10)
    assert task.output == Output("wav", "float32", 0.0, 1.5)
    speaker = task.speakers["default"]
    assert (speaker.language, speaker.espeak_voice) == ("de", "de+f3")


def test_top_level_settings_are_the_defaults_of_all_speakers(jobs: JobsFolder) -> None:
    clip = jobs.clip("a.wav")
    task = jobs.load(
        "x.yaml", "text: Hi\nreference: a.wav\ntemperature: 0.6\nspeakers:\n  bob:\n  eve: {temperature: 1}\n"
    )
    assert task.default_speaker == "bob"
    assert task.speakers["bob"].reference == clip
    assert task.speakers["bob"].sampling.temperature == 0.6
    assert task.speakers["eve"].sampling.temperature == 1.0


def test_sampling_starts_from_the_defaults_of_the_model(jobs: JobsFolder) -> None:
    task = jobs.load("x.yaml", "text: Hi\nmodel: multilingual\ntemperature: 0.9")
    assert task.speakers["default"].sampling == Sampling(temperature=0.9, repetition_penalty=2.0)


def test_a_speaker_called_default_can_stand_beside_named_ones(jobs: JobsFolder) -> None:
    task = jobs.load("x.yaml", "text: Hi\nspeaker: default\nspeakers: {bob: {}}")
    assert task.default_speaker == "default"
    assert set(task.speakers) == {"bob", "default"}


def test_cfg_weight_may_be_zero(jobs: JobsFolder) -> None:
    assert jobs.load("x.yaml", "text: Hi\ncfg_weight: 0").speakers["default"].sampling.cfg_weight == 0.0


def test_norwegian_is_not_false(jobs: JobsFolder) -> None:
    task = jobs.load("x.yaml", "text: Hei\nmodel: multilingual\nlanguage: no")
    assert task.speakers["default"].language == "no"


@pytest.mark.parametrize("written", ["yes", "off", "12:30:00", "2024-01-01", "007", "1.10", "true", "0x1F", "1_000"])
def test_unquoted_text_stays_as_it_was_written(jobs: JobsFolder, written: str) -> None:
    task = jobs.load("x.yaml", f"text: on {written}\nrun_label: {written}")
    assert task.run_label == written


def test_keys_that_look_like_numbers_are_names(jobs: JobsFolder) -> None:
    assert set(jobs.load("x.yaml", "text: Hi\nspeakers: {1: {}, true: {}}").speakers) == {"1", "true"}


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_an_empty_value_means_the_default(jobs: JobsFolder, nothing: str) -> None:
    task = jobs.load("x.yaml", f"text: Hi\nmodel: {nothing}\nspeakers: {nothing}\nchunking: {nothing}\nseed: {nothing}")
    assert (task.model, task.chunking, task.seed) == ("english", Chunking(), None)


def test_a_small_limit_alone_lowers_the_target(jobs: JobsFolder) -> None:
    assert jobs.load("x.yaml", "text: Hi\nchunking: {limit: 200}").chunking == Chunking(200, 200, 0)


def test_a_large_target_alone_raises_the_limit(jobs: JobsFolder) -> None:
    assert jobs.load("x.yaml", "text: Hi\nchunking: {target: 380}").chunking == Chunking(380, 380, 0)


def test_text_is_cleaned_of_what_steers_a_terminal(jobs: JobsFolder) -> None:
    task = jobs.load("x.yaml", 'text: "a\\e]52;c;x\\a b\\u202e c\\x7f"\r\nrun_label: "x\\u0085\\e[31m"\r\n')
    assert (task.text, task.run_label) == ("a]52;c;x b c", "x[31m")


def test_names_are_composed(jobs: JobsFolder) -> None:
    task = jobs.load("cafe\u0301.yaml", "text: Hi\njob: e\u0301te\u0301")
    assert task.id == "\u00e9t\u00e9/caf\u00e9"


class TestWarnings:
    def test_parameters_that_the_model_ignores_are_named_with_their_place(self, jobs: JobsFolder) -> None:
        task = jobs.load("x.yaml", "text: Hi\nmodel: turbo\nspeakers:\n  bob: {exaggeration: 1}\nmin_p: 0.1\n")
        assert task.warnings == (
            "jobs/x.yaml:5:1: min_p: the model 'turbo' ignores it",
            "jobs/x.yaml:4:9: speakers.bob.exaggeration: the model 'turbo' ignores it",
        )

    def test_a_language_is_named_that_the_model_does_not_speak(self, jobs: JobsFolder) -> None:
        assert jobs.load("x.yaml", "text: Hi\nlanguage: de").warnings == (
            "jobs/x.yaml:2:1: language: the model 'english' speaks English only: use model: multilingual",
        )

    def test_drafts_use_any_language_and_no_sampling(self, jobs: JobsFolder) -> None:
        assert jobs.load("x.yaml", "text: Hi\nlanguage: de\nengine: espeak\nmodel: turbo\nmin_p: 0.1").warnings == ()

    def test_long_chunks_are_warned_of(self, jobs: JobsFolder) -> None:
        (warning,) = jobs.load("x.yaml", "text: Hi\nchunking: {limit: 460}").warnings
        assert warning.startswith("jobs/x.yaml:2:12: chunking.limit: chunks over 400 characters")

"""Files of cbpipe load as they are, and their mistakes are told at their own keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.core.task import Chunking
from cbtui.jobs import load_task
from tests.unit.jobs.helpers import JobsFolder

DEFAULT_CONFIG = """\
job:
  name: default
  run-label: ""

input:
  text_file: input-document.txt   # Text file in the texts folder

preprocessing:
  enabled: true
  normalize_line_endings: true
  normalize_quotes: true

chunking:
  target_chunk_limit: 380
  max_chunk_limit: 460
  min_chunk_length: 50
  spacy_model: en_core_web_sm

generation:
  num_candidates: 3
  max_retries: 1
  model_type: "standard"          # "standard" or "multilingual"
  speakers:
    - id: narrator
      reference_audio: fry.wav
      language: en
      tts_params:
        exaggeration: 0.40
        exaggeration_max_deviation: 0.20
        cfg_weight: 0.2
        cfg_weight_max_deviation: 0.20
        temperature: 0.9
        temperature_max_deviation: 0.3
        min_p: 0.03
        top_p: 0.99
      conservative_candidate:
        enabled: true
        exaggeration: 0.40
        cfg_weight: 0.2
        temperature: 0.8
    - id: character-hectic
      reference_audio: mike.wav
      language: en
      tts_params: {exaggeration: 0.45, cfg_weight: 0, temperature: 1.0, repetition_penalty: 1.3}

validation:
  whisper_model: small
  similarity_threshold: 0.8
  min_quality_score: 0.75

audio:
  silence_duration:
    normal: 0.20
    paragraph: 0.80
    long: 1.50
  normalization: {enabled: true, target_level: -6.0}
  sample_rate: 24000
"""

OLDER_CONFIG = """\
job:
  name: "my book"
  run-label: "first"
input:
  reference_audio: "fry.wav"
  text_file: "input-document.txt"
chunking:
  target_chunk_limit: 480
  max_chunk_limit: 600
  min_chunk_length: 50
generation:
  num_candidates: 1
  max_retries: 2
  tts_params:
    exaggeration: 0.40
    cfg_weight: 0.30
    temperature: 0.8
  conservative_candidate: {enabled: false}
postprocessing:
  auto_editor: {margin_before: 0.1}
"""

MULTILINGUAL_JOB = """\
job: {name: zwei}
input: {text_file: input-document.txt}
generation:
  model_type: multilingual
  default_speaker: anna
  speakers:
    - {id: otto, reference_audio: fry.wav, language: en}
    - {id: anna, reference_audio: mike.wav, language: de}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "project"
    for folder in ("config", "data/input/texts", "data/input/reference_audio", "data/jobs/job1"):
        (root / folder).mkdir(parents=True)
    (root / "data/input/texts/input-document.txt").write_text("Hello <speaker:narrator> there.")
    for clip in ("fry.wav", "mike.wav"):
        (root / "data/input/reference_audio" / clip).write_bytes(b"RIFF")
    return root


def _write(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_the_default_config_loads_without_a_change(project: Path) -> None:
    file = _write(project / "config" / "default_config.yaml", DEFAULT_CONFIG)
    task = load_task(file, root=project / "config")
    inputs = project / "data/input"
    assert (task.id, task.run_label, task.model) == ("default/default_config", "", "english")
    assert task.text == "Hello <speaker:narrator> there."
    assert task.chunking == Chunking(380, 460, 50)
    assert (task.max_retries, task.output.chunk_silence, task.output.paragraph_silence) == (1, 0.2, 0.8)
    assert task.default_speaker == "narrator"
    assert task.speakers["narrator"].sampling.temperature == 0.9
    assert task.speakers["character-hectic"].sampling.cfg_weight == 0.0
    assert task.references == (
        inputs / "texts/input-document.txt",
        inputs / "reference_audio/fry.wav",
        inputs / "reference_audio/mike.wav",
    )


def test_what_has_no_effect_is_named_in_one_warning(project: Path) -> None:
    file = _write(project / "config" / "default_config.yaml", DEFAULT_CONFIG)
    idle, long_chunks = load_task(file, root=project / "config").warnings
    assert idle == (
        "project/config/default_config.yaml:9:3: without effect here: preprocessing, chunking.spacy_model, "
        "generation.num_candidates, *_max_deviation, conservative_candidate, validation, "
        "audio.silence_duration.long, audio.normalization"
    )
    assert long_chunks.startswith("project/config/default_config.yaml:15:3: chunking.max_chunk_limit: chunks over 400")


def test_the_older_form_has_one_speaker(project: Path) -> None:
    file = _write(project / "config" / "old.yaml", OLDER_CONFIG)
    task = load_task(file, root=project / "config")
    assert (task.job, task.run_label, task.default_speaker) == ("my book", "first", "default")
    assert task.speakers["default"].sampling.cfg_weight == 0.3
    assert task.speakers["default"].reference == project / "data/input/reference_audio/fry.wav"
    assert task.warnings[0].endswith("without effect here: postprocessing")


def test_the_default_speaker_can_be_named(project: Path) -> None:
    task = load_task(_write(project / "config" / "zwei.yaml", MULTILINGUAL_JOB), root=project / "config")
    assert (task.model, task.default_speaker, task.speakers["anna"].language) == ("multilingual", "anna", "de")
    assert task.warnings == ()


@pytest.mark.parametrize("root", ["data/jobs", "data/jobs/job1", "."])
def test_a_job_of_the_project_sees_the_project_s_inputs(project: Path, root: str) -> None:
    file = _write(project / "data/jobs/job1/job_config.yaml", MULTILINGUAL_JOB)
    assert load_task(file, root=project / root).references[0] == project / "data/input/texts/input-document.txt"


def test_inputs_beside_the_file_are_found(jobs: JobsFolder) -> None:
    text = jobs.write("data/input/texts/a.txt", "Hi")
    assert jobs.load("x.yaml", "input: {text_file: a.txt}").references == (text,)


def test_a_file_next_to_the_yaml_comes_first(project: Path) -> None:
    near = _write(project / "config" / "input-document.txt", "Near.")
    task = load_task(_write(project / "config" / "zwei.yaml", MULTILINGUAL_JOB), root=project / "config")
    assert (task.text, task.references[0]) == ("Near.", near)


def test_the_input_folders_lead_nowhere_else(project: Path) -> None:
    (project / "secret.txt").write_text("secret")
    file = _write(project / "config" / "x.yaml", "input: {text_file: ../../../secret.txt}")
    with pytest.raises(Exception, match=r"input\.text_file: .* lies outside of the jobs directory"):
        load_task(file, root=project / "config")


def test_mistakes_are_told_at_the_keys_of_the_file(jobs: JobsFolder) -> None:
    content = """\
job: {name: ../x, nam: y}
input: {textfile: a.txt}
preprocessing: {enable: true}
chunking: {max_chunk_limit: 900}
generation:
  model_type: qwen3
  default_speaker: c
  speakers:
    - id: a
      tts_params: {exageration: 1, temperature: 0}
    - id: a
    - reference_audio: b.wav
audio: {silence_duration: 5}
"""
    first = "generation.speakers[0].tts_params"
    assert jobs.problems("x.yaml", content) == [
        "jobs/x.yaml:1:7: job.name: a job's name must not hold '..'",
        "jobs/x.yaml:1:19: job.nam: unknown setting (did you mean 'name'?)",
        "jobs/x.yaml:2:9: input.textfile: unknown setting (did you mean 'text_file'?)",
        "jobs/x.yaml:3:17: preprocessing.enable: unknown setting (did you mean 'enabled'?)",
        "jobs/x.yaml:4:12: chunking.max_chunk_limit: must be at most 600: the model garbles longer texts",
        "jobs/x.yaml:6:3: generation.model_type: must be standard, multilingual or turbo, not 'qwen3'",
        f"jobs/x.yaml:10:20: {first}.exageration: unknown setting (did you mean 'exaggeration'?)",
        f"jobs/x.yaml:10:36: {first}.temperature: must be at least 0.05: 0 makes the model crash",
        "jobs/x.yaml:11:7: generation.speakers[1].id: two speakers are called 'a': rename one",
        "jobs/x.yaml:12:7: generation.speakers[2]: a speaker needs an 'id'",
        "jobs/x.yaml:13:9: audio.silence_duration: must be a mapping (key: value), not '5'",
    ]


def test_an_unknown_default_speaker_is_told(jobs: JobsFolder) -> None:
    jobs.write("t.txt", "Hi")
    content = "input: {text_file: t.txt}\ngeneration: {default_speaker: ana, speakers: [{id: anna}]}"
    assert jobs.problems("x.yaml", content) == [
        "jobs/x.yaml:2:14: generation.default_speaker: unknown speaker 'ana' (did you mean 'anna'?)"
    ]


def test_a_default_speaker_that_is_no_id_is_the_first(jobs: JobsFolder) -> None:
    jobs.write("t.txt", "Hi")
    content = "input: {text_file: t.txt}\ngeneration: {default_speaker: default, speakers: [{id: anna}, {id: otto}]}"
    task = jobs.load("x.yaml", content)
    assert (task.default_speaker, list(task.speakers)) == ("anna", ["anna", "otto"])


def test_a_file_without_a_text_file_is_told(jobs: JobsFolder) -> None:
    assert jobs.problems("x.yaml", "job: {name: x}\nvalidation:") == [
        "jobs/x.yaml: there is no text to speak: give 'input.text_file'"
    ]


def test_a_missing_text_is_told_with_the_nearest_name(project: Path) -> None:
    file = _write(project / "config" / "x.yaml", "input: {text_file: input-dokument.txt}")
    with pytest.raises(Exception, match=r"did you mean 'input-document.txt'"):
        load_task(file, root=project / "config")


def test_a_folder_s_settings_may_have_the_form_of_cbpipe(jobs: JobsFolder) -> None:
    jobs.write("job.yaml", "generation: {max_retries: 5, speakers: [{id: anna}, {id: otto}]}")
    task = jobs.load("x.yaml", "text: Hi\nspeaker: otto")
    assert (task.max_retries, task.default_speaker) == (5, "otto")

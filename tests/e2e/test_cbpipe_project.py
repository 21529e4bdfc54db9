"""Projects of cbpipe run as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.e2e.home import Home, no_traceback

CONFIG = """\
job:
  name: my-audiobook
  run-label: "first try"
input:
  text_file: input-document.txt
preprocessing:
  enabled: true
  normalize_quotes: true
chunking:
  target_chunk_limit: 100
  max_chunk_limit: 160
  min_chunk_length: 20
  spacy_model: en_core_web_sm
generation:
  num_candidates: 3
  max_retries: 1
  model_type: "standard"
  default_speaker: narrator
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
        repetition_penalty: 1.3
      conservative_candidate:
        enabled: true
        exaggeration: 0.40
        cfg_weight: 0.2
        temperature: 0.8
    - id: character-hectic
      reference_audio: mike.wav
      tts_params: {exaggeration: 0.45, cfg_weight: 0, temperature: 1.0}
validation:
  whisper_model: small
  similarity_threshold: 0.8
postprocessing:
  auto_editor: {margin_before: 0.1}
audio:
  silence_duration: {normal: 0.20, paragraph: 0.80, long: 1.50}
  normalization: {enabled: true, target_level: -6.0}
  sample_rate: 24000
"""
TEXT = """\
The narrator begins, with a long and winding sentence that says very little, and takes its time about it. Then another.

<speaker:character-hectic> Quick quick quick! We have no time!
<speaker:reset> So said the hectic one.

<speaker:nobody> Who am I?
"""


@pytest.fixture
def project(home: Home) -> Path:
    root = home.root / "tts project"
    inputs = root / "data" / "input"
    for folder in (inputs / "texts", inputs / "reference_audio", root / "config", root / "data" / "output"):
        folder.mkdir(parents=True)
    (root / "config" / "default_config.yaml").write_text(CONFIG)
    (inputs / "texts" / "input-document.txt").write_text(TEXT)
    noise = np.random.default_rng(1).normal(0, 0.1, 24_000 * 8).astype(np.float32)
    for clip in ("fry.wav", "mike.wav"):
        soundfile.write(inputs / "reference_audio" / clip, noise, 24_000)
    return root


def test_a_project_s_file_renders_without_a_change(home: Home, project: Path) -> None:
    ended = home.run("tts project/config/default_config.yaml")
    assert (ended.status, ended.results) == (0, ["done"])
    (run,) = home.runs("my-audiobook/default_config")
    assert run.name.endswith("-first-try")
    manifest = home.manifest("my-audiobook/default_config")
    speakers = [chunk["speaker"] for chunk in manifest["chunks"]]
    assert speakers == ["narrator", "character-hectic", "narrator", "narrator"]
    assert manifest["settings"]["chunking"] == {"target": 100, "limit": 160, "minimum": 20}
    assert manifest["settings"]["output"]["paragraph_silence"] == 0.8
    assert no_traceback(ended)


def test_one_warning_names_the_settings_without_effect(home: Home, project: Path) -> None:
    ended = home.run("tts project/config/default_config.yaml")
    (line,) = [line for line in ended.err.splitlines() if "without effect here" in line]
    assert line.startswith("warning: tts project/config/default_config.yaml:7:3: ")
    for idle in ("num_candidates", "conservative_candidate", "*_max_deviation", "validation", "normalization"):
        assert idle in line


def test_a_project_as_jobs_directory_has_no_tasks_but_its_yaml_files(home: Home, project: Path) -> None:
    job = project / "data" / "jobs" / "second"
    job.mkdir(parents=True)
    (job / "job_config.yaml").write_text(CONFIG.replace("my-audiobook", "second"))
    ended = home.run("tts project")
    assert (ended.status, ended.results) == (0, ["done", "done"])
    assert home.final("second/job_config").is_file()


def test_a_resumed_project_keeps_its_labelled_run(home: Home, project: Path) -> None:
    home.run("tts project/config/default_config.yaml")
    final = home.final("my-audiobook/default_config")
    whole = final.read_bytes()
    final.unlink()
    assert home.run("tts project/config/default_config.yaml", "--mode", "my-*:last").results == ["done"]
    assert len(home.runs("my-audiobook/default_config")) == 1
    assert final.read_bytes() == whole

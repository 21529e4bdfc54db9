"""The program's own settings, from the user's settings.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.core.problem import InvalidFile
from cbtui.settings import Settings, load_settings


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return path


def test_a_missing_file_sets_nothing(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.yaml") == Settings()


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "app:\n  output_dir: books\n  device: cuda\n"))
    assert settings == Settings(output_dir=str(tmp_path / "books"), device="cuda")


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "app: {model_dir: ~/models}"))
    assert settings.model_dir == str(Path("~/models").expanduser())


def test_settings_of_tasks_beside_them_are_not_their_concern(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "temperature: 0.7\n")) == Settings()


def test_all_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as raised:
        load_settings(written(tmp_path, "app:\n  output_dri: books\n  log_level: LOUD\n"))
    first, second = raised.value.problems
    assert (first.line, first.column) == (2, 3)
    assert "unknown setting (did you mean 'output_dir'?)" in first.message
    assert second.line == 3
    assert "must be debug, info, warning or error" in second.message

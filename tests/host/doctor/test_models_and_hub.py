"""The files of the models, and the hub they come from."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from cbtui.engine.chatterbox.checkpoint import FILES
from cbtui.host.doctor import hub
from cbtui.paths import Places
from tests.host.doctor.looking import (
    WEIGHTS,
    look,
    problems,
    subject,
)


class TestModels:
    def test_a_missing_file_of_the_model_folder_is_named(self, places: Places, model_dir: Path) -> None:
        (model_dir / WEIGHTS).unlink()
        checks = look(places, model_dir)
        assert problems(checks) == ["model english"]
        assert (
            checks["model english"].detail == f"the model folder {model_dir} lacks {WEIGHTS}" + " of the english model"
        )

    def test_an_empty_file_is_a_missing_file(self, places: Places, model_dir: Path) -> None:
        (model_dir / WEIGHTS).write_bytes(b"")
        assert WEIGHTS in look(places, model_dir)["model english"].detail

    def test_a_model_folder_that_is_not_there(self, places: Places, tmp_path: Path) -> None:
        check = look(places, tmp_path / "nowhere")["model english"]
        assert check.status == "problem"
        assert str(tmp_path / "nowhere") in check.detail

    def test_a_model_folder_without_the_built_in_voice_will_do(self, places: Places, model_dir: Path) -> None:
        (model_dir / "conds.pt").unlink()
        check = look(places, model_dir)["model english"]
        assert check.status == "ok"
        assert "without conds.pt" in check.detail

    def test_offline_only_the_model_asked_for_is_a_problem(self, places: Places) -> None:
        checks = look(places, model="turbo")
        assert problems(checks) == ["model turbo"]
        assert "--model-dir" in checks["model turbo"].fix
        assert checks["model english"].status == checks["model multilingual"].status == "info"
        assert checks["hub"].status == "info"

    def test_with_a_hub_that_answers_missing_files_are_a_warning(self, places: Places) -> None:
        from cbtui.host.doctor import models

        answering = subject(places, answer=hub.HubAnswer(asked=True, reachable=True, said="hub answers"))
        wanted, *others = models.check_models(answering)
        assert wanted.status == "warning"
        assert "3.2 GB" in wanted.detail
        assert {check.status for check in others} == {"info"}

    def test_a_hub_cache_with_some_of_the_files_names_the_others(self, places: Places, empty_hub_cache: Path) -> None:
        repository = empty_hub_cache / "models--ResembleAI--chatterbox"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("abc")
        (repository / "snapshots" / "abc").mkdir(parents=True)
        for name in FILES["english"]:
            (repository / "snapshots" / "abc" / name).write_bytes(b"" if name == WEIGHTS else b"content")
        assert look(places)["model english"].detail.startswith(f"{WEIGHTS} missing in ")
        (repository / "snapshots" / "abc" / WEIGHTS).write_bytes(b"content")
        assert look(places)["model english"].status == "ok"


class TestHub:
    @pytest.mark.usefixtures("silent_hub")
    def test_a_silent_hub_is_no_hub(self, places: Places) -> None:
        checks = look(places, offline=False)
        assert problems(checks) == ["model english"]
        assert checks["hub"].status == "warning"
        assert "127.0.0.1" in checks["hub"].detail

    def test_a_name_server_that_never_answers_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        let_go = threading.Event()
        monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.1)
        monkeypatch.setattr(hub, "_request", lambda _url: let_go.wait())
        answer = hub.ask("some/model")()
        let_go.set()
        assert not answer.reachable
        assert "no answer" in answer.said

    def test_a_refused_connection_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}/")
        answer = hub.ask("some/model")()
        assert answer.asked
        assert not answer.reachable

    def test_an_address_that_is_none_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "file:///etc")
        assert "HF_ENDPOINT" in hub.ask("some/model")().said

    def test_hf_hub_offline_is_respected(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        checks = look(places, offline=False)
        assert checks["hub"].detail == "was not asked, because HF_HUB_OFFLINE is set"
        assert checks["model english"].fix.startswith("Unset HF_HUB_OFFLINE")

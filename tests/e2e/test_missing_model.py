"""A model that is not there is an answer within seconds, and takes nothing down with it."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

from tests.e2e.home import Home, no_traceback

ENGLISH = ("ve.safetensors", "t3_cfg.safetensors", "s3gen.safetensors", "tokenizer.json")


def test_a_model_that_was_never_downloaded_is_told_with_what_to_do(home: Home) -> None:
    home.write("a.yaml", "text: Hi there.")
    ended = home.cbtui("run", "jobs/a.yaml")
    assert (ended.status, ended.results, no_traceback(ended)) == (3, ["unavailable"], True)
    for part in (*ENGLISH, "conds.pt", str(home.root / "hub"), "--model-dir", "HF_HUB_OFFLINE"):
        assert part in ended.out
    assert not list(home.output.rglob("*.wav"))


def test_tasks_of_another_engine_render_all_the_same(home: Home) -> None:
    home.write("1.yaml", "text: Not today.")
    home.write("2.yaml", "text: A draft.\nengine: espeak")
    home.write("3.yaml", "text: Not today either.")
    home.write("4.yaml", "text: Nor this.\nmodel: turbo")
    ended = home.cbtui("run")
    assert ended.status == 3
    assert sorted(ended.results) == ["done", "unavailable", "unavailable", "unavailable"]
    assert home.final("jobs/2").is_file()
    assert "t3_turbo_v1.safetensors" in ended.out


def test_an_empty_model_folder_is_told_with_every_missing_file(home: Home) -> None:
    home.write("a.yaml", "text: Hi there.")
    (home.root / "model").mkdir()
    ended = home.cbtui("run", "jobs/a.yaml", "--model-dir", "model")
    assert (ended.status, ended.results) == (3, ["unavailable"])
    assert all(name in ended.out for name in (*ENGLISH, "--model-dir"))


def test_a_model_folder_that_is_a_file_or_not_there_is_told(home: Home) -> None:
    task = home.write("a.yaml", "text: Hi there.")
    for folder in (task, home.root / "nowhere"):
        ended = home.cbtui("run", "jobs/a.yaml", "--model-dir", folder)
        assert (ended.status, no_traceback(ended)) == (3, True)
        assert f"{folder}" in ended.out


def test_a_model_folder_that_the_settings_name_is_told_with_its_setting(home: Home) -> None:
    home.write("a.yaml", "text: Hi there.")
    settings = home.root / "config" / "cbtui" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("app: {model_dir: /models/nowhere}\n")
    ended = home.cbtui("run", "jobs/a.yaml")
    assert (ended.status, no_traceback(ended)) == (3, True)
    assert "/models/nowhere" in ended.out
    assert "app.model_dir in settings.yaml" in ended.out


def test_a_truncated_weights_file_is_told_by_name(home: Home, english_checkpoint: Path) -> None:
    home.write("a.yaml", "text: Hi there.")
    home.write("b.yaml", "text: Hi again.\nengine: espeak")
    folder = home.root / "model"
    folder.mkdir()
    for file in english_checkpoint.iterdir():
        (folder / file.name).symlink_to(file)
    broken = folder / "t3_cfg.safetensors"
    with broken.open("rb") as whole:
        start = whole.read(200_000)
    broken.unlink()
    broken.write_bytes(start)
    ended = home.cbtui("run", "--model-dir", folder)
    assert (ended.status, ended.results, no_traceback(ended)) == (3, ["unavailable", "done"], True)
    assert f"{broken} cannot be read as a checkpoint" in ended.out
    assert [path.name for path in home.output.rglob("*.wav") if path.parent.name != "chunks"] == ["b.wav"]


def test_a_device_that_is_not_there_is_told(home: Home, english_checkpoint: Path) -> None:
    home.write("a.yaml", "text: Hi there.")
    ended = home.cbtui("run", "--model-dir", english_checkpoint, "--device", "cuda:99")
    assert (ended.status, ended.results, no_traceback(ended)) == (3, ["unavailable"], True)
    assert "cuda:99" in ended.out


def test_a_signal_ends_a_download(home: Home) -> None:
    home.write("a.yaml", "text: Hi there.")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hub = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": f"http://127.0.0.1:{port}"}
        there = {name: "" for name in os.environ if name.lower().endswith("_proxy")}
        running = replace(home, environment={**there, **hub}).start("run", "jobs/a.yaml")
        running.wait_for("^Downloading the english model")
        ended = running.send(signal.SIGINT)
    assert (ended.status, no_traceback(ended)) == (130, True)
    assert ended.err.endswith("Stopped. What is rendered is kept: the same command goes on from there.\n")

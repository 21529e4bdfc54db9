"""`cbtui cache` and `cbtui demo`: what was saved, in figures that add up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.home import Home, no_traceback, paragraphs


def _info(home: Home) -> dict[str, Any]:
    ended = home.cbtui("cache", "info", "--json")
    assert (ended.status, ended.err) == (0, "")
    info: dict[str, Any] = json.loads(ended.out)
    return info


def test_a_machine_that_did_nothing_has_empty_caches(home: Home) -> None:
    info = _info(home)
    assert set(info) == {"version", "process", "last_load_seconds", "voices", "chunks", "layers"}
    assert (info["version"], info["process"]["size"], info["last_load_seconds"]) == (1, 0, {})
    assert (info["chunks"]["count"], info["voices"]["count"]) == (0, 0)
    assert all(sums["hits"] == sums["misses"] == 0 for sums in info["layers"].values())


def test_look_ups_of_all_calls_are_summed(home: Home) -> None:
    home.write("a.yaml", paragraphs(3))
    home.write("b.yaml", paragraphs(4))
    assert home.run().status == 0
    info = _info(home)
    chunks = info["layers"]["chunk"]
    assert (chunks["misses"], chunks["hits"]) == (4, 3)
    assert 0 < chunks["seconds_saved"] < chunks["seconds_spent"]
    assert info["chunks"]["count"] == 4
    takes = {path.name[5:]: path.stat().st_size for path in home.output.rglob("chunks/*.wav")}
    assert info["chunks"]["bytes"] == sum(takes.values())
    assert home.run().results == ["skipped", "skipped"]
    again = _info(home)["layers"]["chunk"]
    assert (again["misses"], again["hits"]) == (4, 10)
    assert again["seconds_spent"] == chunks["seconds_spent"]


def test_info_for_people_says_the_same(home: Home) -> None:
    home.write("a.yaml", paragraphs(3))
    home.run()
    ended = home.cbtui("cache", "info")
    assert (ended.status, ended.err) == (0, "")
    assert "chunk   0 hits, 3 misses" in ended.out
    assert "chunks  3 takes" in ended.out


def test_a_cleared_layer_forgets_and_spares_the_runs(home: Home) -> None:
    home.write("a.yaml", paragraphs(3))
    home.run()
    takes = home.takes("jobs/a")
    ended = home.cbtui("cache", "clear", "--layer", "chunk")
    assert (ended.status, ended.out) == (0, "chunk: 3 takes forgotten; their files stay in their runs\n")
    assert _info(home)["chunks"]["count"] == 0
    assert home.takes("jobs/a") == takes
    assert home.run().results == ["skipped"]
    home.write("b.yaml", paragraphs(3))
    home.run()
    assert len(home.rendered_keys()) == 6


def test_all_layers_are_cleared_without_a_choice(home: Home) -> None:
    ended = home.cbtui("cache", "clear")
    assert (ended.status, [line.partition(":")[0] for line in ended.out.splitlines()]) == (
        0,
        ["model", "voice", "chunk"],
    )


def test_runs_that_somebody_deleted_are_no_longer_counted(home: Home) -> None:
    home.write("a.yaml", paragraphs(2))
    home.run()
    for take in home.output.rglob("chunks/*.wav"):
        take.unlink()
    assert _info(home)["chunks"]["count"] == 0
    assert home.run().results == ["done"]


@pytest.mark.parametrize(
    "line", ["[]", "{", '{"layer": "chunk"}', '{"layer": "chunk", "key": "k", "hit": true, "seconds": "x"}', "\0\xff"]
)
def test_a_damaged_log_line_is_passed_over(home: Home, line: str) -> None:
    home.write("a.yaml", paragraphs(1))
    home.run()
    with (home.state / "cache-events.jsonl").open("a") as log:
        log.write(line + "\n")
    assert _info(home)["layers"]["chunk"]["misses"] == 1


def test_an_explanation_names_what_is_on_this_machine(home: Home) -> None:
    home.write("a.yaml", paragraphs(3))
    home.run()
    ended = home.cbtui("--explain-cache")
    assert (ended.status, ended.err) == (0, "")
    assert "A new process always misses once." in ended.out
    assert f"3 takes that no text, voice or setting changed, by {home.state / 'cache' / 'chunks'}" in ended.out
    assert "0 hits, 3 misses" in ended.out
    assert home.cbtui("cache", "explain").out == ended.out


def test_the_test_without_a_model_is_told(home: Home) -> None:
    ended = home.cbtui("cache", "test")
    assert (ended.status, ended.out, no_traceback(ended)) == (3, "", True)
    assert "--model-dir" in ended.err


def test_the_demo_works_from_any_folder(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    ended = home.cbtui("demo", cwd=elsewhere)
    assert ended.status == 0
    assert set(ended.results) == {"done"}
    assert len(list(home.output.rglob("*/*.wav"))) > len(ended.results)
    assert list(elsewhere.iterdir()) == []
    assert set(home.cbtui("demo", cwd=elsewhere).results) == {"skipped"}
    assert set(home.cbtui("demo", "--fresh", cwd=elsewhere).results) == {"done"}

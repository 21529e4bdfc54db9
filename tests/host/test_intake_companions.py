"""Texts and clips that task files name, and several files that would be one task."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from cbtui.core.stamp import Stamp
from cbtui.engine.clips import digest_clip
from cbtui.jobs.watching import Watcher
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine
from tests.support.gated_engine import GatedEngine

NAMING = "text_file: chapter.txt\n"
CLONING = "text: Hello.\nspeakers: {al: {reference: al.wav}}\n"
# A task, its file, and what that names.
MISSING = {"book": (NAMING, "chapter.txt"), "voice": (CLONING, "al.wav")}


def tasks_told_of(served: Served) -> set[str]:
    return {entry.task for entry in served.told.copy() if entry.task}


def inputs_are_noted_anew(served: Served, name: str) -> bool:
    path = served.places.jobs / name
    stamp = path.stat().st_mtime_ns
    known = served.store.files.known([served.places.jobs / "a.yaml"])
    return any(there and there.mtime_ns == stamp for file in known.values() for _, there in file.inputs)


def test_a_changed_text_is_rendered_anew(served: Served, engine: FakeEngine) -> None:
    served.drop("chapter.txt", "First.")
    served.drop("book.yaml", NAMING)
    served.until(lambda: served.states() == {"jobs/book": "done"}, "one task, done")
    served.drop("chapter.txt", "Second.")
    served.until(lambda: engine.texts[-1] == "Second.", "the new text")
    served.until(lambda: served.states() == {"jobs/book": "done"}, "one task, done")


def test_a_text_changed_during_the_rendering_is_rendered_after_it(places: Places) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("chapter.txt", "First.")
        served.drop("chapter.yaml", NAMING)
        served.until(lambda: engine.begun, "begun")
        served.drop("chapter.txt", "Second.")
        served.until_told("changed", "jobs/chapter")
        engine.open()
        served.until(lambda: engine.texts == ["First.", "Second."], "both texts")
        served.until_state("jobs/chapter", "done")


def test_a_clip_of_another_content_is_heard_and_one_that_was_touched_is_not(served: Served, engine: FakeEngine) -> None:
    served.drop("al.wav", "a voice")
    served.drop("a.yaml", CLONING)
    served.until_state("jobs/a", "done")
    os.utime(served.places.jobs / "al.wav", ns=(1, 1))
    served.until(lambda: inputs_are_noted_anew(served, "al.wav"), "the touch is noted")
    assert (served.state("jobs/a"), len(engine.requests)) == ("done", 1)
    served.drop("al.wav", "another voice")
    served.until(lambda: len(engine.requests) == 2, "rendered with the other voice")
    assert engine.requests[0].voice.digest != engine.requests[1].voice.digest


def test_a_file_that_was_missing_mends_the_task_and_missing_again_breaks_it(served: Served, engine: FakeEngine) -> None:
    for task, (content, name) in MISSING.items():
        served.drop(f"{task}.yaml", content)
        row = served.until_state(f"jobs/{task}", "invalid")
        assert f"no such file: '{name}'" in str(row.problems[0])
    for task, (_, name) in MISSING.items():
        served.drop(name, "Here it is.")
        served.until_state(f"jobs/{task}", "done")
    for task, (_, name) in MISSING.items():
        (served.places.jobs / name).unlink()
        row = served.until_state(f"jobs/{task}", "invalid")
        assert f"no such file: '{name}'" in str(row.problems[0])
        assert len(served.finals(f"jobs/{task}")) == 1
        served.drop(name, "Here it is.")
        served.until_state(f"jobs/{task}", "done")
    assert tasks_told_of(served) == {f"jobs/{task}" for task in MISSING}
    assert len(engine.requests) == 2


def test_a_text_or_clip_that_is_written_slowly_is_waited_for(served: Served, engine: FakeEngine) -> None:
    for task, (content, _) in MISSING.items():
        served.drop(f"{task}.yaml", content)
        served.until_state(f"jobs/{task}", "invalid")
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((served.places.jobs / name).open("w")) for _, name in MISSING.values()]
        for part in ("One, ", "two, ", "three, ", "four, ", "five, ", "six, ", "seven, ", "eight."):
            for file in files:
                file.write(part)
                file.flush()
            time.sleep(0.4)  # the writers' pause; for what comes of it, the test waits
    for task in MISSING:
        served.until_state(f"jobs/{task}", "done")
        assert served.kinds(f"jobs/{task}").count("changed") == 1
    assert len(engine.requests) == 2
    assert tasks_told_of(served) == {f"jobs/{task}" for task in MISSING}


def test_a_task_that_waits_is_not_rendered_while_its_clip_is_being_written(served: Served, engine: FakeEngine) -> None:
    served.ask("pause")
    path = served.drop("al.wav", "a voice")
    served.drop("a.yaml", CLONING)
    served.until_state("jobs/a", "queued")
    with path.open("w") as file:
        file.write("another")
        file.flush()
        served.ask("resume")
        for _ in range(4):
            time.sleep(0.2)  # the writer's pause; for what comes of it, the test waits
            file.write(" voice")
            file.flush()
    served.until_state("jobs/a", "done")
    assert [request.voice.digest for request in engine.requests] == [digest_clip(path)]


def test_a_clip_replaced_before_it_is_watched_is_noticed(
    served: Served, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch_also = Watcher.watch_also
    clip = served.drop("al.wav", "a voice")
    os.utime(clip, ns=(1, 1))

    def replace_and_watch(watcher: Watcher, paths: Iterable[Path]) -> Mapping[Path, Stamp | None]:
        monkeypatch.undo()
        served.drop("al.wav", "another voice")
        return watch_also(watcher, paths)

    monkeypatch.setattr(Watcher, "watch_also", replace_and_watch)
    served.drop("a.yaml", CLONING)
    served.until(lambda: len(engine.requests) == 2, "rendered with the other voice")
    assert engine.requests[0].voice.digest != engine.requests[1].voice.digest

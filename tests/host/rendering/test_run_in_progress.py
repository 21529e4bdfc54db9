"""Rendering one run: what is there is kept, what is missing is made, and the file appears when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cbtui.core.events import CacheEvent
from cbtui.core.task import Output, Speaker
from cbtui.engine.base import ChunkFacts, ChunkFailure, ChunkRequest, ChunkResult
from cbtui.host.rendering.rendered import Rendered
from cbtui.host.rendering.reports import Report, RunStarted, TakeFinished
from cbtui.host.rendering.run_in_progress import RunInProgress
from cbtui.host.rendering.runs import Run
from cbtui.host.rendering.shared_stream import SharedStream
from cbtui.host.rendering.takes import TakeIndex
from tests.support.fake_engine import RATE, FakeEngine, make_task, speak

TEXT = "One is here. Two is there.\n\nThree comes last."


class Bench:
    """A renderer with a fake engine and a run to render into."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.index = TakeIndex(tmp_path / "index")
        self.reports: list[Report] = []
        self.run = self.new_run("20260101-000000")

    def new_run(self, name: str) -> Run:
        return Run(self.tmp_path / "output" / "job" / "task" / name, "task")

    def render(
        self, engine: FakeEngine, text: str = TEXT, *, run: Run | None = None, rebuild: bool = False, **settings: object
    ) -> Rendered:
        task = make_task(text, **settings)
        return render_run(
            RunInProgress(
                task, run or self.run, engine, index=self.index, report=self.reports.append, seed=1, rebuild=rebuild
            ),
            engine,
        )

    def takes(self) -> list[Path]:
        return sorted(self.run.chunks.glob("*.wav"))


def render_run(run: RunInProgress, engine: FakeEngine, *, should_stop: Callable[[], bool] = lambda: False) -> Rendered:
    """The outcome of one run that has the engine for itself."""
    runs, outcomes = [run], list[Rendered]()
    SharedStream(
        engine,
        lambda: runs.pop() if runs else None,
        settle=lambda run, rendered: outcomes.append(rendered),
        should_stop=should_stop,
    ).work()
    (outcome,) = outcomes
    return outcome


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_run_has_a_take_for_each_chunk_a_manifest_and_the_finished_file(bench: Bench) -> None:
    rendered = bench.render(FakeEngine())
    assert (rendered.outcome, rendered.rendered, rendered.reused) == ("done", 3, 0)
    assert [path.name[:5] for path in bench.takes()] == ["0001-", "0002-", "0003-"]
    manifest = bench.run.read_manifest()
    assert manifest["complete"]
    assert [chunk["text"] for chunk in manifest["chunks"]] == ["One is here.", "Two is there.", "Three comes last."]
    assert manifest["chunks"][0]["file"] == f"chunks/{bench.takes()[0].name}"
    assert manifest["output"]["bytes"] == bench.run.final.stat().st_size
    assert rendered.final == bench.run.final


def test_silences_stand_between_chunks_and_between_paragraphs(bench: Bench) -> None:
    bench.render(FakeEngine(), output=Output(chunk_silence=0.25, paragraph_silence=0.5))
    samples, rate = soundfile.read(bench.run.final, dtype="int16")
    spoken = sum(len(soundfile.read(take)[0]) for take in bench.takes())
    assert rate == RATE
    assert len(samples) == spoken + round(0.75 * RATE)


def test_a_run_that_is_up_to_date_is_skipped(bench: Bench) -> None:
    bench.render(FakeEngine())
    before = bench.run.final.stat().st_mtime_ns
    engine = FakeEngine()
    assert bench.render(engine).outcome == "skipped"
    assert engine.requests == []
    assert bench.run.final.stat().st_mtime_ns == before


def test_a_rebuild_writes_the_file_anew_from_the_takes(bench: Bench) -> None:
    bench.render(FakeEngine())
    whole = bench.run.final.read_bytes()
    bench.run.final.write_bytes(whole[:-2] + b"xx")
    engine = FakeEngine()
    assert bench.render(engine, rebuild=True).outcome == "done"
    assert engine.requests == []
    assert bench.run.final.read_bytes() == whole


def test_a_file_whose_manifest_a_killed_process_did_not_write_is_not_made_twice(bench: Bench) -> None:
    bench.render(FakeEngine())
    before = bench.run.final.stat()
    bench.run.write_manifest({**bench.run.read_manifest(), "complete": False, "output": None})
    engine = FakeEngine()
    assert bench.render(engine).outcome == "done"
    assert engine.requests == []
    assert (bench.run.final.stat().st_ino, bench.run.final.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert bench.run.read_manifest()["complete"]
    assert not list(bench.run.folder.glob(".*.part"))


def test_a_deleted_take_alone_is_rendered_again(bench: Bench) -> None:
    bench.render(FakeEngine())
    bench.takes()[1].unlink()
    engine = FakeEngine()
    bench.render(engine)
    assert engine.texts == ["Two is there."]


def test_a_cut_off_take_is_rendered_again(bench: Bench) -> None:
    bench.render(FakeEngine())
    take = bench.takes()[0]
    take.write_bytes(take.read_bytes()[:-100])
    engine = FakeEngine()
    bench.render(engine)
    assert engine.texts == ["One is here."]


def test_an_edit_renders_only_the_chunks_it_changed(bench: Bench) -> None:
    bench.render(FakeEngine())
    engine = FakeEngine()
    rendered = bench.render(engine, TEXT.replace("Two is there.", "Two has gone. And a half."))
    assert engine.texts == ["Two has gone.", "And a half."]
    assert (rendered.rendered, rendered.reused) == (2, 2)
    assert len(bench.takes()) == 4


def test_settings_of_the_output_change_the_file_and_render_nothing(bench: Bench) -> None:
    bench.render(FakeEngine())
    engine = FakeEngine()
    assert bench.render(engine, output=Output(sample_format="float32")).outcome == "done"
    assert engine.requests == []
    assert soundfile.info(bench.run.final).subtype == "FLOAT"


def test_another_version_of_the_engine_renders_again(bench: Bench) -> None:
    bench.render(FakeEngine())
    engine = FakeEngine(version=2)
    bench.render(engine)
    assert len(engine.requests) == 3


def test_a_take_of_another_run_is_used_and_not_rendered_twice(bench: Bench) -> None:
    bench.render(FakeEngine())
    engine = FakeEngine()
    other = bench.new_run("20260102-000000")
    rendered = bench.render(engine, run=other)
    assert engine.requests == []
    assert (rendered.rendered, rendered.reused) == (0, 3)
    assert other.final.read_bytes() == bench.run.final.read_bytes()


def test_a_sentence_that_a_text_repeats_is_rendered_once(bench: Bench) -> None:
    engine = FakeEngine()
    bench.render(engine, "Again. Other. Again.")
    assert engine.texts == ["Again.", "Other."]
    assert len(bench.takes()) == 3
    finished = [report.chunks for report in bench.reports if isinstance(report, TakeFinished)]
    assert finished == [2, 1]


def test_look_ups_of_takes_are_told_with_seconds_spent_and_saved(bench: Bench) -> None:
    bench.render(FakeEngine())
    spent = [event for event in bench.reports if isinstance(event, CacheEvent)]
    assert [(event.hit, event.seconds) for event in spent] == [(False, 1.5)] * 3
    bench.reports.clear()
    bench.render(FakeEngine())
    saved = [event for event in bench.reports if isinstance(event, CacheEvent)]
    assert [(event.hit, event.saved) for event in saved] == [(True, 1.5)] * 3


def test_look_ups_of_takes_name_the_task_and_the_chunk(bench: Bench) -> None:
    for _ in ("missed", "found"):
        bench.reports.clear()
        task = bench.render(FakeEngine()).task
        names = [event.message for event in bench.reports if isinstance(event, CacheEvent)]
        assert names == [f"{task.id} #{number}" for number in (1, 2, 3)]


def test_takes_are_told_as_they_finish(bench: Bench) -> None:
    bench.render(FakeEngine())
    started, *rest = [report for report in bench.reports if not isinstance(report, CacheEvent)]
    assert isinstance(started, RunStarted)
    assert (started.chunks, started.ready) == (3, 0)
    assert [report.index for report in rest if isinstance(report, TakeFinished)] == [0, 1, 2]


def test_a_stop_keeps_the_takes_and_gives_no_file(bench: Bench) -> None:
    engine = FakeEngine()
    run = RunInProgress(make_task(TEXT), bench.run, engine, index=bench.index, report=lambda report: None, seed=1)
    assert render_run(run, engine, should_stop=lambda: len(engine.requests) == 2).outcome == "stopped"
    assert len(bench.takes()) == 2
    assert not bench.run.final.exists()
    assert not bench.run.read_manifest()["complete"]
    again = FakeEngine()
    assert bench.render(again).outcome == "done"
    assert again.texts == ["Three comes last."]


def test_an_engine_that_ends_without_an_answer_fails_the_task(bench: Bench) -> None:
    engine = FakeEngine()
    engine.render = lambda requests, **options: iter(())  # type: ignore[method-assign, assignment]
    rendered = bench.render(engine)
    assert (rendered.outcome, rendered.reason) == ("failed", "the engine ended without an answer")


def test_leftovers_of_a_killed_process_are_removed(bench: Bench) -> None:
    bench.run.chunks.mkdir(parents=True)
    leftovers = [bench.run.folder / ".abc.part", bench.run.chunks / ".def.part"]
    for path in leftovers:
        path.write_bytes(b"half")
    bench.render(FakeEngine())
    assert not any(path.exists() for path in leftovers)


def test_an_unreadable_manifest_costs_nothing_but_itself(bench: Bench) -> None:
    bench.render(FakeEngine())
    bench.run.manifest.write_text("{ half")
    engine = FakeEngine()
    assert bench.render(engine).outcome == "done"
    assert engine.requests == []


def test_a_failure_is_tried_again_with_the_next_seed(bench: Bench) -> None:
    def answer(request: ChunkRequest) -> ChunkResult | ChunkFailure:
        return speak(request) if request.seed == 3 else ChunkFailure(request.request_id, "it ended at once")

    rendered = bench.render(FakeEngine(answer), "Only one.", max_retries=2)
    assert rendered.outcome == "done"
    assert bench.run.read_manifest()["chunks"][0]["seeds"] == [3]


def test_a_task_fails_with_the_reason_when_no_seed_helps(bench: Bench) -> None:
    engine = FakeEngine(lambda request: ChunkFailure(request.request_id, "it ended at once"))
    rendered = bench.render(engine, "Only one.", max_retries=2)
    assert rendered.outcome == "failed"
    assert rendered.reason == "chunk 1 (“Only one.”): it ended at once (after 3 seeds)"
    assert [request.seed for request in engine.requests] == [1, 2, 3]


def test_a_failure_that_no_seed_can_help_is_not_tried_again(bench: Bench) -> None:
    engine = FakeEngine(lambda request: ChunkFailure(request.request_id, "no such voice", retry_with_next_seed=False))
    assert bench.render(engine, "Only one.").outcome == "failed"
    assert len(engine.requests) == 1


def capped_over(length: int) -> FakeEngine:
    """An engine that comes to no end on texts longer than this."""

    def answer(request: ChunkRequest) -> ChunkResult:
        result = speak(request)
        facts = ChunkFacts(tokens=1000, reached_token_cap=len(request.text) > length)
        return replace(result, facts=facts)

    return FakeEngine(answer)


def test_speech_that_was_cut_off_is_split_and_rendered_again(bench: Bench) -> None:
    sentence = "This sentence goes on and on, as some of them do, until the model has had enough of it, and then some."
    engine = capped_over(60)
    rendered = bench.render(engine, sentence)
    assert rendered.outcome == "done"
    first, *pieces = engine.texts
    assert first == sentence
    assert len(pieces) >= 2
    assert " ".join(pieces) == sentence
    [take] = bench.takes()
    assert len(soundfile.read(take)[0]) == sum(len(speak(request).samples) for request in engine.requests[1:])


def test_short_speech_that_never_ends_fails_and_is_not_cut_in_silence(bench: Bench) -> None:
    rendered = bench.render(capped_over(0), "Only one.", max_retries=1)
    assert rendered.outcome == "failed"
    assert "did not come to an end" in rendered.reason
    assert not bench.run.final.exists()


def test_samples_that_are_not_numbers_are_never_written(bench: Bench) -> None:
    def answer(request: ChunkRequest) -> ChunkResult:
        return replace(speak(request), samples=np.full(100, np.nan, np.float32))

    rendered = bench.render(FakeEngine(answer))
    assert rendered.outcome == "failed"
    assert bench.takes() == []


def test_a_clip_that_is_missing_fails_the_task_by_name(bench: Bench, tmp_path: Path) -> None:
    speakers = {"default": Speaker("default", reference=tmp_path / "gone.wav")}
    rendered = bench.render(FakeEngine(), speakers=speakers)
    assert rendered.outcome == "failed"
    assert "gone.wav cannot be read" in rendered.reason


def test_a_full_disk_fails_the_task_and_leaves_nothing_half_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        rendered = bench.render(FakeEngine())
    assert rendered.outcome == "failed"
    assert "space" in rendered.reason.lower()
    assert list(bench.tmp_path.rglob("*.part")) == []
    assert bench.render(FakeEngine()).outcome == "done"

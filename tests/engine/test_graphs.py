"""Which steps are recorded, which are replayed, and what happens where recording does not work."""

from __future__ import annotations

import logging

import pytest
import torch

from cbtui.engine.chatterbox.graphs import Graphs, OneByOne, OnItsWay, Step, launcher_for


class Told:
    """A recorder that writes down what it is asked for, and runs nothing."""

    def __init__(self, *errors: Exception) -> None:
        self.happened: list[str] = []
        self._errors = list(errors)

    def warm_up(self, step: Step) -> None:
        self.happened.append("warm up")

    def record(self, step: Step) -> Step:
        self.happened.append("record")
        if self._errors:
            raise self._errors.pop(0)
        return lambda: self.happened.append("replay")

    def forget(self) -> None:
        self.happened.append("forget")

    def step(self) -> None:
        self.happened.append("step")


def happened(recorder: Told, *keys: str) -> list[str]:
    graphs = Graphs(recorder)
    for key in keys:
        graphs.run(key, recorder.step)
    return recorder.happened


def test_a_step_warms_up_is_recorded_and_is_replayed_from_then_on() -> None:
    assert happened(Told(), "a", "a", "a") == ["warm up", "record", "replay", "replay"]


def test_each_key_is_a_recording_of_its_own() -> None:
    assert happened(Told(), "a", "b", "a", "b") == ["warm up", "warm up", "record", "replay", "record", "replay"]


def test_what_is_about_memory_that_goes_is_recorded_again() -> None:
    recorder = Told()
    graphs = Graphs(recorder)
    for _ in range(2):
        graphs.run("a", recorder.step)
    assert graphs.recorded == 1
    graphs.forget()
    assert graphs.recorded == 0
    graphs.run("a", recorder.step)
    assert recorder.happened == ["warm up", "record", "replay", "forget", "warm up"]


def test_where_recording_does_not_work_steps_are_launched_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = Told(RuntimeError("CUDA error: operation not permitted when stream is capturing\nand pages more"))
    with caplog.at_level(logging.WARNING):
        assert happened(recorder, "a", "a", "a", "b", "b") == ["warm up", "record", "step", "step", "step", "step"]
    [said] = caplog.messages
    assert "one by one: CUDA error: operation not permitted when stream is capturing." in said


def test_too_little_memory_for_a_recording_is_raised() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        happened(Told(torch.OutOfMemoryError("CUDA out of memory.")), "a", "a")


def test_too_little_memory_is_raised_also_where_the_end_of_the_recording_failed_on_top_of_it() -> None:
    try:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
    except RuntimeError as error:
        both = error
    with pytest.raises(torch.OutOfMemoryError):
        happened(Told(both), "a", "a")


def test_what_a_step_raises_is_raised() -> None:
    def fail() -> None:
        raise IndexError("no step")

    with pytest.raises(IndexError):
        OneByOne().run("a", fail)


def test_without_cuda_steps_run_as_they_are() -> None:
    assert isinstance(launcher_for(torch.device("cpu")), OneByOne)


def test_what_was_sent_is_what_lay_there_when_it_was_sent() -> None:
    tensor = torch.arange(3)
    sent = OnItsWay.from_device(tensor)
    tensor += 5
    assert sent.read().tolist() == [0, 1, 2]

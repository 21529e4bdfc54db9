"""Launching a step: recorded once as a CUDA graph and replayed, or operation by operation; and fetching its results.

A step of the released models is some thousand kernels of a few microseconds each, which take longer to launch one by
one than to run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import torch

from cbtui.engine.chatterbox.faults import first_line, ran_out_of_memory

log = logging.getLogger("cbtui.graphs")

Step = Callable[[], None]


class Launcher(Protocol):
    """Runs steps of which it is told by `key` whether they are the same.

    A key stands for the same operations on the same memory, until `forget`.
    """

    def run(self, key: Hashable, step: Step) -> None: ...

    def forget(self) -> None:
        """Let go of what was recorded, which is about memory that goes."""
        ...


class Recorder(Protocol):
    """What records the operations of a step; `Graphs` decides of which."""

    def warm_up(self, step: Step) -> None:
        """Run a step as it is, where it is going to be recorded."""
        ...

    def record(self, step: Step) -> Step:
        """Record a step without running it; what is returned runs it."""
        ...

    def forget(self) -> None:
        """No step that was run or recorded is going to run again; returns when none of them runs any more."""
        ...


class OneByOne:
    """Runs every step as it is."""

    def run(self, key: Hashable, step: Step) -> None:
        step()

    def forget(self) -> None:
        pass


class Graphs:
    """Records a step when it comes for the second time.

    The first time warms up: libraries get their handles, workspaces and kernels, which a recording must not do. As it
    is the step itself, nothing has to be taken back, and what comes once is not recorded.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._seen: set[Hashable] = set()
        self._recorded: dict[Hashable, Step] = {}
        self._records = True
        self.replays = 0

    @property
    def recorded(self) -> int:
        """How many steps are recorded."""
        return len(self._recorded)

    def run(self, key: Hashable, step: Step) -> None:
        """Raises what the step does, and torch.OutOfMemoryError where there is no room to record it."""
        replay = self._recorded.get(key)
        if replay is None and self._records and key in self._seen:
            replay = self._record(key, step)
        if replay is not None:
            self.replays += 1
            replay()
        elif self._records:
            self._seen.add(key)
            self._recorder.warm_up(step)
        else:
            step()

    def forget(self) -> None:
        # They go when the recorder is done with them: none may go while it runs.
        going = (self._seen, self._recorded)
        self._seen, self._recorded = set(), {}
        if any(going):
            self._recorder.forget()

    def _record(self, key: Hashable, step: Step) -> Step | None:
        try:
            self._recorded[key] = self._recorder.record(step)
        except RuntimeError as error:
            lack = _lack_of_memory(error)
            if lack is not None:
                raise lack from None
            log.warning(
                "CUDA graphs are not to be had with torch %s, steps are launched one by one: %s",
                torch.__version__,
                first_line(error),
            )
            self._records = False
        return self._recorded.get(key)


def _lack_of_memory(error: BaseException | None) -> Exception | None:
    """The error that says so, where one is behind it: ending a recording that broke off raises another on top."""
    while error is not None:
        if isinstance(error, Exception) and ran_out_of_memory(error):
            return error
        error = error.__context__
    return None


class CudaRecorder:
    """Records CUDA graphs on a stream of its own; they share the memory of what is only needed within a step.

    They may: none of it is read after the step, and no two run at once.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        with torch.cuda.device(device):
            self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            self._pool = torch.cuda.graph_pool_handle()  # type: ignore[no-untyped-call]

    def warm_up(self, step: Step) -> None:
        with torch.cuda.device(self._device):
            caller = torch.cuda.current_stream()
            self._stream.wait_stream(caller)
            try:
                with torch.cuda.stream(self._stream):
                    step()
            finally:
                # Also after an error: what was launched before it writes to memory that is about to go.
                caller.wait_stream(self._stream)

    def record(self, step: Step) -> Step:
        graph = torch.cuda.CUDAGraph()  # type: ignore[no-untyped-call]
        # The outer stream is the caller's own: where the recording breaks off, torch leaves its own stream in place.
        # Other threads go on meanwhile, so only what this one does must fit into a recording.
        with (
            torch.cuda.device(self._device),
            torch.cuda.stream(torch.cuda.current_stream()),
            torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"),
        ):
            step()
        return graph.replay

    def forget(self) -> None:
        with torch.cuda.device(self._device):
            torch.cuda.synchronize()
            # A new one: memory of a pool is given back when the last graph that has it is gone.
            self._pool = torch.cuda.graph_pool_handle()  # type: ignore[no-untyped-call]


def launcher_for(device: torch.device) -> Launcher:
    return Graphs(CudaRecorder(device)) if device.type == "cuda" else OneByOne()


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """A tensor that the device copies to the host when it has computed it, while the host does something else."""

    host: torch.Tensor
    copied: torch.cuda.Event | None

    @classmethod
    def from_device(cls, tensor: torch.Tensor) -> OnItsWay:
        """What lies in the tensor when all that was launched until here is done."""
        if tensor.device.type != "cuda":
            return cls(tensor.to("cpu", copy=True), None)
        host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        host.copy_(tensor, non_blocking=True)
        # Waiting for it leaves the core to others, the screen among them.
        copied = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        copied.record(torch.cuda.current_stream(tensor.device))  # type: ignore[no-untyped-call]
        return cls(host, copied)

    def read(self) -> torch.Tensor:
        if self.copied is not None:
            self.copied.synchronize()
        return self.host

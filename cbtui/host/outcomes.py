"""What came of a rendering, written down: done, failed, given back, or blocked until its cause goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from cbtui.core.status import Result, State
from cbtui.core.task import Task
from cbtui.host.blocks import Block, Blocks, Cause, has_room
from cbtui.host.current import Current
from cbtui.host.hooks import Hooks
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.persistence import Insistence
from cbtui.host.rendering.digest import find_finished
from cbtui.host.rendering.rendered import Rendered
from cbtui.host.store import Store, TaskRow, UnknownTask

T = TypeVar("T")


class Outcomes:
    """Writes into the store of the engine's thread, tells the journal, and calls the person's hooks."""

    def __init__(
        self,
        store: Store,
        blocks: Blocks,
        *,
        output: Path,
        insist: Insistence,
        journal: Journal,
        hooks: Hooks,
        look_again: Callable[[Path], None],
    ) -> None:
        self._store = store
        self._blocks = blocks
        self._output = output
        self._insist = insist
        self._journal = journal
        self._hooks = hooks
        self._look_again = look_again

    def settle(self, current: Current, task: Task, rendered: Rendered) -> None:
        """Write down what the renderer answered. Raises GivenUp."""
        if rendered.outcome in {"done", "skipped"}:
            self._finish(current, task, rendered)
        elif rendered.outcome == "failed":
            self.fail(current, rendered.reason, no_room=rendered.no_room)
        else:
            state = self.give_back(current)
            kept = f"interrupted; {rendered.rendered + rendered.reused} chunks are kept"
            if state == "queued":
                self._journal(JournalEntry("queued", kept, current.task.id))
            elif state is not None:
                self._journal(JournalEntry("notice", f"is {state}, {kept}", current.task.id))

    def give_back(self, current: Current) -> State | None:
        """Queue a task whose rendering was interrupted, unless a person put it elsewhere; returns where it stands."""

        def write() -> State | None:
            self._store.tasks.give_back(current.task.id)
            return self._state(current.task.id)

        return self._write(current, write)

    def fail(self, current: Current, reason: str, *, no_room: Path | None = None) -> None:
        """A failure of this task alone; for want of room on a disk, a block."""
        row = current.task
        if no_room is not None:
            self.block(current, "disk", str(no_room.parent), reason, place=no_room.parent)
            return
        result = Result(reason=reason)

        after = self._write(
            current,
            lambda: self._store.tasks.finish(row.id, "failed", digest=row.digest, reason=reason, result=result),
        )
        self._blocks.forget(row.id, written=False)
        if after is None:
            self._tell_unheard(row, f"failed: {reason}")
            return
        self._journal(JournalEntry("failed", reason, row.id, "error", {"reason": reason}))
        self._hooks.run("task_failed", {"task": row.id, "reason": reason, "file": os.fsdecode(row.source)})
        self._tell_if_queued_again(after)

    def _finish(self, current: Current, task: Task, rendered: Rendered) -> None:
        row = current.task
        result = self._result(task, row, rendered)

        def write() -> TaskRow | None:
            if current.take_seconds:
                share = current.chunks_made / max(1, rendered.rendered + rendered.reused)
                characters = len(task.text) * share
                self._store.work.add_speed(row.model, row.voice, characters=characters, seconds=current.take_seconds)
            return self._store.tasks.finish(row.id, "done", digest=row.digest, result=result)

        after = self._write(current, write)
        self._blocks.forget(row.id, written=True)
        if after is None:
            self._tell_unheard(row, f"finished: {result.output}")
            return
        facts = {
            "output": str(result.output),
            "run": result.run,
            "speech_seconds": round(result.speech_seconds, 2),
            "work_seconds": round(result.work_seconds, 2),
            "rendered": result.rendered,
            "reused": result.reused,
            "draft": result.draft,
        }
        speech = f"{result.speech_seconds:.1f} s of speech in {result.work_seconds:.1f} s"
        how = "up to date" if rendered.outcome == "skipped" else speech
        self._journal(JournalEntry("done", f"{result.output} ({how})", row.id, facts=facts))
        self._hooks.run("task_done", {"task": row.id, **facts})
        self._tell_if_queued_again(after)

    def _result(self, task: Task, row: TaskRow, rendered: Rendered) -> Result:
        there = find_finished(self._output, task, row.digest) if rendered.outcome == "skipped" else None
        return Result(
            run=rendered.run.name if rendered.run else "",
            output=rendered.final,
            speech_seconds=there.speech_seconds if there else rendered.speech_seconds,
            work_seconds=rendered.work_seconds,
            rendered=rendered.rendered,
            reused=rendered.reused,
            draft=rendered.draft,
        )

    def _tell_if_queued_again(self, after: TaskRow) -> None:
        if after.state in {"queued", "invalid"}:
            self._journal(JournalEntry("queued", after.reason or "queued again", after.id))
            self._look_again(after.source)

    def _tell_unheard(self, row: TaskRow, what: str) -> None:
        """A person had put the task elsewhere before its rendering came to this."""
        state = self._insist(lambda: self._state(row.id))
        if state is not None:
            self._journal(JournalEntry("notice", f"is {state}; its rendering {what}", row.id))

    def block(self, current: Current, cause: Cause, key: str, reason: str, *, place: Path | None = None) -> None:
        """Have a task wait for a cause to go, and with it all that would run into the same."""
        row = current.task

        def write() -> tuple[str, ...]:
            self._store.tasks.finish(row.id, "blocked", digest=row.digest, reason=reason)
            if cause != "engine":
                return ()
            return self._store.tasks.transition_all("queued", "blocked", model=row.model, reason=reason)

        alike = self._write(current, write)
        tasks = list(dict.fromkeys([row.id, *alike]))
        block = self._blocks.add(cause, key, tasks, reason=reason, now=time.monotonic(), place=place)
        others = f" With {len(alike)} others." if alike else ""
        again = max(0.0, block.due - time.monotonic())
        message = f"{reason} It is tried again in {again:.0f} s.{others}"
        self._journal(JournalEntry("blocked", message, row.id, "warning", {"cause": cause, "reason": reason}))

    def survive(self, current: Current, reason: str) -> None:
        """The device was lost with this task, and the process with it: that counts as a death of the host."""

        def write() -> TaskRow | None:
            try:
                return self._store.tasks.survive(current.task.id, cause=reason)
            except UnknownTask:
                return None

        after = self._write(current, write)
        self._journal(JournalEntry("failed", f"{reason} cbtui starts itself anew.", current.task.id, "error"))
        if after is not None and after.state == "quarantined":
            self._journal(JournalEntry("quarantined", after.reason, after.id, "error"))

    def release_what_is_due(self) -> None:
        """Queue the tasks whose cause may be gone. Raises GivenUp."""
        for block in self._blocks.due(time.monotonic()):
            if block.cause == "engine":
                self._release_probe(block)
            elif block.place is None:
                self._release(block)
            elif has_room(block.place):
                message = f"there is room on the disk of {block.place} again"
                self._journal(JournalEntry("queued", message, ", ".join(block.tasks)))
                self._release(block)
            else:
                self._blocks.add(block.cause, block.key, [], reason=block.reason, now=time.monotonic())

    def forgive(self, model: str) -> None:
        """The engine of this model works: what waited for it is queued. Raises GivenUp."""
        block = self._blocks.remove("engine", model)
        if block is None:
            return
        released = self._insist(lambda: self._store.tasks.transition_all("blocked", "queued", model=model))
        if released:
            message = f"{model} is available again: {len(released)} more tasks are queued"
            self._journal(JournalEntry("queued", message))

    def _release_probe(self, block: Block) -> None:
        """Let one task go to find out whether the engine is there again; the others follow then."""
        if block.probe and self._insist(lambda: self._state(block.probe)) == "queued":
            return
        waiting = self._insist(lambda: self._store.queue.ids_needing(block.key, "blocked"))
        self._insist(lambda: self._queue_again(waiting[:1]))
        block.tasks, block.probe = list(waiting[1:]), waiting[0] if waiting else ""

    def _release(self, block: Block) -> None:
        self._insist(lambda: self._queue_again(block.tasks))
        block.tasks = []

    def _queue_again(self, tasks: Sequence[str]) -> None:
        """Queue those that are blocked: what a person cancelled or removed meanwhile stays so."""
        with self._store.transaction():
            for task in tasks:
                if self._state(task) == "blocked":
                    self._store.tasks.transition(task, "queued")

    def _write(self, current: Current, write: Callable[[], T]) -> T:
        """Write this down together with the look-ups of a rendering that has ended."""

        def write_both() -> T:
            with self._store.transaction():
                current.write_look_ups()
                return write()

        result = self._insist(write_both)
        current.forget_look_ups()
        return result

    def _state(self, task: str) -> State | None:
        try:
            return self._store.tasks.get(task).state
        except UnknownTask:
            return None

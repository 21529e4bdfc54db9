"""What came of a rendering, written down: done, failed, given back, or blocked until its cause goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from cbtui.core.status import Result
from cbtui.core.task import Task
from cbtui.host.blocks import Block, Blocks, Cause, has_room
from cbtui.host.current import Current
from cbtui.host.hooks import Hooks
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.persistence import Insistence
from cbtui.host.rendering.digest import find_finished
from cbtui.host.rendering.renderer import Rendered
from cbtui.host.store import Store, TaskRow, UnknownTask


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
            self.give_back(current)
            kept = rendered.rendered + rendered.reused
            self._journal(JournalEntry("queued", f"interrupted; {kept} chunks are kept", current.task.id))

    def give_back(self, current: Current) -> None:
        def write() -> None:
            with self._store.transaction():
                current.write_look_ups()
                self._store.tasks.give_back(current.task.id)

        self._insist(write)

    def fail(self, current: Current, reason: str, *, no_room: Path | None = None) -> None:
        """A failure of this task alone; for want of room on a disk, a block."""
        row = current.task
        if no_room is not None:
            self.block(row, "disk", str(no_room.parent), reason, place=no_room.parent)
            return
        result = Result(reason=reason)
        after = self._insist(
            lambda: self._store.tasks.finish(row.id, "failed", digest=row.digest, reason=reason, result=result)
        )
        self._journal(JournalEntry("failed", reason, row.id, "error", {"reason": reason}))
        self._hooks.run("task_failed", {"task": row.id, "reason": reason, "file": os.fsdecode(row.source)})
        self._tell_if_queued_again(after)

    def _finish(self, current: Current, task: Task, rendered: Rendered) -> None:
        row = current.task
        result = self._result(task, row, rendered)

        def write() -> TaskRow | None:
            with self._store.transaction():
                current.write_look_ups()
                if current.take_seconds:
                    share = rendered.rendered / max(1, rendered.rendered + rendered.reused)
                    characters = len(task.text) * share
                    self._store.work.add_speed(
                        row.model, row.voice, characters=characters, seconds=current.take_seconds
                    )
                return self._store.tasks.finish(row.id, "done", digest=row.digest, result=result)

        after = self._insist(write)
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

    def _tell_if_queued_again(self, after: TaskRow | None) -> None:
        if after is not None and after.state in {"queued", "invalid"}:
            self._journal(JournalEntry("queued", after.reason or "queued again", after.id))
            self._look_again(after.source)

    def block(self, row: TaskRow, cause: Cause, key: str, reason: str, *, place: Path | None = None) -> None:
        """Have a task wait for a cause to go, and with it all that would run into the same."""

        def write() -> list[str]:
            with self._store.transaction():
                self._store.tasks.finish(row.id, "blocked", digest=row.digest, reason=reason)
                alike = self._store.queue.ids_needing(row.model, "queued") if cause == "engine" else ()
                refused = self._store.tasks.transition_each(alike, "blocked", reason=reason)
                return [task for task in alike if task not in refused]

        alike = self._insist(write)
        tasks = list(dict.fromkeys([row.id, *alike]))
        block = self._blocks.add(cause, key, tasks, reason=reason, now=time.monotonic(), place=place)
        others = f" With {len(alike)} others." if alike else ""
        again = max(0.0, block.due - time.monotonic())
        message = f"{reason} It is tried again in {again:.0f} s.{others}"
        self._journal(JournalEntry("blocked", message, row.id, "warning", {"cause": cause, "reason": reason}))

    def release_what_is_due(self) -> None:
        """Queue the tasks whose cause may be gone. Raises GivenUp."""
        for block in self._blocks.due(time.monotonic()):
            if block.place is None:
                # One task finds out whether the engine is there again; then the others follow.
                count = 1 if block.cause == "engine" else len(block.tasks)
                self._release(block, count)
            elif has_room(block.place):
                self._blocks.remove(block.cause, block.key)
                message = f"there is room on the disk of {block.place} again"
                self._journal(JournalEntry("queued", message, ", ".join(block.tasks)))
                self._release(block, len(block.tasks))
            else:
                self._blocks.add(block.cause, block.key, [], reason=block.reason, now=time.monotonic())

    def forgive(self, model: str) -> None:
        """The engine of this model works: what waited for it is queued."""
        block = self._blocks.remove("engine", model)
        if block is not None and block.tasks:
            message = f"{model} is available again: {len(block.tasks)} more tasks are queued"
            self._journal(JournalEntry("queued", message))
            self._release(block, len(block.tasks))

    def _release(self, block: Block, count: int) -> None:
        def write() -> None:
            with self._store.transaction():
                for task in block.tasks[:count]:
                    # What a person cancelled or removed meanwhile stays so.
                    if self._is_blocked(task):
                        self._store.tasks.transition(task, "queued")

        self._insist(write)
        block.tasks = block.tasks[count:]

    def _is_blocked(self, task: str) -> bool:
        try:
            return self._store.tasks.get(task).state == "blocked"
        except UnknownTask:
            return False

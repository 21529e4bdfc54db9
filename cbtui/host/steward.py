"""The thread that answers commands at once, also while the engine works, and tells every second how the host fares."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from cbtui.core.task import MODELS, ModelName
from cbtui.engine.base import DeviceLost, EngineUnavailable, PreparationStopped
from cbtui.host.control import Answer, Refused, obey
from cbtui.host.current import Current
from cbtui.host.faults import Faults
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.line import Line
from cbtui.host.live import LiveFile
from cbtui.host.monitor import Monitor
from cbtui.host.persistence import GivenUp, Insistence
from cbtui.host.rendering.engines import Engines
from cbtui.host.rendering.reports import Report
from cbtui.host.store import Command, Store, StoreError, attach_store

log = logging.getLogger("cbtui.steward")

# A person notices about 100 ms; looking costs 0.1 ms.
_GLANCE_SECONDS = 0.05
_LIVE_SECONDS = 1.0
# How many commands are looked at in one glance.
_AT_ONCE = 100
_MANY = 1_000_000

Finished = tuple[int, Literal["done", "refused"], str]


class Steward:
    """`on_stop` is called when a person asks the host to end, `every_second` for what else wants doing now and then."""

    def __init__(
        self,
        store: Path,
        line: Line,
        engines: Engines,
        *,
        monitor: Monitor,
        live: LiveFile,
        journal: Journal,
        on_stop: Callable[[], None],
        every_second: Callable[[], None],
    ) -> None:
        self._store_path = store
        self._line = line
        self._engines = engines
        self._monitor = monitor
        self._live = live
        self._journal = journal
        self._on_stop = on_stop
        self._every_second = every_second
        self._stopped = threading.Event()
        self._insist = Insistence(self._stopped, journal)
        # Commands that the engine's thread carries out, and what became of them.
        self._handed_over: set[int] = set()
        self._answers: queue.SimpleQueue[Finished] = queue.SimpleQueue()
        self._told_of_live = False
        self._faults = Faults("command", journal)
        self._began = time.time()
        self._last_before = 0
        self._thread = threading.Thread(target=self._run, name="cbtui-steward", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        self._monitor.close()

    def _run(self) -> None:
        # Where it is given up, the host stops.
        with contextlib.suppress(GivenUp), self._insist(lambda: attach_store(self._store_path)) as store:
            self._last_before = max((command.number for command in store.commands.waiting(_MANY)), default=0)
            self._serve(store)
            self._give_answers(store)

    def _serve(self, store: Store) -> None:
        next_live = 0.0
        while not self._stopped.is_set():
            try:
                self._work_off(store)
                if time.monotonic() >= next_live:
                    next_live = time.monotonic() + _LIVE_SECONDS
                    try:
                        self._tell_how_it_fares()
                    finally:
                        self._every_second()
                    self._faults.forget()
            except GivenUp:
                raise
            except Exception as error:  # noqa: BLE001 - it is told
                # A steward that died in silence would leave every command unanswered.
                self._faults.tell(error)
                self._stopped.wait(1.0)
            self._stopped.wait(_GLANCE_SECONDS)

    def _work_off(self, store: Store) -> None:
        self._give_answers(store)
        for command in store.commands.waiting(_AT_ONCE + len(self._handed_over)):
            if command.number not in self._handed_over:
                self._carry_out(store, command)

    def _give_answers(self, store: Store) -> None:
        """Pass on what the engine's thread answered."""
        while not self._answers.empty():
            number, state, text = self._answers.get()
            self._insist(partial(store.commands.answer, number, state, text))
            self._handed_over.discard(number)

    def _carry_out(self, store: Store, command: Command) -> None:
        try:
            if command.verb in {"load", "unload"}:
                self._hand_over(command)
                return
            answer, in_work = self._insist(lambda: self._obey(store, command))
        except GivenUp:
            raise
        except (Refused, StoreError) as error:
            self._refuse(store, command, str(error))
            return
        except Exception as error:
            # One that nobody foresaw must not stand before all others for ever.
            log.exception("unexpected error at the command %s", command)
            self._refuse(store, command, f"an unexpected error: {error!r}")
            return
        for current in in_work:
            if current.task.id in answer.interrupt:
                wishes = current.wishes
                (wishes.stop if answer.interrupt[current.task.id] else wishes.make_way).set()
        self._tell(command, answer.text)
        if command.verb == "retry":
            self._line.try_again()
        elif command.verb == "stop":
            (self._line.finish if command.arguments.get("after_chunk") else self._on_stop)()
        self._line.wake()

    def _obey(self, store: Store, command: Command) -> tuple[Answer, Sequence[Current]]:
        """Carry out and answer a command in one transaction; with the renderings under way at that moment."""
        with store.transaction():
            answer = self._stop(command) if command.verb == "stop" else obey(store, command.verb, command.arguments)
            store.commands.answer(command.number, "done", answer.text)
            return answer, self._line.in_work

    def _stop(self, command: Command) -> Answer:
        # A clock that was put back makes no newer command an old one.
        if command.number <= self._last_before and command.posted < self._began:
            raise Refused("the host that was to stop is gone; this is another")
        if command.arguments.get("after_chunk"):
            return Answer("the host stops after the chunk that is being rendered", {})
        return Answer("the host stops; what is being rendered goes on with the next one", {})

    def _refuse(self, store: Store, command: Command, reason: str) -> None:
        self._insist(lambda: store.commands.answer(command.number, "refused", reason))
        self._tell(command, f"refused: {reason}")

    def _hand_over(self, command: Command) -> None:
        model = command.arguments.get("model")
        if model is not None and model not in MODELS:
            raise Refused(f"there is no model {model!r}; there are {', '.join(MODELS)}")
        if command.verb == "load" and model is None:
            raise Refused("load which model?")
        name: ModelName | None = model
        self._handed_over.add(command.number)

        def act() -> None:
            try:
                text = self._load(name) if command.verb == "load" and name else self._unload(name)
            except PreparationStopped:
                return
            except EngineUnavailable as error:
                self._answers.put((command.number, "refused", str(error)))
                if isinstance(error, DeviceLost):
                    self._line.restart()
            except BaseException as error:
                # Whatever a library does to us, the person waits for an answer.
                log.exception("unexpected error at the command %s", command)
                self._answers.put((command.number, "refused", f"an unexpected error: {error!r}. The log has more."))
            else:
                self._tell(command, text)
                self._answers.put((command.number, "done", text))

        self._line.ask(act)

    def _load(self, model: ModelName) -> str:
        engine = self._engines.of_model("chatterbox", model)
        if self._line.is_ending():
            raise PreparationStopped
        self._line.doing.begin(f"loading {model}")
        try:
            engine.load(emit=self._note, should_stop=self._line.is_ending)
        finally:
            self._line.doing.end()
        self._line.forget_memory()
        return f"{model} is loaded"

    def _unload(self, model: ModelName | None) -> str:
        count = self._engines.unload(model)
        self._line.forget_memory()
        return f"{count} unloaded" if count else "no such model was loaded"

    def _note(self, report: Report) -> None:
        self._line.doing.hear(report)
        message = getattr(report, "message", "")
        if message:
            self._journal(JournalEntry("model", message))

    def _tell(self, command: Command, text: str) -> None:
        facts = {"verb": command.verb, "arguments": command.arguments}
        self._journal(JournalEntry("command", f"{command.verb}: {text}", facts=facts))

    def _tell_how_it_fares(self) -> None:
        sample = self._monitor.sample()
        in_work = self._line.in_work
        facts: Mapping[str, Any] = {
            "at": time.time(),
            "rendering": [current.task.id for current in in_work],
            "chunks": {current.task.id: sorted(current.chunks) for current in in_work},
            "engine": in_work[0].task.model.partition("/")[0] if in_work else None,
            "tokens_per_second": round(sum(current.tokens_per_second for current in in_work), 1) if in_work else None,
            "hold": self._line.hold,
            "doing": str(self._line.doing),
            "models": _models(self._engines),
            "memory": sample.as_json(),
        }
        try:
            self._live.write(facts)
            self._told_of_live = False
        except OSError as error:
            if not self._told_of_live:
                self._told_of_live = True
                message = f"viewers do not see memory and models: {self._live.path}: {error.strerror}"
                self._journal(JournalEntry("notice", message, level="warning"))


def _models(engines: Engines) -> list[dict[str, object]]:
    info = engines.loaded()
    return [
        {"model": key, "bytes": info.bytes[key], "load_seconds": round(info.load_seconds[key], 2)} for key in info.keys
    ]

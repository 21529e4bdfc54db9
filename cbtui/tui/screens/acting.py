"""What can be done to tasks from every screen that shows them."""

from __future__ import annotations

from pathlib import Path

from cbtui.core.queue import TaskRow
from cbtui.core.status import State
from cbtui.tui.screens.base import LiveScreen, Result
from cbtui.tui.screens.confirm import Choice


class ActingScreen(LiveScreen[Result]):
    """Its subclasses say which tasks an action is about."""

    @property
    def current(self) -> TaskRow | None:
        """The one task that is looked at."""
        raise NotImplementedError

    @property
    def chosen(self) -> list[str]:
        """The tasks that the host is asked to do something with."""
        raise NotImplementedError

    @property
    def take(self) -> Path | None:
        """The take that is chosen instead of the whole file."""
        return None

    @property
    def nothing(self) -> str:
        """What to say where there is no task to act on; empty where one may come any moment."""
        raise NotImplementedError

    def tell_nothing(self) -> None:
        if self.nothing:
            self.notify(self.nothing, severity="warning", markup=False, timeout=4)

    def removed(self) -> None:
        """The host was asked to remove the chosen tasks."""

    @property
    def chosen_states(self) -> set[State]:
        """Of the chosen tasks, as far as they are known here."""
        return {self.current.state} if self.current else set()

    def action_pause(self) -> None:
        """Let them go on where all are paused, else pause those that are not."""
        self.ask_host("resume" if self.chosen_states == {"paused"} else "pause")

    def action_cancel(self) -> None:
        self.ask_host("cancel")

    def action_retry(self) -> None:
        self.ask_host("retry")

    def action_retry_fresh(self) -> None:
        self.ask_host("retry", fresh=True)

    def action_remove(self) -> None:
        chosen = self.chosen
        if not chosen:
            self.tell_nothing()
            return
        what = chosen[0] if len(chosen) == 1 else f"{len(chosen)} tasks"

        def answered(answer: str | None) -> None:
            if answer == "y":
                self.cbtui.feed.ask("remove", tasks=chosen)
                self.removed()

        question = f"Remove {what} from the queue?\nFiles and outputs stay."
        self.app.push_screen(Choice(question, [("y", "remove")]), answered)

    def action_edit(self) -> None:
        current = self.current
        if current is None:
            self.tell_nothing()
            return
        from cbtui.tui.outside import edit

        edit(self.cbtui, current.source)

    def action_play(self) -> None:
        current = self.current
        if current is None:
            self.tell_nothing()
            return
        from cbtui.tui.outside import play

        play(self.cbtui, current, self.take)

    def action_copy_path(self) -> None:
        current = self.current
        if current is None:
            self.tell_nothing()
            return
        from cbtui.tui.outside import copy_path

        copy_path(self.cbtui, current, self.take)

    def ask_host(self, verb: str, **arguments: object) -> None:
        """Ask the host to do this with the chosen tasks."""
        chosen = self.chosen
        if chosen:
            self.cbtui.feed.ask(verb, tasks=chosen, **arguments)
        else:
            self.tell_nothing()

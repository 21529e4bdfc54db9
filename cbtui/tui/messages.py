"""What threads tell the screen, in the past tense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from cbtui.host.journal import JournalEntry
from cbtui.tui.opened import TaskFacts
from cbtui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from cbtui.host.changed_options import ChangedOptions


class QueueRead(Message):
    """The store was read; an older reading that was not shown yet is not worth showing any more."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, QueueRead)


class TaskRead(Message, bubble=False):
    """A task was read off the disk."""

    def __init__(self, facts: TaskFacts) -> None:
        self.facts = facts
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TaskRead)


class HostAnswered(Message):
    """A command was answered, refused, or waits for a host."""

    def __init__(self, verb: str, text: str, *, refused: bool = False) -> None:
        self.verb = verb
        self.text = text
        self.refused = refused
        super().__init__()


class HostStarted(Message):
    """This process hosts the jobs directory, or knows why it cannot: then `trouble` says so."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble
        super().__init__()


class OptionsFoundChanged(Message):
    """This process does not host yet: the last host had other options, and the person is to say what that means."""

    def __init__(self, changed: ChangedOptions) -> None:
        self.changed = changed
        super().__init__()


class HostTold(Message):
    """Something happened that a person wants to know wherever they look."""

    def __init__(self, entry: JournalEntry) -> None:
        self.entry = entry
        super().__init__()


class HostEnded(Message):
    """The host of this process wants to end: a person asked, or only a new process can go on."""

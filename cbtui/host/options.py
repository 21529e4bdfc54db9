"""What a person may set about a host, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HookCommands:
    """A command of the user's for each occasion, as a list of words; empty means none. `seconds` bounds each run."""

    task_done: tuple[str, ...] = ()
    task_failed: tuple[str, ...] = ()
    queue_empty: tuple[str, ...] = ()
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class HostOptions:
    """`idle_unload`: seconds without work after which models leave the memory; None means never.

    `overtake`: behind how many others of its priority a task may wait because they need what is loaded.
    """

    idle_unload: float | None = None
    overtake: int = 8
    hooks: HookCommands = field(default_factory=HookCommands)

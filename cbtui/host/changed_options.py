"""What a host would do otherwise than the last one of its folder: `--engine` and `--model` are for all tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cbtui.host.store import Filter, Store


@dataclass(frozen=True, slots=True)
class ChangedOptions:
    """Settings of the command line, `before` and `now`. `finished` tasks could come out otherwise.

    `queued` is for all that is still to be rendered.
    """

    before: Mapping[str, str]
    now: Mapping[str, str]
    finished: int
    queued: int

    def __str__(self) -> str:
        return f"the last host ran {self.former}, this one {self.present}"

    @property
    def former(self) -> str:
        return f"with {_options(self.before)}" if self.before else f"without {_options(self.now)}"

    @property
    def present(self) -> str:
        if not self.before:
            return "with it"
        return f"with {_options(self.now)}" if self.now else "without it"


def find_changed_options(store: Store, now: Mapping[str, str]) -> ChangedOptions | None:
    """None where the last host had the same options, or nobody can tell. Raises StoreError."""
    before = store.meta.overrides
    if before is None or before == now:
        return None
    # A task of the engine that is asked for comes out the same, if the engine is all that changed.
    engine = now.get("engine", "") if before.get("model") == now.get("model") else ""
    done = store.work.amounts("done")
    same = sum(amount.tasks for amount in done if engine and amount.model.partition("/")[0] == engine)
    return ChangedOptions(
        before,
        now,
        finished=sum(amount.tasks for amount in done) - same,
        queued=store.queue.count(Filter(states=("queued", "rendering", "paused", "blocked"))),
    )


def _options(overrides: Mapping[str, str]) -> str:
    return " ".join(f"--{name} {value}" for name, value in sorted(overrides.items()))

"""What a run has to do at the disk: done beside the engine's thread, which does not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cbtui.host.rendering.rendered import Rendered


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """`work` can be done by any thread; `then` is told its result on the engine's.

    One that `takes_long` is not to keep others waiting.
    """

    work: Callable[[], Any]
    then: Callable[[Any], Step]
    takes_long: bool = False


# What a run comes to: its outcome, something for the disk, or neither yet.
Step = Rendered | Errand | None

"""What screens that show the queue share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from textual.screen import Screen

from cbtui.tui.snapshot import Snapshot
from cbtui.tui.words import Words

if TYPE_CHECKING:
    from cbtui.tui.app import CbtuiApp

Result = TypeVar("Result")


class LiveScreen(Screen[Result]):
    """A screen that is given every new reading of the queue, also while another lies on top of it."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.words = words

    @property
    def cbtui(self) -> CbtuiApp:
        return cast("CbtuiApp", self.app)

    @property
    def unsaved(self) -> bool:
        """Whether what the person typed here would be lost with the app."""
        return False

    def show(self, snapshot: Snapshot) -> None:
        """Take over a reading. Called on mount too, with the newest there is."""

    def on_mount(self) -> None:
        self.show(self.cbtui.snapshot)

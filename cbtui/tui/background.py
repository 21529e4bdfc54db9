"""What takes a while, done beside the screen, and what to do with the answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from textual.widget import Widget

log = logging.getLogger("cbtui.background")

Found = TypeVar("Found")


def in_background(widget: Widget, work: Callable[[], Found], then: Callable[[Found], object]) -> None:
    """Do `work` in a thread of its own, then `then` on the screen's thread if the widget is still there.

    Unlike Textual's workers, the thread does not hold up quitting.
    """
    app = widget.app

    def show(found: Found) -> None:
        if widget.is_attached:
            then(found)

    def run() -> None:
        try:
            found = work()
        except Exception:
            log.exception("unexpected error beside the screen")
        else:
            app.call_later(show, found)

    threading.Thread(target=run, name=f"cbtui-{type(widget).__name__}", daemon=True).start()

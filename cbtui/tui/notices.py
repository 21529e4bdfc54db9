"""What is said in passing, in a corner of the screen: at most two things at once."""

from __future__ import annotations

from textual.notifications import Notification

# What these do is seen in the queue, as long as it stands in its own order.
SEEN_IN_QUEUE = frozenset({"shift", "priority"})

# Whether it arrives, nobody is told: tmux, screen and some terminals keep it from getting there.
SENT_TO_CLIPBOARD = "sent to the terminal's clipboard"


class Notices:
    """Has a notice take the place of the last of its kind: an answer, or something that is wrong."""

    def __init__(self) -> None:
        self._last: dict[bool, Notification] = {}

    def take(self, notification: Notification) -> None:
        """Let the one before it go. To be called before Textual shows it."""
        is_answer = notification.severity == "information"
        before = self._last.get(is_answer)
        if before is not None:
            # One whose time is over is taken away with the next that comes.
            before.timeout = 0.0
        self._last[is_answer] = notification

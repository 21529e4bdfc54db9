"""One line that says who hosts, what is loaded, and what the queue waits for."""

from __future__ import annotations

import os

from rich.text import Text
from textual.widgets import Static

from cbtui.core.clean import visible
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.words import Words, gigabytes


class HostLine(Static):
    DEFAULT_CSS = """
    HostLine { height: 1; background: $panel; color: $foreground; padding: 0 1;
               text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", id=id, markup=False)
        self._words = words
        self._said = ""

    def show(self, snapshot: Snapshot, *, starting: bool) -> None:
        said = self._words.plain(" · ".join(part for part in self._parts(snapshot, starting=starting) if part))
        if said != self._said:
            self._said = said
            # One line stays one line: nothing else moves.
            self.update(Text(said, no_wrap=True, overflow="ellipsis"), layout=False)

    def _parts(self, snapshot: Snapshot, *, starting: bool) -> list[str]:
        holder, live = snapshot.holder, snapshot.live
        if snapshot.trouble:
            return [f"the queue cannot be read: {visible(snapshot.trouble)}"]
        if holder is None or (starting and holder.pid != os.getpid()):
            return ["starting" if starting else "no host: press h to host this folder"]
        who = "host" if holder.pid == os.getpid() else f"viewer of process {holder.pid} on {visible(holder.machine)}"
        parts = [who]
        if snapshot.paused:
            parts.append("PAUSED")
        if live.get("hold"):
            parts.append(f"WAITS: {visible(str(live['hold']))}")
        models = live.get("models") or []
        loading = live.get("doing")
        if loading:
            parts.append(visible(str(loading)))
        parts += [f"{each['model']} {gigabytes(each['bytes'])}" for each in models]
        if live.get("engine") == "espeak":
            parts.append("draft by espeak" if models else "draft by espeak, no model needed")
        elif not models and not loading:
            parts.append("no model loaded")
        if live.get("tokens_per_second"):
            parts.append(f"{live['tokens_per_second']:.0f} tokens/s")
        return parts

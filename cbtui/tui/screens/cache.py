"""Every cache look-up, by layer if wanted, the sums, and why a new process loads the model once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from cbtui.core.events import CacheLayer
from cbtui.paths import Places
from cbtui.tui.background import in_background
from cbtui.tui.keys import screen_bindings
from cbtui.tui.screens.base import LiveScreen
from cbtui.tui.screens.lines import Lines
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.widgets.cache_log import CacheLog
from cbtui.tui.widgets.host_line import HostLine
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.words import seconds_left

if TYPE_CHECKING:
    from cbtui.engine.cache_log import LayerSum

_LOOK_UPS = 2000
# From so many columns on there is room to say what the layers are.
_WIDE = 90
_EXPLAINED = {"model": "by model and device, in memory", "voice": "by clip, on disk", "chunk": "by all that decides it"}


class CacheScreen(Lines, LiveScreen[None]):
    BINDINGS = screen_bindings("cache")
    AUTO_FOCUS = "CacheLog"
    DEFAULT_CSS = """
    CacheScreen #sums { height: auto; border: round $surface-lighten-2; border-title-color: $text-muted; padding: 0 1; }
    CacheScreen #why { height: auto; max-height: 40%; border: round $surface-lighten-2; padding: 0 1;
                       border-title-color: $text-muted; overflow-y: auto; display: none; }
    CacheScreen.-explained #why { display: block; }
    """

    def compose(self) -> ComposeResult:
        yield HostLine(self.words, id="host")
        yield Static(id="sums")
        yield CacheLog(self.words, id="cache")
        yield Static("looking", id="why", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#sums").border_title = "all look-ups of this queue"
        self.query_one("#why").border_title = "why a new process loads the model once more"
        super().on_mount()
        self.cbtui.feed.want_look_ups(_LOOK_UPS)

    def on_unmount(self) -> None:
        self.cbtui.feed.want_look_ups()

    def show(self, snapshot: Snapshot) -> None:
        self.query_one(HostLine).show(snapshot, starting=self.cbtui.is_starting)
        self.query_one("#sums", Static).update(_sums(snapshot.cache_sums, explained=self.size.width >= _WIDE))
        self.query_one(CacheLog).show(snapshot)
        self._say_what_is_shown()

    def _say_what_is_shown(self) -> None:
        log = self.query_one(CacheLog)
        log.caption = f"the newest look-ups of the {log.only} cache" if log.only else "the newest look-ups"

    def _filter(self, layer: CacheLayer | None) -> None:
        self.query_one(CacheLog).show_only(layer)
        self._say_what_is_shown()

    def action_all(self) -> None:
        self._filter(None)

    def action_model(self) -> None:
        self._filter("model")

    def action_voice(self) -> None:
        self._filter("voice")

    def action_chunk(self) -> None:
        self._filter("chunk")

    def action_why(self) -> None:
        log = self.query_one(CacheLog)
        if log.is_vertical_scroll_end:
            self.call_after_refresh(log.scroll_end, animate=False)
        self.toggle_class("-explained")
        places = self.cbtui.places
        in_background(self, lambda: _explain(places), self.query_one("#why", Static).update)

    def action_back(self) -> None:
        self.dismiss()


def _explain(places: Places) -> Text:
    from cbtui.engine.cache_explained import why_a_new_process_misses
    from cbtui.engine.cache_log import last_load_seconds

    # Broken where the screen ends, and not where a terminal of 120 columns does.
    lines = why_a_new_process_misses(last_load_seconds(places.cache_log)).splitlines()
    return Text(" ".join(lines))


def _sums(sums: tuple[LayerSum, ...], *, explained: bool) -> Text:
    """A line for each layer, and what they come to together."""
    text = Text(f"{'cache':<8}{'hits':>8}{'misses':>8}{'share':>7}{'spent':>8}{'saved':>8}\n", style="dim")
    for each in sums:
        figures = _figures(each.hits, each.misses, each.seconds_spent, each.seconds_saved)
        text.append(f"{each.layer:<8}{figures}", style="not dim")
        text.append(f"   {_EXPLAINED[each.layer]}\n" if explained else "\n")
    names = ("hits", "misses", "seconds_spent", "seconds_saved")
    text.append(f"together{_figures(*(sum(getattr(each, name) for each in sums) for name in names))}", "bold not dim")
    return text


def _figures(hits: int, misses: int, spent: float, saved: float) -> str:
    share = f"{100 * hits / (hits + misses):.0f} %" if hits + misses else ""
    return f"{hits:>8}{misses:>8}{share:>7}{seconds_left(spent):>8}{seconds_left(saved):>8}"

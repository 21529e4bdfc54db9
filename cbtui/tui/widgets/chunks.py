"""The chunks of a run, any number of them: only what is in sight is painted, and only when it looks different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from cbtui.tui.opened import LOOKS_LIKE, ChunkFacts
from cbtui.tui.words import Words, fit

# The cursor above the first chunk: an action is about the whole file.
NOWHERE = -1
_STATES = ("done", "rendering", "waiting", "missing", "damaged")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells; 0 leaves a column out."""

    number: int
    state: int
    speaker: int
    speech: int
    tokens: int
    spent: int
    seeds: int
    text: int


def columns_for(width: int, *, number: int, speaker: int) -> _Columns:
    """What fits: the narrower the screen, the fewer columns. `number` and `speaker` are the widths that those need."""
    state = 10 if width >= 70 else 0
    speaker = min(speaker, 16 if width >= 100 else 8) if width >= 56 else 0
    speech = 7 if width >= 44 else 0
    tokens = 7 if width >= 90 else 0
    spent = 9 if width >= 110 else 0
    seeds = 14 if width >= 130 else 7 if width >= 90 else 0
    fixed = 4 + sum(part + 1 for part in (number, state, speaker, speech, tokens, spent, seeds) if part)
    return _Columns(number, state, speaker, speech, tokens, spent, seeds, max(8, width - fixed))


class ChunkList(ScrollView, can_focus=True, inherit_bindings=False):
    """Has a cursor that may stand on no chunk."""

    COMPONENT_CLASSES = {"chunks--cursor", "chunks--dim", *(f"chunks--{state}" for state in _STATES)}  # noqa: RUF012
    DEFAULT_CSS = """
    ChunkList { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    ChunkList > .chunks--cursor { background: $block-cursor-blurred-background; }
    ChunkList:focus > .chunks--cursor { background: $block-cursor-background; }
    ChunkList > .chunks--dim { color: $text-muted; }
    ChunkList > .chunks--done { color: $success; }
    ChunkList > .chunks--rendering { color: $primary; text-style: bold; }
    ChunkList > .chunks--waiting { color: $foreground; }
    ChunkList > .chunks--missing { color: $error; }
    ChunkList > .chunks--damaged { color: $error; text-style: bold; }
    """

    cursor: reactive[int] = reactive(NOWHERE)

    class Moved(Message):
        """The cursor stands on another chunk, or on none."""

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._chunks: Sequence[ChunkFacts] = ()
        self._instead = ""
        self._speaker = 0

    @property
    def current(self) -> ChunkFacts | None:
        """The chunk under the cursor."""
        return self._chunks[self.cursor] if 0 <= self.cursor < len(self._chunks) else None

    def show(self, chunks: Sequence[ChunkFacts], instead: str = "") -> None:
        """Take over a reading, or say `instead` why there is nothing; only lines that look different are painted."""
        before, self._chunks = self._chunks, chunks
        speakers = {chunk.speaker for chunk in chunks}
        # A single one stands among the settings.
        speaker = max(map(len, speakers)) if len(speakers) > 1 else 0
        if len(before) != len(chunks) or speaker != self._speaker or instead != self._instead:
            self._speaker, self._instead = speaker, instead
            self.virtual_size = Size(self._width, len(chunks))
            self.cursor = min(self.cursor, len(chunks) - 1)
            self.refresh()
            return
        top = int(self.scroll_offset.y)
        for line in range(top, min(len(chunks), top + self.size.height)):
            if before[line] != chunks[line]:
                self.refresh_line(line)

    def move(self, lines: int) -> None:
        """Move the cursor; above the first chunk it stands on none."""
        self.cursor = max(NOWHERE, min(len(self._chunks) - 1, self.cursor + lines))

    def watch_cursor(self, before: int, now: int) -> None:
        self.refresh_line(before)
        self.refresh_line(now)
        top, height = int(self.scroll_offset.y), self.size.height
        if now < top:
            self.scroll_to(y=max(0, now), animate=False)
        elif height and now >= top + height:
            self.scroll_to(y=now - height + 1, animate=False)
        self.post_message(self.Moved())

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self._width, len(self._chunks))
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        line = int(event.y + self.scroll_offset.y)
        if line < len(self._chunks):
            self.cursor = line

    @property
    def _width(self) -> int:
        """Cells of a line, without the scrollbar."""
        return self.scrollable_content_region.width

    def render_line(self, y: int) -> Strip:
        width = self._width
        line = y + int(self.scroll_offset.y)
        if line >= len(self._chunks):
            text = self._instead if y == 0 else ""
            return Strip([Segment(fit(text, width, ellipsis=self._words.plain("…")), self.rich_style)], width)
        return self._strip(self._chunks[line], width, is_cursor=line == self.cursor)

    def _strip(self, chunk: ChunkFacts, width: int, *, is_cursor: bool) -> Strip:
        base = self.rich_style
        if is_cursor:
            base += Style(bgcolor=self.get_component_rich_style("chunks--cursor").bgcolor)
        look = self.get_component_rich_style(f"chunks--{chunk.state}")
        state = base + Style(color=look.color, bold=look.bold)
        dim = base + Style(color=self.get_component_rich_style("chunks--dim").color)
        columns = columns_for(width, number=len(str(len(self._chunks))), speaker=self._speaker)
        cut = self._words.plain("…")
        # Without colours, this alone tells where the cursor is.
        cursor = (">" if self._words.ascii else "❯") if is_cursor else " "
        glyph = self._words.glyph(LOOKS_LIKE[chunk.state])
        segments = [Segment(cursor, base), Segment(f"{chunk.index + 1:>{columns.number}} ", dim)]
        segments.append(Segment(f"{glyph} " + (fit(chunk.state, columns.state) + " " if columns.state else ""), state))
        if columns.speaker:
            segments.append(Segment(fit(chunk.speaker, columns.speaker, ellipsis=cut) + " ", dim))
        for value, cells in (
            ("" if chunk.speech_seconds is None else f"{chunk.speech_seconds:.1f} s", columns.speech),
            (f"{chunk.tokens} tok" if chunk.tokens else "", columns.tokens),
            ("" if chunk.seconds_spent is None else f"in {chunk.seconds_spent:.1f} s", columns.spent),
            (_seeds(chunk.seeds), columns.seeds),
        ):
            if cells:
                segments.append(Segment(f"{fit(value, min(cells, max(1, len(value))), ellipsis=cut):>{cells}} ", dim))
        segments.append(Segment(fit(chunk.text, columns.text, ellipsis=cut) + " ", base))
        return Strip(segments).adjust_cell_length(width, base)


def _seeds(seeds: Sequence[int]) -> str:
    """`seed 42`, or those of all its pieces."""
    return f"#{','.join(map(str, seeds))}" if seeds else ""

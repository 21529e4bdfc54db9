"""Where a text is typed or pasted, of any size: a short one is edited, a long one is kept aside and described."""

from __future__ import annotations

from functools import partial

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static, TextArea
from textual.widgets.text_area import EditResult, Location

from cbtui.core.clean import clean_text, visible
from cbtui.tui.background import in_background
from cbtui.tui.words import Words

# The editor takes 0.1 s for a key in such a line, and 0.4 s to take in so many lines (measured, Textual 8.2.8).
_MAX_CHARACTERS = 200_000
_MAX_LINES = 10_000
_MAX_LINE = 10_000
_SHOWN = 400  # characters, of each end


class Pasted(Message):
    """A text was pasted, as it came."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__()


class TakenOut(Message):
    """The person does not want the long text."""


class _Editor(TextArea):
    def __init__(self) -> None:
        super().__init__(compact=True, placeholder="Type or paste what is to be spoken.", highlight_cursor_line=False)

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.post_message(Pasted(event.text))

    def replace(
        self, insert: str, start: Location, end: Location, *, maintain_selection_offset: bool = True
    ) -> EditResult:
        """Whatever comes in, by whichever key, is nothing but text."""
        return super().replace(clean_text(insert), start, end, maintain_selection_offset=maintain_selection_offset)


class _Description(Static, can_focus=True):
    BINDINGS = [  # noqa: RUF012 - Textual's own form
        Binding("backspace,delete", "take_out", "take the long text out"),
    ]

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.post_message(Pasted(event.text))

    def action_take_out(self) -> None:
        self.post_message(TakenOut())


class TextBox(Vertical):
    """`text` is all that was typed and pasted, without control characters, every line ending as `\\n`."""

    DEFAULT_CSS = """
    TextBox { border: round $surface-lighten-2; border-title-color: $text-muted; }
    TextBox:focus-within { border: round $primary; }
    TextBox TextArea { height: 1fr; scrollbar-size-vertical: 1; }
    TextBox _Description { display: none; height: 1fr; }
    TextBox .problem { display: none; color: $text-error; height: auto; max-height: 50%; }
    TextBox.-faulty .problem { display: block; }
    TextBox.-long TextArea { display: none; }
    TextBox.-long _Description { display: block; }
    """

    class Changed(Message):
        """Another text stands there."""

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._editor = _Editor()
        self._description = _Description("", markup=False)
        self._long: str | None = None
        self.border_title = "text"

    def compose(self) -> ComposeResult:
        yield self._editor
        yield self._description
        yield Static("", classes="problem", markup=False)

    @property
    def text(self) -> str:
        return self._editor.text if self._long is None else self._long

    @text.setter
    def text(self, text: str) -> None:
        if _can_be_edited(text):
            self._editor.text = text
            self._editor.move_cursor(self._editor.document.end)
            self._keep_aside(None)
        else:
            self._keep_aside(text)

    @property
    def is_blank(self) -> bool:
        return not self.text or self.text.isspace()

    def focus_control(self) -> None:
        (self._editor if self._long is None else self._description).focus()

    def show_problem(self, problem: str) -> None:
        """Say what is wrong; nothing for nothing."""
        self.set_class(bool(problem), "-faulty")
        self.query_one(".problem", Static).update(Text("\n".join(map(visible, problem.split("\n")))))

    def on_pasted(self, event: Pasted) -> None:
        event.stop()
        if len(event.text) <= _MAX_CHARACTERS:
            self._take_in(clean_text(event.text))
        else:
            in_background(self, partial(clean_text, event.text), self._take_in)

    def _take_in(self, pasted: str) -> None:
        """Put it where the cursor is, or below a long text."""
        if self._long is not None:
            self._keep_aside(self._long + pasted)
            return
        editor = self._editor
        start, end = sorted(editor.selection)
        before = editor.get_text_range((0, 0), start)
        whole = before + pasted + editor.get_text_range(end, editor.document.end)
        if _can_be_edited(whole):
            editor.move_cursor(editor.replace(pasted, start, end, maintain_selection_offset=False).end_location)
        else:
            self._keep_aside(whole)

    def _keep_aside(self, text: str | None) -> None:
        """Show this long text in place of the editor, or the editor again, with what stood there before."""
        self._long = text
        self.set_class(text is not None, "-long")
        if text is not None:
            self._description.update(self._described(text))
        if self._editor.has_focus or self._description.has_focus:
            self.focus_control()
        self.post_message(self.Changed())

    def _described(self, text: str) -> Text:
        lines = text.count("\n") + 1
        described = Text()
        described.append(f"{len(text):,} characters in {lines:,} lines: too long to be edited here.\n", style="bold")
        described.append("They are added as they are. Backspace takes them out; what is pasted goes below them.\n\n")
        described.append(text[:_SHOWN].rstrip())
        described.append(self._words.plain(" …\n\n… "), style="bold")
        described.append(text[-_SHOWN:].strip())
        return described

    def on_taken_out(self, event: TakenOut) -> None:
        event.stop()
        self._keep_aside(None)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())


def _can_be_edited(text: str) -> bool:
    if len(text) > _MAX_CHARACTERS or text.count("\n") > _MAX_LINES:
        return False
    return max(map(len, text.split("\n"))) <= _MAX_LINE

"""A line of a form: what it is called, what is typed or chosen, and below it what is wrong with that."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Select, Static

from cbtui.core.clean import clean_text, visible

# What Linux takes for a path; nothing else that is typed into a line is longer.
MAX_TYPED = 4096


class Line(Input):
    """One line of text that holds nothing but text. Up and down step through what is offered."""

    BINDINGS = [  # noqa: RUF012 - Textual's own form
        Binding("down", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
    ]

    def __init__(self, value: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(value, id=id, compact=True, select_on_focus=False, max_length=MAX_TYPED)
        self._offers: tuple[str, ...] = ()

    @property
    def offers(self) -> tuple[str, ...]:
        return self._offers

    @offers.setter
    def offers(self, offers: Sequence[str]) -> None:
        self._offers = tuple(offers)
        self.suggester = SuggestFromList(self._offers, case_sensitive=False) if offers else None

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line that is not blank, and nothing that steers a terminal."""
        event.prevent_default()
        event.stop()
        lines = clean_text(event.text[: 2 * MAX_TYPED]).strip().split("\n")
        self.insert_text_at_cursor(lines[0].replace("\t", " "))

    def action_step(self, by: int) -> None:
        """To the next of what is offered, from what stands there."""
        if self._offers:
            at = self._offers.index(self.value) if self.value in self._offers else -1 if by > 0 else 0
            self.value = self._offers[(at + by) % len(self._offers)]
            self.cursor_position = len(self.value)


class Field(Vertical):
    """`choices` are (words, value) to choose from; without them, `line` is typed. Blank means the standard."""

    DEFAULT_CSS = """
    Field { height: auto; border-left: blank; padding: 0 1 0 0; }
    Field:focus-within { border-left: outer $primary; }
    Field Horizontal { height: 1; }
    Field .label { width: 14; color: $text-muted; }
    Field:focus-within .label { color: $foreground; text-style: bold; }
    Field Input, Field Select { width: 1fr; }
    Field SelectCurrent Static#label { color: $foreground 65%; }
    Field SelectCurrent.-has-value Static#label { color: $foreground; }
    Field .hint { display: none; height: 1; color: $foreground 60%; padding-left: 14;
                  text-wrap: nowrap; text-overflow: ellipsis; }
    Field:focus-within .hint.-given { display: block; }
    Field .problem { display: none; color: $text-error; padding-left: 2; }
    Field.-faulty .label { color: $text-error; }
    Field.-faulty .problem { display: block; }
    """

    class Changed(Message):
        """Something else stands in the field."""

    def __init__(
        self, name: str, label: str, choices: Sequence[tuple[str, str]] = (), *, line: Line | None = None
    ) -> None:
        super().__init__(id=f"field-{name}")
        self.key = name
        self._label = label
        self._control: Line | Select[str] = (
            Select(choices, prompt="standard", compact=True, allow_blank=True) if choices else line or Line()
        )
        self._offered = ""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, classes="label", markup=False)
            yield self._control
        yield Static("", classes="hint", markup=False)
        yield Static("", classes="problem", markup=False)

    @property
    def value(self) -> str:
        """What was typed or chosen; empty for blank."""
        if isinstance(self._control, Line):
            return self._control.value
        return self._control.selection or ""

    @value.setter
    def value(self, value: str) -> None:
        if isinstance(self._control, Line) or value:
            self._control.value = value
        else:
            self._control.clear()

    @property
    def can_be_focused(self) -> bool:
        return self.display and self._control.focusable

    def focus_control(self) -> None:
        self._control.focus()

    def show_standard(self, words: str) -> None:
        """Say what a blank means."""
        words = visible(words)
        if isinstance(self._control, Line):
            self._control.placeholder = words
        elif self._control.prompt != words:
            self._control.prompt = words

    def offer(self, offers: Sequence[str], otherwise: str = "") -> None:
        """Let a line be completed from these. They are named below it while it has the focus, else `otherwise` is."""
        assert isinstance(self._control, Line)
        if tuple(offers) != self._control.offers:
            self._control.offers = offers
        said = f"up, down: {', '.join(offers[:50])}" if offers else otherwise
        if said != self._offered:
            self._offered = said
            hint = self.query_one(".hint", Static)
            hint.set_class(bool(said), "-given")
            hint.update(Text(visible(said), no_wrap=True, overflow="ellipsis"))

    def show_problem(self, problem: str) -> None:
        """Say what is wrong; nothing for nothing."""
        self.set_class(bool(problem), "-faulty")
        self.query_one(".problem", Static).update(Text("\n".join(map(visible, problem.split("\n")))))
        if problem and self.has_focus_within:
            self.call_after_refresh(self.scroll_visible, animate=False)

    def on_descendant_focus(self) -> None:
        """Have what stands below the line in sight too."""
        self.call_after_refresh(self.scroll_visible, animate=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

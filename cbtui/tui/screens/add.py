"""Type or paste a text, say how it is to be spoken, see the file that it becomes, and add it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from cbtui.core.clean import shorten, shown_path, visible
from cbtui.core.task import LANGUAGES, MODELS
from cbtui.paths import Places
from cbtui.tui.background import in_background
from cbtui.tui.drafting import SETTINGS, Draft, Outlook, Refused, add, explained, look, used_settings
from cbtui.tui.keys import screen_bindings
from cbtui.tui.offering import Offers, find_offers
from cbtui.tui.screens.base import LiveScreen
from cbtui.tui.screens.confirm import Choice
from cbtui.tui.widgets.field import Field
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.widgets.text_box import TextBox
from cbtui.tui.words import Words

if TYPE_CHECKING:
    from cbtui.jobs.adding import Added
    from cbtui.tui.app import CbtuiApp

# A pause in typing, after which the preview follows.
_PAUSE = 0.15  # seconds
_PREVIEWED = 3000  # characters

NO_JOB = "none: the top folder"
ABOUT_JOBS = "a new name makes a new folder; book/one is a folder in a folder"

_LABELS: Mapping[str, str] = {"reference": "clip", "cfg_weight": "cfg weight"}
_CHOICES: Mapping[str, Sequence[tuple[str, str]]] = {
    "model": [(model, model) for model in MODELS],
    "language": [(f"{name} ({code})", code) for code, name in sorted(LANGUAGES.items(), key=lambda each: each[1])],
}


class AddScreen(LiveScreen[tuple[str, ...]]):
    """Gives the ids of the tasks that were added; none where nothing was."""

    BINDINGS = screen_bindings("add")
    AUTO_FOCUS = "TextArea"
    DEFAULT_CSS = """
    AddScreen #form { height: 1fr; scrollbar-size-vertical: 1; }
    AddScreen TextBox { height: 6; }
    AddScreen.-high TextBox { height: 7; }
    AddScreen.-tall TextBox { height: 8; }
    AddScreen #fields, AddScreen #preview { height: auto; border: round $surface-lighten-2;
                                            border-title-color: $text-muted; border-subtitle-color: $text-muted; }
    AddScreen #fields { scrollbar-size-vertical: 1; }
    AddScreen #preview { height: 3; padding: 0 1; scrollbar-size-vertical: 1; }
    AddScreen.-high #preview { height: 6; }
    AddScreen.-tall #preview { height: 7; }
    AddScreen #fields:focus-within, AddScreen #preview:focus { border: round $primary; }
    AddScreen.-wide #form { layout: horizontal; height: 3fr; }
    AddScreen.-wide TextBox { width: 3fr; height: 100%; }
    AddScreen.-wide #fields { width: 2fr; height: 100%; }
    AddScreen.-wide #preview { height: 2fr; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own form
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high"), (24, "-tall")]  # noqa: RUF012

    def __init__(self, words: Words, places: Places) -> None:
        super().__init__(words)
        self._places = places
        self._text = TextBox(words, id="text")
        self._fields = {
            name: Field(name, _LABELS.get(name, name), _CHOICES.get(name, ())) for name in ("job", "name", *SETTINGS)
        }
        self._looks = 0
        self._pause: Timer | None = None
        self._tried = False
        self._is_adding = False
        self._is_done = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="form", can_focus=False):
            yield self._text
            with VerticalScroll(id="fields", can_focus=False):
                yield from self._fields.values()
        # Outside of what scrolls: it is in sight while any field is typed into.
        with VerticalScroll(id="preview"):
            yield Static("", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#fields").border_title = "task"
        self.query_one("#preview").border_title = "becomes"
        self._fields["job"].show_standard(NO_JOB)
        self._look()
        in_background(self, partial(find_offers, self._places.jobs), self._offer)
        if self.cbtui.kept.draft is not None:
            self._offer_draft(self.cbtui.kept.draft)

    def on_screen_suspend(self) -> None:
        """Whatever takes the screen away, what was typed is not lost."""
        if self._is_done:
            self.cbtui.kept.draft = None
        elif self.unsaved:
            self.cbtui.kept.draft = self.draft

    @property
    def draft(self) -> Draft:
        """What stands in the form."""
        settings = {name: self._fields[name].value for name in SETTINGS}
        return Draft(self._text.text, self._fields["job"].value, self._fields["name"].value, settings)

    @draft.setter
    def draft(self, draft: Draft) -> None:
        self._text.text = draft.text
        for name, value in {"job": draft.job, "name": draft.name, **draft.settings}.items():
            self._fields[name].value = value

    @property
    def unsaved(self) -> bool:
        return not self._is_done and not self._text.is_blank

    def on_field_changed(self) -> None:
        self._look_soon()

    def on_text_box_changed(self) -> None:
        self._look_soon()

    def _look_soon(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE, self._look)

    def _look(self) -> None:
        """Have the preview follow what is typed."""
        self._looks += 1
        in_background(self, partial(look, self.draft, self._places), partial(self._looked, self._looks))

    def _looked(self, number: int, outlook: Outlook) -> None:
        if number != self._looks:
            return
        standard = outlook.standard
        used = used_settings(standard.model)
        for name in SETTINGS:
            self._fields[name].display = name in used
            self._fields[name].show_standard(standard.values.get(name, ""))
        stem = outlook.path.stem if outlook.path and self.unsaved else "its first words"
        self._fields["name"].show_standard(stem)
        self._fields["speaker"].offer(standard.speakers, "the settings of this job name none")
        self._show_problems(outlook.problems)
        self.query_one("#preview Static", Static).update(self._preview(outlook))

    def _show_problems(self, problems: Mapping[str, str]) -> None:
        for name, field in self._fields.items():
            field.show_problem(problems.get(name, ""))
        # Nobody needs to be told that nothing is typed yet.
        is_told = self._tried or self.unsaved
        self._text.show_problem(problems.get("text", "") if is_told else "")

    def _preview(self, outlook: Outlook) -> Text:
        """The path and the content of the file, to the letter; of a long one, the beginning."""
        if not self.unsaved:
            return Text("What you type becomes a file, and you see it here.", style="dim")
        if outlook.path is None:
            return Text("Nothing, before the mistakes are mended.", style="dim")
        preview = Text(shown_path(outlook.path) + "\n", style="bold")
        for warning in outlook.warnings:
            preview.append(f"! {visible(warning)}\n", style="italic")
        preview.append(outlook.content[:_PREVIEWED], style="not bold")
        if len(outlook.content) > _PREVIEWED:
            more = f"… and {len(outlook.content) - _PREVIEWED:,} more characters"
            preview.append(f"\n{self.words.plain(more)}", style="not bold dim")
        return preview

    def _offer(self, offers: Offers) -> None:
        self._fields["job"].offer(offers.jobs, ABOUT_JOBS)
        self._fields["reference"].offer(offers.clips, "the path of a clip in the jobs directory")

    def _offer_draft(self, draft: Draft) -> None:
        first = visible(shorten(draft.text.strip().partition("\n")[0]))

        def answered(answer: str | None) -> None:
            if answer == "g":
                self.draft = draft
            elif answer == "n":
                self.cbtui.kept.draft = None
            else:
                self.dismiss(())

        question = f"A text was left here that is not added:\n{first}"
        answers = [("g", "go on with it"), ("n", "throw it away, and begin a new one")]
        self.app.push_screen(Choice(question, answers), answered)

    def action_save(self) -> None:
        if self._is_adding:
            return
        self._is_adding = True
        self._tried = True
        in_background(self, partial(_try_to_add, self.draft, self._places), self._answered)

    def _answered(self, outcome: Added | Refused | OSError) -> None:
        self._is_adding = False
        if isinstance(outcome, Refused):
            self._show_problems(outcome.problems)
            self._go_to_first(outcome.problems)
        elif isinstance(outcome, OSError):
            self.notify(f"not added: {explained(outcome)}", severity="error", markup=False, timeout=10)
        else:
            tell(self.cbtui, (outcome,))
            self._leave((outcome.task,))

    def _go_to_first(self, problems: Mapping[str, str]) -> None:
        if "text" in problems:
            self._text.focus_control()
            return
        faulty = next((field for name, field in self._fields.items() if name in problems and field.display), None)
        if faulty is not None:
            faulty.focus_control()

    def action_files(self) -> None:
        from cbtui.tui.screens.add_files import AddFilesScreen

        def added(tasks: tuple[str, ...] | None) -> None:
            if tasks and not self.unsaved:
                self._leave(tasks)

        self.app.push_screen(AddFilesScreen(self.words, self._places, self._fields["job"].value), added)

    def action_back(self) -> None:
        if not self.unsaved:
            self._leave(())
            return

        def answered(answer: str | None) -> None:
            if answer == "t":
                self._leave(())
            elif answer == "k":
                self.dismiss(())

        answers = [("k", "keep it for the next time"), ("t", "throw it away")]
        self.app.push_screen(Choice("The text that you typed is not added yet.", answers), answered)

    def _leave(self, tasks: tuple[str, ...]) -> None:
        """With nothing left to keep."""
        self._is_done = True
        self.dismiss(tasks)


def tell(app: CbtuiApp, added: Sequence[Added]) -> None:
    """Say what was added, and what the person ought to know of it."""
    tasks = [visible(each.task) for each in added]
    words = {"added": "added", "replaced": "replaced", "present": "already there:"}
    said = f"{words[added[0].outcome]} {tasks[0]}" if len(added) == 1 else f"{len(added)} tasks: {', '.join(tasks)}"
    if app.snapshot.holder is None and not app.is_starting:
        said += "\nNo host serves this folder: press h on the queue's screen."
    app.notify(said, markup=False, timeout=6)
    warnings = dict.fromkeys(visible(warning) for each in added for warning in each.warnings)
    if warnings:
        app.notify("\n".join(warnings), severity="warning", markup=False, timeout=10)


def _try_to_add(draft: Draft, places: Places) -> Added | Refused | OSError:
    try:
        return add(draft, places)
    except (Refused, OSError) as error:
        return error

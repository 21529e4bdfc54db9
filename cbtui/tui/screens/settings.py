"""Every setting: what it means, the value in force, and where that comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Static

from cbtui.core.clean import visible
from cbtui.paths import Places
from cbtui.tui.background import in_background
from cbtui.tui.keys import screen_bindings
from cbtui.tui.screens.lines import Lines
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.words import Words, fit

if TYPE_CHECKING:
    from cbtui.settings_listing import Listed, Listing
    from cbtui.tui.app import CbtuiApp

_LOOK_SECONDS = 1.0
# From so many columns on there is room to say where a value comes from.
_WIDE = 80
_NAME_WIDTH = 25
_SOURCE_WIDTH = 24


class SettingsTable(DataTable[Text]):
    """Home and end are its first and last line: there is nothing to see sideways."""

    def action_scroll_home(self) -> None:
        self.action_scroll_top()

    def action_scroll_end(self) -> None:
        self.action_scroll_bottom()


class SettingsScreen(Lines, Screen[None]):
    """Follows the files as they change, whoever changes them."""

    BINDINGS = screen_bindings("settings")
    AUTO_FOCUS = "DataTable"
    DEFAULT_CSS = """
    SettingsScreen #problems { display: none; height: auto; max-height: 40%; padding: 0 1; border: round $error;
                               border-title-color: $error; scrollbar-size-vertical: 1; }
    SettingsScreen.-broken #problems { display: block; }
    SettingsScreen DataTable { height: 1fr; border: round $surface-lighten-2; border-title-color: $text-muted;
                               scrollbar-size-vertical: 1; overflow-x: hidden; background: $background; }
    SettingsScreen DataTable:focus { border: round $primary; }
    SettingsScreen #about { height: 7; padding: 0 1; border: round $surface-lighten-2;
                            border-title-color: $text-muted; }
    """

    def __init__(self, words: Words, places: Places) -> None:
        super().__init__()
        self._words = words
        self._places = places
        self._settings: tuple[Listed, ...] = ()
        self._seen: object = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="problems"):
            yield Static(markup=False)
        yield SettingsTable(cursor_type="row", zebra_stripes=False, show_header=True, cell_padding=0)
        yield Static("looking", id="about", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#problems").border_title = "mistakes in the settings"
        self.query_one("#about").border_title = "setting"
        self._table.border_title = Content(visible(str(self._places.user_settings)))
        self.set_interval(_LOOK_SECONDS, self._look_again)
        self._look()

    @property
    def _table(self) -> SettingsTable:
        return self.query_one(SettingsTable)

    def _look(self) -> None:
        app, places = cast("CbtuiApp", self.app), self._places
        options, chosen = app.options, app.colours.chosen
        self._seen = self._stamps()
        given = {**options.given, **({"theme": options.theme} if options.theme and not chosen else {})}

        def work() -> Listing:
            from cbtui.settings_listing import list_settings

            return _with_theme(list_settings(places, options.settings, given), chosen)

        in_background(self, work, self._take)

    def _look_again(self) -> None:
        if self._stamps() != self._seen:
            self._look()

    def _stamps(self) -> tuple[object, ...]:
        """What changes when one of the files does."""
        found: list[object] = []
        for path in (self._places.user_settings, self._places.jobs / "job.yaml"):
            try:
                facts = path.stat()
                found.append((facts.st_ino, facts.st_size, facts.st_mtime_ns))
            except OSError as error:
                found.append(error.errno)
        return tuple(found)

    def _take(self, listing: Listing) -> None:
        self._settings = listing.settings
        self.set_class(bool(listing.problems), "-broken")
        self.query_one("#problems Static", Static).update(Text("\n".join(listing.problems)))
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        table = self._table
        row = table.cursor_row
        width = max(40, self.size.width - 5)
        source = _SOURCE_WIDTH if self.size.width >= _WIDE else 0
        widths = (_NAME_WIDTH, width - _NAME_WIDTH - source, source)
        table.clear(columns=True)
        for title, cells in zip(("setting", "value", "from"), widths, strict=True):
            if cells:
                table.add_column(Text(title), width=cells)
        for listed in self._settings:
            table.add_row(*(cell for cell in self._cells(listed, widths) if cell is not None))
        table.move_cursor(row=row)
        self._describe()

    def _cells(self, listed: Listed, widths: tuple[int, ...]) -> tuple[Text | None, ...]:
        style = "" if listed.source == "built-in" and not listed.later else "bold"
        value = f"{listed.value} (then {listed.later})" if listed.later else listed.value
        texts = (listed.known.name, value, listed.source)
        cut = self._words.plain("…")
        return tuple(
            Text(fit(text, width - 1, ellipsis=cut), style=style) if width else None
            for text, width in zip(texts, widths, strict=True)
        )

    def on_data_table_row_highlighted(self) -> None:
        self._describe()

    def _describe(self) -> None:
        if self._table.cursor_row < len(self._settings):
            self.query_one("#about", Static).update(_about(self._settings[self._table.cursor_row]))

    def action_edit(self) -> None:
        from cbtui.tui.outside import edit

        path = self._places.user_settings
        try:
            _make(self._places)
        except OSError as error:
            self.notify(visible(f"{path}: {error.strerror}"), severity="error", markup=False)
            return
        edit(self.app, path)
        self._look()

    def action_back(self) -> None:
        self.dismiss()


def _with_theme(listing: Listing, chosen: str | None) -> Listing:
    """The same with the theme that was chosen in the app, which outlives the run, in force."""
    if chosen is None:
        return listing
    settings = (
        replace(listed, value=visible(chosen), source="chosen in the app")
        if listed.known.name == "app.theme"
        else listed
        for listed in listing.settings
    )
    return replace(listing, settings=tuple(settings))


def _about(listed: Listed) -> Text:
    known = listed.known
    text = Text(f"{known.name}", style="bold")
    text.append(f": {known.meaning}\n", style="not bold")
    for label, value in (("value", f"{listed.value}, {listed.source}"), ("default", known.default)):
        text.append(f"{label:<9}", style="dim not bold")
        text.append(f"{value}\n", style="not bold")
    if listed.later:
        text.append(f"then     {listed.later}: from the next start on", style="bold")
    elif known.is_of_app:
        text.append("A change holds from the next start on.", style="dim not bold")
    else:
        text.append("A change holds for every task that is read or rendered from then on.", style="dim not bold")
    return text


def _make(places: Places) -> None:
    """A file that names every setting, where there is none. Raises OSError."""
    from cbtui.settings_catalogue import template

    places.user_settings.parent.mkdir(parents=True, exist_ok=True)
    try:
        with places.user_settings.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        return

"""What would stop this machine from rendering, as `cbtui doctor` finds it, and the fix for each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from cbtui.core.clean import visible
from cbtui.paths import Places
from cbtui.tui.background import in_background
from cbtui.tui.keys import screen_bindings
from cbtui.tui.notices import SENT_TO_CLIPBOARD
from cbtui.tui.screens.lines import Lines
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.words import Words

_GLYPHS = {"ok": ("✓", "+"), "info": ("·", "-"), "warning": ("!", "!"), "problem": ("✗", "x")}
_STYLES = {"ok": "$success", "info": "dim", "warning": "bold $warning", "problem": "bold $error"}


@dataclass(frozen=True, slots=True)
class Check:
    """One of the doctor's checks; all of it clean."""

    name: str
    status: str
    detail: str
    fix: str


class DoctorScreen(Lines, Screen[None]):
    """The checks run in a child process: importing torch takes seconds, and a viewer has no use for it."""

    BINDINGS = screen_bindings("doctor")
    AUTO_FOCUS = "OptionList"
    DEFAULT_CSS = """
    DoctorScreen #verdict { height: 1; padding: 0 1; background: $panel; text-overflow: ellipsis; text-wrap: nowrap; }
    DoctorScreen OptionList { height: 1fr; border: round $surface-lighten-2; padding: 0; background: $background;
                              scrollbar-size-vertical: 1; }
    DoctorScreen OptionList:focus { border: round $primary; }
    DoctorScreen OptionList > .option-list--option-highlighted {
        background: $block-cursor-background; color: $foreground; text-style: none; }
    """

    def __init__(self, words: Words, places: Places) -> None:
        super().__init__()
        self._words = words
        self._places = places
        self._checks: tuple[Check, ...] = ()
        self._child: subprocess.Popen[str] | None = None
        self._left = False

    def compose(self) -> ComposeResult:
        yield Static(id="verdict", markup=False)
        yield OptionList(markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        self._look()

    def on_unmount(self) -> None:
        self._left = True
        if self._child is not None:
            self._child.kill()

    def _look(self) -> None:
        from cbtui.tui.app import CbtuiApp

        given = cast("CbtuiApp", self.app).options.given
        self.query_one("#verdict", Static).update("looking; torch is really imported, which takes a while")
        in_background(self, lambda: self._run(doctor_command(self._places, given)), self._take)

    def _run(self, command: Sequence[str]) -> tuple[Check, ...]:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            self._child = child
            if self._left:
                child.kill()
            out, err = child.communicate()
        self._child = None
        return read_checks(out, err, child.returncode)

    def _take(self, checks: tuple[Check, ...]) -> None:
        listed = self.query_one(OptionList)
        worst = next((number for number, check in enumerate(checks) if check.status == "problem"), 0)
        place = worst if listed.highlighted is None else listed.highlighted
        self._checks = checks
        listed.clear_options()
        listed.add_options(Option(self._describe(check)) for check in checks)
        listed.highlighted = min(place, len(checks) - 1) if checks else None
        listed.focus()
        self.query_one("#verdict", Static).update(_verdict(checks))

    def _describe(self, check: Check) -> Content:
        sign = f"{_GLYPHS[check.status][self._words.ascii]} {check.status:<8}"
        fix = f"\n  -> {check.fix}" if check.fix else ""
        return Content.assemble((sign, _STYLES[check.status]), f"{check.name}: {check.detail}", (fix, "bold"))

    def action_again(self) -> None:
        if self._child is None:
            self._look()

    def action_copy(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        fix = self._checks[highlighted].fix if highlighted is not None and self._checks else ""
        if not fix:
            self.notify("there is nothing to mend here", markup=False, timeout=3)
            return
        self.app.copy_to_clipboard(fix)
        self.notify(fix, title=SENT_TO_CLIPBOARD, markup=False, timeout=10)

    def action_back(self) -> None:
        self.dismiss()


def doctor_command(places: Places, given: Mapping[str, str]) -> list[str]:
    """The doctor with the options that this process was started with."""
    options = {**given, "jobs_dir": str(places.jobs)}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "cbtui", "doctor", "--json", "--offline", *words]


def read_checks(out: str, err: str, status: int) -> tuple[Check, ...]:
    """What the doctor's child said; that it said nothing of the kind is a finding too."""
    try:
        return tuple(_read_check(each) for each in json.loads(out)["checks"])
    except (ValueError, KeyError, TypeError):
        said = next((line for line in reversed(err.splitlines()) if line.strip()), f"it ended with status {status}")
        return (Check("doctor", "problem", visible(f"the checks did not come to an end: {said}"), "cbtui doctor"),)


def _read_check(each: Mapping[str, object]) -> Check:
    status = str(each["status"])
    return Check(
        name=visible(str(each["name"])),
        status=status if status in _GLYPHS else "info",
        detail=visible(str(each["detail"])),
        fix=visible(str(each["fix"])),
    )


def _verdict(checks: tuple[Check, ...]) -> str:
    problems = sum(check.status == "problem" for check in checks)
    not_work = f"Rendering would not work: {problems} {'problem' if problems == 1 else 'problems'}."
    # Models that are missing may still come from there; only the command waits for it.
    return f"{not_work if problems else 'Rendering would work.'} Network not asked."

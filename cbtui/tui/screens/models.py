"""The models: what is loaded and what that takes, where their checkpoints lie; load and unload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import OptionList, Static

from cbtui.core.clean import visible
from cbtui.core.durations import format_seconds
from cbtui.core.task import MODELS, ModelName
from cbtui.paths import Places
from cbtui.tui.background import in_background
from cbtui.tui.keys import screen_bindings
from cbtui.tui.screens.base import LiveScreen
from cbtui.tui.screens.lines import Lines
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.widgets.host_line import HostLine
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.words import gigabytes


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the disk told. `where` is a sentence for each model, `loads` the seconds of its last loading."""

    where: Mapping[ModelName, str]
    loads: Mapping[ModelName, float]


class ModelsScreen(Lines, LiveScreen[None]):
    BINDINGS = screen_bindings("models")
    AUTO_FOCUS = "OptionList"
    DEFAULT_CSS = """
    ModelsScreen OptionList { height: auto; max-height: 1fr; border: round $surface-lighten-2; padding: 0;
                              border-title-color: $text-muted; background: $background; }
    ModelsScreen OptionList:focus { border: round $primary; }
    ModelsScreen OptionList > .option-list--option-highlighted {
        background: $block-cursor-background; color: $foreground; text-style: none; }
    ModelsScreen #device { height: 1fr; padding: 0 1; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        yield HostLine(self.words, id="host")
        yield OptionList(*(Text(model) for model in MODELS), markup=False)
        yield Static(id="device", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        self._found = Found({}, {})
        self._loaded: list[object] | None = None
        self._shown: dict[ModelName, Text] = {}
        self.query_one(OptionList).border_title = "models"
        super().on_mount()

    def show(self, snapshot: Snapshot) -> None:
        self.query_one(HostLine).show(snapshot, starting=self.cbtui.is_starting)
        live = snapshot.live
        self.query_one("#device", Static).update(_device(live, has_host=snapshot.holder is not None))
        loaded = [each["model"] for each in live.get("models") or []]
        if loaded != self._loaded:
            # A model that was downloaded lies somewhere now.
            self._loaded = loaded
            self._look()
        self._fill()

    def _look(self) -> None:
        options, places = self.cbtui.options, self.cbtui.places
        folder = options.given.get("model_dir") or options.settings.model_dir
        model_dir = Path(folder).expanduser().absolute() if folder else None

        def then(found: Found) -> None:
            self._found = found
            self._fill()

        in_background(self, lambda: _look(places, model_dir), then)

    def _fill(self) -> None:
        listed = self.query_one(OptionList)
        for index, model in enumerate(MODELS):
            text = self._describe(model, self.cbtui.snapshot.live)
            if text != self._shown.get(model):
                self._shown[model] = text
                listed.replace_option_prompt_at_index(index, text)

    def _describe(self, model: ModelName, live: Mapping[str, Any]) -> Text:
        text = Text(f"{model:<13}", style="bold")
        there = [each for each in live.get("models") or [] if each["model"].partition("@")[0] == model]
        doing = visible(str(live.get("doing") or ""))
        for each in there:
            device = visible(each["model"].partition("@")[2])
            facts = f"loaded on {device}, {gigabytes(each['bytes'])}, in {format_seconds(each['load_seconds'])}"
            text.append(f"{self.words.glyph('done')} {facts}", style="not bold")
        if model in doing.replace(":", " ").replace(",", " ").split():
            text.append(f"{self.words.glyph('rendering')} {doing}", style="not bold")
        elif not there:
            last = self._found.loads.get(model)
            took = f"; the last loading took {format_seconds(last)}" if last is not None else ""
            text.append(f"{self.words.glyph('cancelled')} not loaded{took}", style="not bold")
        text.append(f"\n{self._found.where.get(model, 'looking')}", style="dim not bold")
        return text

    @property
    def _current(self) -> ModelName:
        return MODELS[self.query_one(OptionList).highlighted or 0]

    def action_load(self) -> None:
        self.cbtui.feed.ask("load", model=self._current)
        tasks = self.cbtui.snapshot.live.get("rendering")
        if tasks:
            what = visible(tasks[0]) if len(tasks) == 1 else f"what is rendered now ({len(tasks)} tasks)"
            later = f"{self._current} is loaded once {what} is finished or paused"
            self.notify(later, markup=False, timeout=6)

    def action_unload(self) -> None:
        self.cbtui.feed.ask("unload", model=self._current)

    def action_back(self) -> None:
        self.dismiss()


def _device(live: Mapping[str, Any], *, has_host: bool) -> str:
    memory = live.get("memory")
    if not memory:
        return "the host says nothing yet" if has_host else "no host: what you ask waits for the next one"
    where = visible(str(memory.get("gpu") or "memory of the machine"))
    free, total = memory.get("free_bytes"), memory.get("total_bytes")
    room = f", {gigabytes(free)} of {gigabytes(total)} free" if free is not None and total else ""
    return (
        f"device {visible(str(memory.get('device')))}: {where}{room}\n"
        "A model is loaded by itself when the first task needs it."
    )


def _look(places: Places, model_dir: Path | None) -> Found:
    from cbtui.engine.cache_log import last_load_seconds

    loads: dict[ModelName, float] = {}
    for key, seconds in last_load_seconds(places.cache_log).items():
        loads.update({model: seconds for model in MODELS if key.partition("@")[0] == model})
    return Found({model: _where(model, model_dir) for model in MODELS}, loads)


def _where(model: ModelName, model_dir: Path | None) -> str:
    """Where the checkpoint lies, or what would have to come from where. Asks no network."""
    from cbtui.engine.base import EngineUnavailable
    from cbtui.engine.chatterbox.checkpoint import REPOSITORIES, checkpoint_in, checkpoint_in_hub_cache
    from cbtui.host.doctor.check import without_advice
    from cbtui.host.doctor.models import DOWNLOAD_BYTES

    try:
        checkpoint = checkpoint_in(model_dir, model) if model_dir else checkpoint_in_hub_cache(model)
    except EngineUnavailable as error:
        return visible(without_advice(error))
    except ImportError as error:
        return visible(f"cannot be rendered with here: {error.name or error} is not installed")
    except OSError as error:
        return visible(f"{error.filename}: {error.strerror}")
    if checkpoint is not None:
        return visible(f"{gigabytes(checkpoint.bytes)} in {checkpoint.folder}")
    return f"will be downloaded, about {gigabytes(DOWNLOAD_BYTES[model])}, from {REPOSITORIES[model]}"

"""The program's own settings: the mapping `app` of the user's settings.yaml. Beside it stand settings of tasks.

app:
  output_dir: ~/audiobooks
  model_dir: /models/chatterbox
  device: cuda
  precision: fast
  idle_unload: 30 min
  hooks:
    task_failed: notify-send "cbtui: a task failed"
    queue_empty: [sh, -c, "jq . >> ~/cbtui-events.json"]
  notify: bell
  theme: high-contrast
  keys: {pause: f5}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cbtui.core.task import Precision
from cbtui.host.options import HookCommands, HostOptions

Notify = Literal["off", "bell", "osc9"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds where the command line says nothing. Folders are absolute; None means the built-in default.

    `notify` says how a terminal is told of what deserves a look: not at all, by its bell, or by a message of
    the desktop (OSC 9). `theme` names the colours of the screen. `keys` are by the ids of actions, as Textual names
    keys, with commas between.
    """

    jobs_dir: str | None = None
    output_dir: str | None = None
    state_dir: str | None = None
    model_dir: str | None = None
    device: str | None = None
    precision: Precision | None = None
    batch: int | None = None
    log_level: str | None = None
    host: HostOptions = field(default_factory=HostOptions)
    notify: Notify = "osc9"
    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


def load_settings(path: Path) -> Settings:
    """The settings in a file of the user's; a missing file sets nothing. Raises InvalidFile with all that is wrong."""
    if not path.is_file():
        return Settings()
    # What reads YAML takes 90 ms to import (measured), and many people have no such file.
    from cbtui.settings_file import read_values

    found = read_values(path)
    hooks = HookCommands(**found.pop("hooks"))
    host = {name: found.pop(name) for name in ("idle_unload", "overtake") if name in found}
    return Settings(**found, host=HostOptions(**host, hooks=hooks))

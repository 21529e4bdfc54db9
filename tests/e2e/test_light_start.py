"""A call imports what it needs and no more, so that help is instant and drafts need no torch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
THEMES = sorted(path.stem for path in (ROOT / "themes").glob("*.yaml"))

SCRIPT = """
import sys
from pathlib import Path
from cbtui.cli import main
try:
    main(sys.argv[2:])
except SystemExit:
    pass
Path(sys.argv[1]).write_text("\\n".join(sys.modules))
"""

HEAVY = {"numpy", "pydantic", "platformdirs", "sentencex", "soundfile", "textual", "torch", "watchfiles", "yaml"}
MODEL_ONLY = {"chatterbox", "librosa", "perth", "scipy", "torch", "torchaudio", "transformers"}


def _modules(home: Home, *arguments: str | Path) -> set[str]:
    """The top-level modules that a call imported."""
    listing = home.root / "modules.txt"
    home.execute([sys.executable, "-c", SCRIPT, str(listing), *map(str, arguments)])
    return {name.partition(".")[0] for name in listing.read_text().splitlines()}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["run", "--help"], ["watch", "--help"], ["cache", "--help"], ["add", "--help"]],
)
def test_help_imports_nothing_heavy(home: Home, arguments: list[str]) -> None:
    assert not _modules(home, *arguments) & HEAVY


def test_the_screen_without_a_terminal_says_so_at_once(home: Home) -> None:
    assert not _modules(home) & (HEAVY - {"platformdirs"})
    ended = home.cbtui()
    assert (ended.status, ended.out) == (2, "")
    assert "needs a terminal" in ended.err


UNTIL_FIRST_PAINT = """
import sys
from pathlib import Path
from cbtui.cli import main
from cbtui.tui.app import CbtuiApp

def leave(app):
    Path(sys.argv[1]).write_text("\\n".join(sys.modules))
    app.exit()

CbtuiApp._begin = leave
main(sys.argv[2:])
"""


def _painted_with(home: Home, *arguments: str) -> set[str]:
    """The top-level modules that were imported when the app had painted its screen for the first time."""
    listing = home.root / "modules.txt"
    command = [sys.executable, "-c", UNTIL_FIRST_PAINT, str(listing), *home.command(*arguments)[3:]]
    with Terminal(command, cwd=home.root, environment={**home.variables(), "PYTHONPATH": str(ROOT)}) as terminal:
        assert terminal.until_ended() == 0
    return {name.partition(".")[0] for name in listing.read_text().splitlines()}


@pytest.mark.parametrize("theme", THEMES)
def test_the_first_paint_waits_for_nothing_heavy_in_any_theme(home: Home, theme: str) -> None:
    needed = {"textual"} if theme == "dark" else {"textual", "yaml"}
    assert _painted_with(home, "--theme", theme) & (HEAVY - {"platformdirs"}) == needed


def test_the_first_paint_with_settings_of_one_s_own_waits_for_yaml_alone(home: Home) -> None:
    settings = home.root / "config" / "cbtui" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("app: {theme: amber, keys: {pause: f5}}\ntemperature: 0.7\n")
    assert _painted_with(home) & (HEAVY - {"platformdirs"}) == {"textual", "yaml"}


WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from cbtui.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("textual", []),
        ("psutil", []),
        ("textual", ["bench", "ui"]),
        ("psutil", ["bench", "ui"]),
        ("psutil", ["watch"]),
        ("argcomplete", ["completion", "zsh"]),
    ],
)
def test_a_package_that_the_light_set_lacks_is_named_in_a_line(home: Home, package: str, arguments: list[str]) -> None:
    ended = home.execute([sys.executable, "-c", WITHOUT, package, *home.command(*arguments)[3:]])
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert f"needs the package {package}" in ended.err
    assert "make setup" in ended.err


def test_a_draft_never_imports_the_model_s_libraries(home: Home) -> None:
    home.write("a.yaml", "text: Hello there.")
    modules = _modules(home, *home.command("run", "--engine", "espeak")[3:])
    assert home.final("jobs/a").is_file()
    assert not modules & MODEL_ONLY


def test_the_cache_is_public_and_costs_no_torch(home: Home) -> None:
    code = (
        "import sys, cbtui; before = set(sys.modules); cbtui.ChatterboxModelCache.get_cache_info()\n"
        "assert 'cbtui.engine' not in before, 'imported with the package'\n"
        "assert 'torch' not in sys.modules"
    )
    ended = home.execute([sys.executable, "-c", code])
    assert (ended.status, ended.err) == (0, "")


def test_help_and_version_are_on_stdout(home: Home) -> None:
    for arguments, expected in ((["--help"], "COMMAND"), (["run", "--help"], "--mode"), (["--version"], "cbtui 0.")):
        ended = home.cbtui(*arguments)
        assert (ended.status, ended.err) == (0, "")
        assert expected in ended.out


def test_a_folder_of_a_commands_name_does_not_hide_the_command(home: Home) -> None:
    (home.root / "cache").mkdir()
    assert "models" in home.cbtui("cache", "info").out

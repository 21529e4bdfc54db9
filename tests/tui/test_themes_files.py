"""Theme files: what they may say, which of two counts, and what is said of broken ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.app import App
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Button, Input, OptionList

from cbtui.core.problem import InvalidFile
from cbtui.tui.theme_files import read_theme, read_themes, shipped_folder

FULL = """\
foreground: "#e0e0e0"
background: black
primary: "#5af"
success: green
warning: "#ffcc00"
error: tomato
"""


def written(folder: Path, name: str, text: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def problems(path: Path) -> list[str]:
    """What is wrong with a file, without its path."""
    with pytest.raises(InvalidFile) as raised:
        read_theme(path)
    return [str(each).removeprefix(f"{path}:").strip() for each in raised.value.problems]


def problem(tmp_path: Path, line: str) -> str:
    """What is said of one more line at the end of a good file."""
    (found,) = problems(written(tmp_path, "a.yaml", FULL + line + "\n"))
    return found


def test_the_name_is_that_of_the_file_unless_it_says_another(tmp_path: Path) -> None:
    assert read_theme(written(tmp_path, "night-2.yaml", FULL)).name == "night-2"
    assert read_theme(written(tmp_path, "night.yaml", "name: Mine\n" + FULL)).name == "Mine"


def test_what_is_left_out_fits_the_rest(tmp_path: Path) -> None:
    dark = read_theme(written(tmp_path, "a.yaml", FULL))
    assert (dark.dark, dark.secondary, dark.accent) == (True, dark.primary, dark.primary)
    assert Color.parse(dark.surface or "").brightness < Color.parse(dark.panel or "").brightness < 0.2
    light = read_theme(written(tmp_path, "b.yaml", FULL.replace("black", "white").replace("#e0e0e0", "#202020")))
    assert not light.dark
    assert Color.parse(light.panel or "").brightness > 0.8
    assert Color.parse(light.variables["surface-lighten-2"]).brightness < 0.9


def test_colours_reach_textual_in_one_form(tmp_path: Path) -> None:
    theme = read_theme(written(tmp_path, "a.yaml", FULL + "accent: ' RoyalBlue'\npanel: rgb(1, 2, 3)\n"))
    assert (theme.primary, theme.accent, theme.panel) == ("#55AAFF", "#4169E1", "#010203")


def test_a_later_folder_takes_the_place_of_a_theme_by_its_name(tmp_path: Path) -> None:
    written(tmp_path / "one", "dark.yaml", FULL)
    written(tmp_path / "one", "other.yaml", FULL)
    own = written(tmp_path / "two", "x.yaml", "name: dark\n" + FULL.replace("tomato", "red"))
    found = read_themes([tmp_path / "one", tmp_path / "two", tmp_path / "missing"]).found
    assert set(found) == {"dark", "other"}
    assert (found["dark"][1], found["dark"][0].error) == (own, "#FF0000")


def test_a_broken_file_leaves_the_others(tmp_path: Path) -> None:
    shipped = shipped_folder()
    assert shipped is not None
    broken = written(tmp_path, "dark.yaml", "primary: bleu\n")
    written(tmp_path, "mine.yml", FULL)
    written(tmp_path, ".hidden.yaml", "nonsense")
    written(tmp_path, "notes.txt", "nonsense")
    read = read_themes([shipped, tmp_path])
    assert list(read.broken) == [broken]
    assert {"dark", "light", "mine"} <= set(read.found)
    assert read.found["dark"][1].parent == shipped


def test_two_files_with_one_name_are_a_mistake(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", "name: same\n" + FULL)
    second = written(tmp_path, "b.yaml", "name: same\n" + FULL)
    read = read_themes([tmp_path])
    assert str(read.broken[second]).endswith("b.yaml: name: 'same' is the name of the theme in a.yaml already")


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "themes", "")
    assert "cannot be read: Not a directory" in str(read_themes([path]).broken[path])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("accent: bleu", "7:1: accent: 'bleu' is no colour (did you mean 'blue'?)"),
        ("accent: '#12345g'", "7:1: accent: '#12345g' is no colour: write #rrggbb in quotes, or a name such as navy"),
        ("accent: ff8800", "7:1: accent: 'ff8800' is no colour (did you mean '#ff8800'?)"),
        ("accent: 112233", "7:1: accent: '112233' is no colour (did you mean '#112233'?)"),
        ("accent: #ff8800", '7:1: accent: has no colour: put it in quotes ("#ff8800"), since # begins a comment'),
        ("accent: [red]", "7:1: accent: a list is no colour: write #rrggbb in quotes, or a name such as navy"),
        ("accent: auto", "7:1: accent: 'auto' is no colour: write #rrggbb in quotes, or a name such as navy"),
        ("accent: ansi_red", "7:1: accent: 'ansi_red' looks different in every terminal: write #rrggbb in quotes"),
        ("accent: '#ff880080'", "7:1: accent: '#ff880080' is transparent: write #rrggbb in quotes"),
        ("accent: transparent", "7:1: accent: 'transparent' is transparent: write #rrggbb in quotes"),
        ("acent: red", "7:1: acent: there is no such key (did you mean 'accent'?)"),
        ("dark: perhaps", "7:1: dark: must be true or false"),
        ("name: a b", "7:1: name: must be up to 40 letters, digits, - and _"),
        ("name: [a]", "7:1: name: must be up to 40 letters, digits, - and _"),
        ("primary: red", "7:1: primary: is given twice (first in line 3): keep one"),
        ("variables: red", "7:1: variables: must be a mapping of names to colours"),
        ("variables: {borde: red}", "7:13: variables.borde: there is no such variable (did you mean 'border'?)"),
        ("variables: {border: rde}", "7:13: variables.border: 'rde' is no colour"),
        ("variables: {link-style: boldly}", "7:13: variables.link-style: must be words of none, bold"),
        ("accent: *red", "anchors and aliases (*red) are not allowed"),
        ("accent", "a ':' is missing after the key that begins in line 7"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, line: str, said: str) -> None:
    assert said in problem(tmp_path, line)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = FULL.replace("tomato", "tomatoe").replace("green", "grean") + "panell: red\n"
    found = problems(written(tmp_path, "a.yaml", text))
    assert [each.partition(" ")[0] for each in found] == ["4:1:", "6:1:", "7:1:"]


def test_missing_colours_are_named(tmp_path: Path) -> None:
    (found,) = problems(written(tmp_path, "a.yaml", "primary: blue\nforeground: white\nerror: red\n"))
    assert found == "a theme also needs background, success, warning"


def test_text_that_nobody_could_read_is_refused(tmp_path: Path) -> None:
    (found,) = problems(written(tmp_path, "a.yaml", FULL.replace("black", "silver")))
    assert found == "1:1: foreground: cannot be read on this background: the contrast is 1.4, and 4.5 is good"


@pytest.mark.parametrize("name", ["a b.yaml", "ü.yaml", f"{'a' * 41}.yaml", "-x.yaml"])
def test_a_file_whose_name_cannot_be_that_of_a_theme_needs_one(tmp_path: Path, name: str) -> None:
    assert "must be up to 40 letters" in problems(written(tmp_path, name, FULL))[0]
    assert read_theme(written(tmp_path, name, "name: fine\n" + FULL)).name == "fine"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- red\n", "a theme file holds settings (key: value), and this is a list"),
        ("red\n", "a theme file holds settings (key: value), and this is text"),
        ("", "a theme also needs foreground, background"),
        ("# nothing\n", "a theme also needs foreground, background"),
        (b"primary: \xff\n", "byte 0xff is not UTF-8"),
        (b"primary: \0\n", "holds a NUL byte"),
        ("a: b\n---\nc: d\n", "several documents in one file"),
        ("{" * 30_000, "nested deeper than"),
        ("a: b\n" * 20_000, "larger than 64 KiB"),
    ],
)
def test_files_that_are_no_theme(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = written(tmp_path, "a.yaml", content)
    assert any(said in each for each in problems(path))
    assert list(read_themes([tmp_path]).broken) == [path]


def test_a_pipe_a_folder_and_a_circle_of_links_hold_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").mkdir()
    (tmp_path / "c.yaml").symlink_to("d.yaml")
    (tmp_path / "d.yaml").symlink_to("c.yaml")
    (tmp_path / "e.yaml").symlink_to("nowhere")
    written(tmp_path, "f.yaml", FULL)
    read = read_themes([tmp_path])
    assert list(read.found) == ["f"]
    told = {path.name: str(error) for path, error in read.broken.items()}
    assert "a.yaml: is a named pipe" in told["a.yaml"]
    assert "b.yaml: is a folder" in told["b.yaml"]
    assert "is a symbolic link" in told["c.yaml"]
    assert "is a symbolic link" in told["d.yaml"]
    assert "e.yaml: no such file" in told["e.yaml"]


def test_a_link_to_a_file_kept_elsewhere_is_followed(tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes/mine.yaml").symlink_to(written(tmp_path / "dotfiles", "theirs.yaml", FULL))
    assert list(read_themes([tmp_path / "themes"]).found) == ["mine"]


def test_a_file_nobody_may_read_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "a.yaml", FULL)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    assert "permission denied" in problems(path)[0]


@pytest.mark.asyncio
async def test_every_variable_may_be_set(tmp_path: Path) -> None:
    names = Theme("any", primary="blue").to_color_system().generate()
    lines = [f"  {name}: {'bold' if 'style' in name else 'tomato'}\n" for name in sorted(names)]
    theme = read_theme(written(tmp_path, "a.yaml", FULL + "variables:\n" + "".join(lines)))
    app: App[None] = App()
    async with app.run_test() as pilot:
        app.register_theme(theme)
        app.theme = theme.name
        await app.mount(Button("a"), Input(), OptionList("a"))
        await pilot.pause()
        assert app.current_theme == theme

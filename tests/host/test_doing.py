"""What the host says it does before it can render."""

from __future__ import annotations

from cbtui.core.events import CacheEvent, ChunkProgressed, Noticed
from cbtui.host.doing import Doing


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_tells_what_and_for_how_long() -> None:
    clock = Clock()
    doing = Doing(clock)
    assert str(doing) == ""
    doing.hear(Noticed("Loading ChatterboxTTS", doing="loading english"))
    clock.now += 12
    assert str(doing) == "loading english, 12 s"
    doing.hear(CacheEvent("model", "english@cpu", hit=False, seconds=12.0))
    assert str(doing) == ""


def test_a_download_counts_from_its_beginning() -> None:
    clock = Clock()
    doing = Doing(clock)
    doing.hear(Noticed("Downloading", doing="downloading turbo"))
    clock.now += 20
    doing.hear(Noticed("x", doing="downloading turbo: t3.safetensors: 100 of 2000 MB"))
    clock.now += 1
    assert str(doing) == "downloading turbo: t3.safetensors: 100 of 2000 MB, 21 s"


def test_each_step_counts_anew() -> None:
    clock = Clock()
    doing = Doing(clock)
    doing.begin("importing torch")
    clock.now += 5
    doing.begin("loading english")
    clock.now += 1
    assert str(doing) == "loading english, 1 s"


def test_rendering_ends_it_and_other_notices_do_not() -> None:
    doing = Doing(Clock())
    doing.begin("loading english")
    doing.hear(Noticed("a warning", "warning"))
    assert str(doing)
    doing.hear(ChunkProgressed("1", 3))
    assert not str(doing)

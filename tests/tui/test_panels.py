"""What stands beside the queue: memory, cache and host, each said in the words that there is room for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.widget import Widget

from cbtui.core.events import CacheEvent
from cbtui.core.queue import Progress
from cbtui.engine.cache_log import LayerSum
from cbtui.tui.app import Options
from cbtui.tui.opened import ChunkFacts, ChunkState, RunFacts
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.widgets.cache_log import CacheLog
from cbtui.tui.widgets.detail import describe, summarise
from cbtui.tui.widgets.host_line import HostLine
from cbtui.tui.widgets.memory_graph import MemoryGraph
from cbtui.tui.words import Words
from tests.tui.pictured import NOON, PicturedApp, live, picture, row

pytestmark = pytest.mark.asyncio

SIZES = ((80, 24), (100, 30), (120, 35), (170, 40), (200, 50), (300, 50))


def with_memory(**changes: Any) -> Snapshot:
    told = live(NOON)
    return replace(picture(), live={**told, "memory": {**told["memory"], **changes}})


LARGE = replace(
    with_memory(
        gpu="NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
        total_bytes=141_000_000_000,
        used_by_us_bytes=107_300_000_000,
        used_by_others_bytes=12_100_000_000,
    ),
    cache_sums=(LayerSum("chunk", 123_456, 98_765, 4e6, 5e6),),
)
WITHOUT_GPU = with_memory(
    device="cpu", gpu=None, used_by_us_bytes=None, utilisation_percent=None, temperature_celsius=None
)
UNKNOWN = with_memory(total_bytes=None, used_by_others_bytes=None, gpu="[red]a GPU[/]")


def titles(app: PicturedApp) -> list[tuple[str, Widget]]:
    memory, cache = app.screen.query_one(MemoryGraph), app.screen.query_one(CacheLog)
    return [(memory.border_title, memory), (memory.border_subtitle, memory), (cache.border_title, cache)]


@pytest.mark.parametrize("snapshot", [picture(), LARGE, WITHOUT_GPU, UNKNOWN], ids=["usual", "large", "cpu", "unknown"])
async def test_a_title_is_never_cut_off(snapshot: Snapshot) -> None:
    app = PicturedApp(snapshot=snapshot)
    async with app.run_test(size=SIZES[0]) as pilot:
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            for title, widget in titles(app):
                assert cell_len(title) <= widget.size.width - 4, title


async def test_what_matters_most_stays_where_it_is_narrow() -> None:
    app = PicturedApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        memory, busy, cache = (title for title, _ in titles(app))
        assert memory == "cbtui 7.3 + others 2.1 of 24.0 GB"
        assert busy == "97 % busy · 64 °C"
        assert cache == "cache: saved 13s, 2 hits, 3 misses"


async def test_more_is_said_where_there_is_room_after_a_resize_too() -> None:
    app = PicturedApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(300, 50)
        await pilot.pause()
        memory, busy, cache = (title for title, _ in titles(app))
        assert memory == "memory: cbtui 7.3 + others 2.1 of 24.0 GB"
        assert busy == "97 % busy · 64 °C · NVIDIA RTX 4090"
        assert cache == "cache: saved 13s in 2 hits · spent 13s in 3 misses"


def looked_up(size: tuple[int, int], *, words: Words | None = None) -> Callable[[CacheEvent], Any]:
    async def line(event: CacheEvent) -> str:
        app = PicturedApp(Options(words or Words()), replace(picture(), cache_events=((1, event),)))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            return app.screen.query_one(CacheLog).render_line(0).text.rstrip()

    return line


CHUNK = CacheEvent(
    "chunk", "91b2c3d4e5f60718", hit=False, seconds=3.2, message="book/a-chapter-of-a-long-name #12", at=NOON
)


async def test_a_look_up_of_a_chunk_says_whose_it_is() -> None:
    said = await looked_up((340, 50))(CHUNK)
    assert said.split(" ", 1)[1].split() == [
        *("○", "miss", "chunk", "spent", "3.2s"),
        *("book/a-chapter-of-a-long-name", "#12", "91b2c3d4"),
    ]


async def test_the_number_of_the_chunk_stays_behind_a_name_that_is_cut() -> None:
    assert await looked_up((80, 24))(CHUNK) == "○ miss chunk spent 3.2s   book/a-… #12"


async def test_a_scrollbar_covers_nothing_of_a_line() -> None:
    many = tuple((number, replace(CHUNK, layer="model", key="english@a-device")) for number in range(20))
    app = PicturedApp(snapshot=replace(picture(), cache_events=many))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        cache = app.screen.query_one(CacheLog)
        assert cache.render_line(0).text == "○ miss model spent 3.2s   english@a-…"
        assert cache.render_line(0).cell_length == cache.content_size.width - cache.scrollbar_size_vertical


async def test_one_of_a_time_before_that_has_its_key() -> None:
    assert (await looked_up((80, 24))(replace(CHUNK, message=""))).endswith("spent 3.2s   91b2c3d4")


async def test_hits_and_misses_differ_by_sign_and_word_in_ascii_too() -> None:
    line = looked_up((80, 24), words=Words(ascii=True))
    assert (await line(CHUNK)).startswith("o miss")
    assert (await line(replace(CHUNK, hit=True, saved=3.2))).startswith("+ hit")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": None, "models": []}, "no model loaded"),
        ({"engine": "espeak", "models": []}, "draft by espeak, no model needed"),
        ({"engine": "espeak"}, "english@cuda 3.2 GB · draft by espeak"),
        ({"engine": "chatterbox"}, "english@cuda 3.2 GB"),
        ({"engine": "chatterbox", "models": [], "doing": "loading english"}, "loading english"),
    ],
)
async def test_the_host_line_names_what_speaks(changes: dict[str, Any], said: str) -> None:
    facts = {**live(NOON), "tokens_per_second": None, **changes}
    app = PicturedApp(snapshot=replace(picture(), live=facts))
    async with app.run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        assert str(app.screen.query_one(HostLine).render()).strip() == f"viewer of process 4711 on studio · {said}"


def run_of(*states: ChunkState) -> RunFacts:
    chunks = (ChunkFacts(index, "", "", state, Path("take.wav"), 0.0) for index, state in enumerate(states))
    return RunFacts("20260101-120000", Path("run"), (), tuple(chunks), None, "")


@pytest.mark.parametrize(
    ("states", "done", "said"),
    [
        (("done", "done", "rendering", "waiting"), 2, "2 of 4 chunks, 1 rendering, 1 waiting"),
        (("done", "done", "rendering", "waiting"), 1, "1 of 4 chunks, 1 rendering, 2 waiting"),
        (("done", "rendering", "waiting", "waiting"), 3, "3 of 4 chunks, 1 rendering"),
    ],
)
async def test_the_chunks_on_disk_are_counted_as_the_queue_counts_them(
    states: tuple[ChunkState, ...], done: int, said: str
) -> None:
    under_way = replace(row(1, "book/one", "rendering", ""), progress=Progress(done, 4, 0))
    assert summarise(run_of(*states), under_way)[0] == said


async def test_at_rest_the_disk_alone_is_counted() -> None:
    assert summarise(run_of("done", "missing"), row(1, "book/one", "done", ""))[0] == "1 of 2 chunks, 1 missing"


async def test_of_a_draft_no_tokens_are_told() -> None:
    draft = replace(row(1, "book/one", "rendering", ""), progress=Progress(7, 16, 0))
    assert ("chunks", "7 of 16") in describe(draft, picture().pace)[1]

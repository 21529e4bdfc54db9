"""Whatever ends a run, the next call goes on where it was, and nothing is rendered twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from cbtui.audio import wav
from tests.e2e.home import Home, no_traceback, paragraphs

LONG = 40


def _undisturbed(home: Home, content: str) -> bytes:
    """The finished file of the same task in a home where nothing happens."""
    other = Home(home.root / "elsewhere")
    other.write("a.yaml", content)
    assert other.run().status == 0
    return other.final("jobs/a").read_bytes()


def test_a_run_killed_again_and_again_renders_each_chunk_once(home: Home) -> None:
    home.write("a.yaml", paragraphs(LONG))
    kept: dict[str, tuple[int, int]] = {}
    for ready in (3, 11, 24):
        running = home.start("run", "--engine", "espeak")
        running.wait_for(rf"^  {ready}/{LONG} chunks")
        assert running.send(signal.SIGKILL).status == -signal.SIGKILL
        takes = home.takes("jobs/a")
        assert kept.items() <= takes.items(), "a finished take was touched"
        assert ready <= len(takes) < LONG
        assert not home.final("jobs/a").exists()
        kept = takes
    ended = home.run()
    assert (ended.status, ended.results) == (0, ["done"])
    assert f"{len(kept)} of {LONG} chunks reused" in ended.out
    assert kept.items() <= home.takes("jobs/a").items()
    assert len(home.takes("jobs/a")) == LONG
    assert len(set(home.rendered_keys())) == len(home.rendered_keys())
    assert home.leftovers() == []
    assert home.final("jobs/a").read_bytes() == _undisturbed(home, paragraphs(LONG))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_run_with_its_work_kept(home: Home, number: signal.Signals, status: int) -> None:
    home.write("a.yaml", paragraphs(LONG))
    running = home.start("run", "--engine", "espeak")
    running.wait_for(rf"^  3/{LONG} chunks")
    ended = running.send(number)
    kept = home.takes("jobs/a")
    assert (ended.status, ended.results) == (status, ["stopped"])
    assert ended.err.endswith("Stopped. What is rendered is kept: the same command goes on from there.\n")
    assert no_traceback(ended)
    assert f"{len(kept)} chunks are kept" in ended.out
    assert (home.manifest("jobs/a")["complete"], home.leftovers()) == (False, [])
    again = home.run()
    assert (again.status, again.results) == (0, ["done"])
    assert f"{len(kept)} of {LONG} chunks reused" in again.out
    assert kept.items() <= home.takes("jobs/a").items()
    assert len(set(home.rendered_keys())) == len(home.rendered_keys())


def test_a_signal_leaves_later_tasks_for_the_next_call(home: Home) -> None:
    home.write("a.yaml", paragraphs(LONG))
    home.write("b.yaml", "text: Later.")
    running = home.start("run", "--engine", "espeak")
    running.wait_for(rf"^  3/{LONG} chunks")
    assert running.send(signal.SIGTERM).results == ["stopped"]
    assert home.runs("jobs/b") == []
    assert home.run().results == ["done", "done"]


def test_a_deleted_take_alone_is_rendered_again(home: Home) -> None:
    home.write("a.yaml", paragraphs(4))
    home.run()
    before, whole = home.takes("jobs/a"), home.final("jobs/a").read_bytes()
    second = sorted(before)[1]
    (home.runs("jobs/a")[0] / "chunks" / second).unlink()
    ended = home.run()
    assert "3 of 4 chunks reused" in ended.out
    after = home.takes("jobs/a")
    assert {name for name in before if before[name] != after[name]} == {second}
    assert len(home.rendered_keys()) == 5
    assert home.final("jobs/a").read_bytes() == whole


def test_an_edited_paragraph_alone_is_rendered_again(home: Home) -> None:
    content = paragraphs(4)
    home.write("a.yaml", content)
    home.run()
    before = home.takes("jobs/a")
    home.write("a.yaml", content.replace("paragraph number 2, short", "paragraph number two, longer"))
    ended = home.run()
    assert "3 of 4 chunks reused" in ended.out
    after = home.takes("jobs/a")
    assert len(before.items() & after.items()) == 3
    assert len(after) == 4, "the take of the old text is gone"
    assert len(home.rendered_keys()) == 5
    assert len(home.runs("jobs/a")) == 1


def test_paragraphs_put_in_front_one_by_one_are_rendered_alone(home: Home) -> None:
    home.write("a.yaml", paragraphs(4))
    home.run()
    for number in (1, 2, 3):
        new = "".join(f"  New first paragraph {front}.\n\n" for front in range(number, 0, -1))
        home.write("a.yaml", paragraphs(4).replace("text: |\n", f"text: |\n{new}"))
        ended = home.run()
        assert f"{3 + number} of {4 + number} chunks reused" in ended.out


def test_a_sentence_in_two_tasks_is_rendered_once(home: Home) -> None:
    shared = "Both of us say this."
    home.write("a.yaml", f'text: "{shared}\\n\\nOnly a says that."\nseed: 5')
    home.write("b.yaml", f'text: "Only b says that.\\n\\n{shared}"\nseed: 5')
    ended = home.run()
    assert (ended.status, ended.results) == (0, ["done", "done"])
    assert "1 of 2 chunks reused" in ended.out
    assert len(home.rendered_keys()) == 3


def test_a_sentence_stays_known_after_the_text_around_it_moved(home: Home) -> None:
    shared = "Both of us say this."
    home.write("a.yaml", f'text: "{shared}"\nseed: 5')
    home.run()
    home.write("a.yaml", f'text: "Something in front.\\n\\n{shared}"\nseed: 5')
    home.run()
    home.write("b.yaml", f'text: "{shared}"\nseed: 5')
    home.run()
    assert len(home.rendered_keys()) == 2


def test_a_sentence_said_twice_is_rendered_once(home: Home) -> None:
    home.write("a.yaml", 'text: "Again and again.\\n\\nOnce.\\n\\nAgain and again."')
    home.run()
    assert (len(home.takes("jobs/a")), len(home.rendered_keys())) == (3, 2)


def _cut_off(take: bytes) -> bytes:
    return take[: len(take) // 2]


def _garbage(take: bytes) -> bytes:
    return b"\x00garbage" * 100


def _empty(take: bytes) -> bytes:
    return b""


def _not_a_number(take: bytes) -> bytes:
    return wav.header(1000, 24_000, "float32") + b"\x00\x00\xc0\x7f" * 1000


def _too_short_a_header(take: bytes) -> bytes:
    return take[:20]


@pytest.mark.parametrize("damage", [_cut_off, _garbage, _empty, _not_a_number, _too_short_a_header])
def test_a_damaged_take_is_rendered_again_and_not_spoken(home: Home, damage: object) -> None:
    assert callable(damage)
    home.write("a.yaml", paragraphs(3))
    home.run()
    final = home.final("jobs/a")
    whole = final.read_bytes()
    take = sorted((home.runs("jobs/a")[0] / "chunks").glob("*.wav"))[1]
    content = take.read_bytes()
    take.write_bytes(damage(content))
    final.unlink()
    ended = home.run()
    assert (ended.status, ended.results) == (0, ["done"])
    assert "2 of 3 chunks reused" in ended.out
    assert take.read_bytes() == content
    assert final.read_bytes() == whole


def test_a_lost_finished_file_is_made_of_its_takes(home: Home) -> None:
    home.write("a.yaml", paragraphs(3))
    home.run()
    final, whole = home.final("jobs/a"), home.final("jobs/a").read_bytes()
    final.write_bytes(whole[:1000])
    assert home.run().results == ["done"]
    assert final.read_bytes() == whole
    assert len(home.rendered_keys()) == 3


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"version": 1, "seed": "x"}',
        '{"version": 1, "complete": true, "output": null}',
        '{"version": 99, "future": true}',
    ],
)
def test_a_manifest_that_nobody_can_read_costs_no_rendering(home: Home, content: str) -> None:
    home.write("a.yaml", paragraphs(2, seed=None))
    home.run()
    manifest = home.runs("jobs/a")[0] / "manifest.json"
    manifest.write_text(content)
    ended = home.run()
    assert (ended.status, ended.results) == (0, ["done"])
    assert len(home.rendered_keys()) == 2
    assert home.manifest("jobs/a")["complete"] is True
    manifest.write_text(content)
    assert home.run("--mode", "new").status == 0


def test_a_finished_run_without_the_size_of_its_file_is_finished_anew(home: Home) -> None:
    home.write("a.yaml", paragraphs(1))
    home.run()
    manifest: Path = home.runs("jobs/a")[0] / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"bytes"', '"bites"'))
    ended = home.run()
    assert (ended.status, ended.results, no_traceback(ended)) == (0, ["done"], True)

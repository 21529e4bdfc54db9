"""Two processes on one task: the second steps back, and nothing is damaged."""

from __future__ import annotations

import signal

from tests.e2e.home import Home, no_traceback, paragraphs

# So many that the first is still at it when the second has started, on a slow machine too.
LONG = 150


def test_the_second_says_so_and_the_first_goes_on(home: Home) -> None:
    home.write("a.yaml", paragraphs(LONG))
    home.write("b.yaml", "text: Nobody renders this one.")
    first = home.start("run", "--engine", "espeak", "jobs/a.yaml")
    first.wait_for(rf"^  1/{LONG} chunks")
    second = home.run()
    assert (second.status, second.results, no_traceback(second)) == (1, ["failed", "done"], True)
    assert "another cbtui is rendering jobs/a" in second.out
    assert first.end().status == 0
    assert len(home.takes("jobs/a")) == LONG
    assert len(home.runs("jobs/a")) == 1
    assert len(home.rendered_keys()) == LONG + 1


def test_the_hold_dies_with_its_process(home: Home) -> None:
    home.write("a.yaml", paragraphs(LONG))
    first = home.start("run", "--engine", "espeak", "jobs/a.yaml")
    first.wait_for(rf"^  1/{LONG} chunks")
    first.send(signal.SIGKILL)
    assert home.run().results == ["done"]


def test_two_calls_on_different_tasks_share_their_sentences(home: Home) -> None:
    for name in "ab":
        home.write(f"{name}.yaml", paragraphs(12))
    both = [home.start("run", "--engine", "espeak", f"jobs/{name}.yaml") for name in "ab"]
    assert [running.end().status for running in both] == [0, 0]
    assert home.final("jobs/a").read_bytes() == home.final("jobs/b").read_bytes()
    assert home.leftovers() == []

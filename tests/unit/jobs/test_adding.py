"""Task files come into the jobs directory whole, with what they name, or not at all."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from cbtui.core.problem import InvalidFile
from cbtui.jobs import find_task_files
from cbtui.jobs.adding import add_files
from cbtui.jobs.destination import find_destination
from cbtui.jobs.staging import OccupiedError, Staged, publish, stage, staging_in
from tests.unit.jobs.drafts import Drafts
from tests.unit.jobs.helpers import JobsFolder


@pytest.fixture
def drafts(jobs: JobsFolder) -> Drafts:
    return Drafts(jobs)


def test_a_file_comes_under_its_own_name(drafts: Drafts) -> None:
    drafts.write("a.md", "# Hello")
    (added,) = drafts.add("a.md")
    assert (added.outcome, added.task, added.path, added.warnings) == (
        "added",
        "jobs/a",
        drafts.jobs.root / "a.md",
        (),
    )
    assert drafts.content() == {"a.md": b"# Hello"}


def test_a_job_is_a_folder_made_for_it(drafts: Drafts) -> None:
    drafts.write("a.yaml", "text: Hi.")
    assert drafts.outcomes("a.yaml", job="book/one/") == [("added", "book/one/a")]
    assert drafts.content() == {"book": None, "book/one": None, "book/one/a.yaml": b"text: Hi."}


def test_a_missing_jobs_directory_is_made(drafts: Drafts) -> None:
    drafts.write("a.txt")
    drafts.jobs.root.rmdir()
    assert drafts.outcomes("a.txt") == [("added", "jobs/a")]


def test_a_file_can_get_another_name(drafts: Drafts) -> None:
    drafts.write("a.txt")
    assert drafts.outcomes("a.txt", name="b") == [("added", "jobs/b")]
    assert list(drafts.content()) == ["b.txt"]


def test_the_task_is_told_by_the_job_that_its_settings_name(drafts: Drafts) -> None:
    drafts.write("a.yaml", "{text: Hi., job: podcast}")
    assert drafts.outcomes("a.yaml", job="book") == [("added", "podcast/a")]


def test_files_that_a_task_names_come_along_in_the_same_layout(drafts: Drafts) -> None:
    drafts.write("one.txt")
    drafts.write("voices/al.wav", b"RIFF")
    drafts.write("a.yaml", "text_file: ./one.txt\nspeakers: {al: {reference: voices/../voices/al.wav}}")
    assert drafts.outcomes("a.yaml", job="book") == [("added", "book/a")]
    assert list(drafts.content()) == ["book", "book/a.yaml", "book/one.txt", "book/voices", "book/voices/al.wav"]
    assert drafts.jobs.load("book/a.yaml").text == "Hello."


def test_files_that_front_matter_and_pipeline_jobs_name_come_along(drafts: Drafts) -> None:
    drafts.write("al.wav", b"RIFF")
    drafts.write("one.txt", "---\nreference: al.wav\n---\nHello.")
    drafts.write("two.yaml", "{input: {text_file: one.txt, reference_audio: al.wav}}")
    assert drafts.outcomes("two.yaml", "one.txt") == [("added", "jobs/two")]
    assert list(drafts.content()) == ["al.wav", "one.txt", "two.yaml"]


def test_a_clip_behind_a_link_is_copied_under_the_name_that_is_written(drafts: Drafts) -> None:
    drafts.write("al.wav", b"RIFF")
    (drafts.root / "current.wav").symlink_to("al.wav")
    drafts.write("a.yaml", "{text: Hi., reference: current.wav}")
    drafts.add("a.yaml")
    assert list(drafts.content()) == ["a.yaml", "current.wav"]


def test_a_text_that_another_file_names_is_no_task_of_its_own(drafts: Drafts) -> None:
    drafts.write("a.txt")
    drafts.write("a.yaml", "text_file: a.txt")
    assert drafts.outcomes("a.txt", "a.yaml") == [("added", "jobs/a")]
    assert drafts.outcomes("a.txt", "a.yaml") == [("present", "jobs/a")]


def test_what_the_folder_s_settings_say_holds_for_the_copy(drafts: Drafts) -> None:
    drafts.jobs.write("book/job.yaml", "speakers: {al: {temperature: 0.7}}")
    drafts.write("a.yaml", "text: Hi.\nspeaker: al")
    assert drafts.outcomes("a.yaml", job="book") == [("added", "book/a")]
    assert drafts.problems("a.yaml", job="other") == [
        "drafts/a.yaml:2:1: speaker: unknown speaker 'al' (known: none)",
    ]


def test_settings_beside_the_file_stay_behind_with_a_warning(drafts: Drafts) -> None:
    drafts.write("job.yaml", "seed: 5")
    drafts.write("a.txt")
    (added,) = drafts.add("a.txt")
    assert added.warnings == ("drafts/job.yaml is not copied along: its settings do not hold for what was added",)
    drafts.jobs.write("book/job.yaml", "seed: 5")
    assert drafts.add("a.txt", job="book")[0].warnings == ()


def test_the_same_again_writes_nothing(drafts: Drafts) -> None:
    drafts.write("al.wav", b"RIFF")
    drafts.write("a.yaml", "{text: Hi., reference: al.wav}")
    drafts.add("a.yaml")
    before = {path: path.stat().st_mtime_ns for path in drafts.jobs.root.iterdir()}
    assert drafts.outcomes("a.yaml") == [("present", "jobs/a")]
    assert {path: path.stat().st_mtime_ns for path in drafts.jobs.root.iterdir()} == before


@pytest.mark.parametrize("changed", ["a.yaml", "al.wav"])
def test_other_content_is_only_overwritten_on_request(drafts: Drafts, changed: str) -> None:
    drafts.write("al.wav", b"RIFF")
    drafts.write("a.yaml", "{text: Hi., reference: al.wav}")
    drafts.add("a.yaml")
    drafts.jobs.write(changed, "text: Bye.")
    (problem,) = drafts.problems("a.yaml")
    assert problem.startswith(f"jobs/{changed}: is there already, with other content")
    assert "--replace" in problem
    assert drafts.outcomes("a.yaml", replacing=True) == [("replaced", "jobs/a")]
    assert drafts.content()[changed] == (drafts.root / changed).read_bytes()


def test_a_file_in_the_jobs_directory_stays_where_it_is(drafts: Drafts) -> None:
    drafts.jobs.write("book/a.txt", "Hello.")
    (drafts.root / "link").symlink_to(drafts.jobs.root)
    for name in ("../jobs/book/a.txt", "link/book/a.txt"):
        assert drafts.outcomes(name) == [("present", "book/a")]
        assert drafts.outcomes(name, job="book", name="a") == [("present", "book/a")]
        assert drafts.problems(name, job="other") == [
            "jobs/book/a.txt: is already in the jobs directory: to move it there, use mv"
        ]


def test_the_jobs_directory_itself_may_be_a_link(drafts: Drafts) -> None:
    (drafts.root.parent / "link").symlink_to(drafts.jobs.root)
    drafts.write("one.txt", b"\xff")
    drafts.write("a.yaml", "text_file: one.txt")
    destination = find_destination(drafts.root.parent / "link")
    with pytest.raises(InvalidFile, match=r"^drafts/one.txt:1:1: byte 0xff is not UTF-8"):
        add_files([drafts.root / "a.yaml"], destination)
    drafts.write("one.txt", "Hello.")
    (added,) = add_files([drafts.root / "a.yaml"], destination)
    assert added.task == "link/a"


def test_what_a_failed_call_made_is_taken_back(drafts: Drafts, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts.write("al.wav", b"RIFF")
    drafts.write("a.yaml", "{text: Hi., reference: al.wav}")
    link = os.link

    def fail_for_the_task(source: Path, target: Path) -> None:
        if target.suffix == ".yaml":
            raise OSError(errno.ENOSPC, "No space left on device", str(source))
        link(source, target)

    monkeypatch.setattr(os, "link", fail_for_the_task)
    with pytest.raises(OSError, match=r"No space left on device: '.*/jobs/book/a.yaml'"):
        drafts.add("a.yaml", job="book")
    assert drafts.content() == {}


def test_no_scan_sees_a_file_that_is_being_written(jobs: JobsFolder) -> None:
    seen: list[Path] = []

    class Peeking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            seen.extend(find_task_files(jobs.root))
            hidden = [path.name for path in jobs.root.iterdir()]
            assert all(name.startswith(".") and name.endswith(".part") for name in hidden)
            return super().read(size)

    with staging_in(jobs.root) as hidden:
        staged = Staged(hidden / "a.txt", jobs.root / "a.txt")
        stage(Peeking(b"x" * (1 << 20)), staged)
        publish([staged])
    assert (seen, find_task_files(jobs.root)) == ([], [jobs.root / "a.txt"])


@pytest.mark.parametrize("links", [True, False])
def test_a_name_goes_to_the_first_who_wants_it(jobs: JobsFolder, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    with staging_in(jobs.root) as hidden:
        for text in (b"first", b"second"):
            stage(io.BytesIO(text), Staged(hidden / text.decode(), jobs.root / "a.txt"))
        publish([Staged(hidden / "first", jobs.root / "a.txt")])
        with pytest.raises(OccupiedError):
            publish([Staged(hidden / "second", jobs.root / "a.txt")])
    assert [(path.name, path.read_bytes()) for path in jobs.root.iterdir()] == [("a.txt", b"first")]

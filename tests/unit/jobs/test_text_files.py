"""Plain text and Markdown are tasks; a block at the top carries settings."""

from __future__ import annotations

from tests.unit.jobs.helpers import JobsFolder


def test_a_text_file_is_a_task(jobs: JobsFolder) -> None:
    task = jobs.load("book/chapter 1.TXT", "One.\r\nTwo.\rThree.")
    assert (task.id, task.text) == ("book/chapter 1", "One.\nTwo.\nThree.")


def test_front_matter_carries_settings(jobs: JobsFolder) -> None:
    task = jobs.load("x.txt", "---\nseed: 5\n---\nHello.\n---\nStill text.\n")
    assert (task.seed, task.text) == (5, "Hello.\n---\nStill text.\n")


def test_places_in_front_matter_count_the_lines_of_the_file(jobs: JobsFolder) -> None:
    assert jobs.problems("x.md", "---\nseed: 5\ntempo: 1\n---\nHello.") == [
        "jobs/x.md:3:1: tempo: unknown setting: check its spelling, or remove it"
    ]


def test_a_text_in_front_matter_is_a_mistake(jobs: JobsFolder) -> None:
    assert jobs.problems("x.txt", "---\ntext: A\n---\nHello.") == [
        "jobs/x.txt:2:1: text: the text is what stands below the second '---'"
    ]


def test_words_between_dashes_are_a_mistake(jobs: JobsFolder) -> None:
    assert jobs.problems("x.txt", "---\nOnce upon a time\n---\nHello.") == [
        "jobs/x.txt:2:1: the block between '---' lines holds settings (key: value), and this is text"
    ]


def test_a_single_rule_at_the_top_is_text(jobs: JobsFolder) -> None:
    assert jobs.load("x.txt", "---\nHello.").text == "---\nHello."


def test_markdown_headings_are_paragraphs_without_marks(jobs: JobsFolder) -> None:
    task = jobs.load("x.md", "# Title #\nBody of C#.\n## Two\nMore #1.\n#hash\n### About C#\n")
    assert task.text == "\nTitle\n\nBody of C#.\n\nTwo\n\nMore #1.\n#hash\n\nAbout C#\n\n"


def test_a_text_keeps_its_number_signs(jobs: JobsFolder) -> None:
    assert jobs.load("x.txt", "# Title").text == "# Title"


def test_a_tag_alone_can_be_spoken(jobs: JobsFolder) -> None:
    assert jobs.load("x.txt", "[laugh]").text == "[laugh]"


def test_every_script_can_be_spoken(jobs: JobsFolder) -> None:
    for text in ("你好", "مرحبا", "42", "हाँ"):
        assert jobs.load("x.txt", text).text == text


def test_control_characters_are_dropped(jobs: JobsFolder) -> None:
    assert jobs.load("x.txt", "a\x1b]52;c;eA==\x07b\x9b\u202e\u2066c\td\x0c").text == "a]52;c;eA==bc\td"

import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cbtui.core.chunk import Chunk
from cbtui.core.task import Chunking, Speaker, Task
from cbtui.text.chunker import ChunkedText, chunk_task, chunk_text

SPEAKERS = {"narrator": "en", "bob": "fr", "mei": "zh"}


def chunked(text: str, *, target: int = 280, limit: int = 350, minimum: int = 0) -> ChunkedText:
    return chunk_text(
        text,
        speakers=SPEAKERS,
        default_speaker="narrator",
        language_of=SPEAKERS,
        chunking=Chunking(target, limit, minimum),
    )


def texts(text: str, *, target: int = 280, limit: int = 350, minimum: int = 0) -> list[str]:
    return [chunk.text for chunk in chunked(text, target=target, limit=limit, minimum=minimum).chunks]


def test_whole_sentences_are_packed_up_to_the_target() -> None:
    assert texts("One two. Three four. Five six.", target=20) == ["One two. Three four.", "Five six."]


def test_a_sentence_between_target_and_limit_stays_whole() -> None:
    assert texts("One. " + "x" * 30 + ". Two.", target=20, limit=40) == ["One.", "x" * 30 + ".", "Two."]


def test_a_sentence_longer_than_the_limit_is_cut_into_balanced_pieces() -> None:
    pieces = texts("word, " * 60 + "end.")
    assert len(pieces) == 2
    assert min(map(len, pieces)) > 150


def test_chinese_sentences_are_packed_without_spaces() -> None:
    assert texts("<speaker:mei>你好。你好吗？我很好！", target=7) == ["你好。你好吗？", "我很好！"]


def test_white_space_becomes_one_space() -> None:
    assert texts("  One\n two.\t\u00a0 Three.  ") == ["One two. Three."]


@pytest.mark.parametrize("gap", ["\n\n", "\r\n\r\n", "\n \t\n", "\n\n\n\n", "\u2029"])
def test_blank_lines_part_paragraphs(gap: str) -> None:
    assert chunked(f"One.{gap}Two.").chunks == (
        Chunk(0, "One.", "narrator", 0, ends_paragraph=True),
        Chunk(1, "Two.", "narrator", 1, ends_paragraph=True),
    )


def test_a_speaker_change_is_a_chunk_border_within_its_paragraph() -> None:
    assert chunked("He said: <speaker:bob>Oui. <speaker:default>And left.").chunks == (
        Chunk(0, "He said:", "narrator", 0, ends_paragraph=False),
        Chunk(1, "Oui.", "bob", 0, ends_paragraph=False),
        Chunk(2, "And left.", "narrator", 0, ends_paragraph=True),
    )


def test_a_speaker_goes_on_in_the_next_paragraph() -> None:
    assert [chunk.speaker for chunk in chunked("<speaker:bob>Un.\n\nDeux.").chunks] == ["bob", "bob"]


def test_each_speaker_is_split_by_the_rules_of_its_language() -> None:
    assert texts("<speaker:bob>Voici M. Dupont. Oui.", target=10) == ["Voici M. Dupont.", "Oui."]


def test_tags_for_the_model_pass_unchanged() -> None:
    assert texts("Well [chuckle] yes. <sigh> No [laugh].") == ["Well [chuckle] yes. <sigh> No [laugh]."]


def test_a_tag_alone_is_speakable() -> None:
    assert texts("[laugh]") == ["[laugh]"]


def test_an_unknown_speaker_is_warned_of_and_read_by_the_default_speaker() -> None:
    result = chunked("One.\r\n<speaker:bbo>Two.")
    assert [chunk.speaker for chunk in result.chunks] == ["narrator"]
    assert "line 2" in result.warnings[0]
    assert "'bob'" in result.warnings[0]


def test_a_short_last_chunk_joins_its_predecessor() -> None:
    text = "One two three. Four five six. Seven."
    assert texts(text, target=30, minimum=10) == [text]


def test_a_short_last_chunk_stays_alone_where_the_limit_has_no_room() -> None:
    assert texts("One two three. Four five six. Seven.", target=30, limit=32, minimum=10)[-1] == "Seven."


def test_a_short_last_chunk_does_not_join_another_speaker() -> None:
    assert texts("One two three. <speaker:bob>Oui.", minimum=100) == ["One two three.", "Oui."]


@pytest.mark.parametrize("ornament", ["* * *", "***", "---", "—", "…", "😀", "❤️ 👩‍👩‍👧"])
def test_an_ornament_between_scenes_is_not_spoken_but_counts_as_a_paragraph(ornament: str) -> None:
    chunks = chunked(f"One.\n\n{ornament}\n\nTwo.").chunks
    assert [(chunk.text, chunk.paragraph) for chunk in chunks] == [("One.", 0), ("Two.", 2)]


@pytest.mark.parametrize("text", ["", " \n\n ", "* * *", "<speaker:bob>", "\n<speaker:bob>\n\n<speaker:mei>…"])
def test_a_text_with_nothing_to_speak_has_no_chunks(text: str) -> None:
    assert texts(text) == []


def test_bare_punctuation_of_a_speaker_joins_the_run_before() -> None:
    assert texts("<speaker:bob>Oui<speaker:default>. <speaker:bob>Non") == ["Oui.", "Non"]


def test_a_bare_opening_quote_of_a_speaker_joins_the_run_behind() -> None:
    assert texts("He said: <speaker:mei>“<speaker:bob>Oui.”") == ["He said:", "“Oui.”"]


def test_a_chunk_of_bare_punctuation_joins_its_neighbour() -> None:
    assert texts("One two three. *** Four five.", target=14) == ["One two three.", "*** Four five."]


def test_a_paragraph_keeps_its_chunks_when_another_is_edited() -> None:
    story = ["One two. Three four. Five six.", "He said “go. There", "Seven eight. Nine."]
    edited = [story[0], "He said “no”. There it was, and more and more of it.", story[2]]
    before, after = (chunked("\n\n".join(part), target=20).chunks for part in (story, edited))
    for paragraph in (0, 2):
        assert [c.text for c in before if c.paragraph == paragraph] == [
            c.text for c in after if c.paragraph == paragraph
        ]


@pytest.mark.parametrize("chunking", [Chunking(target=0), Chunking(limit=0), Chunking(limit=-1)])
def test_sizes_that_are_not_positive_are_refused(chunking: Chunking) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        chunked("One.", target=chunking.target, limit=chunking.limit)


def test_a_task_is_chunked_with_its_own_speakers_and_sizes() -> None:
    task = Task(
        name="a",
        job="b",
        source=Path("/jobs/b/a.yaml"),
        text="One. Two. <speaker:bob>Voici M. Dupont. Oui.",
        engine="chatterbox",
        model="multilingual",
        default_speaker="narrator",
        speakers={"narrator": Speaker("narrator"), "bob": Speaker("bob", language="fr")},
        chunking=Chunking(target=10, limit=20),
    )
    assert [chunk.text for chunk in chunk_task(task).chunks] == ["One. Two.", "Voici M. Dupont.", "Oui."]


WORDS = st.sampled_from(
    [
        "Mr. Fox",
        "ran,",
        "away.",
        "“Why?”",
        "he said",
        "[chuckle]",
        "naïve;",
        "你好。",
        "3.5",
        "—",
        "...",
        "e\u0301te\u0301",
        "😀",
    ]
)
TAGS = st.sampled_from([f"<speaker:{name}>" for name in ("bob", "mei", "default", "nobody")])
GAPS = st.sampled_from([" ", " ", "", "\n", "\n\n", "\n \n"])
STORIES = st.lists(st.one_of(WORDS, WORDS, WORDS, TAGS, GAPS), max_size=60).map(" ".join)
ANY_TEXTS = st.one_of(STORIES, st.text(max_size=200))
SIZES = st.tuples(st.integers(1, 60), st.integers(1, 80), st.integers(0, 40))


def speakable(text: str) -> str:
    without_tags = re.sub(r"<speaker:\w+>", "", text)
    return "".join(character for character in without_tags if character.isalnum())


def paragraphs_worth_reading(text: str) -> str:
    without_tags = re.sub(r"<speaker:\w+>", "", text)
    paragraphs = re.split(r"\n\s*\n", without_tags)
    return "".join("".join(part.split()) for part in paragraphs if any(character.isalnum() for character in part))


@given(ANY_TEXTS, SIZES)
@settings(max_examples=300)
def test_no_letter_and_no_digit_is_lost(text: str, sizes: tuple[int, int, int]) -> None:
    target, limit, minimum = sizes
    assert "".join(map(speakable, texts(text, target=target, limit=limit, minimum=minimum))) == speakable(text)


@given(STORIES)
def test_only_white_space_tags_and_ornaments_are_lost(text: str) -> None:
    # Whether a line that holds a tag alone is a blank one matters only to an ornament beside it, and may be either.
    marked = re.sub(r"<speaker:\w+>", "\N{BULLET}", text)
    assume(len(re.split(r"\n\s*\n", marked)) == len(re.split(r"\n\s*\n", marked.replace("\N{BULLET}", ""))))
    assert "".join("".join(texts(text)).split()) == paragraphs_worth_reading(text)


@given(ANY_TEXTS, SIZES)
@settings(max_examples=300)
def test_no_chunk_is_longer_than_the_limit_or_unspeakable_or_untidy(text: str, sizes: tuple[int, int, int]) -> None:
    target, limit, minimum = sizes
    for chunk in texts(text, target=target, limit=limit, minimum=minimum):
        assert len(chunk) <= limit
        assert speakable(chunk)
        assert chunk == " ".join(chunk.split())


@given(ANY_TEXTS, SIZES)
def test_chunks_are_numbered_and_each_paragraph_ends_once(text: str, sizes: tuple[int, int, int]) -> None:
    target, limit, minimum = sizes
    chunks = chunked(text, target=target, limit=limit, minimum=minimum).chunks
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    last_of_paragraph = {chunk.paragraph: chunk.index for chunk in chunks}
    assert [chunk.index for chunk in chunks if chunk.ends_paragraph] == sorted(last_of_paragraph.values())
    assert [chunk.paragraph for chunk in chunks] == sorted(chunk.paragraph for chunk in chunks)


@given(st.lists(st.tuples(st.sampled_from(["bob", "mei"]), st.integers(1, 40)), max_size=20))
def test_every_chunk_holds_the_words_of_one_speaker(lines: list[tuple[str, int]]) -> None:
    text = " ".join(f"<speaker:{name}>" + f"{name}. " * count for name, count in lines)
    for chunk in chunked(text, target=20).chunks:
        assert set(chunk.text.replace(".", "").split()) == {chunk.speaker}


@given(ANY_TEXTS)
def test_the_same_text_gives_the_same_chunks(text: str) -> None:
    assert chunked(text) == chunked(text)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbtui.text.cutter import cut_sentence


def cut(sentence: str, *, target: int = 280, limit: int = 350) -> list[str]:
    return list(cut_sentence(sentence, target, limit))


def test_a_sentence_a_little_too_long_is_cut_in_half() -> None:
    assert [len(piece) for piece in cut("x" * 360)] == [180, 180]


def test_cuts_fall_behind_commas_near_the_middle() -> None:
    first, second = cut("word " * 35 + "word, " + "word " * 40)
    assert first.endswith("word, ")
    assert second.startswith("word ")


def test_a_clause_is_a_better_place_than_a_comma() -> None:
    first, _ = cut("word, " * 25 + "word; " + "word, " * 40)
    assert first.endswith("; ")


def test_a_sentence_within_quotes_ends_a_piece_before_a_clause_does() -> None:
    first, _ = cut('"' + "word; " * 25 + "Word. " + "word; " * 40 + '"')
    assert first.endswith("Word. ")


def test_without_marks_cuts_fall_at_spaces() -> None:
    assert all(piece.endswith("word ") for piece in cut("word " * 200))


def test_a_decimal_comma_is_no_mark() -> None:
    assert all(piece.endswith("1,000 ") for piece in cut("1,000 " * 100))


@pytest.mark.parametrize("mark", list("，、；：。"))
def test_scripts_without_spaces_are_cut_behind_their_marks(mark: str) -> None:
    pieces = cut(("我昨天去了森林" + mark) * 60)
    assert all(piece.endswith(mark) for piece in pieces)


@pytest.mark.parametrize("mark", ["،", "؛"])
def test_arabic_is_cut_behind_its_marks(mark: str) -> None:
    assert all(piece.endswith(f"{mark} ") for piece in cut(f"ذهبت إلى السوق{mark} " * 40))


@pytest.mark.parametrize("grapheme", ["e\u0301\u0302", "👩\u200d👩\u200d👧", "👍🏽", "한", "क्षि", "❤\ufe0f"])
def test_a_grapheme_is_never_cut(grapheme: str) -> None:
    for piece in cut(grapheme * 100, target=50, limit=50):
        assert len(piece) % len(grapheme) == 0
        assert piece == grapheme * (len(piece) // len(grapheme))


def test_a_tag_is_never_cut() -> None:
    for piece in cut("a[clears throat, loudly]" * 40, target=60, limit=70):
        assert piece.count("[") == piece.count("]")


def test_a_tag_longer_than_the_limit_is_cut() -> None:
    assert all(len(piece) <= 50 for piece in cut("[" + "x" * 200 + "]", target=40, limit=50))


@given(st.text(max_size=600), st.integers(1, 60), st.integers(1, 60))
def test_pieces_keep_the_limit_and_the_text(text: str, target: int, limit: int) -> None:
    pieces = cut(text, target=target, limit=limit)
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= limit for piece in pieces)


@given(st.lists(st.sampled_from(["a", "e\u0301", "и\u0306", " ", ", ", "한", "👍🏽"]), max_size=300))
def test_no_piece_begins_with_the_tail_of_a_grapheme(graphemes: list[str]) -> None:
    pieces = cut("".join(graphemes), target=30, limit=40)
    assert not any(piece[0] in "\u0301\u0306🏽" for piece in pieces)

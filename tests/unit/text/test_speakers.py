import pytest

from cbtui.text.speakers import SpeakerRun, SpokenText, split_speakers


def split(text: str, *, speakers: tuple[str, ...] = ("narrator", "Alice", "bob")) -> SpokenText:
    return split_speakers(text, speakers, "narrator")


def test_a_tag_switches_the_speaker_until_the_next_tag() -> None:
    runs = split("One. <speaker:bob>Two. <speaker:Alice>Three.").runs
    assert runs == (SpeakerRun("narrator", "One. "), SpeakerRun("bob", "Two. "), SpeakerRun("Alice", "Three."))


@pytest.mark.parametrize("tag", ["default", "0", "reset", "Default", " RESET "])
def test_reserved_ids_mean_the_default_speaker(tag: str) -> None:
    spoken = split(f"<speaker:bob>Two.<speaker:{tag}>Three.", speakers=("narrator", "bob", "reset"))
    assert spoken.runs[-1] == SpeakerRun("narrator", "Three.")
    assert not spoken.warnings


@pytest.mark.parametrize("tag", ["<speaker:Alice>", "<speaker: Alice >", "<Speaker:alice>", "< speaker : ALICE >"])
def test_white_space_and_case_in_a_tag_do_not_matter(tag: str) -> None:
    assert split(f"{tag}Hi.").runs == (SpeakerRun("Alice", "Hi."),)


def test_an_id_matches_exactly_before_it_matches_without_case() -> None:
    assert split("<speaker:alice>Hi.", speakers=("ALICE", "Alice", "alice")).runs[0].speaker == "alice"


def test_an_unknown_speaker_warns_with_its_line_and_a_guess_and_falls_back_to_the_default() -> None:
    spoken = split("<speaker:bob>One.\n\n<speaker:alcie>Two.")
    assert spoken.runs[-1] == SpeakerRun("narrator", "Two.")
    (warning,) = spoken.warnings
    assert "line 3" in warning
    assert "'alcie'" in warning
    assert "did you mean 'Alice'?" in warning


def test_an_unknown_speaker_without_a_likeness_warns_without_a_guess() -> None:
    (warning,) = split("<speaker:zzzz>Two.").warnings
    assert "did you mean" not in warning


def test_an_unknown_speaker_warns_once_however_often_it_speaks() -> None:
    (warning,) = split("<speaker:x>One.\n<speaker:bob>Two.\n<speaker:x>Three.").warnings
    assert "line 1 (and 1 more)" in warning


def test_very_many_unknown_speakers_are_summed_up() -> None:
    warnings = split("".join(f"<speaker:x{number}>Hi." for number in range(1000))).warnings
    assert len(warnings) == 21
    assert warnings[-1].startswith("980 more")


@pytest.mark.parametrize(
    "tag", ["[laugh]", "[chuckle]", "<b>", "</speaker>", "<speaker>", "<speaker=bob>", "a < b > c"]
)
def test_other_tags_are_text(tag: str) -> None:
    assert split(f"One {tag} two.").runs == (SpeakerRun("narrator", f"One {tag} two."),)


def test_a_tag_that_changes_nothing_starts_no_new_run() -> None:
    assert split("One.<speaker:narrator>Two.").runs == (SpeakerRun("narrator", "One. Two."),)

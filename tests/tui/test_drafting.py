"""What becomes of a draft: the file, to the letter, and every mistake beside the field that it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.jobs import load_task
from cbtui.paths import Places
from cbtui.tui.drafting import Draft, Refused, add, look, used_settings
from cbtui.tui.offering import complete, find_offers

HOSTILE = [
    "[/] [laugh] [@click=app.quit]x[/]",
    "--- \nA rule at the top.",
    "---\n---\nBelow.",
    "שלום עולם, مرحبا",
    "👩‍👩‍👧 family, e\u0301, 漢字",
    "a: b\n- c\n# d\n\ttabbed  \n\n",
    '"quoted" {{braces}} <speaker:bob> <b>',
]
SETTINGS = [
    {},
    {"seed": "5"},
    {"model": "multilingual", "language": "no", "exaggeration": "0.7", "priority": "-3"},
    {"model": "turbo", "temperature": "1", "seed": "00042"},
]


def draft(text: str = "Hello there.", job: str = "", name: str = "", **settings: str) -> Draft:
    return Draft(text, job, name, settings)


def write(places: Places, name: str, content: str) -> Path:
    path = places.jobs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def refused(places: Places, given: Draft) -> dict[str, str]:
    """What is said against it, the same in the preview and when it is added; nothing is written then."""
    problems = dict(look(given, places).problems)
    with pytest.raises(Refused) as refusal:
        add(given, places)
    assert dict(refusal.value.problems) == problems
    assert not [path for path in places.jobs.rglob("*.txt") if path.name != "taken.txt"]
    return problems


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_preview_is_the_file_byte_for_byte(places: Places, text: str, settings: dict[str, str]) -> None:
    given = draft(text, job="book/one", **settings)
    if text.startswith("---\n---") and settings:
        assert "settings of its own" in refused(places, given)["text"]
        return
    outlook = look(given, places)
    added = add(given, places)
    assert outlook.problems == {}
    assert outlook.path == added.path
    assert outlook.content.encode() == added.path.read_bytes()


@pytest.mark.parametrize("text", HOSTILE)
def test_the_text_is_spoken_as_it_was_typed(places: Places, text: str) -> None:
    added = add(draft(text, seed="" if text.startswith("---\n---") else "1"), places)
    assert load_task(added.path, root=places.jobs).text == text.removeprefix("---\n---\n")


def test_a_text_alone_is_a_plain_file(places: Places) -> None:
    outlook = look(draft("Hello there."), places)
    assert (outlook.path, outlook.content) == (places.jobs / "hello-there.txt", "Hello there.")


def test_what_is_set_stands_above_the_text(places: Places) -> None:
    outlook = look(draft(model="multilingual", language="de", cfg_weight=" 0.3 ", seed="7"), places)
    assert outlook.content == (
        '---\nmodel: "multilingual"\nlanguage: "de"\ncfg_weight: 0.3\nseed: 7\n---\nHello there.'
    )


def test_what_the_model_does_not_use_is_left_out(places: Places) -> None:
    assert look(draft(model="turbo", language="de", exaggeration="9", cfg_weight="x"), places).content == (
        '---\nmodel: "turbo"\n---\nHello there.'
    )
    assert "language" not in used_settings("english")
    assert set(used_settings("multilingual")) - set(used_settings("turbo")) == {
        "language",
        "exaggeration",
        "cfg_weight",
    }


@pytest.mark.parametrize(
    ("given", "where", "said"),
    [
        (draft(exaggeration="3"), "exaggeration", "must be at most 2"),
        (draft(cfg_weight="-1"), "cfg_weight", "must be at least 0"),
        (draft(temperature="0"), "temperature", "must be at least 0.05: 0 makes the model crash"),
        (draft(temperature="warm"), "temperature", "must be a number, not 'warm'"),
        (draft(temperature="0,5"), "temperature", "must be a number, not '0,5'"),
        (draft(temperature="nan"), "temperature", "must be a number, not 'nan'"),
        (draft(seed="1.5"), "seed", "must be a whole number, not '1.5'"),
        (draft(seed="9" * 30), "seed", "must be at most"),
        (draft(seed="-1"), "seed", "must be at least 0: leave it out for a new one each run"),
        (draft(priority="1001"), "priority", "must be at most 1000"),
        (draft(speaker="al"), "speaker", "unknown speaker 'al' (known: none)"),
        (draft(speaker="[/]"), "speaker", "unknown speaker '[/]' (known: none)"),
        (draft(reference="no.wav"), "reference", "no such file: 'no.wav'"),
        (draft(reference="/etc/passwd"), "reference", "lies outside of the jobs directory: copy the file into it"),
        (draft(reference="../../x.wav"), "reference", "lies outside of the jobs directory"),
        (draft(name="a/b"), "name", "must not hold '/': the job names the folder"),
        (draft(name=".x"), "name", "begins with a dot"),
        (draft(name="x" * 300), "name", "at most 200 are allowed"),
        (draft(job="../up"), "job", "must not hold '..'"),
        (draft(job=".git"), "job", "a folder called '.git' is passed over there"),
        (draft(job="taken.txt"), "job", "is a file, where a folder is needed"),
        (draft(""), "text", "there is no text to speak"),
        (draft("..."), "text", "it has neither letters nor numbers"),
        (draft("---\nseed: 5\ntempo: 1\n---\nHi."), "text", "line 3, column 1: tempo: unknown setting"),
        (draft("---\nseed: 5\n---\nHi.", seed="6"), "text", "the text begins with settings of its own"),
    ],
)
def test_a_mistake_stands_beside_its_field(places: Places, given: Draft, where: str, said: str) -> None:
    write(places, "taken.txt", "Hi.")
    problems = refused(places, given)
    assert list(problems) == [where]
    assert said in problems[where]


def test_all_mistakes_are_told_at_once(places: Places) -> None:
    problems = refused(places, draft("", name="a/b", seed="x", temperature="9", speaker="al"))
    assert set(problems) == {"text", "name", "seed", "temperature", "speaker"}


def test_a_mistake_in_the_job_s_settings_stands_beside_the_job(places: Places) -> None:
    write(places, "book/job.yaml", "tempo: 1")
    assert "book/job.yaml:1:1: tempo: unknown setting" in refused(places, draft(job="book"))["job"]


def test_a_job_that_cannot_be_leaves_the_standards_of_the_top_folder(places: Places) -> None:
    write(places, "job.yaml", "seed: 5")
    outlook = look(draft(job="../up"), places)
    assert outlook.standard == look(draft(), places).standard
    assert outlook.standard.values["seed"] == "5"
    assert (outlook.path, list(outlook.problems)) == (None, ["job"])


def test_blank_means_what_the_job_says(places: Places) -> None:
    write(places, "book/job.yaml", "model: turbo\nseed: 5\nspeakers: {al: {temperature: 0.6}, bo: {}}")
    standard = look(draft(job="book"), places).standard
    assert (standard.model, standard.speakers) == ("turbo", ("al", "bo"))
    assert {name: standard.values[name] for name in ("model", "speaker", "temperature", "seed")} == {
        "model": "turbo",
        "speaker": "al",
        "temperature": "0.6",
        "seed": "5",
    }
    assert look(draft(job="book", speaker="bo"), places).standard.values["temperature"] == "0.8"


def test_what_a_speaker_has_of_its_own_is_set_for_that_speaker(places: Places) -> None:
    write(places, "book/al.wav", "RIFF")
    write(places, "book/job.yaml", "speakers: {al: {temperature: 0.6, reference: al.wav}}")
    added = add(draft(job="book", temperature="0.9", exaggeration="0.7"), places)
    assert added.path.read_text() == (
        '---\nexaggeration: 0.7\nspeakers: {"al": {"temperature": 0.9}}\n---\nHello there.'
    )
    voice = load_task(added.path, root=places.jobs).speakers["al"]
    assert (voice.sampling.temperature, voice.sampling.exaggeration) == (0.9, 0.7)
    assert voice.reference == places.jobs / "book/al.wav"
    problems = look(draft(job="book", temperature="9"), places).problems
    assert "must be at most 5" in problems["temperature"]


@pytest.mark.parametrize("job", ["", "book", "book/one"])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_clip_is_found_from_the_jobs_directory(places: Places, job: str, absolute: bool) -> None:
    clip = write(places, "voices/al.wav", "RIFF")
    added = add(draft(job=job, reference=str(clip) if absolute else "voices/al.wav"), places)
    assert load_task(added.path, root=places.jobs).references == (clip,)


def test_names_that_are_taken_get_a_number(places: Places) -> None:
    assert [add(draft("Hello."), places).task for _ in range(2)] == ["jobs/hello", "jobs/hello-2"]
    outlook = look(draft("Bye.", name="hello"), places)
    assert outlook.path == places.jobs / "hello-3.txt"
    assert add(draft("Bye.", name="hello"), places).path == outlook.path


def test_a_disk_that_takes_nothing_is_told(places: Places) -> None:
    places.jobs.parent.mkdir(parents=True, exist_ok=True)
    places.jobs.write_text("in the way")
    assert "Not a directory" in look(draft(), places).problems["job"]


def test_jobs_and_clips_of_the_folder_are_offered(places: Places) -> None:
    for name in ("book/one/a.txt", "book/10/a.txt", "book/9/b.WAV", ".git/x.wav", "data/input/x.wav", "a\nb/c.wav"):
        write(places, name, "x")
    offers = find_offers(places.jobs)
    assert offers.jobs == ("book", "book/9", "book/10", "book/one", "data")
    assert "book/9/b.WAV" in offers.clips
    assert not [clip for clip in offers.clips if "input" in clip or ".git" in clip or "\n" in clip]


def test_a_path_is_completed_as_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("texts/one.txt", "texts/one.wav", "texts/.hidden.txt", "texts/job.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert complete(f"{tmp_path}/te") == f"{tmp_path}/texts/"
    assert complete("~/texts/") == "~/texts/one.txt"
    assert complete("~/texts/one.txt") is None
    assert complete("~/nothing/") is None
    assert complete("a\0b/") is None

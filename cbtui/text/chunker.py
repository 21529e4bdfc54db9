"""Packs the sentences of a text into chunks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cbtui.core.chunk import Chunk
from cbtui.core.task import Chunking, Task
from cbtui.text.cutter import cut_sentence
from cbtui.text.sentences import split_sentences
from cbtui.text.speakers import SpeakerRun, split_speakers

_BLANK_LINE = re.compile(r"(?:\n[^\S\n]*+\n|\u2029)\s*+")
_SPEAKABLE = re.compile(r"[^\W_]")
_OPENING = "\"'“‘«„‚([{¿¡「『（—–"


@dataclass(frozen=True, slots=True)
class ChunkedText:
    """`chunks` in the order of reading; `warnings` for the person who wrote the text."""

    chunks: tuple[Chunk, ...]
    warnings: tuple[str, ...]


def chunk_task(task: Task) -> ChunkedText:
    """The chunks of a task's text. Raises ValueError where its chunking is no positive size."""
    return chunk_text(
        task.text,
        speakers=task.speakers,
        default_speaker=task.default_speaker,
        language_of={name: speaker.language for name, speaker in task.speakers.items()},
        chunking=task.chunking,
    )


def chunk_text(
    text: str,
    *,
    speakers: Collection[str],
    default_speaker: str,
    language_of: Mapping[str, str],
    chunking: Chunking,
) -> ChunkedText:
    """Chunks of whole sentences, each of one paragraph and one speaker and at most `chunking.limit` characters.

    Sentences are packed up to `chunking.target` characters; one that is longer than `chunking.limit` is cut at its
    marks. Runs of white space become one space. Paragraphs are parted by blank lines and count from 0.

    A chunk always holds a letter or a digit. Other text joins a neighbour in its paragraph, across a change of speaker
    if need be. It is dropped where it has none, such as the ornament `* * *` between two scenes (whose paragraph
    still counts), or where no neighbour has room. Besides such ornaments, only white space and speaker tags are lost.

    `language_of` gives the ISO 639-1 code of each speaker, default speaker included; a missing one is read as English.
    Raises ValueError where target or limit is not positive.
    """
    if chunking.target < 1 or chunking.limit < 1:
        raise ValueError(f"chunk sizes must be positive: target {chunking.target}, limit {chunking.limit}")
    spoken = split_speakers(text.replace("\r\n", "\n").replace("\r", "\n"), speakers, default_speaker)
    chunks: list[Chunk] = []
    for number, paragraph in enumerate(_paragraphs(spoken.runs)):
        texts = [
            (run.speaker, chunk)
            for run in _speakable_runs(paragraph)
            for chunk in _chunk_run(run.text, language_of.get(run.speaker, "en"), chunking)
        ]
        for position, (speaker, chunk) in enumerate(texts, start=1):
            chunks.append(Chunk(len(chunks), chunk, speaker, number, position == len(texts)))
    return ChunkedText(tuple(chunks), spoken.warnings)


def _paragraphs(runs: Iterable[SpeakerRun]) -> Iterator[list[SpeakerRun]]:
    paragraph: list[SpeakerRun] = []
    for run in runs:
        first, *others = _BLANK_LINE.split(run.text)
        _add_run(paragraph, run.speaker, first)
        for part in others:
            if paragraph:
                yield paragraph
            paragraph = []
            _add_run(paragraph, run.speaker, part)
    if paragraph:
        yield paragraph


def _add_run(paragraph: list[SpeakerRun], speaker: str, text: str) -> None:
    if text and not text.isspace():
        paragraph.append(SpeakerRun(speaker, text))


def _speakable_runs(paragraph: list[SpeakerRun]) -> list[SpeakerRun]:
    """The runs of a paragraph, bare punctuation joined to the run before it, or behind it where it opens one."""
    if not any(_SPEAKABLE.search(run.text) for run in paragraph):
        return []
    if len(paragraph) == 1:
        return paragraph
    gathered: list[tuple[str, list[str]]] = []
    waiting: list[str] = []
    for run in paragraph:
        if _SPEAKABLE.search(run.text):
            gathered.append((run.speaker, [*waiting, run.text]))
            waiting = []
        elif gathered and not waiting and run.text.rstrip()[-1] not in _OPENING:
            gathered[-1][1].append(run.text)
        else:
            waiting.append(run.text)
    if waiting:
        gathered[-1][1].extend(waiting)
    return [SpeakerRun(speaker, "".join(parts)) for speaker, parts in gathered]


def _chunk_run(text: str, language: str, chunking: Chunking) -> list[str]:
    text = " ".join(text.split())
    target = min(chunking.target, chunking.limit)
    if len(text) <= target:
        return [text]
    packed = _pack(_pieces(text, language, target, chunking.limit), target)
    spoken = _join_punctuation(packed, chunking.limit)
    if len(spoken) > 1 and len(spoken[-1].strip()) < chunking.minimum and _fit(spoken[-2:], chunking.limit):
        spoken[-2:] = ["".join(spoken[-2:])]
    return [chunk.strip() for chunk in spoken]


def _pieces(text: str, language: str, target: int, limit: int) -> Iterator[str]:
    for sentence in split_sentences(text, language, longest_tag=limit):
        if len(sentence.rstrip()) <= limit:
            yield sentence
        else:
            yield from cut_sentence(sentence, target, limit)


def _pack(pieces: Iterable[str], target: int) -> Iterator[str]:
    pack: list[str] = []
    length = 0
    for piece in pieces:
        if pack and length + len(piece.rstrip()) > target:
            yield "".join(pack)
            pack, length = [], 0
        pack.append(piece)
        length += len(piece)
    if pack:
        yield "".join(pack)


def _join_punctuation(packed: Iterable[str], limit: int) -> list[str]:
    """Chunks that can be spoken; bare punctuation joins the chunk before or behind it if it fits, or goes."""
    spoken: list[str] = []
    waiting = ""
    for chunk in packed:
        if _SPEAKABLE.search(chunk):
            spoken.append(waiting + chunk if _fit((waiting, chunk), limit) else chunk)
            waiting = ""
        elif spoken and _fit((spoken[-1], chunk), limit):
            spoken[-1] += chunk
        else:
            waiting = chunk
    return spoken


def _fit(chunks: Iterable[str], limit: int) -> bool:
    return len("".join(chunks).strip()) <= limit

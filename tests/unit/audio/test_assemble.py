"""Assembly puts every sample where it belongs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbtui.audio.assemble import Assembly, Take
from cbtui.audio.takes import BLOCK_SAMPLES, DamagedTake, Samples, write_take

RATE = 24_000


def tone(samples: int, level: float = 0.5) -> Samples:
    return np.full(samples, level, np.float32)


def joined(assembly: Assembly) -> Samples:
    return np.concatenate([np.zeros(0, np.float32), *assembly.blocks()])


def test_silences_follow_chunks_and_paragraphs_but_not_the_last_take() -> None:
    takes = [Take("1", tone(3)), Take("2", tone(2), ends_paragraph=True), Take("3", tone(1), ends_paragraph=True)]
    assembly = Assembly(takes, rate=10, chunk_silence=0.2, paragraph_silence=0.5)

    expected = [0.5] * 3 + [0] * 2 + [0.5] * 2 + [0] * 5 + [0.5]
    assert joined(assembly).tolist() == expected
    assert assembly.count_samples() == len(expected)


def test_takes_on_disk_and_in_memory_give_the_same(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, BLOCK_SAMPLES * 2 + 17).astype(np.float32)
    write_take(tmp_path / "take.wav", samples, RATE)

    on_disk = Assembly([Take("1", tmp_path / "take.wav")] * 2, RATE, 0.3, 0.8)
    in_memory = Assembly([Take("1", samples)] * 2, RATE, 0.3, 0.8)
    assert np.array_equal(joined(on_disk), joined(in_memory))
    assert on_disk.count_samples() == in_memory.count_samples()


def test_no_block_is_larger_than_the_limit(tmp_path: Path) -> None:
    write_take(tmp_path / "take.wav", tone(BLOCK_SAMPLES + 1), RATE)
    takes = [Take("1", tone(3 * BLOCK_SAMPLES + 5)), Take("2", tmp_path / "take.wav")]
    assembly = Assembly(takes, RATE, chunk_silence=10, paragraph_silence=0)

    assert max(len(block) for block in assembly.blocks()) == BLOCK_SAMPLES


def test_nothing_assembles_to_nothing() -> None:
    assembly = Assembly([], RATE, 0.3, 0.8)
    assert assembly.count_samples() == 0
    assert list(assembly.blocks()) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_take_with_a_sample_that_is_no_number_is_named(bad: float) -> None:
    samples = tone(10)
    samples[4] = bad
    assembly = Assembly([Take("chunk 1", tone(5)), Take("chunk 2", samples)], RATE, 0, 0)

    with pytest.raises(DamagedTake, match=r"chunk 2 cannot be used: 1 of its samples are not finite.* number 4"):
        joined(assembly)


def test_a_take_of_another_rate_is_refused(tmp_path: Path) -> None:
    write_take(tmp_path / "slow.wav", tone(5), 22_050)
    with pytest.raises(DamagedTake, match=r"slow\.wav.*22050 Hz, the others 24000 Hz"):
        Assembly([Take("1", tmp_path / "slow.wav")], RATE, 0, 0).count_samples()


def test_a_take_that_is_not_mono_is_refused() -> None:
    stereo = np.zeros((4, 2), np.float32)
    with pytest.raises(DamagedTake, match="mono"):
        joined(Assembly([Take("1", stereo)], RATE, 0, 0))


@settings(deadline=None)
@given(
    takes=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=12),
    chunk_silence=st.floats(0, 0.02),
    paragraph_silence=st.floats(0, 0.05),
)
def test_every_take_stands_whole_in_its_place(
    takes: list[tuple[int, bool]], chunk_silence: float, paragraph_silence: float
) -> None:
    named = [Take(str(number), tone(length, number + 1), ends) for number, (length, ends) in enumerate(takes)]
    assembly = Assembly(named, RATE, chunk_silence, paragraph_silence)
    whole = joined(assembly)

    position = 0
    for number, (length, ends) in enumerate(takes):
        assert (whole[position : position + length] == number + 1).all()
        position += length
        if number < len(takes) - 1:
            silence = round((paragraph_silence if ends else chunk_silence) * RATE)
            assert not whole[position : position + silence].any()
            position += silence
    assert position == len(whole) == assembly.count_samples()

"""The leak sentinel: it tells leaks from noise, jumps and teeth of a saw, and says each thing once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest

from cbtui.host.sentinel import Sentinel, TakeVitals

MIB = 1024 * 1024
BASE = 1000 * MIB


def take(
    memory: float | None = BASE,
    *,
    hooks: int = 0,
    tokens: int = 100,
    seconds: float = 2.0,
    voice: str = "a",
    model: str = "e",
) -> TakeVitals:
    return TakeVitals(None if memory is None else int(memory), hooks, tokens, seconds, f"{model}@{voice}", model)


def observe(sentinel: Sentinel, takes: Iterable[TakeVitals]) -> list[str]:
    return [warning for each in takes for warning in sentinel.observe(each)]


def watch_memory(held: Callable[[int], float], takes: int) -> list[str]:
    """Warnings about memory that is `held(n)` after take n."""
    return observe(Sentinel(), (take(held(number)) for number in range(takes)))


class TestMemory:
    def test_a_leak_is_told_once_with_how_much_and_what_to_do(self) -> None:
        [warning] = watch_memory(lambda number: BASE + 3 * MIB * number, 1000)
        assert "180 MiB more over the last 60 chunks, 3 MiB with each" in warning
        assert "restart cbtui" in warning

    def test_it_is_told_as_soon_as_a_window_is_full_and_not_before(self) -> None:
        assert watch_memory(lambda number: BASE + 3 * MIB * number, 79) == []
        assert len(watch_memory(lambda number: BASE + 3 * MIB * number, 80)) == 1

    def test_a_slow_leak_is_told_in_the_long_run(self) -> None:
        [warning] = watch_memory(lambda number: BASE + 0.1 * MIB * number, 1300)
        assert "120 MiB more over the last 1200 chunks, 0.1 MiB with each" in warning

    def test_a_leak_in_lumps_is_a_leak(self) -> None:
        [warning] = watch_memory(lambda number: BASE + number // 10 * 30 * MIB, 300)
        assert "memory leaks" in warning

    def test_a_leak_under_noise_is_told_in_time(self) -> None:
        noise = random.Random(1)
        warnings = watch_memory(lambda number: BASE + 3 * MIB * number + noise.gauss(0, 30) * MIB, 1000)
        assert len(warnings) == 1

    @pytest.mark.parametrize("size", [1.0, 30.0])
    def test_little_growth_of_much_is_none(self, size: float) -> None:
        # 5 % of what is held, and never less than 64 MiB, over 60 takes.
        limit = max(64, 0.05 * size * 1000) / 60
        assert watch_memory(lambda number: size * BASE + 0.9 * limit * MIB * number, 100) == []
        assert len(watch_memory(lambda number: size * BASE + 1.1 * limit * MIB * number, 100)) == 1

    @pytest.mark.parametrize(
        "held",
        [
            pytest.param(lambda number: BASE, id="flat"),
            pytest.param(lambda number: BASE + min(number, 20) * 100 * MIB, id="warming up"),
            pytest.param(lambda number: BASE + (number > 100) * 2000 * MIB, id="a jump"),
            pytest.param(lambda number: BASE + ((number > 100) + (number > 130)) * 900 * MIB, id="two jumps"),
            pytest.param(lambda number: BASE + number % 50 * 20 * MIB, id="a saw"),
            pytest.param(lambda number: BASE + (number == 100) * 5000 * MIB, id="a spike"),
            pytest.param(lambda number: 9 * BASE - 3 * MIB * number, id="falling"),
            pytest.param(lambda number: BASE + random.Random(number).gauss(0, 100) * MIB, id="noise"),
        ],
    )
    def test_what_is_no_leak(self, held: Callable[[int], float]) -> None:
        assert watch_memory(held, 2500) == []

    def test_one_that_stopped_and_began_again_is_told_again(self) -> None:
        sentinel = Sentinel()
        leaking = [take(BASE + 3 * MIB * number) for number in range(100)]
        flat = [take(BASE + 300 * MIB)] * 100
        again = [take(BASE + 300 * MIB + 6 * MIB * number) for number in range(100)]
        assert [len(observe(sentinel, takes)) for takes in (leaking, flat, again)] == [1, 0, 1]

    def test_what_was_before_a_model_came_or_went_is_forgotten(self) -> None:
        sentinel = Sentinel()
        for number in range(79):
            assert sentinel.observe(take(BASE + 3 * MIB * number)) == []
        sentinel.reset_memory()
        assert observe(sentinel, (take(BASE + 3 * MIB * number) for number in range(79))) == []
        assert len(observe(sentinel, [take(BASE + 3 * MIB * 79)])) == 1

    def test_memory_that_is_not_known_is_passed_over(self) -> None:
        assert observe(Sentinel(), [take(None)] * 200) == []
        half_known = (take(BASE + 3 * MIB * number if number % 2 else None) for number in range(200))
        assert len(observe(Sentinel(), half_known)) == 1


class TestHooks:
    def test_hooks_that_pile_up_are_told_once(self) -> None:
        [warning] = observe(Sentinel(), (take(hooks=31 + 3 * number, model="multilingual") for number in range(50)))
        assert "multilingual" in warning
        assert "15 more than at first" in warning
        assert "Unload the model" in warning

    def test_hooks_that_go_with_the_chunk_being_decoded_are_none(self) -> None:
        assert observe(Sentinel(), (take(hooks=3 * (number % 5 > 0)) for number in range(100))) == []

    def test_hooks_of_a_chunk_that_the_first_look_saw_are_not_what_is_usual(self) -> None:
        takes = [take(hooks=hooks) for hooks in [3, *[0] * 10, *[3] * 10]]
        assert len(observe(Sentinel(), takes)) == 1

    def test_each_model_has_its_own(self) -> None:
        one, other = take(hooks=0, model="english"), take(hooks=31, model="multilingual")
        assert observe(Sentinel(), [one, *[other] * 20, *[one] * 20]) == []

    def test_a_model_that_was_loaded_afresh_is_watched_again(self) -> None:
        sentinel = Sentinel()
        leaky = [take(hooks=hooks) for hooks in range(20)]
        assert [len(observe(sentinel, takes)) for takes in (leaky, leaky)] == [1, 1]


class TestSpeed:
    def test_half_its_own_speed_is_told_once_with_both(self) -> None:
        sentinel = Sentinel()
        assert observe(sentinel, [take(seconds=2.0)] * 100) == []
        [warning] = observe(sentinel, [take(seconds=5.0)] * 1000)
        assert warning.startswith("e@a has become slow: 20 tokens/s")
        assert "50 are usual" in warning

    def test_a_little_slower_is_not_slow(self) -> None:
        assert observe(Sentinel(), [*[take(seconds=2.0)] * 100, *[take(seconds=3.8)] * 100]) == []

    def test_a_slow_chunk_now_and_then_is_not_slow(self) -> None:
        assert observe(Sentinel(), [take(seconds=20.0 if n % 3 == 0 else 2.0) for n in range(300)]) == []

    def test_a_few_slow_chunks_in_a_row_are_not_slow(self) -> None:
        fast = [take(seconds=2.0)] * 100
        assert observe(Sentinel(), [*fast, *[take(seconds=20.0)] * 9, *fast]) == []

    def test_it_is_told_again_after_it_recovered_however_long_it_was_slow(self) -> None:
        sentinel = Sentinel()
        fast, slow = [take(seconds=2.0)] * 60, [take(seconds=5.0)] * 1000
        assert [len(observe(sentinel, takes)) for takes in (fast, slow, fast, slow)] == [0, 1, 0, 1]

    def test_each_voice_is_measured_by_itself(self) -> None:
        takes = [take(seconds=2.0, voice="a"), take(seconds=9.0, voice="b")] * 100
        assert observe(Sentinel(), takes) == []

    @pytest.mark.parametrize(("tokens", "seconds"), [(0, 5.0), (100, 0.0)])
    def test_drafts_are_not_judged(self, tokens: int, seconds: float) -> None:
        sentinel = Sentinel()
        observe(sentinel, [take(seconds=2.0)] * 100)
        assert observe(sentinel, [take(tokens=tokens, seconds=seconds)] * 100) == []

    def test_voices_without_end_are_forgotten_oldest_first(self) -> None:
        sentinel = Sentinel()
        observe(sentinel, [take(seconds=2.0)] * 100)
        observe(sentinel, (take(voice=str(number)) for number in range(100)))
        assert observe(sentinel, [take(seconds=5.0)] * 30) == []

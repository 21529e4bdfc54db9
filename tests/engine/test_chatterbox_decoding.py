"""Our decoding against the library's own loops, over the same weights: the same tokens for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
import torch

from cbtui.engine.chatterbox.decode import Broken, Decoder, Drawn, Dropped, Stepped, Stopped, Watch
from cbtui.engine.chatterbox.prefill import Prompt
from cbtui.engine.chatterbox.sampling import draw
from tests.engine.decoding import MODELS, TEXT, Stock, decode, outcomes, variants, watch


@pytest.fixture(scope="module", params=MODELS)
def stock(request: pytest.FixtureRequest) -> Stock:
    return Stock(request.param)


@pytest.fixture(scope="module")
def english() -> Stock:
    return Stock("english")


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_each_request_gets_the_librarys_tokens_in_whatever_batch(stock: Stock, batch: int) -> None:
    samplings = variants(stock)
    texts = [TEXT[: 10 + 9 * number] for number in range(len(samplings))]
    prompts = [stock.prompt(number, each, text=texts[number]) for number, each in enumerate(samplings)]
    expected = {
        str(number): stock.tokens(each, seed=number, text=texts[number]) for number, each in enumerate(samplings)
    }
    assert decode(stock.decoder, prompts, batch=batch) == expected


def test_the_order_of_requests_and_the_texts_before_change_nothing(stock: Stock) -> None:
    def prompts(numbers: Iterable[int]) -> list[Prompt]:
        return [stock.prompt(n, stock.defaults, text=TEXT[: 12 + 7 * n]) for n in numbers]

    forwards = decode(Decoder(stock.model.t3, "exact"), prompts(range(6)), batch=2)
    backwards = decode(Decoder(stock.model.t3, "exact"), prompts(reversed(range(6))), batch=3)
    assert forwards == backwards


def test_logits_of_a_sequence_are_the_same_to_the_bit_beside_others(english: Stock) -> None:
    decoder = english.decoder

    def logits(prompts: list[Prompt], steps: int) -> torch.Tensor:
        sequences = []
        for prompt in prompts:
            sequence, first = decoder._prefill.begin(prompt)
            sequence.tokens.append(int(first[0].argmax()))
            sequences.append(sequence)
        for _ in range(steps):
            last = decoder._next_logits(sequences)
            for row, sequence in enumerate(sequences):
                sequence.tokens.append(int(last[2 * row].argmax()))
        return last[:2]

    with torch.inference_mode():
        first = english.prompt(0, english.defaults)
        others = [english.prompt(n, english.defaults, text=TEXT[: 9 * n]) for n in range(1, 6)]
        assert torch.equal(logits([first], 5), logits([first, *others], 5))


def test_fast_gives_nearly_the_logits_of_exact(stock: Stock) -> None:
    prompt = stock.prompt(0, stock.defaults)
    with torch.inference_mode():
        _, exact = stock.decoder._prefill.begin(prompt)
        _, fast = Decoder(stock.model.t3, "fast")._prefill.begin(prompt)
    # bfloat16 has 8 bits; 2.3e-2 was measured over all the layers of the released size.
    assert 0 < float((fast - exact).norm() / exact.norm()) < 0.03


def test_a_draw_equals_torch_multinomial_and_leaves_the_generator_where_it_would() -> None:
    chances = torch.rand(3, 8194, generator=torch.Generator().manual_seed(1)).softmax(-1)
    ours = [torch.Generator().manual_seed(seed) for seed in range(3)]
    for _ in range(20):
        drawn = draw(chances, ours)
    theirs = [torch.Generator().manual_seed(seed) for seed in range(3)]
    for _ in range(20):
        expected = [int(torch.multinomial(row, 1, generator=each)) for row, each in zip(chances, theirs, strict=True)]
    assert drawn.tolist() == expected
    assert all(torch.equal(a.get_state(), b.get_state()) for a, b in zip(ours, theirs, strict=True))


def test_requests_are_taken_up_as_others_leave(english: Stock) -> None:
    in_work: list[int] = []
    waiting = iter([english.prompt(number, english.defaults) for number in range(5)])
    counts: dict[str, int] = {}

    def progressed(request_id: str, count: int) -> None:
        counts[request_id] = count
        in_work.append(len(counts))

    ended = 0
    for outcome in english.decoder.decode(waiting, Watch(progressed, lambda: False, lambda: 2)):
        if isinstance(outcome, Stepped):
            continue
        ended += 1
        assert len(counts) <= ended + 1
        assert isinstance(outcome, Drawn)
    assert ended == 5
    assert max(in_work) == 5


def test_the_cap_ends_a_sequence_and_says_so(stock: Stock) -> None:
    [cut] = outcomes(stock.decoder, [stock.prompt(0, stock.defaults, cap=3)], watch(1))
    assert isinstance(cut, Drawn)
    assert cut.reached_cap
    assert len(cut.tokens) == 3


def test_memory_that_grows_with_a_sequence_changes_none_of_its_tokens(stock: Stock) -> None:
    prompts = [stock.prompt(number, stock.defaults) for number in range(3)]
    growing = decode(Decoder(stock.model.t3, "exact", room=3), prompts, batch=2)
    again = [stock.prompt(number, stock.defaults) for number in range(3)]
    assert growing == decode(stock.decoder, again, batch=2)
    assert all(len(tokens) > 4 for tokens in growing.values())


def test_one_that_is_not_wanted_any_more_leaves_and_the_others_go_on(english: Stock) -> None:
    prompts = [english.prompt(number, english.defaults) for number in range(3)]
    counts: Counter[str] = Counter()
    watching = Watch(
        lambda request_id, count: counts.update([request_id]),
        lambda: False,
        lambda: 3,
        lambda request_id: request_id != "1" or counts["1"] < 4,
    )
    ended = {each.prompt.request_id: each for each in outcomes(english.decoder, prompts, watching)}
    assert isinstance(ended["1"], Dropped)
    assert counts["1"] == 4
    alone = [english.prompt(number, english.defaults) for number in (0, 2)]
    assert decode(english.decoder, alone, batch=1) == {
        name: each.tokens.tolist() for name, each in ended.items() if isinstance(each, Drawn)
    }


def test_an_error_in_a_step_is_told_for_each_that_was_in_it(english: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError("no step")

    decoder = Decoder(english.model.t3, "exact")
    monkeypatch.setattr(decoder, "_next_logits", fail)
    told = outcomes(decoder, [english.prompt(n, english.defaults) for n in range(2)], watch(2))
    assert [each.prompt.request_id for each in told if isinstance(each, Broken)] == ["0", "1"]


def test_a_stop_is_followed_before_the_next_token(english: Stock) -> None:
    counted: list[int] = []
    watching = Watch(lambda request_id, count: counted.append(count), lambda: len(counted) >= 4, lambda: 2)
    with pytest.raises(Stopped):
        list(english.decoder.decode((english.prompt(n, english.defaults) for n in range(2)), watching))
    assert counted == [1, 1, 2, 2]


def test_hundreds_of_sequences_leave_no_hooks_and_no_memory_behind(stock: Stock) -> None:
    def hooks() -> int:
        return sum(len(module._forward_hooks) for module in stock.model.t3.modules())

    before = hooks()
    prompts = (stock.prompt(number, stock.defaults, cap=2) for number in range(200))
    assert len(decode(stock.decoder, prompts, batch=8)) == 200
    assert hooks() == before
    assert len(stock.decoder._prefill._prefixes) <= 2

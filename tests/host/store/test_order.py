"""The order of the queue, and moving tasks about in it."""

from __future__ import annotations

import random

import pytest

from cbtui.host.store import Store, UnknownTask
from tests.host.store.helpers import lead, names, put


@pytest.fixture
def five(store: Store) -> Store:
    put(store, *(f"book/{name}" for name in "abcde"))
    return store


@pytest.mark.parametrize(
    ("place", "order"), [(0, "dabce"), (1, "adbce"), (3, "abcde"), (4, "abced"), (99, "abced"), (-5, "dabce")]
)
def test_a_moved_task_stands_at_its_place(five: Store, place: int, order: str) -> None:
    five.order.move("book/d", place)
    assert "".join(names(five)) == order


def test_places_count_what_waits_and_nothing_else(five: Store) -> None:
    lead(five, "book/a", "done")
    lead(five, "book/b", "paused")
    five.order.move("book/e", 1)
    assert "".join(names(five)) == "abecd"
    assert [five.order.place(f"book/{name}") for name in "abecd"] == [None, 0, 1, 2, 3]


def test_greater_priority_comes_first(five: Store) -> None:
    five.tasks.set_priority("book/c", 1)
    five.tasks.set_priority("book/b", -1)
    assert "".join(names(five)) == "cadeb"


def test_a_task_moved_among_others_of_more_priority_takes_theirs(five: Store) -> None:
    put(five, "book/x", "book/y", priority=9)
    five.order.move("book/d", 1)
    assert "".join(names(five)) == "xdyabce"
    assert five.tasks.get("book/d").priority == 9


def test_a_task_moved_behind_others_of_less_priority_takes_theirs(five: Store) -> None:
    put(five, "book/x", priority=9)
    five.order.move("book/x", 99)
    assert "".join(names(five)) == "abcdex"
    assert five.tasks.get("book/x").priority == 0


def test_a_task_between_two_priorities_keeps_its_own_where_it_fits(five: Store) -> None:
    put(five, "book/x", priority=9)
    put(five, "book/y", priority=5)
    five.order.move("book/y", 1)
    assert five.tasks.get("book/y").priority == 5


def test_the_only_task_can_be_moved(store: Store) -> None:
    put(store, "book/a")
    store.order.move("book/a", 3)
    assert names(store) == ["a"]


def test_a_new_task_comes_after_those_that_were_moved_to_the_end(five: Store) -> None:
    for name in "abcab":
        five.order.move(f"book/{name}", 99)
    put(five, "book/new")
    assert names(five)[-1] == "new"


def test_moving_what_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(UnknownTask):
        store.order.move("book/none", 0)


def test_moves_at_random_agree_with_a_list(store: Store) -> None:
    model = [str(number) for number in range(40)]
    put(store, *(f"book/{name}" for name in model))
    draw = random.Random(1)
    with store.transaction():
        for _ in range(2000):
            name, place = draw.choice(model), draw.randrange(40)
            model.remove(name)
            model.insert(place, name)
            store.order.move(f"book/{name}", place)
    assert names(store) == model


@pytest.mark.parametrize(
    ("moved", "place", "order"),
    [
        ("ad", 0, "adbce"),
        ("ad", 2, "bcade"),
        ("da", 2, "bcdae"),
        ("ad", 3, "bcead"),
        ("ad", 99, "bcead"),
        ("edcba", 0, "edcba"),
    ],
)
def test_tasks_moved_together_stand_in_the_order_in_which_they_are_named(
    five: Store, moved: str, place: int, order: str
) -> None:
    five.order.move_together([f"book/{name}" for name in moved], place)
    assert "".join(names(five)) == order


def test_tasks_of_several_priorities_moved_together_keep_their_order(five: Store) -> None:
    put(five, "book/x", priority=9)
    five.order.move_together(["book/a", "book/x"], 99)
    assert "".join(names(five)) == "bcdeax"
    five.order.move_together(["book/b", "book/x", "book/c"], 0)
    assert "".join(names(five)) == "bxcdea"


def priorities(store: Store, *tasks: str) -> list[int]:
    return [store.tasks.get(f"book/{task}").priority for task in tasks]


def test_what_is_named_before_an_urgent_task_becomes_as_urgent_and_none_becomes_less(five: Store) -> None:
    put(five, "book/x", priority=9)
    put(five, "book/y", priority=5)
    five.order.move_together(["book/b", "book/x", "book/c"], 0)
    assert "".join(names(five))[:4] == "bxcy"
    assert priorities(five, "b", "x", "c", "y") == [9, 9, 5, 5]


def test_a_task_that_does_not_wait_changes_no_priority_of_those_that_do(five: Store) -> None:
    put(five, "book/x", priority=9)
    put(five, "book/low", priority=-5)
    lead(five, "book/low", "done")
    lead(five, "book/a", "failed")
    five.order.move_together(["book/a", "book/x"], 0)
    five.order.move_together(["book/low", "book/b"], 99)
    assert priorities(five, "x", "b") == [9, 0]


def test_many_tasks_moved_before_one_of_more_priority_find_room_without_moving_others(store: Store) -> None:
    put(store, "book/first", priority=5)
    many = [str(number) for number in range(3000)]
    put(store, *(f"book/{name}" for name in many))
    before = store.tasks.get("book/first").changed
    store.order.move_together([f"book/{name}" for name in many], 0)
    assert names(store) == [*many, "first"]
    assert store.tasks.get("book/first").changed == before


def test_moves_together_at_random_agree_with_a_list(store: Store) -> None:
    model = [str(number) for number in range(40)]
    put(store, *(f"book/{name}" for name in model))
    draw = random.Random(1)
    with store.transaction():
        for _ in range(500):
            moved, place = draw.sample(model, draw.randint(1, 6)), draw.randrange(45)
            model = [name for name in model if name not in moved]
            model[place:place] = moved
            store.order.move_together([f"book/{name}" for name in moved], place)
    assert names(store) == model


def test_moves_to_one_spot_never_run_out_of_room(store: Store) -> None:
    model = [str(number) for number in range(150)]
    put(store, *(f"book/{name}" for name in model))
    with store.transaction():
        for _ in range(3000):
            name = model.pop()
            model.insert(1, name)
            store.order.move(f"book/{name}", 1)
    assert names(store) == model

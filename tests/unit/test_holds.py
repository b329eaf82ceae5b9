"""Which held messages leave, and when to look again."""

from bot.holds import Held, next_at, ripe


def held(order: str, due_at: float) -> Held:
    return Held("fake", "C1", order, 1, 1, 1, order, 0.0, due_at, order)


def test_what_is_due_leaves_in_the_order_it_was_written() -> None:
    assert [one.order for one in ripe([held("3", 5), held("1", 6), held("2", 4)], 6)] == ["1", "2", "3"]


def test_none_leaves_before_one_that_was_written_earlier() -> None:
    assert ripe([held("1", 9), held("2", 4)], 6) == []


def test_those_before_the_first_that_waits_leave() -> None:
    assert [one.order for one in ripe([held("1", 4), held("2", 9), held("3", 4)], 6)] == ["1"]


def test_the_next_look_is_due_with_the_first_that_must_leave() -> None:
    assert next_at([held("2", 4), held("1", 9)]) == 9
    assert next_at([]) is None

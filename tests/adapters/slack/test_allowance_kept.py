"""What of Slack's allowance is kept for those who have just pressed something, with a clock turned by hand."""

import pytest

from adapters.slack.allowance import LIMITS, MINUTE, PATIENT, Allowance, Importance, Limit
from tests.adapters.slack.test_allowance import Line, settle

UPDATE = "chat.update"
SOON = 3.0
WAITING = 60


async def keep_asking(line: Line, seconds: float, importance: Importance = Importance.WAITING_CARD) -> None:
    """Very many waiting cards, each back as soon as it was told."""
    until = line.clock.now + seconds
    while line.clock.now < until:
        for number in range(WAITING):
            task = line.tasks.get(f"w{number}")
            if task is None or task.done():
                line.ask(f"w{number}", UPDATE, importance=importance)
        await line.clock.turn(1)


@pytest.mark.parametrize("seconds", [1, 30, 59, 75])
async def test_a_claimed_card_is_shown_soon_however_many_others_wait(seconds: int) -> None:
    line = Line()
    await keep_asking(line, seconds)
    asked = line.clock.now - line.began
    line.ask("claimed", UPDATE, importance=Importance.CARD, patience=SOON)
    await keep_asking(line, SOON)
    made = dict(line.made)
    assert "claimed" in made
    assert made["claimed"] - asked <= SOON


async def test_ten_claims_in_a_minute_are_all_shown_soon() -> None:
    line = Line()
    await keep_asking(line, 70)
    for number in range(10):
        asked = line.clock.now - line.began
        line.ask(f"claimed {number}", UPDATE, importance=Importance.CARD, patience=SOON)
        await keep_asking(line, 6)
        assert dict(line.made)[f"claimed {number}"] - asked <= SOON


async def test_what_is_kept_is_within_the_limit_of_a_minute() -> None:
    line = Line()
    for _ in range(30):
        await keep_asking(line, 4)
        line.ask(f"claimed {line.clock.now}", UPDATE, importance=Importance.CARD, patience=SOON)
    times = [at for _, at in line.made]
    for at in times:
        assert sum(1 for other in times if at <= other < at + 60) <= (LIMITS[UPDATE].per_minute or 0)


async def test_waiting_cards_get_all_that_is_not_kept() -> None:
    line = Line()
    await keep_asking(line, 2 * MINUTE)
    limit = LIMITS[UPDATE]
    assert len(line.made) >= 2 * 0.9 * (limit.in_a_minute(patient=True) or 0)


async def test_those_who_share_a_workspace_keep_their_part_of_it_each() -> None:
    half = LIMITS[UPDATE].among(2)
    assert (half.in_a_minute(patient=False), half.in_a_minute(patient=True)) == (25, 18)


async def test_even_the_smallest_share_lets_the_patient_through() -> None:
    """Or a card would never show its age where many replicas live."""
    smallest = LIMITS[UPDATE].among(60)
    assert smallest.in_a_minute(patient=True) == 1
    assert smallest.spared(patient=True) == 0.0


async def test_nothing_is_kept_where_no_share_is_named() -> None:
    assert Limit(1.0, 4).spared(patient=True) == 0.0
    line = Line()
    for number in range(50):
        line.ask(f"r{number}", "reactions.add", importance=Importance.RECEIPT)
    await settle()
    assert len(line.made) == 25


def test_who_answers_a_click_is_never_among_the_patient() -> None:
    assert max(Importance.ANSWER, Importance.POST, Importance.AMEND, Importance.CARD) < PATIENT


async def test_a_replica_that_joins_others_can_look_up_those_who_write_at_once() -> None:
    """Or it would refuse their messages until it has asked for one after the other."""
    line = Line()
    line.allowance = Allowance(loop=line.clock, replicas=lambda: 2)
    for number in range(12):
        line.ask(f"u{number}", "users.info")
    line.ask("m", "conversations.members")
    await settle()
    assert len(line.made) == 13


async def test_it_makes_no_burst_of_anything_else() -> None:
    line = Line()
    line.allowance = Allowance(loop=line.clock, replicas=lambda: 2)
    for number in range(12):
        line.ask(f"u{number}", UPDATE)
    await settle()
    assert len(line.made) == 1

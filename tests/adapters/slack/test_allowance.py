"""Slack's allowance, with a clock that is turned by hand: whose turn it is, who is sent away, what a 429 stops."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from adapters.slack.allowance import (
    CHANNEL_POSTS,
    GRACE,
    LIMITS,
    LONGEST_ABSENCE,
    MINUTE,
    TIERS,
    WORKSPACE_POSTS,
    Allowance,
    Importance,
    Limit,
    used,
)
from bot.errors import PlaceFault

POST = "chat.postMessage"


class Hands:
    """A clock with alarms; `turn_to` lets everything that is due by then happen, in order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._alarms: list[list[Any]] = []
        self._count = itertools.count()

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Any:
        alarm = [self.now + delay, next(self._count), callback]
        heapq.heappush(self._alarms, alarm)

        class Handle:
            def cancel(self) -> None:
                alarm[2] = None

        return Handle()

    async def turn_to(self, time: float) -> None:
        await settle()
        while self._alarms and self._alarms[0][0] <= time:
            at, _, callback = heapq.heappop(self._alarms)
            if callback is not None:
                self.now = max(self.now, at)
                callback()
                await settle()
        self.now = time

    async def turn(self, seconds: float) -> None:
        await self.turn_to(self.now + seconds)


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(8):
        await asyncio.sleep(0)


class Line:
    """Callers in front of an allowance, and what became of them: (name, when)."""

    def __init__(self, patience: float = 2.0) -> None:
        self.clock = Hands()
        self.began = self.clock.now
        self.allowance = Allowance(patience, loop=self.clock)
        self.made: list[tuple[str, float]] = []
        self.refused: dict[str, float] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def ask(
        self,
        name: str,
        method: str = POST,
        channel: str = "C1",
        importance: Importance = Importance.POST,
        patience: float | None = None,
    ) -> None:
        self.tasks[name] = asyncio.create_task(self._ask(name, method, channel, importance, patience))

    async def _ask(
        self, name: str, method: str, channel: str, importance: Importance, patience: float | None
    ) -> None:
        try:
            await self.allowance.turn(method, channel, importance, name, patience)
        except PlaceFault as fault:
            self.refused[name] = fault.retry_after or 0.0
        else:
            self.made.append((name, self.clock.now - self.began))

    def names(self) -> list[str]:
        return [name for name, _ in self.made]

    async def spend(self, method: str = POST, channel: str = "C1") -> None:
        """Use up what may be made at once."""
        limit = CHANNEL_POSTS if method == POST else LIMITS.get(method, TIERS[3])
        for number in range(limit.burst):
            self.ask(f"spent {channel} {number}", method, channel)
        await settle()
        assert len(self.made) == limit.burst
        self.made.clear()


@pytest.fixture
async def line() -> Line:
    return Line()


async def test_a_free_allowance_adds_no_wait(line: Line) -> None:
    for number in range(CHANNEL_POSTS.burst):
        await line.allowance.turn(POST, "C1", Importance.POST, str(number))
    assert line.clock.now == line.began


async def test_posts_of_a_channel_leave_once_a_second_after_the_burst(line: Line) -> None:
    await line.spend()
    line.ask("a")
    line.ask("b")
    await line.clock.turn(10)
    assert [(name, round(at, 3)) for name, at in line.made] == [("a", 1.0), ("b", 2.0)]


async def test_who_would_wait_too_long_is_sent_away_at_once_and_told_when_to_come(line: Line) -> None:
    await line.spend()
    for name in "abcd":
        line.ask(name)
    await settle()
    assert set(line.refused) == {"c", "d"}
    assert 1 <= line.refused["c"] <= 3 <= line.refused["d"] + 1
    assert line.refused["c"] < line.refused["d"]


async def test_nobody_is_told_to_stay_away_for_long(line: Line) -> None:
    await line.spend()
    for number in range(300):
        line.ask(str(number))
    await settle()
    assert len(line.refused) == 298
    assert max(line.refused.values()) == LONGEST_ABSENCE


async def test_another_channel_is_not_stalled_by_a_long_line(line: Line) -> None:
    await line.spend()
    for number in range(300):
        line.ask(str(number))
    await settle()
    line.ask("other", channel="C2")
    await settle()
    assert line.names() == ["other"]


async def test_who_comes_back_has_kept_their_place(line: Line) -> None:
    await line.spend()
    for name in ("a", "b", "first", "second"):
        line.ask(name)
    await settle()
    await line.clock.turn(line.refused["first"])
    line.ask("newcomer")
    line.ask("second")
    line.ask("first")
    await line.clock.turn(20)
    assert line.names()[:4] == ["a", "b", "first", "second"]
    assert "newcomer" not in line.names()[:4]


async def test_who_comes_back_with_something_more_important_goes_before_their_place(line: Line) -> None:
    """A card that waits for its turn is claimed meanwhile: it is the same card, and more important."""
    await line.spend("chat.update")
    for number in range(20):
        line.ask(str(number), "chat.update", importance=Importance.WAITING_CARD)
    await line.clock.turn(1)
    line.ask("19", "chat.update", importance=Importance.CARD)
    await line.clock.turn(2)
    assert "19" in line.names()


async def test_a_newcomer_does_not_pass_those_who_are_away(line: Line) -> None:
    await line.spend()
    for number in range(20):
        line.ask(str(number))
    await line.clock.turn(3)
    line.ask("newcomer")
    await settle()
    assert line.refused["newcomer"] > 10


async def test_the_place_of_who_does_not_come_back_is_given_away(line: Line) -> None:
    await line.spend()
    for number in range(20):
        line.ask(str(number))
    await line.clock.turn(LONGEST_ABSENCE + GRACE)
    line.ask("newcomer")
    await settle()
    assert line.names()[-1] == "newcomer"


async def test_what_would_be_lost_is_given_to_whoever_is_there(line: Line) -> None:
    """Those who are away may be late; their turn must not go unused."""
    await line.spend()
    for number in range(200):
        line.ask(str(number))
    await line.clock.turn(2 + CHANNEL_POSTS.burst)
    line.ask("newcomer")
    await settle()
    assert line.names()[-1] == "newcomer"


async def test_places_kept_are_bounded(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.allowance.MOST_ABSENT", 10)
    await line.spend()
    for number in range(50):
        line.ask(str(number))
    await settle()
    assert len(line.allowance._absent) == 10


async def test_the_more_important_goes_first_and_equals_in_their_order(line: Line) -> None:
    await line.spend("chat.update")
    late = Line(patience=60)
    await late.spend("chat.update")
    asked = [
        ("receipt", Importance.RECEIPT),
        ("waiting", Importance.WAITING_CARD),
        ("card 1", Importance.CARD),
        ("amend 1", Importance.AMEND),
        ("card 2", Importance.CARD),
        ("amend 2", Importance.AMEND),
        ("open", Importance.OPEN),
        ("post", Importance.POST),
        ("answer", Importance.ANSWER),
    ]
    for name, importance in asked:
        late.ask(name, "chat.update", importance=importance)
    await late.clock.turn(30)
    assert late.names() == [
        "answer",
        "post",
        "open",
        "amend 1",
        "amend 2",
        "card 1",
        "card 2",
        "waiting",
        "receipt",
    ]


async def test_the_less_important_is_sent_away_when_it_is_overtaken(line: Line) -> None:
    await line.spend("chat.update")
    line.ask("card", "chat.update", importance=Importance.CARD)
    await settle()
    assert line.refused == {}
    line.ask("amend", "chat.update", importance=Importance.AMEND)
    await settle()
    assert set(line.refused) == {"card"}
    await line.clock.turn(3)
    assert line.names() == ["amend"]


async def test_methods_do_not_wait_for_each_other(line: Line) -> None:
    await line.spend("reactions.remove")
    line.ask("update", "chat.update", importance=Importance.CARD)
    line.ask("whisper", "chat.postEphemeral", importance=Importance.ANSWER)
    await settle()
    assert line.names() == ["update", "whisper"]


@pytest.mark.parametrize("method", ["chat.update", "reactions.remove", "users.info", "users.getPresence"])
async def test_no_minute_sees_more_than_the_tier(line: Line, method: str) -> None:
    limit = LIMITS.get(method, TIERS[3])
    assert limit.per_minute is not None
    asked = 0
    while line.clock.now < line.began + 300:
        line.ask(f"n{asked % 50}", method, patience=0.0)
        asked += 1
        await line.clock.turn(0.1)
    times = [at for _, at in line.made]
    for at in times:
        assert sum(1 for other in times if at <= other < at + 60) <= limit.per_minute
    assert len(times) >= 0.9 * limit.per_minute * 5


async def test_no_minute_sees_more_posts_than_a_workspace_may(line: Line) -> None:
    asked = 0
    while line.clock.now < line.began + 120:
        for channel in range(12):
            line.ask(f"n{asked % 60}", channel=f"C{channel}", patience=0.0)
            asked += 1
        await line.clock.turn(0.2)
    times = [at for _, at in line.made]
    assert WORKSPACE_POSTS.per_minute is not None
    for at in times:
        assert sum(1 for other in times if at <= other < at + 60) <= WORKSPACE_POSTS.per_minute
    assert len(times) >= 0.9 * 600


# A 429


async def test_a_429_stops_its_channel_only_and_until_it_said(line: Line) -> None:
    line.allowance.pause(POST, "C1", 30)
    line.ask("here")
    line.ask("there", channel="C2")
    line.ask("update", "chat.update")
    await settle()
    assert line.names() == ["there", "update"]
    assert 28 <= line.refused["here"] <= 30
    await line.clock.turn(29)
    line.ask("here")
    await line.clock.turn(0.9)
    assert "here" not in line.names()
    await line.clock.turn(0.2)
    assert line.names()[-1] == "here"


async def test_a_429_sends_away_who_waits_there(line: Line) -> None:
    await line.spend()
    line.ask("waiting")
    await settle()
    line.allowance.pause(POST, "C1", 30)
    await settle()
    assert set(line.refused) == {"waiting"}


async def test_after_a_429_there_is_no_burst(line: Line) -> None:
    line.allowance.pause(POST, "C1", 5)
    await line.clock.turn(5)
    for name in "abc":
        line.ask(name)
    await line.clock.turn(2.5)
    assert [round(at) for _, at in line.made] == [5, 6, 7]


async def test_a_429_on_a_method_stops_that_method(line: Line) -> None:
    line.allowance.pause("chat.update", "C1", 30)
    line.ask("update", "chat.update", "C2")
    line.ask("post")
    await settle()
    assert (line.names(), set(line.refused)) == (["post"], {"update"})


async def test_a_429_without_a_time_pauses_for_a_second(line: Line) -> None:
    line.allowance.pause("chat.update", "", None)
    line.ask("update", "chat.update")
    await line.clock.turn(0.9)
    assert line.made == []
    await line.clock.turn(0.2)
    assert line.names() == ["update"]


# The rest


async def test_who_gives_up_waiting_leaves_the_line(line: Line) -> None:
    await line.spend()
    line.ask("gone")
    line.ask("next")
    await settle()
    line.tasks["gone"].cancel()
    await line.clock.turn(1)
    assert line.names() == ["next"]


async def test_who_is_sent_away_meets_a_fault_of_the_place(line: Line) -> None:
    await line.spend()
    with pytest.raises(PlaceFault, match="allowance") as caught:
        await line.allowance.turn(POST, "C1", Importance.POST, "a", patience=0.0)
    assert caught.value.retry_after is not None


async def test_switched_off_there_are_no_limits() -> None:
    allowance = Allowance(2.0, on=False)
    allowance.pause(POST, "C1", 30)
    for number in range(1000):
        await allowance.turn(POST, "C1", Importance.RECEIPT, str(number))


def test_the_share_that_was_used() -> None:
    limit = Limit(1.0, 4)
    assert used([], limit) == 0.0
    assert used([0, 0, 0, 0, 1, 2, 3], limit) == 1.0
    assert used([0, 2, 4, 6, 8, 10], limit) == pytest.approx(6 / 14)


def test_a_minute_here_is_longer_than_slacks() -> None:
    assert MINUTE > 60

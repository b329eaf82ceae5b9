"""Everybody who waits is watched: those who waited before an upgrade, and those who come back."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from bot.commands import Claim, Resolve, TeamMembers
from bot.people import Member
from storage.engine import writing_engine
from storage.migrate import _config, migrate
from tests.storage.test_notice import alerts, pass_time
from tests.storage.world import ANNA, LEA, START, World


async def team_is_there(world: World) -> None:
    await world.submit(TeamMembers("support", (Member(ANNA, True), Member(LEA, True))))


# --- at the upgrade -------------------------------------------------------------------------------------------


def upgraded_to(engine: Engine, revision: str) -> None:
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_cases_that_wait_at_the_upgrade_are_watched_once(tmp_path: Path) -> None:
    engine = writing_engine(f"sqlite:///{tmp_path / 'old.db'}")
    upgraded_to(engine, "0002")
    columns = "store, external_id, shopper_id, channel, created_at, updated_at, head, handoff, handoffs_ended"
    rest = "ended_seq, priority, last_shopper_seq, last_answer_seq, packet, team"
    with engine.begin() as connection:
        for number, stage, waiting, replied in (
            (1001, "waiting", 100.0, None), (1002, "active", 90.0, None), (1003, "active", 80.0, 85.0),
            (1004, "resolved", None, None), (1005, "waiting", 70.0, None), (1006, "open", None, None),
        ):  # fmt: skip
            connection.execute(
                text(
                    f"INSERT INTO conversation (number, {columns}, {rest}, stage, waiting_since, escalated_at, "
                    "first_reply_at) VALUES (:number, 'main', 'c' || :number, 1, 'chat', 1, 1, 0, 1, 0, 0, 'normal', "
                    "0, 0, '{}', 'support', :stage, :waiting, :waiting, :replied)"
                ),
                {"number": number, "stage": stage, "waiting": waiting, "replied": replied},
            )
        connection.execute(text("INSERT INTO due (kind, conversation, due_at) VALUES ('nobody', 1005, 7.0)"))
    assert migrate(engine) is True
    assert migrate(engine) is False
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT kind, conversation, due_at FROM due ORDER BY kind, conversation")
        )
        assert [tuple(row) for row in rows] == [
            ("late", 1001, 100.0), ("late", 1002, 90.0), ("late", 1005, 70.0),
            ("nobody", 1001, 100.0), ("nobody", 1005, 7.0),
        ]  # fmt: skip
    engine.dispose()


async def test_who_is_watched_before_the_target_is_over_is_not_late_yet(world: World) -> None:
    await team_is_there(world)
    number = await world.escalate()
    await world.hush()
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE due SET due_at = :at WHERE kind = 'late'"), {"at": START})
    await pass_time(world, 10)
    assert await alerts(world, number) == []
    await pass_time(world, 81)
    assert await alerts(world, number) == [("late", {"U-lea"})]


# --- reopened -------------------------------------------------------------------------------------------------


@pytest.fixture
async def reopened(world: World) -> int:
    """Answered, resolved an hour later, and now the shopper is back."""
    await team_is_there(world)
    number = await world.claimed()
    await world.says(number, "Hello")
    await world.submit(Resolve(number, ANNA))
    world.clock.advance(3600)
    await world.writes("It broke again")
    assert (await world.case(number)).stage == "waiting"
    return number


async def test_a_reopened_case_that_nobody_answers_is_late(world: World, reopened: int) -> None:
    await pass_time(world, 89)
    assert await alerts(world, reopened) == []
    await pass_time(world, 2)
    assert await alerts(world, reopened) == [("late", {"U-lea"})]
    (entry,) = [one for one in await world.log(reopened) if one.kind == "alerted"]
    assert "has waited 2 min" in entry.data["text"]


async def test_an_answer_ends_that_target_even_if_the_shopper_has_written_again(
    world: World, reopened: int
) -> None:
    await world.submit(Claim(reopened, ANNA))
    await world.says(reopened, "I am here")
    await world.writes("Good")
    await pass_time(world, 600)
    assert [code for code, _ in await alerts(world, reopened) if code == "late"] == []

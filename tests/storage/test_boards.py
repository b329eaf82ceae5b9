"""The queue as one person sees it: whose cases, in which order, and what a row says."""

from dataclasses import replace

import pytest

from bot.boards import Board, Look, View, board_of, teams_of
from bot.commands import (
    Assign,
    Claim,
    GoAway,
    Release,
    Resolve,
    SetPriority,
    SetTags,
    ShopperFacts,
    Snooze,
    TeamMembers,
)
from bot.people import Actor, Member, Role, Standing
from bot.posts import Action
from bot.settings import Settings, StorePolicy, TeamPolicy
from storage.boards import _on_board
from storage.tables import ConversationRow, table
from tests.storage.world import ANNA, BEN, GUEST, LEA, World, make_settings


@pytest.fixture
def settings(database_url: str) -> Settings:
    made = make_settings(database_url)
    other = StorePolicy("other", "key2", brand="Other", public_key="other", team="billing")
    return replace(
        made,
        teams={**made.teams, "billing": TeamPolicy("billing", "fake", "C2")},
        stores={**made.stores, "other": other},
    )


async def look(world: World, actor: Actor = ANNA, view: View = View.UNCLAIMED, **rest: object) -> Board:
    wanted = Look(view, **rest)  # type: ignore[arg-type]
    return await world.read(lambda uow: board_of(uow, actor, wanted))


async def cases(world: World, count: int) -> list[int]:
    """So many, each a minute after the one before."""
    found = []
    for index in range(count):
        found.append(
            await world.escalate(
                f"c-{index}", f"Issue {index}", shopper=ShopperFacts(f"s-{index}", f"Sam {index}")
            )
        )
        world.clock.advance(60)
    return found


def numbers(board: Board) -> list[int]:
    return [row.number for row in board.rows]


# --- whose ----------------------------------------------------------------------------------------------------


async def test_each_view_shows_its_own_cases(world: World) -> None:
    first, second, third = await cases(world, 3)
    await world.submit(Claim(first, ANNA))
    await world.submit(Claim(second, BEN))
    assert numbers(await look(world, view=View.MINE)) == [first]
    assert numbers(await look(world, view=View.UNCLAIMED)) == [third]
    board = await look(world, view=View.TEAMS)
    assert numbers(board) == [first, second, third]
    assert board.counts == {View.MINE: 1, View.UNCLAIMED: 1, View.TEAMS: 3}


async def test_what_is_resolved_is_on_no_board(world: World) -> None:
    (number,) = await cases(world, 1)
    await world.submit(Resolve(number, ANNA))
    assert (await look(world, view=View.TEAMS)).counts == dict.fromkeys(View, 0)


async def test_an_operator_sees_their_teams_and_a_lead_all(world: World) -> None:
    await world.submit(TeamMembers("support", (Member(ANNA),)))
    await world.submit(TeamMembers("billing", (Member(BEN),)))
    seen = await world.read(lambda uow: [teams_of(uow, one) for one in (ANNA, BEN, LEA, GUEST)])
    assert seen == [("support",), ("billing",), ("support", "billing"), ()]
    (number,) = await cases(world, 1)
    assert numbers(await look(world, BEN)) == []
    assert numbers(await look(world, ANNA)) == numbers(await look(world, LEA)) == [number]


async def test_what_somebody_is_in_a_team_counts_where_the_platform_tells(world: World) -> None:
    actor = replace(ANNA, standings=(Standing("billing", Role.OPERATOR), Standing("support", Role.NONE)))
    assert await world.read(lambda uow: teams_of(uow, actor)) == ("billing",)


async def test_a_team_of_which_nobody_is_known_yet_is_everybodys(world: World) -> None:
    (number,) = await cases(world, 1)
    assert numbers(await look(world, BEN)) == [number]


async def test_a_case_of_another_team_that_was_given_to_somebody_is_theirs(world: World) -> None:
    await world.submit(TeamMembers("support", (Member(ANNA),)))
    await world.submit(TeamMembers("billing", (Member(BEN),)))
    (number,) = await cases(world, 1)
    await world.submit(Assign(number, LEA, BEN))
    assert numbers(await look(world, BEN, View.MINE)) == [number]
    assert numbers(await look(world, BEN, View.TEAMS)) == []


# --- in which order -------------------------------------------------------------------------------------------


async def test_priority_comes_first_then_age_and_what_sleeps_last(world: World) -> None:
    first, second, third, fourth = await cases(world, 4)
    await world.submit(SetPriority(third, ANNA, "urgent"))
    await world.submit(SetPriority(second, ANNA, "low"))
    await world.submit(SetPriority(fourth, ANNA, "urgent"))
    await world.submit(Snooze(third, LEA, world.clock() + 3600))
    assert numbers(await look(world)) == [fourth, first, second, third]


async def test_of_ones_own_cases_those_with_an_answer_due_come_first(world: World) -> None:
    first, second = await cases(world, 2)
    for number in (first, second):
        await world.submit(Claim(number, ANNA))
    await world.settle()
    await world.says(first, "On it.")
    assert numbers(await look(world, view=View.MINE)) == [second, first]


async def test_a_released_case_keeps_its_place(world: World) -> None:
    first, second = await cases(world, 2)
    await world.submit(Claim(first, ANNA))
    await world.submit(Release(first, ANNA))
    assert numbers(await look(world)) == [first, second]


async def test_ten_a_page_and_a_page_too_far_is_the_last(world: World) -> None:
    found = await cases(world, 12)
    pages = [await look(world, page=page) for page in (0, 1, 7)]
    assert [numbers(board) for board in pages] == [found[:10], found[10:], found[10:]]
    assert [(board.look.page, board.pages) for board in pages] == [(0, 2), (1, 2), (1, 2)]


# --- filters --------------------------------------------------------------------------------------------------


async def test_filters_narrow_the_page_and_not_the_counts(world: World) -> None:
    first, second, third = await cases(world, 3)
    await world.submit(SetTags(first, ANNA, ("vip", "größe")))
    await world.submit(SetTags(second, ANNA, ("vip-like", "100%")))
    await world.submit(SetPriority(third, ANNA, "high"))
    assert numbers(await look(world, tag="vip")) == [first]
    assert numbers(await look(world, tag="größe")) == [first]
    assert numbers(await look(world, tag="100%")) == [second]
    assert numbers(await look(world, tag="%")) == []
    assert numbers(await look(world, priority="high")) == [third]
    board = await look(world, priority="low")
    assert (board.rows, board.pages, board.counts[View.UNCLAIMED]) == ((), 1, 3)
    assert set(board.tags) == {"vip", "größe", "vip-like", "100%"}


async def test_whose_turn_it_is_can_be_filtered(world: World) -> None:
    first, second = await cases(world, 2)
    for number in (first, second):
        await world.submit(Claim(number, ANNA))
    await world.settle()
    await world.says(first, "On it.")
    assert numbers(await look(world, view=View.MINE, awaiting="shopper")) == [first]
    assert numbers(await look(world, view=View.MINE, awaiting="operator")) == [second]


# --- rows -----------------------------------------------------------------------------------------------------


async def test_a_row_says_who_what_how_urgent_and_for_how_long(world: World) -> None:
    shopper = ShopperFacts("s-1", "Sarah K.", tier="vip")
    number = await world.escalate("c-1", "My lamp broke", shopper=shopper, body={"priority": "high"})
    await world.settle(240)
    await world.submit(SetTags(number, ANNA, ("damaged",)))
    (row,) = (await look(world)).rows
    assert f"#{number}" in row.text
    for part in (
        "Sarah K.",
        "vip",
        "**high**",
        "My lamp broke",
        "**1 new**",
        "waits 4 min",
        "support",
        "\\#damaged",
    ):
        assert part in row.text
    assert [button.action for button in row.buttons] == [Action.CLAIM, Action.SHOW]


async def test_new_messages_are_counted_from_the_last_answer_on(world: World) -> None:
    number = await world.claimed("one", "two")
    await world.says(number, "answered")
    assert "new" not in (await look(world, view=View.MINE)).rows[0].text
    await world.writes("three")
    await world.writes("four")
    row = (await look(world, view=View.MINE)).rows[0]
    assert "**2 new**" in row.text
    assert "unanswered for" in row.text


async def test_a_row_leads_to_its_thread(world: World) -> None:
    number = await world.claimed()
    binding = await world.binding(number)
    (row,) = (await look(world, view=View.MINE)).rows
    if binding.permalink and binding.permalink.startswith("https://"):
        assert f"[**#{number}**]({binding.permalink})" in row.text
    else:
        assert row.text.startswith(f"**#{number}**")


async def test_what_a_shopper_wrote_is_no_markup_in_a_row(world: World) -> None:
    name = ShopperFacts("s-1", "[pay here](https://evil.example)")
    await world.escalate("c-1", "**bold** `code`", shopper=name)
    text = (await look(world)).rows[0].text
    assert "\\[pay here\\]\\(https://evil.example\\)" in text
    assert "\\*\\*bold\\*\\* \\`code\\`" in text


async def test_buttons_are_those_of_who_looks(world: World) -> None:
    number = await world.claimed()

    async def offered(actor: Actor, view: View) -> list[Action]:
        return [button.action for button in (await look(world, actor, view)).rows[0].buttons]

    assert await offered(ANNA, View.MINE) == [Action.RESOLVE, Action.SHOW]
    assert await offered(BEN, View.TEAMS) == [Action.SHOW]
    assert await offered(LEA, View.TEAMS) == [Action.STEP_IN, Action.SHOW]
    await world.submit(Release(number, ANNA))
    assert await offered(LEA, View.UNCLAIMED) == [Action.CLAIM, Action.ASSIGN, Action.SHOW]


async def test_who_is_away_is_reminded(world: World) -> None:
    await world.submit(GoAway(ANNA, world.clock() + 3600))
    assert (await look(world)).away == "You are away until 15:13."
    await world.submit(GoAway(ANNA))
    assert (await look(world)).away == "You are away until you say that you are back."
    assert (await look(world, BEN)).away == ""


async def test_looking_writes_nothing(world: World) -> None:
    stranger = Actor("fake", "U-new", "Nora New")
    await look(world, stranger)
    assert await world.read(lambda uow: uow.people.known(stranger)) is None


# --- at 300,000 conversations ---------------------------------------------------------------------------------


@pytest.mark.sqlite_only
@pytest.mark.parametrize("view", list(View))
async def test_a_board_is_read_by_the_queues_index(world: World, view: View) -> None:
    given = {"keys": '[["support"]]', "owner": 1, "tag": "%", "priority": "%", "awaiting": 0}
    with world.read_engine.connect() as connection:
        wanted = table(ConversationRow).select().where(*_on_board(view, connection.dialect))
        compiled = wanted.compile(dialect=connection.dialect)
        values = tuple((compiled.params | given)[name] for name in compiled.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values).fetchall()
    steps = [str(step[-1]) for step in plan]
    assert any("ix_conversation_queue" in step for step in steps), steps
    assert not any(step.startswith("SCAN conversation") for step in steps), steps

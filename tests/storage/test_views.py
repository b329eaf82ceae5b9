"""What leaves the team: newest texts, deleted ones never, asides never."""

import json

import pytest

from bot import commands, views
from bot.entries import Audience, Author, Entry, Kind
from bot.people import Presence
from bot.posts import Receipt
from bot.settings import Timing
from tests.storage.world import ANNA, World


async def store_view(world: World, number: int, *, internal: bool = False) -> dict[str, object]:
    return await world.read(
        lambda uow: views.conversation_view(uow, uow.conversations.get(number), internal=internal)
    )  # type: ignore[arg-type]


async def window(world: World, number: int) -> list[dict[str, object]]:
    """A fresh window's stream."""

    def look(uow: object) -> list[dict[str, object]]:
        shown = [views.widget_entry(uow, entry) for entry in uow.log.after(number, 0)]  # type: ignore[attr-defined, arg-type]
        return [entry for entry in shown if entry is not None]

    return await world.read(look)  # type: ignore[arg-type]


async def a_story(world: World) -> int:
    """An edited, a deleted and an edited-then-deleted message, a note, and one that became a note."""
    number = await world.claimed()
    await world.says(number, "frist", "m1")
    await world.edits(number, "second", "m1", "2")
    await world.edits(number, "third", "m1", "3")
    await world.says(number, "gone-1", "m2")
    await world.deletes(number, "m2")
    await world.says(number, "gone-2", "m3")
    await world.edits(number, "gone-3", "m3", "2")
    await world.deletes(number, "m3")
    await world.says(number, "note: inside-1", "m4")
    await world.says(number, "gone-4", "m5")
    await world.edits(number, "note: inside-2", "m5", "2")
    return number


NEVER = ("frist", "second", "gone", "inside")


async def test_a_window_is_given_the_newest_texts_and_nothing_else(world: World) -> None:
    shown = json.dumps(await window(world, await a_story(world)))
    assert "third" in shown
    assert [word for word in NEVER if word in shown] == []


async def test_a_store_is_given_the_newest_texts_and_nothing_else(world: World) -> None:
    shown = json.dumps((await store_view(world, await a_story(world)))["entries"])
    assert "third" in shown
    assert [word for word in NEVER if word in shown] == []


async def test_a_store_with_internal_set_is_given_notes_and_still_no_deleted_text(world: World) -> None:
    shown = json.dumps((await store_view(world, await a_story(world), internal=True))["entries"])
    assert "inside-1" in shown
    assert "gone" not in shown


async def test_the_console_shows_no_deleted_text_either(world: World) -> None:
    number = await a_story(world)
    case = await world.read(lambda uow: views.console_case(uow, uow.conversations.get(number)))  # type: ignore[arg-type]
    shown = json.dumps(case["entries"])
    assert "inside-2" in shown
    assert [word for word in ("frist", "second", "gone") if word in shown] == []


async def test_a_window_is_told_of_no_move_of_the_team(world: World) -> None:
    kinds = {str(entry["kind"]) for entry in await window(world, await a_story(world))}
    assert kinds == {"message", "notice", "edited", "deleted"}


async def test_entries_can_be_paged(world: World) -> None:
    number = await world.escalate("c-1", "one", "two", "three")

    def page(after: int) -> object:
        return world.read(
            lambda uow: views.conversation_view(uow, uow.conversations.get(number), after=after, limit=2)  # type: ignore[arg-type]
        )

    first = await page(0)  # type: ignore[misc]
    second = await page(first["next_after"])  # type: ignore[misc]
    assert [entry["text"] for entry in first["entries"]] == ["one", "two"]
    assert [entry["seq"] for entry in second["entries"]] == [3, 5]


async def test_a_waiting_case_knows_its_place_and_the_estimate(world: World) -> None:
    first = await world.escalate()
    world.clock.advance(80)
    await world.submit(commands.Claim(first, ANNA))
    await world.escalate("c-2", shopper=commands.ShopperFacts("s-2"))
    second = await world.escalate("c-3", shopper=commands.ShopperFacts("s-3"))
    view = await store_view(world, second)
    assert (view["position"], view["estimated_wait_seconds"]) == (2, 120)
    assert (await store_view(world, first))["position"] is None
    assert (await store_view(world, first))["owner"] == "Anna Berg"


async def test_the_store_view_has_the_fields_of_the_design(world: World) -> None:
    number = await world.escalate()
    view = await store_view(world, number)
    assert {"id", "number", "stage", "owner", "team", "category", "priority", "position", "estimated_wait_seconds",
            "awaiting", "packet", "entries"} <= set(view)  # fmt: skip
    assert {"seq", "kind", "author", "text", "at"} <= set(view["entries"][0])  # type: ignore[index, arg-type]


def an_entry(seq: int, kind: Kind = Kind.MESSAGE) -> Entry:
    return Entry(
        1,
        seq,
        kind,
        Audience.SHOPPER,
        Author.OPERATOR,
        1,
        "A",
        "fake",
        "m",
        None,
        0.0,
        0.0,
        False,
        1,
        "x",
        {},
    )


@pytest.mark.parametrize(
    ("tabs", "receipt"),
    [
        ([], Receipt.PENDING), ([(4, 4)], Receipt.PENDING), ([(5, 0)], Receipt.DELIVERED),
        ([(5, 5)], Receipt.SEEN), ([(5, 0), (9, 9)], Receipt.SEEN), ([(3, 3), (6, 2)], Receipt.DELIVERED),
    ],
)  # fmt: skip
def test_a_receipt_is_the_best_that_any_tab_confirmed(tabs: list[tuple[int, int]], receipt: Receipt) -> None:
    presences = [Presence(1, str(index), 0.0, *pair) for index, pair in enumerate(tabs)]
    assert views.receipt_of(an_entry(5), presences) is receipt
    assert views.receipt_of(an_entry(5, Kind.ASIDE), presences) is Receipt.INSIDE


@pytest.mark.parametrize(
    ("tab", "here"),
    [
        (Presence(1, "t", 56.0), True), (Presence(1, "t", 54.0), False), (Presence(1, "t", 0.0), False),
        (Presence(1, "t", 100.0, hidden=True, hidden_since=99.0), True),
        (Presence(1, "t", 100.0, hidden=True, hidden_since=-501.0), False),
    ],
)  # fmt: skip
def test_a_shopper_is_here_while_a_tab_says_so_and_is_not_hidden_for_long(tab: Presence, here: bool) -> None:
    assert views.is_here([tab], 100.0, Timing()) is here


async def test_what_a_tab_claims_to_have_seen_is_at_most_what_there_is(world: World) -> None:
    number = await world.escalate()
    await world.submit(commands.Seen(world.window(), "t", 999, 999, hidden=False))
    (tab,) = await world.read(lambda uow: uow.presence.tabs(number))
    assert (tab.delivered, tab.seen) == (3, 3)
    await world.submit(commands.Goodbye(world.window(), "t"))
    (tab,) = await world.read(lambda uow: uow.presence.tabs(number))
    assert (tab.at, tab.seen) == (0.0, 3)

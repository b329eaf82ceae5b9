"""The console as a team's chat."""

from console_stub import settings

from adapters.console.outbound import ConsoleChat, Present
from bot.people import Actor
from bot.ports import TeamChat
from bot.posts import Card, Place, Post, Posted, PostKind, Receipt

CARD = Card(1042, "Refund", "Waiting", "waiting", None)
POST = Post(PostKind.LINE, "x" * 50_000)


def chat() -> TeamChat:
    """It is one: mypy checks the assignment."""
    return ConsoleChat(settings(), Present())


async def test_every_id_follows_from_what_is_posted() -> None:
    console = chat()
    root = await console.open_thread("console", CARD, "d1")
    assert root == await console.open_thread("console", CARD, "d1")
    assert root.remote_id.startswith("case-1042")
    assert root.permalink == "https://help.example/console#1042"
    place = Place("console", "console", root.remote_id)
    assert await console.post(place, POST, "d2") == Posted("d2", "console")


async def test_a_second_handoff_of_a_case_has_a_root_of_its_own() -> None:
    console = chat()
    first, second = (
        await console.open_thread("console", CARD, "d1"),
        await console.open_thread("console", CARD, "d9"),
    )
    assert first.remote_id != second.remote_id


async def test_what_was_posted_is_found() -> None:
    console = chat()
    root = await console.open_thread("console", CARD, "d1")
    assert await console.find(Place("console", "console"), "d1", 0) == root
    assert await console.find(Place("console", "console", root.remote_id), "d2", 0) == Posted("d2", "console")
    assert await console.find(Place("console", "console"), "unknown", 0) is None


async def test_nothing_is_split_or_missed_and_every_call_is_repeatable() -> None:
    console = chat()
    place = Place("console", "console", "case-1042")
    assert console.split(POST) == [POST]
    assert await console.history(place, "") == []
    for _ in range(2):
        await console.update_card(place, CARD)
        await console.amend(place, "d2", POST)
        await console.retract(place, "d2")
        await console.mark(place, "d2", Receipt.SEEN, None)
    assert await console.check("console") == []


def test_presence_counts_pages_not_people() -> None:
    changes: list[int] = []
    present = Present(lambda: changes.append(1))
    maya = Actor("console", "maya", "Maya")
    present.enter(maya)
    present.enter(maya)
    present.leave(maya)
    assert present.actors() == [maya]
    present.leave(maya)
    present.leave(maya)
    assert present.actors() == []
    assert len(changes) == 2

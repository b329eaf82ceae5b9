"""A platform that keeps no ids of ours: what nobody knows about is found by its words, and nobody else's is taken."""

from collections.abc import Collection
from types import MethodType
from typing import Any

import pytest

from bot.posts import Card, Place, Post, Posted
from tests.fakes.chat import FakeChat, Late
from tests.storage.world import World


@pytest.fixture
def asked(world: World) -> list[tuple[Any, Collection[str]]]:
    """The world's chat finds by words from now on; what it was asked."""
    found: list[tuple[Any, Collection[str]]] = []

    async def recognise(
        self: FakeChat, place: Place, said: Card | Post, since: float, known: Collection[str]
    ) -> Posted | None:
        found.append((said, known))
        for one in self.messages:
            there = one.visible_from <= self.clock() and (not place.root or one.root == place.root)
            if there and one.id not in known and one.content == said:
                return Posted(one.id, place.channel)
        return None

    world.chat.recognise = MethodType(recognise, world.chat)  # type: ignore[attr-defined]
    return found


async def test_the_same_words_twice_are_two_posts_although_the_first_one_matches(
    world: World, asked: list[tuple[Any, Collection[str]]]
) -> None:
    number = await world.claimed()
    await world.writes("ok")
    await world.settle()
    world.chat.troubles["post"] = [Late()]
    await world.writes("ok")
    await world.settle()
    await world.settle(30)
    thread = await world.thread(number)
    assert [one for one in thread if one == "Sarah: ok"] == ["Sarah: ok"] * 2
    said, known = asked[-1]
    assert isinstance(said, Post)
    assert len(known) > 1  # the root, and what was posted before


async def test_a_thread_that_was_opened_after_all_is_bound_and_not_opened_again(
    world: World, asked: list[tuple[Any, Collection[str]]]
) -> None:
    world.chat.troubles["open"] = [Late()]
    number = await world.escalate()
    await world.settle()
    await world.settle(30)
    (root,) = world.chat.roots()
    assert (await world.binding(number)).root == root
    assert [(type(said), set(known)) for said, known in asked] == [(Card, set())]


async def test_a_lost_threads_card_is_not_taken_for_the_new_ones(
    world: World, asked: list[tuple[Any, Collection[str]]]
) -> None:
    number = await world.escalate()
    await world.settle()
    lost = await world.binding(number)
    world.chat.gone.add(lost.root)
    world.chat.troubles["open"] = [Late(60)]
    await world.writes("hello?")
    await world.settle()
    await world.settle(5)
    assert lost.root in asked[-1][1]

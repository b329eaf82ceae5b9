"""What is posted is there once, whatever breaks; what is gone, archived or locked is dealt with or said."""

import pytest

from adapters.discord.api import nonce_of
from adapters.discord.outbound import REACTIONS
from bot.errors import EntryFault, PlaceFault, RootGone, Unsure
from bot.posts import Place, Post, Posted, Receipt
from tests.adapters.discord.conftest import CARD, Room, line, shopper
from tests.fakes.discord import Fault

LONG = "delivery-" + "x" * 40


async def find(room: Room, place: Place, said: object, known: frozenset[str] = frozenset()) -> Posted | None:
    """As a process does that has sent nothing itself."""
    return await room.another().recognise(place, said, room.began, known)  # type: ignore[arg-type]


CHANNEL = Place("discord", "#support")


# Opening a thread


async def test_a_thread_has_its_cards_id_and_a_name_that_says_the_case(room: Room) -> None:
    place = await room.thread()
    thread = room.discord.channel(place.root)
    assert (thread.name, place.root in room.cards()) == ("#1042 · Refund for order #4521", True)


@pytest.mark.parametrize("fault", [Fault.drop(), Fault.http(502), Fault.error("50013"), Fault.rate_limit(9)])
async def test_a_card_without_a_thread_gets_it_when_it_is_looked_for(room: Room, fault: Fault) -> None:
    """The card stands: whatever keeps the thread from being begun, a second card must not follow."""
    room.discord.faults.add("start_thread", fault)
    with pytest.raises(Unsure):
        await room.thread()
    found = await find(room, CHANNEL, CARD)
    assert found is not None
    assert [one.id for one in room.discord.threads(room.channel)] == room.cards() == [found.remote_id]


async def test_a_thread_whose_answer_was_lost_is_found_and_not_begun_twice(room: Room) -> None:
    room.discord.faults.add("start_thread", Fault.drop(commit=True))
    with pytest.raises(Unsure):
        await room.thread()
    found = await find(room, CHANNEL, CARD)
    assert found is not None
    assert [one.id for one in room.discord.threads(room.channel)] == [found.remote_id]


async def test_another_threads_card_of_the_same_case_is_not_taken_for_it(room: Room) -> None:
    before = await room.thread("before")
    room.discord.faults.add("create_message", Fault.drop())
    with pytest.raises(Unsure):
        await room.thread("now")
    assert await find(room, CHANNEL, CARD, frozenset({before.root})) is None


async def test_a_repeat_within_minutes_is_the_same_message(room: Room) -> None:
    place = await room.thread()
    posted = [await room.chat.post(place, line("once"), LONG) for _ in range(2)]
    assert posted[0] == posted[1]
    assert len(nonce_of(LONG)) == 25


# Posts that nobody knows about


@pytest.mark.parametrize("post", [line("hello"), shopper("hello")], ids=["Baton's", "a webhook's"])
async def test_a_post_is_recognised_by_a_process_that_did_not_make_it(room: Room, post: Post) -> None:
    place = await room.thread()
    posted = await room.chat.post(place, post, "d-1")
    assert await find(room, place, post) == posted
    assert await find(room, place, line("something else")) is None


@pytest.mark.parametrize("post", [line("ok"), shopper("ok")], ids=["Baton's", "a webhook's"])
async def test_the_same_words_of_another_delivery_are_not_taken_for_it(room: Room, post: Post) -> None:
    place = await room.thread()
    first = await room.chat.post(place, post, "d-1")
    assert await find(room, place, post, frozenset({first.remote_id})) is None
    second = await room.chat.post(place, post, "d-2")
    assert await find(room, place, post, frozenset({first.remote_id})) == second


async def test_what_people_say_in_the_same_words_is_not_ours(room: Room) -> None:
    place = await room.thread()
    await room.discord.post(room.anna, room.channel, "hello", place.root)
    assert await find(room, place, line("hello")) is None


@pytest.mark.parametrize("method", ["create_message", "execute_webhook"])
@pytest.mark.parametrize(
    "fault", [Fault.http(502), Fault.http(500, commit=True), Fault.hang(), Fault.late(0.1)]
)
async def test_discord_py_repeats_nothing(room: Room, method: str, fault: Fault) -> None:
    """It would try five times, and a webhook's post has no nonce."""
    place = await room.thread()
    before = len(room.discord.calls_to(method))
    room.discord.faults.add(method, fault)
    try:
        await room.chat.post(place, shopper("hello") if method == "execute_webhook" else line("hello"), "d-1")
    except Unsure:
        pass
    assert len(room.discord.calls_to(method)) == before + 1


# Gone, archived, locked


async def test_a_post_opens_an_archived_thread(room: Room) -> None:
    place = await room.thread()
    await room.discord.archive(place.root)
    await room.chat.post(place, line("hello"), "d-1")
    assert not room.discord.channel(place.root).archived


@pytest.mark.parametrize("what", ["amend", "mark", "retract"])
@pytest.mark.parametrize("post", [line("hello"), shopper("hello")], ids=["Baton's", "a webhook's"])
async def test_what_stands_in_an_archived_thread_can_be_changed(room: Room, what: str, post: Post) -> None:
    place = await room.thread()
    posted = await room.chat.post(place, post, "d-1")
    await room.discord.archive(place.root)
    if what == "amend":
        changed = line("changed") if post.text else shopper("changed")
        await room.chat.amend(place, posted.remote_id, changed)
        assert room.posts(place) == ["changed"]
    elif what == "retract":
        await room.chat.retract(place, posted.remote_id)
        assert room.posts(place) == []
    else:
        await room.chat.mark(place, posted.remote_id, Receipt.SEEN, None)
        assert list(room.discord.message(place.root, posted.remote_id).reactions) == [REACTIONS[Receipt.SEEN]]


async def test_a_locked_thread_is_the_places_fault_and_its_cure_is_said(room: Room) -> None:
    place = await room.thread()
    posted = await room.chat.post(place, line("hello"), "d-1")
    room.discord.revoke("manage_threads")
    await room.discord.archive(place.root, locked=True)
    for call in (
        room.chat.post(place, line("more"), "d-2"),
        room.chat.amend(place, posted.remote_id, line("changed")),
    ):
        with pytest.raises(PlaceFault) as caught:
            await call
        told = await room.chat.trouble("#support", caught.value.reason)
        assert told is not None
        assert "Manage Threads" in told


async def test_a_deleted_thread_takes_its_card_along(room: Room) -> None:
    place = await room.thread()
    await room.discord.delete_thread(place.root)
    with pytest.raises(RootGone):
        await room.chat.post(place, line("still there?"), "d-1")
    assert room.cards() == []


async def test_a_deleted_card_is_noticed_when_it_is_updated(room: Room) -> None:
    place = await room.thread()
    await room.discord.delete(room.channel, place.root)
    with pytest.raises(RootGone):
        await room.chat.update_card(place, CARD)


async def test_a_deleted_channel_is_the_places_fault(room: Room) -> None:
    await room.thread()
    await room.discord.delete_channel(room.channel)
    with pytest.raises(PlaceFault) as caught:
        await room.thread("again")
    assert not isinstance(caught.value, RootGone)
    assert await room.chat.trouble("#support") is not None


async def test_what_automod_or_a_limit_refuses_is_the_entrys_fault(room: Room) -> None:
    place = await room.thread()
    room.discord.faults.add("create_message", Fault.error("200000"))
    with pytest.raises(EntryFault):
        await room.chat.post(place, line("hello"), "d-1")


# What is shown


async def test_quiet_lines_ring_nobodys_phone_and_nothing_shows_a_preview(room: Room) -> None:
    from bot.posts import PostKind

    place = await room.thread()
    await room.chat.post(place, Post(PostKind.LINE, text="Dana took it over."), "d-1")
    await room.chat.post(place, line("https://shop.example/r"), "d-2")
    flags = [one.flags for one in room.discord.thread(room.channel, place.root)[1:]]
    assert [flag & (1 << 12) > 0 for flag in flags] == [True, False]
    assert all(flag & (1 << 2) for flag in flags)


async def test_a_role_and_everybody_here_can_be_called(room: Room) -> None:
    from dataclasses import replace

    care = room.discord.add_role("care", mentionable=True)
    await room.discord.set_roles(room.anna, [care])
    group = await room.chat.group("@care")
    assert group == f"&{care}"
    posted = await room.chat.open_thread("#support", replace(CARD, mentions=(group,)), "d-1")
    assert room.anna in room.discord.message(room.channel, posted.remote_id).pinged
    assert await room.chat.group("@nobody") == ""


async def test_history_is_read_whole_however_long(room: Room) -> None:
    place = await room.thread()
    ids = [await room.discord.post(room.anna, room.channel, f"n{n}", place.root) for n in range(230)]
    await room.discord.archive(place.root)
    assert [one.id for one in await room.chat.history(place, "")] == ids
    assert [one.id for one in await room.chat.history(place, ids[200])] == ids[200:]


async def test_history_of_a_deleted_thread_says_so(room: Room) -> None:
    place = await room.thread()
    await room.discord.delete_thread(place.root)
    with pytest.raises(RootGone):
        await room.chat.history(place, "")


async def test_somebody_can_be_told_in_private(room: Room) -> None:
    await room.chat.tell(room.lea, "The channel is gone.")
    assert room.discord.messages(room.discord.dm(room.lea).id)

"""What every team chat must do, run on each of them."""

import time
from collections.abc import AsyncIterator

import pytest

from bot.entries import Author
from bot.errors import DeliveryFault, EntryFault, PlaceFault, RootGone, Unsure
from bot.people import Role
from bot.posts import Action, Button, Card, Field, Place, Post, PostKind, Receipt, Turn
from tests.contracts.team_chats import HARNESSES, RETRY_AFTER, Harness

CARD = Card(
    number=1042,
    title="Refund for order #4521",
    status="Waiting for a person",
    stage="waiting",
    since=1_700_000_000.0,
    fields=(Field("Customer", "Sarah K. · VIP"), Field("Wants", "refund")),
    quote="I want my money back",
    suggestion="I am sorry to hear that.",
    buttons=(Button(Action.CLAIM, "Claim", "1042", "primary"),),
)


@pytest.fixture
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    async with HARNESSES[request.param][0]() as ready:
        yield ready


def turns(*texts: str, author: Author = Author.SHOPPER, first: int = 1) -> Post:
    said = [Turn(first + at, author, "Sarah K.", text, 1_700_000_000.0 + at) for at, text in enumerate(texts)]
    return Post(PostKind.TURNS, turns=tuple(said))


async def opened(harness: Harness, card: Card = CARD, delivery: str = "d-open") -> Place:
    posted = await harness.chat.open_thread(harness.channel, card, delivery)
    return Place(harness.chat.platform, posted.channel, posted.remote_id)


async def test_a_thread_opens_with_the_card(harness: Harness) -> None:
    place = await opened(harness)
    (root,) = harness.shown(place)
    for said in (
        "1042",
        "Refund for order #4521",
        "Waiting for a person",
        "Sarah K. · VIP",
        "I want my money back",
    ):
        assert said in root
    assert "Claim" in root


async def test_the_card_shows_its_newest_state(harness: Harness) -> None:
    place = await opened(harness)
    await harness.chat.update_card(place, Card(1042, "Refund", "Anna has it", "active", None))
    (root,) = harness.shown(place)
    assert "Anna has it" in root
    assert "Waiting for a person" not in root


async def test_posts_stand_in_the_thread_in_order(harness: Harness) -> None:
    place = await opened(harness)
    for at in range(3):
        await harness.chat.post(place, turns(f"message {at}"), f"d-{at}")
    texts = harness.shown(place)[1:]
    assert ["message 0" in texts[0], "message 1" in texts[1], "message 2" in texts[2]] == [True] * 3
    assert all("Sarah K." in text for text in texts)


async def test_an_amended_post_says_the_new_text_only(harness: Harness) -> None:
    place = await opened(harness)
    posted = await harness.chat.post(place, turns("one pair"), "d-1")
    await harness.chat.amend(place, posted.remote_id, turns("two pairs"))
    text = harness.shown(place)[1]
    assert "two pairs" in text
    assert "one pair" not in text


async def test_a_retracted_post_is_gone_and_may_be_retracted_again(harness: Harness) -> None:
    place = await opened(harness)
    posted = await harness.chat.post(place, turns("secret"), "d-1")
    await harness.chat.retract(place, posted.remote_id)
    await harness.chat.retract(place, posted.remote_id)
    assert len(harness.shown(place)) == 1


async def test_amending_a_post_that_is_gone_is_no_fault(harness: Harness) -> None:
    place = await opened(harness)
    posted = await harness.chat.post(place, turns("hello"), "d-1")
    await harness.chat.retract(place, posted.remote_id)
    await harness.chat.amend(place, posted.remote_id, turns("hello again"))


async def test_a_receipt_replaces_the_one_before_and_may_be_repeated(harness: Harness) -> None:
    place = await opened(harness)
    said = await harness.say(place, "on it")
    for _ in range(2):
        await harness.chat.mark(place, said, Receipt.PENDING, None)
    for _ in range(2):
        await harness.chat.mark(place, said, Receipt.SEEN, Receipt.PENDING)
    assert harness.marks(place, said) == {Receipt.SEEN}
    await harness.chat.mark(place, said, None, Receipt.SEEN)
    assert harness.marks(place, said) == set()


@pytest.mark.parametrize("receipt", list(Receipt))
async def test_every_receipt_can_be_shown(harness: Harness, receipt: Receipt) -> None:
    place = await opened(harness)
    said = await harness.say(place, "on it")
    await harness.chat.mark(place, said, receipt, None)
    assert harness.marks(place, said) == {receipt}


async def test_a_post_is_found_by_its_delivery(harness: Harness) -> None:
    began = time.time()
    place = await opened(harness)
    posted = await harness.chat.post(place, turns("hello"), "d-1")
    found = await harness.chat.find(place, "d-1", began)
    assert found is not None
    assert found.remote_id == posted.remote_id


@pytest.mark.needs("posts_of_its_own")
async def test_a_delivery_that_was_never_made_is_not_found(harness: Harness) -> None:
    began = time.time()
    place = await opened(harness)
    assert await harness.chat.find(place, "d-2", began) is None


async def test_a_root_is_found_by_its_delivery(harness: Harness) -> None:
    began = time.time()
    place = await opened(harness, delivery="d-root")
    found = await harness.chat.find(Place(harness.chat.platform, harness.channel), "d-root", began)
    assert found is not None
    assert (found.channel, found.remote_id) == (place.channel, place.root)


@pytest.mark.needs("history")
async def test_history_gives_peoples_words_from_a_message_on(harness: Harness) -> None:
    place = await opened(harness)
    await harness.chat.post(place, turns("hello"), "d-1")
    first = await harness.say(place, "one")
    second = await harness.say(place, "two")
    await harness.say_as_bot(place, "beep")
    await harness.edit(place, second, "two, corrected")
    everything = await harness.chat.history(place, "")
    assert [(heard.id, heard.text) for heard in everything] == [(first, "one"), (second, "two, corrected")]
    assert [bool(heard.edited_order) for heard in everything] == [False, True]
    assert all(heard.author_id == harness.operator for heard in everything)
    assert [heard.id for heard in await harness.chat.history(place, second)] == [second]


async def test_members_are_people_with_their_role(harness: Harness) -> None:
    roles = {member.actor.id: member.actor.role for member in await harness.chat.members(harness.channel)}
    assert roles[harness.operator] is Role.OPERATOR
    assert roles[harness.lead] is Role.LEAD
    others = {role for who, role in roles.items() if who not in (harness.operator, harness.lead)}
    assert others <= {Role.NONE}


async def test_a_working_channel_has_no_problems(harness: Harness) -> None:
    assert await harness.chat.check(harness.channel) == []


# Splitting


@pytest.mark.parametrize(
    "text",
    [
        "word " * 6_000,
        "a" * 30_000,
        "\n\n".join("A sentence. Another one! " * 9 for _ in range(120)),
        "👩‍👩‍👧‍👦" * 3_000,
        "🇩🇪" * 6_000,
        "&<>" * 7_000,
        "*_~`" * 7_000,
        "e\u0301" * 12_000,
    ],
    ids=["words", "unbroken", "paragraphs", "families", "flags", "escapes", "markers", "accents"],
)
@pytest.mark.parametrize("author", [Author.SHOPPER, Author.ASSISTANT])
async def test_a_long_message_is_split_and_never_cut(harness: Harness, text: str, author: Author) -> None:
    place = await opened(harness)
    parts = harness.chat.split(turns(text, author=author))
    assert "".join(turn.text for part in parts for turn in part.turns) == text
    assert {turn.seq for part in parts for turn in part.turns} == {1}
    assert [(part.part, part.parts) for part in parts] == [(at, len(parts)) for at in range(len(parts))]
    for at, part in enumerate(parts):
        await harness.chat.post(place, part, f"d-{at}")
    assert list(harness.chat.split(turns(text, author=author))) == list(parts)


async def test_a_long_transcript_is_packed_in_order(harness: Harness) -> None:
    place = await opened(harness)
    texts = [f"message {at} " + "x" * (at % 90) for at in range(300)]
    parts = harness.chat.split(turns(*texts))
    assert [turn.text for part in parts for turn in part.turns] == texts
    assert len(parts) <= 30
    for at, part in enumerate(parts):
        await harness.chat.post(place, part, f"d-{at}")


async def test_a_short_post_is_one_part(harness: Harness) -> None:
    assert len(harness.chat.split(turns("hello"))) == 1


# Hostile texts


HOSTILE = "<!channel> <!here> <@U0BATON> <!subteam^S012345> @everyone @here <https://evil.example|our policy>"


async def test_a_shoppers_text_pings_nobody(harness: Harness) -> None:
    card = Card(
        number=1,
        title=HOSTILE,
        status=HOSTILE,
        stage="waiting",
        since=None,
        fields=(Field(HOSTILE, HOSTILE),),
        quote=HOSTILE,
        suggestion=HOSTILE,
        footer=HOSTILE,
    )
    place = await opened(harness, card)
    for at, author in enumerate(Author):
        await harness.chat.post(place, turns(HOSTILE, author=author), f"d-{at}")
    hostile_name = Post(PostKind.TURNS, turns=(Turn(9, Author.SHOPPER, HOSTILE, "hi", 0.0, HOSTILE),))
    await harness.chat.post(place, hostile_name, "d-name")
    for kind in (PostKind.LINE, PostKind.OFFER, PostKind.ALERT):
        await harness.chat.post(place, Post(kind, text=HOSTILE), f"d-{kind}")
    assert harness.pinged(place) == set()


async def test_only_mentions_ping(harness: Harness) -> None:
    place = await opened(harness)
    alert = Post(PostKind.ALERT, text="This did not arrive.", mentions=(harness.operator,))
    await harness.chat.post(place, alert, "d-1")
    assert harness.pinged(place) == {harness.operator}


# Trouble


@pytest.mark.needs("rate_limit")
async def test_a_rate_limit_is_the_places_fault_and_says_how_long(harness: Harness) -> None:
    place = await opened(harness)
    harness.trouble("rate_limit")
    with pytest.raises(PlaceFault) as caught:
        await harness.chat.post(place, turns("hello"), "d-1")
    assert caught.value.retry_after == RETRY_AFTER
    assert len(harness.shown(place)) == 1


@pytest.mark.needs("unauthorised")
async def test_lost_credentials_are_the_places_fault(harness: Harness) -> None:
    place = await opened(harness)
    harness.trouble("unauthorised")
    with pytest.raises(PlaceFault):
        await harness.chat.post(place, turns("hello"), "d-1")


@pytest.mark.needs("refuse")
async def test_refused_content_is_the_entrys_fault(harness: Harness) -> None:
    place = await opened(harness)
    harness.trouble("refuse")
    with pytest.raises(EntryFault):
        await harness.chat.post(place, turns("hello"), "d-1")


@pytest.mark.needs("commit_then_drop")
async def test_a_lost_answer_is_unsure_and_the_post_is_found(harness: Harness) -> None:
    began = time.time()
    place = await opened(harness)
    harness.trouble("commit_then_drop")
    with pytest.raises(Unsure):
        await harness.chat.post(place, turns("hello"), "d-1")
    assert await harness.chat.find(place, "d-1", began) is not None
    assert len(harness.shown(place)) == 2


@pytest.mark.needs("drop")
async def test_a_lost_call_is_unsure_and_nothing_is_found(harness: Harness) -> None:
    began = time.time()
    place = await opened(harness)
    harness.trouble("drop")
    with pytest.raises(Unsure):
        await harness.chat.post(place, turns("hello"), "d-1")
    assert await harness.chat.find(place, "d-1", began) is None
    assert len(harness.shown(place)) == 1


@pytest.mark.needs("commit_then_drop")
async def test_a_root_whose_answer_was_lost_is_found(harness: Harness) -> None:
    began = time.time()
    harness.trouble("commit_then_drop")
    with pytest.raises(Unsure):
        await opened(harness, delivery="d-root")
    found = await harness.chat.find(Place(harness.chat.platform, harness.channel), "d-root", began)
    assert found is not None


@pytest.mark.needs("refuse")
async def test_a_fault_never_repeats_what_was_said(harness: Harness) -> None:
    place = await opened(harness)
    harness.trouble("refuse")
    with pytest.raises(DeliveryFault) as caught:
        await harness.chat.post(place, turns("my card is 4111 1111"), "d-1")
    assert "4111" not in str(caught.value)
    assert caught.value.__cause__ is None


# A deleted root


@pytest.mark.parametrize("replied", [True, False], ids=["with replies", "without replies"])
@pytest.mark.needs("vanishing_roots")
async def test_a_post_to_a_deleted_root_leaves_nothing_behind(harness: Harness, replied: bool) -> None:
    place = await opened(harness)
    if replied:
        await harness.chat.post(place, turns("hello"), "d-1")
    await harness.delete_root(place)
    with pytest.raises(RootGone):
        await harness.chat.post(place, turns("still there?"), "d-2")
    with pytest.raises(RootGone):
        await harness.chat.update_card(place, CARD)
    assert harness.strays(place) == []


@pytest.mark.parametrize("replied", [True, False], ids=["with replies", "without replies"])
@pytest.mark.needs("commit_then_drop", "vanishing_roots")
async def test_a_stray_whose_answer_was_lost_is_taken_back_when_looked_for(
    harness: Harness, replied: bool
) -> None:
    began = time.time()
    place = await opened(harness)
    if replied:
        await harness.chat.post(place, turns("hello"), "d-1")
    await harness.delete_root(place)
    harness.trouble("commit_then_drop")
    with pytest.raises(Unsure):
        await harness.chat.post(place, turns("still there?"), "d-2")
    with pytest.raises(RootGone):
        await harness.chat.find(place, "d-2", began)
    assert harness.strays(place) == []

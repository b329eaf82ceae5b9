"""What stayed inside may be sent after all: one offer per thread, by the right person, once."""

import asyncio

from tests.journeys.world import World


async def test_claim_and_send_claims_and_the_text_reaches_the_shopper_once(world: World) -> None:
    thread = await world.open_thread()
    live = await world.stream()
    await thread.write(world.dana, "I'll *refund* that")
    offer = await thread.offer("claim_and_send")
    await thread.press(world.dana, "claim_and_send", offer.ts)
    await live.shows("Dana is here and has read your chat.")
    await live.shows("I'll **refund** that")
    await world.slack.wait_for(lambda: not thread.offers())
    await thread.write(world.dana, "Anything else?")
    await live.shows("Anything else?")
    assert live.said() == ["I'll **refund** that", "Anything else?"]


async def test_a_thread_has_one_offer_which_moves_to_the_newest_message(world: World) -> None:
    thread = await world.open_thread()
    live = await world.stream()
    for text in ("first", "second", "third"):
        await thread.write(world.dana, text)
        await world.slack.settled()
    third = (await world.case())["entries"][-1]
    offer = await thread.offer("claim_and_send")
    await world.slack.wait_for(lambda: f":{third['seq']}'" in str(offer.blocks))
    await thread.press(world.dana, "claim_and_send", offer.ts)
    await world.slack.wait_for(lambda: not thread.offers())
    await live.until(live.said)
    assert live.said() == ["third"]


async def test_send_as_me_sends_a_colleagues_words_under_the_owners_name(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.write(world.bob, "It ships on Monday")
    offer = await thread.offer("send_as_me")
    await thread.press(world.dana, "send_as_me", offer.ts)
    entry = await live.shows("It ships on Monday")
    assert entry["name"] == "Dana"
    await world.slack.wait_for(lambda: not thread.offers())


async def test_a_lead_takes_over_and_sends_and_another_operator_may_not(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.write(world.lena, "I am taking care of this")
    offer = await thread.offer("take_over")
    await thread.press(world.bob, "take_over", offer.ts)
    await world.slack.wait_for(lambda: world.slack.ephemerals)
    assert world.slack.ephemerals[0].user == world.bob
    assert "Dana Miller has this case" in world.slack.ephemerals[0].text
    await thread.press(world.lena, "take_over", offer.ts)
    await live.shows("Lena is here and has read your chat.")
    await live.shows("I am taking care of this")
    await world.slack.wait_for(lambda: "Lena Lead has it" in thread.card and not thread.offers())
    assert live.said() == ["I am taking care of this"]


async def test_the_owner_sends_their_own_note_after_all_without_its_marker(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.write(world.dana, "note: it ships on Monday")
    offer = await thread.offer("send")
    await thread.press(world.dana, "send", offer.ts)
    await live.shows("it ships on Monday")


async def test_an_offer_clicked_by_two_at_once_sends_once(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.write(world.bob, "It ships on Monday")
    offer = await thread.offer("send_as_me")
    await asyncio.gather(
        *(
            world.slack.click(who, thread.channel, offer.ts, "baton:send_as_me")
            for who in (world.dana, world.lena)
        )
    )
    await world.slack.wait_for(lambda: world.slack.ephemerals)
    assert "sent already" in world.slack.ephemerals[0].text
    await thread.write(world.dana, "And that is that")
    await live.shows("And that is that")
    await world.slack.wait_for(lambda: not thread.offers())
    owner_said = [one["text"] for one in live.entries if one.get("author") == "operator"]
    assert sorted(owner_said) == ["And that is that", "It ships on Monday"]


async def test_an_offer_goes_with_its_message_when_that_is_deleted(world: World) -> None:
    thread = await world.claimed_thread()
    ts = await thread.write(world.bob, "It ships on Monday")
    await thread.offer("send_as_me")
    await thread.delete(ts)
    await world.slack.wait_for(lambda: not thread.offers())


async def test_an_offer_sends_the_newest_text_of_its_message(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    ts = await thread.write(world.bob, "It ships on Monday")
    offer = await thread.offer("send_as_me")
    await thread.edit(ts, "It ships on Tuesday")
    await world.slack.settled()
    await thread.press(world.dana, "send_as_me", offer.ts)
    await live.shows("It ships on Tuesday")


async def test_what_was_sent_as_me_follows_its_authors_edit_and_delete(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    ts = await thread.write(world.bob, "It ships on Monday")
    offer = await thread.offer("send_as_me")
    await thread.press(world.dana, "send_as_me", offer.ts)
    seq = (await live.shows("It ships on Monday"))["seq"]
    await thread.edit(ts, "It ships on Tuesday")
    assert (await live.shows("It ships on Tuesday"))["target"] == seq
    await thread.delete(ts)
    await live.until(lambda: live.last.get("kind") == "deleted")
    assert await world.relayed() == [""]


async def test_writing_in_a_resolved_thread_offers_to_reopen(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.press(world.dana, "resolve")
    await live.shows("This conversation is marked as resolved. Just write if there is anything else.")
    await thread.write(world.dana, "I forgot to say: it dims")
    offer = await thread.offer("reopen_and_send")
    await thread.press(world.dana, "reopen_and_send", offer.ts)
    await live.shows("I forgot to say: it dims")
    await world.slack.wait_for(lambda: "Dana Miller has it" in thread.card and not thread.offers())


async def test_in_alerts_mode_nothing_leaves_but_by_a_button(begin) -> None:
    world = await begin(relay="alerts")
    thread = await world.claimed_thread()
    live = await world.stream()
    await thread.write(world.dana, "first")
    offer = await thread.offer("send")
    await thread.press(world.dana, "send", offer.ts)
    await live.shows("first")
    assert live.said() == ["first"]


async def test_five_claim_at_once_one_wins_and_the_others_are_whispered_who(world: World) -> None:
    people = [world.dana, world.bob, world.lena, world.hire("Ravi Rao"), world.hire("Mia Moon")]
    thread = await world.open_thread()
    live = await world.stream()
    clicks = [await world.slack.click(who, thread.channel, thread.root, "baton:claim") for who in people]
    await world.slack.wait_for(lambda: all(one.done for one in clicks) and len(world.slack.ephemerals) == 4)
    assert all(one.acked for one in clicks)
    owner = (await world.shop.conversation("c-1001"))["owner"]
    losers = {one.user for one in world.slack.ephemerals}
    assert {one.text for one in world.slack.ephemerals} == {f"{owner} claimed this just now."}
    (winner,) = set(people) - losers
    assert world.slack.world.users[winner].name == owner
    await live.until(lambda: [one for one in live.entries if one.get("code") == "claimed"])
    await world.replay()
    assert len([one for one in live.entries if one.get("code") == "claimed"]) == 1

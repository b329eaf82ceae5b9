"""Verbs written to the bot in a thread: done, answered to the one who wrote them, and never relayed."""

from tests.journeys.world import Thread, World


async def told(world: World, user: str, part: str) -> str:
    """Wait until that person was told something with those words."""

    def seen() -> str:
        texts = [world.slack.text_of(one) for one in world.slack.ephemerals if one.user == user]
        return next((text for text in texts if part in text), "")

    return str(await world.slack.wait_for(seen))


async def say(world: World, thread: Thread, user: str, words: str) -> None:
    await thread.write(user, f"<@{world.slack.bot_user_id}> {words}")


async def test_a_verb_in_the_thread_is_done_and_answered_to_its_author_only(world: World) -> None:
    thread = await world.open_thread()
    await say(world, thread, world.dana, "claim")
    await world.slack.wait_for(lambda: "Dana Miller has it" in thread.card)
    await say(world, thread, world.dana, "priority urgent")
    await told(world, world.dana, "is urgent now")
    await world.slack.wait_for(lambda: "urgent" in thread.card)
    await say(world, thread, world.dana, f"assign <@{world.bob}>")
    await world.slack.wait_for(lambda: "Bob" in thread.card)
    assert {one.user for one in world.slack.ephemerals} == {world.dana}


async def test_a_misspelt_verb_is_answered_with_what_was_meant_and_never_relayed(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await say(world, thread, world.dana, "asign the refund to me please")
    assert "assign @operator" in await told(world, world.dana, "Did you mean")
    await thread.write(world.dana, "Hello Sarah")
    await live.shows("Hello Sarah")
    assert live.said() == ["Hello Sarah"]


async def test_a_verb_that_only_reads_is_answered_in_the_thread(world: World) -> None:
    thread = await world.claimed_thread()
    for words, part in (
        ("show", "Refund for order"),
        ("mine", "Mine: 1"),
        ("", "snooze"),
        ("stats", "Waiting now"),
    ):
        await say(world, thread, world.dana, words)
        await told(world, world.dana, part)
    assert await world.relayed() == []

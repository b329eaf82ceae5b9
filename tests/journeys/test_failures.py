"""What Slack refuses for good is said in the thread, with a button to try again, and settled there."""

from tests.fakes.slack import Fault, Message
from tests.journeys.world import Thread, World, buttons, shown

STORY = "a very long story"


def refuse(world: World, code: str) -> None:
    """The next post of that message is refused."""
    fault = Fault.error(code)
    world.slack.faults.add("chat.postMessage", fault, times=1, when=lambda args: STORY in str(args))


async def refused(world: World) -> tuple[Thread, Message]:
    """A case of Dana's where a message of the shopper's was refused, and the alert about it."""
    thread = await world.claimed_thread()
    refuse(world, "msg_too_long")
    await world.shopper_writes(STORY)
    await world.slack.wait_for(lambda: any("retry" in buttons(post) for post in thread.posts))
    return thread, next(post for post in thread.posts if "retry" in buttons(post))


async def test_a_refused_message_is_an_alert_to_the_owner_with_the_reason(world: World) -> None:
    thread, alert = await refused(world)
    assert f"<@{world.dana}>" in str(alert.blocks)
    assert "was refused here: it is too long" in shown(alert)
    assert STORY not in thread.ours


async def test_retry_delivers_it_and_the_alert_says_when(world: World) -> None:
    thread, alert = await refused(world)
    await thread.press(world.dana, "retry", alert.ts)
    await thread.says(STORY)
    await world.slack.wait_for(lambda: "Delivered after all, at" in shown(alert))
    assert buttons(alert) == []
    assert thread.ours.count("was refused") == 1


async def test_a_second_refusal_offers_retry_again_in_the_same_post(world: World) -> None:
    thread, alert = await refused(world)
    refuse(world, "invalid_blocks")
    await thread.press(world.dana, "retry", alert.ts)
    await world.slack.wait_for(lambda: "its formatting was not understood" in shown(alert))
    assert "retry" in buttons(alert)
    await thread.press(world.dana, "retry", alert.ts)
    await world.slack.wait_for(lambda: "Delivered after all, at" in shown(alert))


async def test_what_comes_behind_a_refused_message_is_not_held_up(world: World) -> None:
    thread, _ = await refused(world)
    await world.shopper_writes("anyone?")
    await thread.says("anyone?")

"""Who is pinged in Slack, and who can never be."""

import re

import pytest

from tests.journeys.world import World

PING = re.compile(r"<(?!!date\^)[@!#][^>]*>")


def everything(world: World) -> str:
    """All that Baton sent to Slack, as it was sent: text and blocks."""
    return "\n".join(
        str(call.args) for call in world.slack.calls if call.method in ("chat.postMessage", "chat.update")
    )


async def test_a_new_case_mentions_five_of_those_who_are_there(world: World) -> None:
    for number in range(4):
        world.hire(f"Active {number}")
    away, guest = world.hire("Ann Away", presence="away"), world.hire("Gus Guest", guest=True)
    thread = await world.open_thread()
    card = world.slack.message(thread.channel, thread.root)
    mentioned = re.findall(r"<@(\w+)>", card.text)
    assert len(mentioned) == len(set(mentioned)) == 5
    assert not {away, guest, world.slack.bot_user_id} & set(mentioned)


async def test_a_case_that_changes_mentions_nobody_again(world: World) -> None:
    thread = await world.claimed_thread()
    await world.slack.wait_for(lambda: "Dana Miller has it" in thread.card)
    assert "<@" not in world.slack.message(thread.channel, thread.root).text


@pytest.mark.one_way("rendering")
async def test_nobody_is_mentioned_when_the_team_wants_none(begin) -> None:
    world = await begin(mentions="none")
    thread = await world.open_thread()
    assert "<@" not in thread.card


async def test_the_claims_line_mentions_the_owner_alone(world: World) -> None:
    thread = await world.claimed_thread()
    await thread.says("claimed this")
    line = next(post for post in thread.posts if "claimed this" in post.text)
    assert re.findall(r"<@(\w+)>", line.text) == [world.dana]


@pytest.mark.one_way("rendering")
async def test_nothing_a_shopper_or_a_store_writes_can_ping(begin) -> None:
    world = await begin(mentions="none")
    pings = f"<!here> <!channel> <!everyone> <@{world.dana}> <!subteam^S123> <#{world.channel}> & </x>"
    pings += " @here @channel @everyone"
    thread = await world.open_thread(
        shopper={"id": "s-77", "name": f"Sarah <@{world.dana}> <!here>"},
        summary={"issue": pings, "tried": [pings], "suggested_reply": pings, "suggested_action": pings},
        reason={"trigger": "keyword", "rule": pings, "detail": pings},
        collected={"note": pings},
        transcript=[
            {"id": "p1", "author": "shopper", "text": pings},
            {"id": "p2", "author": "assistant", "text": pings},
        ],
    )
    await world.shopper_writes(pings)
    await thread.says("&lt;!here&gt;", times=3)
    assert PING.findall(everything(world)) == []
    for call in world.slack.calls_to("chat.postMessage"):
        for block in call.args.get("blocks", ()):
            for part in [block.get("text"), *block.get("elements", ())]:
                assert not part or part.get("type") != "mrkdwn" or part["verbatim"] is True
        assert call.args.get("link_names") in (None, False)
        assert call.args.get("parse") in (None, "none")


@pytest.mark.one_way("rendering")
async def test_markup_of_a_shopper_is_shown_as_written(world: World) -> None:
    thread = await world.open_thread()
    await world.shopper_writes("<b>5 < 6 & 7 > 6</b>")
    await thread.says("&lt;b&gt;5 &lt; 6 &amp; 7 &gt; 6&lt;/b&gt;")

"""Threads of very many messages: each call that reads one costs a part of fifty a minute."""

from adapters.slack.outbound import SlackChat
from bot.posts import Place
from tests.adapters.slack.test_outbound import HELLO, chat, place, slack
from tests.fakes.slack import FakeSlack

__all__ = ["chat", "place", "slack"]  # fixtures
REPLIES = "conversations.replies"


def fill(slack: FakeSlack, place: Place, amount: int) -> None:
    anna = slack.add_user("anna berg")
    for number in range(amount):
        slack.world.post(place.channel, anna, f"{number}", thread_ts=place.root)


async def test_the_last_post_of_a_long_thread_is_found_by_one_call(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    """Of several pages each may have to wait, and then all of them are asked for again."""
    fill(slack, place, 900)
    await chat.post(place, HELLO, "d-1")
    assert await chat.find(place, "d-1", 0.0) is not None
    assert len(slack.calls_to(REPLIES)) == 1


async def test_what_is_longer_than_slack_gives_at_once_is_read_to_its_end(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    fill(slack, place, 1100)
    assert len(await chat.history(place, "")) == 1100
    assert len(slack.calls_to(REPLIES)) == 2

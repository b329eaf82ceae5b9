"""What a thread's history tells beside people's words."""

from adapters.slack.outbound import SlackChat
from bot.posts import Place
from tests.adapters.slack.test_outbound import chat, place, slack
from tests.fakes.slack import FakeSlack

__all__ = ["chat", "place", "slack"]  # fixtures


async def test_history_says_who_has_put_a_stop_sign_on_a_message(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    anna, lea = slack.add_user("anna berg"), slack.add_user("lea", admin=True)
    first = await slack.post(anna, place.channel, "oops", place.root)
    await slack.post(anna, place.channel, "fine", place.root)
    for user, name in ((lea, "octagonal_sign"), (slack.bot_user_id, "octagonal_sign"), (anna, "eyes")):
        await slack.react(user, place.channel, first, name)
    stopped, other = await chat.history(place, "")
    assert [one.id for one in stopped.extra["stopped_by"]] == [lea]
    assert "stopped_by" not in other.extra

"""What Slack says about channels and tokens reaches whoever watches the places; what is about others does not."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.slack.outbound import SlackChat
from adapters.slack.place_events import PLACE_EVENTS, PlaceNews, place_news
from bot.settings import Slack, TeamPolicy, Timing
from tests.adapters.slack.desk import Desk
from tests.fakes.slack import FakeSlack

US = "U0BATON"


@pytest.mark.parametrize("kind", sorted(PLACE_EVENTS))
def test_an_event_about_us_is_news(kind: str) -> None:
    event = {"type": kind, "channel": "C1", "user": US, "tokens": {"bot": [US]}}
    assert place_news(event, US) is not None


@pytest.mark.parametrize(
    "event",
    [
        {"type": "member_left_channel", "channel": "C1", "user": "U0000ANNA"},
        {"type": "member_joined_channel", "channel": "C1", "user": "U0000ANNA"},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U0000ANNA"]}},
        {"type": "channel_archive"},
    ],
)
def test_an_event_about_others_is_none(event: dict[str, Any]) -> None:
    assert place_news(event, US) is None


def test_a_rename_says_the_new_name() -> None:
    event = {"type": "channel_rename", "channel": {"id": "C1", "name": "help", "created": 1}}
    assert place_news(event, US) == PlaceNews("C1", "help")


# Over the wire


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
async def chat(slack: FakeSlack) -> AsyncIterator[SlackChat]:
    settings = Slack(slack.bot_token, slack.app_token, slack.api_url, limits=False)
    chat = SlackChat(settings, Timing(), teams=[TeamPolicy("support", "slack", "#support")])
    yield chat
    await chat.close()


def listening(chat: SlackChat) -> list[tuple[str, str]]:
    heard: list[tuple[str, str]] = []
    chat.when_places_change(lambda channel, word: heard.append((channel, word)))
    return heard


@pytest.mark.parametrize(
    "event",
    [
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"bot": [US]}},
        {"type": "member_joined_channel", "user": US, "channel": "C0NEW"},
    ],
)
async def test_an_event_reaches_those_who_watch(desk: Desk, event: dict[str, Any]) -> None:
    desk.slack.add_channel("elsewhere")
    desk.adapter._chat.directory._teams = [TeamPolicy("support", "slack", "#support")]
    heard = listening(desk.adapter._chat)
    desk.slack.emit_event(event | ({"channel": desk.room} if "channel" in event else {}))
    await desk.slack.settled()
    await desk.until(lambda: heard)
    assert heard == [("", "")]


async def test_what_happens_to_other_channels_is_nobodys_news(slack: FakeSlack, chat: SlackChat) -> None:
    room, other = slack.add_channel("support"), slack.add_channel("lunch")
    await chat.directory.channel_id("#support")
    heard = listening(chat)
    await chat.place_news(PlaceNews(other))
    await chat.place_news(PlaceNews(other, "brunch"))
    assert heard == []
    await chat.place_news(PlaceNews(room))
    assert heard == [("", "")]


async def test_a_channel_that_was_renamed_works_on_and_the_lead_is_given_a_word(
    slack: FakeSlack, chat: SlackChat
) -> None:
    room = slack.add_channel("support")
    await chat.directory.channel_id("#support")
    heard = listening(chat)
    slack.world.channels[room].name = "help"
    await chat.place_news(PlaceNews(room, "help"))
    ((channel, word),) = heard
    assert channel == "#support"
    assert f"write {room} instead of #support" in word
    assert await chat.directory.channel_id("#support") == room
    assert await chat.trouble("#support") is None


async def test_another_channel_that_takes_the_name_is_the_teams_from_then_on(
    slack: FakeSlack, chat: SlackChat
) -> None:
    room, other = slack.add_channel("support"), slack.add_channel("support-two")
    await chat.directory.channel_id("#support")
    slack.world.channels[room].name, slack.world.channels[other].name = "support-old", "support"
    heard = listening(chat)
    await chat.place_news(PlaceNews(other, "support"))
    assert await chat.directory.channel_id("#support") == other
    assert heard == [("", "")]


async def test_a_channel_made_again_is_found_as_soon_as_we_are_let_in(
    slack: FakeSlack, chat: SlackChat
) -> None:
    room = slack.add_channel("support")
    await chat.directory.channel_id("#support")
    await slack.delete_channel(room)
    await chat.place_news(PlaceNews(room, gone=True))
    assert "can see no channel" in str(await chat.trouble("#support"))
    again = slack.add_channel("support")
    await chat.place_news(PlaceNews(again, entered=True))
    assert await chat.trouble("#support") is None


@pytest.mark.parametrize(
    ("met", "lasts"),
    [("token_revoked", False), ("not_in_channel", False), ("is_archived", False), ("missing_scope", True)],
)
async def test_what_calls_have_met_is_over_where_slack_says_so(
    slack: FakeSlack, chat: SlackChat, met: str, lasts: bool
) -> None:
    """Else a mended place would be held for broken until its lanes try again by themselves, minutes later."""
    slack.add_channel("support")
    assert (await chat.trouble("#support", met) is not None) == lasts

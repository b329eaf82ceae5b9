"""What is Slack's own in the port; the rest is in the contract suite."""

from collections.abc import AsyncIterator

import pytest

from adapters.slack.manifest import EVENTS, SCOPES, manifest
from adapters.slack.outbound import SlackChat
from bot.entries import Author
from bot.errors import DeliveryFault, EntryFault, PlaceFault, RootGone, Unsure
from bot.people import Role
from bot.posts import Card, Place, Post, PostKind, Turn
from bot.settings import Slack, Timing
from tests.fakes.slack import FakeSlack, Fault

CARD = Card(7, "Refund", "Waiting", "waiting", None)
HELLO = Post(PostKind.TURNS, turns=(Turn(1, Author.SHOPPER, "Sarah", "hello", 0.0),))


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest.fixture
async def chat(slack: FakeSlack) -> AsyncIterator[SlackChat]:
    chat = SlackChat(Slack(slack.bot_token, slack.app_token, slack.api_url), Timing(call_timeout=0.5))
    yield chat
    await chat.close()


@pytest.fixture
async def place(slack: FakeSlack, chat: SlackChat) -> Place:
    slack.add_channel("support", [slack.add_user("anna")])
    posted = await chat.open_thread("#support", CARD, "d-0")
    return Place("slack", posted.channel, posted.remote_id)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.rate_limit(3), PlaceFault),
        (Fault.error("ratelimited"), PlaceFault),
        (Fault.hang(), Unsure),
        (Fault.drop(), Unsure),
        (Fault.http(500), Unsure),
        (Fault.http(503), Unsure),
        (Fault.http(403), PlaceFault),
        (Fault.error("internal_error"), Unsure),
        (Fault.error("fatal_error"), Unsure),
        (Fault.error("service_unavailable"), Unsure),
        (Fault.error("request_timeout"), Unsure),
        (Fault.error("invalid_auth"), PlaceFault),
        (Fault.error("missing_scope"), PlaceFault),
        (Fault.error("not_in_channel"), PlaceFault),
        (Fault.error("is_archived"), PlaceFault),
        (Fault.error("restricted_action_thread_locked"), PlaceFault),
        (Fault.error("something_new"), PlaceFault),
        (Fault.error("invalid_blocks"), EntryFault),
        (Fault.error("msg_blocks_too_long"), EntryFault),
        (Fault.error("no_text"), EntryFault),
        (Fault.error("thread_not_found"), RootGone),
    ],
)
async def test_each_failure_of_a_post_is_one_of_our_faults(
    slack: FakeSlack, chat: SlackChat, place: Place, fault: Fault, expected: type[DeliveryFault]
) -> None:
    slack.faults.add("chat.postMessage", fault)
    with pytest.raises(DeliveryFault) as caught:
        await chat.post(place, HELLO, "d-1")
    assert type(caught.value) is expected
    assert len(slack.calls_to("chat.postMessage")) == 2  # the root, and one attempt: no retries of the SDK


async def test_a_doubtful_repeatable_call_is_only_the_places_fault(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    slack.faults.add("chat.update", Fault.drop())
    with pytest.raises(PlaceFault):
        await chat.update_card(place, CARD)


async def test_an_unreachable_slack_certainly_did_nothing(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    await slack.stop()
    with pytest.raises(DeliveryFault) as first:
        await chat.post(place, HELLO, "d-1")
    assert isinstance(first.value, PlaceFault | Unsure)  # a connection kept open may be cut under the call
    with pytest.raises(PlaceFault):
        await chat.post(place, HELLO, "d-1")


async def test_a_stray_that_cannot_be_taken_back_is_unsure(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    await slack.delete(place.channel, place.root)
    slack.faults.add("chat.delete", Fault.http(503))
    with pytest.raises(Unsure):
        await chat.post(place, HELLO, "d-1")
    with pytest.raises(RootGone):
        await chat.find(place, "d-1", 0.0)
    assert slack.messages(place.channel) == []


async def test_a_post_carries_its_delivery_and_no_personal_data(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    await chat.post(place, HELLO, "d-1")
    args = slack.calls_to("chat.postMessage")[-1].args
    assert args["metadata"] == {"event_type": "baton_delivery", "event_payload": {"delivery": "d-1"}}
    assert (args["unfurl_links"], args["unfurl_media"]) == (False, False)


async def test_a_post_is_found_on_a_later_page(slack: FakeSlack, chat: SlackChat, place: Place) -> None:
    anna = slack.add_user("bert")
    for at in range(450):
        await slack.post(anna, place.channel, str(at), place.root)
    posted = await chat.post(place, HELLO, "d-1")
    found = await chat.find(place, "d-1", 0.0)
    assert found is not None
    assert found.remote_id == posted.remote_id
    assert len(await chat.history(place, "")) == 450


async def test_a_root_has_a_link(slack: FakeSlack, chat: SlackChat, place: Place) -> None:
    posted = await chat.open_thread(place.channel, CARD, "d-2")
    assert posted.permalink is not None
    assert posted.permalink.endswith(f"/archives/{place.channel}/p{posted.remote_id.replace('.', '')}")


async def test_a_channel_is_looked_up_once(slack: FakeSlack, chat: SlackChat, place: Place) -> None:
    for name in ("#support", "support", place.channel):
        await chat.open_thread(name, CARD, "d-x")
    assert len(slack.calls_to("conversations.list")) == 1


async def test_guests_are_told_apart_and_bots_left_out(slack: FakeSlack, chat: SlackChat) -> None:
    anna, lea = slack.add_user("anna berg"), slack.add_user("lea", admin=True, presence="away")
    guest, left = slack.add_user("gus", guest=True), slack.add_user("old", deleted=True)
    slack.add_channel("support", [anna, lea, guest, left])
    members = {member.actor.id: member for member in await chat.members("support")}
    assert {who: member.actor.role for who, member in members.items()} == {
        anna: Role.OPERATOR,
        lea: Role.LEAD,
        guest: Role.NONE,
    }
    assert (members[anna].present, members[lea].present) == (True, False)
    assert members[anna].actor.first_name == "Anna"


async def test_people_and_presence_are_not_asked_again(slack: FakeSlack, chat: SlackChat) -> None:
    slack.add_channel("support", [slack.add_user("anna")])
    await chat.members("support")
    before = len(slack.calls)
    await chat.members("support")
    assert [call.method for call in slack.calls[before:]] == ["conversations.members"]


async def test_members_are_the_last_known_while_the_allowance_is_used_up(
    slack: FakeSlack, chat: SlackChat
) -> None:
    """A thread that is to be opened waits for them."""
    anna = slack.add_user("anna")
    slack.add_channel("support", [anna])
    await chat.members("support")
    slack.faults.add("conversations.members", Fault.rate_limit(30))
    with pytest.raises(PlaceFault, match="ratelimited"):
        await chat.members("support")
    assert [member.actor.id for member in await chat.members("support")] == [anna]


async def test_a_429_pauses_that_channel_and_no_call_is_made_meanwhile(
    slack: FakeSlack, chat: SlackChat, place: Place
) -> None:
    slack.faults.add("chat.postMessage", Fault.rate_limit(30))
    with pytest.raises(PlaceFault, match="ratelimited") as told:
        await chat.post(place, HELLO, "d-1")
    before = len(slack.calls)
    with pytest.raises(PlaceFault, match="allowance") as early:
        await chat.post(place, HELLO, "d-1")
    assert len(slack.calls) == before
    assert told.value.retry_after == 30
    assert early.value.retry_after is not None
    assert 25 < early.value.retry_after <= 30
    await chat.open_thread(slack.add_channel("returns"), CARD, "d-2")


async def test_a_lane_that_waits_keeps_the_call_under_its_timeout() -> None:
    """The wait for the allowance and the call together stay below what the courier waits for both."""
    chat = SlackChat(Slack("xoxb-x", "xapp-x"), Timing())
    assert chat.api._allowance._patience <= Timing().call_timeout / 4
    await chat.close()


async def test_presence_that_cannot_be_told_is_unknown(slack: FakeSlack, chat: SlackChat) -> None:
    slack.add_channel("support", [slack.add_user("anna")])
    slack.faults.add("users.getPresence", Fault.rate_limit(9))
    assert [member.present for member in await chat.members("support")] == [None]


async def test_history_says_who_wrote(slack: FakeSlack, chat: SlackChat, place: Place) -> None:
    bert = slack.add_user("bert")
    await slack.post(bert, place.channel, "on it", place.root)
    (heard,) = await chat.history(place, "")
    assert heard.extra["actor"] == {"platform": "slack", "id": bert, "name": "Bert", "role": "operator"}


# The self-test


async def test_a_missing_channel_is_named(chat: SlackChat) -> None:
    (problem,) = await chat.check("#nowhere")
    assert "#nowhere" in problem


async def test_an_archived_channel_and_an_absent_bot_are_named(slack: FakeSlack, chat: SlackChat) -> None:
    room = slack.add_channel("support", bot=False)
    await slack.archive(room)
    archived, absent = await chat.check("#support")
    assert "archived" in archived
    assert "/invite" in absent


async def test_a_wrong_bot_token_is_named(slack: FakeSlack) -> None:
    chat = SlackChat(Slack("xoxb-wrong", slack.app_token, slack.api_url), Timing())
    (problem,) = await chat.check("#support")
    assert "SLACK_BOT_TOKEN" in problem
    assert "xoxb-wrong" not in problem
    await chat.close()


async def test_a_wrong_app_token_is_named(slack: FakeSlack) -> None:
    slack.add_channel("support")
    chat = SlackChat(Slack(slack.bot_token, "xapp-wrong", slack.api_url), Timing())
    (problem,) = await chat.check("#support")
    assert "SLACK_APP_TOKEN" in problem
    assert "xapp-wrong" not in problem
    await chat.close()


async def test_over_http_no_app_token_is_asked_for(slack: FakeSlack) -> None:
    slack.add_channel("support")
    chat = SlackChat(Slack(slack.bot_token, "", slack.api_url, "secret"), Timing())
    assert await chat.check("#support") == []
    await chat.close()


async def test_an_unreachable_slack_is_named() -> None:
    chat = SlackChat(Slack("xoxb-x", "xapp-x", "http://127.0.0.1:9/api/"), Timing())
    (problem,) = await chat.check("#support")
    assert "cannot be reached" in problem
    await chat.close()


def test_the_manifest_asks_for_what_the_self_test_wants() -> None:
    made = manifest()
    assert made["oauth_config"]["scopes"]["bot"] == [scope for scope, _ in SCOPES]
    assert made["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS)
    assert made["settings"]["socket_mode_enabled"]
    assert made["settings"]["interactivity"] == {"is_enabled": True}
    assert "request_url" not in made["settings"]["event_subscriptions"]


def test_over_http_the_manifest_says_where_slack_reaches_us() -> None:
    settings = manifest(public_url="https://baton.example/")["settings"]
    assert not settings["socket_mode_enabled"]
    for part in ("event_subscriptions", "interactivity"):
        assert settings[part]["request_url"] == "https://baton.example/slack/events"

"""The fake is only worth something if the real clients meet in it what they would meet at Slack."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.fakes.slack import FakeSlack, Fault

Json = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        fake.retry_delays = (0.0, 0.05, 0.1)
        fake.ack_timeout = 0.5
        yield fake


@pytest.fixture
def web(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=1)


@pytest.fixture
def ann(slack: FakeSlack) -> str:
    return slack.add_user("ann")


@pytest.fixture
def room(slack: FakeSlack, ann: str) -> str:
    return slack.add_channel("support", [ann])


class Bot:
    """A Bolt app that keeps what reaches it; it takes events before it acks, as Baton does."""

    def __init__(self, slack: FakeSlack, web: AsyncWebClient, ping_interval: float) -> None:
        self.heard: list[Json] = []
        self.clicks: list[Json] = []
        self.failures = 0
        self.app = AsyncApp(client=web, process_before_response=True, ignoring_self_events_enabled=False)
        for kind in ("message", "app_mention", "reaction_added", "channel_archive", "channel_left"):
            self.app.event(kind)(self._hear)
        self.app.action("claim")(self._press)
        self.app.action("more")(self._press)
        self.app.command("/handoff")(self._command)
        self.app.view("close")(self._submit)
        self.handler = AsyncSocketModeHandler(
            self.app, slack.app_token, web_client=web, ping_interval=ping_interval
        )

    async def _hear(self, event: Json) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("not stored")
        self.heard.append(event)

    async def _press(self, ack: Callable[[], Awaitable[Any]], body: Json) -> None:
        self.clicks.append(body)
        await ack()

    async def _command(self, ack: Callable[[str], Awaitable[Any]], command: Json) -> None:
        await ack(f"You said {command['text']}")

    async def _submit(self, ack: Callable[..., Awaitable[Any]], view: Json) -> None:
        if view["state"]["values"]["note"]["text"]["value"]:
            await ack()
        else:
            await ack(response_action="errors", errors={"note": "Say something"})


@pytest.fixture
def bolt(slack: FakeSlack, web: AsyncWebClient) -> Callable[..., Any]:
    @asynccontextmanager
    async def connect(ping_interval: float = 0.1) -> AsyncIterator[Bot]:
        bot = Bot(slack, web, ping_interval)
        await bot.handler.connect_async()  # type: ignore[no-untyped-call]
        try:
            await slack.connected()
            yield bot
        finally:
            await bot.handler.close_async()  # type: ignore[no-untyped-call]

    return connect


async def refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def card(*buttons: Json) -> list[Json]:
    text = {"type": "mrkdwn", "text": "*Lost parcel*"}
    return [{"type": "section", "text": text}, {"type": "actions", "elements": list(buttons)}]


def button(action_id: str = "claim", value: str = "7", label: str = "Claim") -> Json:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "action_id": action_id, "value": value, "text": text}


MARK = {"event_type": "baton_delivery", "event_payload": {"id": "d-1"}}
MODAL = {
    "type": "modal",
    "callback_id": "close",
    "title": {"type": "plain_text", "text": "Close"},
    "submit": {"type": "plain_text", "text": "Close"},
    "blocks": [
        {
            "type": "input",
            "block_id": "note",
            "label": {"type": "plain_text", "text": "Note"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


# Tokens and methods


async def test_auth_test_tells_the_bots_ids(slack: FakeSlack, web: AsyncWebClient) -> None:
    answer = await web.auth_test()
    assert (answer["user_id"], answer["bot_id"]) == (slack.bot_user_id, slack.bot_id)


async def test_a_wrong_token_is_invalid_auth(web: AsyncWebClient) -> None:
    assert await refusal(web.api_call("users.list", params={"token": "xoxb-other"})) == "invalid_auth"


async def test_no_token_is_not_authed(slack: FakeSlack) -> None:
    assert await refusal(AsyncWebClient(base_url=slack.api_url).auth_test()) == "not_authed"


async def test_a_method_that_slack_does_not_have_is_unknown(web: AsyncWebClient) -> None:
    assert await refusal(web.api_call("chat.shout")) == "unknown_method"


async def test_users_are_listed_in_pages(slack: FakeSlack, web: AsyncWebClient) -> None:
    for name in ("ann", "bob", "eve"):
        slack.add_user(name)
    names = [user["name"] async for page in await web.users_list(limit=2) for user in page["members"]]
    assert names == ["baton", "ann", "bob", "eve"]


async def test_members_are_listed_in_pages(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    first = await web.conversations_members(channel=room, limit=1)
    rest = await web.conversations_members(channel=room, cursor=first["response_metadata"]["next_cursor"])
    assert first["members"] + rest["members"] == [slack.bot_user_id, ann]


async def test_presence_is_what_the_test_says(slack: FakeSlack, web: AsyncWebClient, ann: str) -> None:
    slack.set_presence(ann, "away")
    assert (await web.users_getPresence(user=ann))["presence"] == "away"


# Posting


async def test_stamps_grow_strictly_although_the_clock_stands_still() -> None:
    async with FakeSlack(clock=lambda: 1_700_000_000.0) as slack:
        user = slack.add_user("ann")
        room = slack.add_channel("support")
        stamps = [await slack.post(user, room, "hi") for _ in range(5)]
    assert stamps == sorted(set(stamps))


async def test_a_reply_is_in_its_thread(slack: FakeSlack, web: AsyncWebClient, room: str) -> None:
    root = (await web.chat_postMessage(channel=room, text="root"))["ts"]
    answer = await web.chat_postMessage(channel=room, text="reply", thread_ts=root)
    assert answer["message"]["thread_ts"] == root
    assert [m.text for m in slack.thread(room, root)] == ["root", "reply"]


async def test_posting_to_an_unknown_channel_is_refused(web: AsyncWebClient) -> None:
    assert await refusal(web.chat_postMessage(channel="C0NOWHERE", text="x")) == "channel_not_found"


async def test_posting_where_the_bot_is_not_a_member_is_refused(
    slack: FakeSlack, web: AsyncWebClient
) -> None:
    elsewhere = slack.add_channel("elsewhere", bot=False)
    assert await refusal(web.chat_postMessage(channel=elsewhere, text="x")) == "not_in_channel"


async def test_posting_to_an_archived_channel_is_refused(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    await slack.archive(room)
    assert await refusal(web.chat_postMessage(channel=room, text="x")) == "is_archived"


async def test_an_empty_message_is_refused(web: AsyncWebClient, room: str) -> None:
    assert await refusal(web.api_call("chat.postMessage", json={"channel": room})) == "no_text"


async def test_a_text_over_40000_characters_is_refused(web: AsyncWebClient, room: str) -> None:
    assert await refusal(web.chat_postMessage(channel=room, text="x" * 40_001)) == "msg_too_long"


async def test_a_reply_in_a_locked_thread_is_refused(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    root = (await web.chat_postMessage(channel=room, text="root"))["ts"]
    slack.lock_thread(room, root)
    reply = web.chat_postMessage(channel=room, text="x", thread_ts=root)
    assert await refusal(reply) == "restricted_action_thread_locked"


async def test_a_reply_to_a_deleted_root_lands_in_the_channel(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    root = (await web.chat_postMessage(channel=room, text="root"))["ts"]
    await slack.delete(room, root)
    answer = await web.chat_postMessage(channel=room, text="stray", thread_ts=root)
    assert "thread_ts" not in answer["message"]


async def test_a_message_under_another_name_cannot_be_deleted(web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x", username="Shopper"))["ts"]
    assert await refusal(web.chat_delete(channel=room, ts=ts)) == "cant_delete_message"


async def test_anothers_message_cannot_be_updated(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    ts = await slack.post(ann, room, "mine")
    assert await refusal(web.chat_update(channel=room, ts=ts, text="yours")) == "cant_update_message"


async def test_a_deleted_message_cannot_be_updated(web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x"))["ts"]
    await web.chat_delete(channel=room, ts=ts)
    assert await refusal(web.chat_update(channel=room, ts=ts, text="y")) == "message_not_found"


async def test_an_update_over_4000_characters_is_refused(web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x"))["ts"]
    assert await refusal(web.chat_update(channel=room, ts=ts, text="y" * 4_001)) == "msg_too_long"


async def test_an_update_with_text_alone_drops_the_blocks(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x", blocks=card(button())))["ts"]
    await web.chat_update(channel=room, ts=ts, text="done")
    assert slack.message(room, ts).blocks == []


async def test_an_update_without_metadata_keeps_it(slack: FakeSlack, web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x", metadata=MARK))["ts"]
    await web.chat_update(channel=room, ts=ts, text="y")
    assert slack.message(room, ts).metadata == MARK


async def test_metadata_without_a_payload_is_refused(web: AsyncWebClient, room: str) -> None:
    post = web.chat_postMessage(channel=room, text="x", metadata={"event_type": "baton"})
    assert await refusal(post) == "invalid_metadata_schema"


async def test_an_ephemeral_message_is_seen_by_one_person_only(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    await web.chat_postEphemeral(channel=room, user=ann, text="psst")
    assert [(e.user, e.text) for e in slack.ephemerals] == [(ann, "psst")]
    assert slack.messages(room) == []


async def test_a_permalink_names_the_thread(web: AsyncWebClient, room: str) -> None:
    root = (await web.chat_postMessage(channel=room, text="root"))["ts"]
    reply = (await web.chat_postMessage(channel=room, text="x", thread_ts=root))["ts"]
    link = (await web.chat_getPermalink(channel=room, message_ts=reply))["permalink"]
    assert link.endswith(f"/p{reply.replace('.', '')}?thread_ts={root}&cid={room}")


# Blocks

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([{"type": "divider"}] * 51, id="51 blocks"),
        pytest.param(
            [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], id="long section"
        ),
        pytest.param([{"type": "section", "text": {"type": "mrkdwn", "text": ""}}], id="empty section"),
        pytest.param([{"type": "section"}], id="section without text"),
        pytest.param([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}], id="11 fields"),
        pytest.param(
            [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}], id="long field"
        ),
        pytest.param(
            [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], id="long header"
        ),
        pytest.param([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], id="mrkdwn header"),
        pytest.param([{"type": "context", "elements": [SECTION["text"]] * 11}], id="11 context elements"),
        pytest.param(card(*(button(f"b{n}") for n in range(26))), id="26 buttons"),
        pytest.param(card(), id="no buttons"),
        pytest.param(card(button(label="x" * 76)), id="long label"),
        pytest.param(card(button(value="x" * 2001)), id="long value"),
        pytest.param(card(button("x" * 256)), id="long action_id"),
        pytest.param(card(button(), button()), id="same action_id twice"),
        pytest.param([{**SECTION, "block_id": "a"}, {**SECTION, "block_id": "a"}], id="same block_id twice"),
        pytest.param([{**SECTION, "block_id": "x" * 256}], id="long block_id"),
        pytest.param([{"type": "banner"}], id="unknown type"),
    ],
)
async def test_blocks_over_slacks_limits_are_refused(
    web: AsyncWebClient, room: str, blocks: list[Json]
) -> None:
    assert await refusal(web.chat_postMessage(channel=room, text="x", blocks=blocks)) == "invalid_blocks"


async def test_more_than_13000_characters_in_all_blocks_are_refused(web: AsyncWebClient, room: str) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5
    assert await refusal(web.chat_postMessage(channel=room, text="x", blocks=blocks)) == "msg_blocks_too_long"


async def test_the_text_of_a_message_holds_its_blocks_texts(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    ts = (await web.chat_postMessage(channel=room, text="summary", blocks=card(button())))["ts"]
    assert slack.text_of(slack.message(room, ts)) == "summary\n*Lost parcel*\nClaim"


# Reading


async def test_metadata_is_returned_only_when_asked_for(web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x", metadata=MARK))["ts"]
    plain = await web.conversations_replies(channel=room, ts=ts)
    full = await web.conversations_replies(channel=room, ts=ts, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == MARK


async def test_replies_come_in_pages_with_the_root_on_the_first(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    root = await slack.post(ann, room, "root")
    for number in range(5):
        await slack.post(ann, room, f"{number}", thread_ts=root)
    pages = [
        page["messages"] async for page in await web.conversations_replies(channel=room, ts=root, limit=2)
    ]
    assert [[m["text"] for m in page] for page in pages] == [["root", "0", "1"], ["2", "3"], ["4"]]


async def test_oldest_leaves_out_its_own_message_unless_inclusive(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    root = await slack.post(ann, room, "root")
    stamps = [await slack.post(ann, room, f"{number}", thread_ts=root) for number in range(3)]

    async def texts(**more: Any) -> list[str]:
        page = await web.conversations_replies(channel=room, ts=root, oldest=stamps[1], **more)
        return [m["text"] for m in page["messages"]]

    assert await texts() == ["root", "2"]
    assert await texts(inclusive=True) == ["root", "1", "2"]


async def test_history_shows_roots_newest_first(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    first = await slack.post(ann, room, "first")
    await slack.post(ann, room, "second")
    await slack.post(ann, room, "reply", thread_ts=first)
    page = await web.conversations_history(channel=room)
    assert [(m["text"], m.get("reply_count", 0)) for m in page["messages"]] == [("second", 0), ("first", 1)]


async def test_a_deleted_root_with_replies_becomes_a_tombstone(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    root = await slack.post(ann, room, "root")
    await slack.post(ann, room, "reply", thread_ts=root)
    await slack.delete(room, root)
    shown = (await web.conversations_history(channel=room))["messages"][0]
    assert (shown["subtype"], shown["user"]) == ("tombstone", "USLACKBOT")
    assert shown["text"] == "This message was deleted."


async def test_the_replies_of_a_deleted_root_without_replies_are_not_found(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    root = await slack.post(ann, room, "root")
    await slack.delete(room, root)
    assert await refusal(web.conversations_replies(channel=room, ts=root)) == "thread_not_found"


# Reactions


async def test_the_same_reaction_twice_is_refused(web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x"))["ts"]
    await web.reactions_add(channel=room, timestamp=ts, name="eyes")
    assert await refusal(web.reactions_add(channel=room, timestamp=ts, name="eyes")) == "already_reacted"


async def test_a_reaction_that_is_not_there_cannot_be_removed(web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x"))["ts"]
    assert await refusal(web.reactions_remove(channel=room, timestamp=ts, name="eyes")) == "no_reaction"


async def test_an_emoji_that_does_not_exist_is_refused(web: AsyncWebClient, room: str) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x"))["ts"]
    assert await refusal(web.reactions_add(channel=room, timestamp=ts, name="batonn")) == "invalid_name"


# Faults


async def test_a_rate_limit_says_when_to_come_back(slack: FakeSlack, web: AsyncWebClient, room: str) -> None:
    slack.faults.add("chat.postMessage", Fault.rate_limit(retry_after=2))
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(channel=room, text="x")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "2")


async def test_a_503_commits_nothing(slack: FakeSlack, web: AsyncWebClient, room: str) -> None:
    slack.faults.add("chat.postMessage", Fault.http(503))
    with pytest.raises(SlackApiError):
        await web.chat_postMessage(channel=room, text="x")
    assert slack.messages(room) == []


async def test_a_503_after_the_commit_leaves_the_message(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    slack.faults.add("chat.postMessage", Fault.http(503, commit=True))
    with pytest.raises(SlackApiError):
        await web.chat_postMessage(channel=room, text="x")
    assert [m.text for m in slack.messages(room)] == ["x"]


async def test_a_dropped_call_after_the_commit_leaves_the_message(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    slack.faults.add("chat.postMessage", Fault.drop(commit=True))
    with pytest.raises(aiohttp.ClientError):
        await web.chat_postMessage(channel=room, text="x")
    assert [m.text for m in slack.messages(room)] == ["x"]


async def test_the_sdks_own_retry_posts_a_dropped_message_twice(slack: FakeSlack, room: str) -> None:
    slack.faults.add("chat.postMessage", Fault.drop(commit=True))
    default = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    await default.chat_postMessage(channel=room, text="x")
    assert [m.text for m in slack.messages(room)] == ["x", "x"]


async def test_a_late_commit_appears_after_the_client_gave_up(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    slack.faults.add("chat.postMessage", Fault.late(0.05))
    with pytest.raises(aiohttp.ClientError):
        await web.chat_postMessage(channel=room, text="x")
    assert slack.messages(room) == []
    await slack.wait_for(lambda: slack.messages(room), timeout=2)


async def test_an_error_code_on_demand_may_be_committed(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    slack.faults.add("chat.postMessage", Fault.error("internal_error", commit=True))
    assert await refusal(web.chat_postMessage(channel=room, text="x")) == "internal_error"
    assert len(slack.messages(room)) == 1


async def test_a_hanging_call_runs_into_the_clients_timeout(slack: FakeSlack, room: str) -> None:
    impatient = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=0.1)  # type: ignore[arg-type]
    slack.faults.add("chat.postMessage", Fault.hang())
    with pytest.raises(TimeoutError):
        await impatient.chat_postMessage(channel=room, text="x")


async def test_a_slow_call_is_still_carried_out(slack: FakeSlack, web: AsyncWebClient, room: str) -> None:
    slack.faults.add("*", Fault.latency(0.05))
    before = time.monotonic()
    await web.chat_postMessage(channel=room, text="x")
    assert time.monotonic() - before >= 0.05


async def test_a_fault_strikes_only_the_calls_it_is_meant_for(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    slack.faults.add("chat.postMessage", Fault.error("fatal_error"), when=lambda args: "bad" in args["text"])
    await web.chat_postMessage(channel=room, text="good")
    assert await refusal(web.chat_postMessage(channel=room, text="bad")) == "fatal_error"
    await web.chat_postMessage(channel=room, text="bad, but only once")


async def test_enforced_limits_allow_a_burst_and_then_refuse(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    slack.enforce_limits = True
    for number in range(5):
        await web.chat_postMessage(channel=room, text=f"{number}")
    assert await refusal(web.chat_postMessage(channel=room, text="one more")) == "ratelimited"


# Events through Bolt


async def test_a_persons_message_reaches_bolt(slack: FakeSlack, bolt: Any, room: str, ann: str) -> None:
    async with bolt() as bot:
        ts = await slack.post(ann, room, "hello")
        await slack.settled()
    assert [(e["ts"], e["user"], e["text"]) for e in bot.heard] == [(ts, ann, "hello")]


async def test_a_mention_comes_as_a_message_and_as_a_mention(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    async with bolt() as bot:
        await slack.post(ann, room, f"<@{slack.bot_user_id}> claim")
        await slack.settled()
    assert sorted(e["type"] for e in bot.heard) == ["app_mention", "message"]


async def test_the_bots_own_post_comes_back_with_its_bot_id(
    slack: FakeSlack, web: AsyncWebClient, bolt: Any, room: str
) -> None:
    async with bolt() as bot:
        await web.chat_postMessage(channel=room, text="x")
        await slack.settled()
    assert [e["bot_id"] for e in bot.heard] == [slack.bot_id]


async def test_an_edit_tells_the_old_and_the_new_text(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    async with bolt() as bot:
        ts = await slack.post(ann, room, "helo")
        await slack.edit(room, ts, "hello")
        await slack.settled()
    changed = next(e for e in bot.heard if e.get("subtype") == "message_changed")
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("helo", "hello")


async def test_an_unfurl_is_a_change_with_the_same_text(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    async with bolt() as bot:
        ts = await slack.post(ann, room, "https://example.com/")
        await slack.unfurl(room, ts)
        await slack.settled()
    changed = next(e for e in bot.heard if e.get("subtype") == "message_changed")
    assert changed["previous_message"]["text"] == changed["message"]["text"]
    assert "edited" not in changed["message"]


async def test_a_root_that_gains_a_reply_can_say_it_changed(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    slack.reply_noise = True
    async with bolt() as bot:
        root = await slack.post(ann, room, "root")
        await slack.post(ann, room, "reply", thread_ts=root)
        await slack.settled()
    changed = next(e for e in bot.heard if e.get("subtype") == "message_changed")
    assert (changed["message"]["ts"], changed["message"]["reply_count"]) == (root, 1)


async def test_a_deleted_root_with_replies_is_announced_as_a_change(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    async with bolt() as bot:
        root = await slack.post(ann, room, "root")
        await slack.post(ann, room, "reply", thread_ts=root)
        await slack.delete(room, root)
        await slack.settled()
    changed = next(e for e in bot.heard if e.get("subtype") == "message_changed")
    assert (changed["message"]["subtype"], changed["previous_message"]["text"]) == ("tombstone", "root")


async def test_a_deletion_names_the_message(slack: FakeSlack, bolt: Any, room: str, ann: str) -> None:
    async with bolt() as bot:
        ts = await slack.post(ann, room, "oops")
        await slack.delete(room, ts)
        await slack.settled()
    assert [e["deleted_ts"] for e in bot.heard if e.get("subtype") == "message_deleted"] == [ts]


async def test_a_reaction_names_the_message(slack: FakeSlack, bolt: Any, room: str, ann: str) -> None:
    ts = await slack.post(ann, room, "x")
    async with bolt() as bot:
        await slack.react(ann, room, ts, "octagonal_sign")
        await slack.wait_for(lambda: any(e["type"] == "reaction_added" for e in bot.heard))
    reaction = next(e for e in bot.heard if e["type"] == "reaction_added")
    assert (reaction["reaction"], reaction["item"]["ts"]) == ("octagonal_sign", ts)


async def test_an_archived_channel_is_announced(slack: FakeSlack, bolt: Any, room: str) -> None:
    async with bolt() as bot:
        await slack.archive(room)
        await slack.settled()
    assert [e["type"] for e in bot.heard] == ["channel_archive"]


async def test_a_channel_the_bot_is_not_in_stays_silent(slack: FakeSlack, ann: str) -> None:
    elsewhere = slack.add_channel("elsewhere", [ann], bot=False)
    await slack.post(ann, elsewhere, "x")
    assert slack.deliveries == []


# Delivery


async def test_an_event_that_was_not_acked_comes_again(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    slack.ack_timeout = 0.1
    async with bolt() as bot:
        bot.failures = 1
        ts = await slack.post(ann, room, "hello")
        await slack.settled()
    attempts = slack.delivery_of(ts).attempts
    assert [(a.number, a.reason, a.acked) for a in attempts] == [(0, "", False), (1, "timeout", True)]


async def test_an_event_is_held_while_no_connection_is_open(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    slack.retry_delays = (0.0, 0.5)
    await slack.post(ann, room, "in the gap")
    async with bolt() as bot:
        await slack.settled()
    assert [e["text"] for e in bot.heard] == ["in the gap"]


async def test_an_event_in_a_long_gap_is_lost_for_good(slack: FakeSlack, room: str, ann: str) -> None:
    slack.retry_delays = (0.0, 0.0, 0.0)
    ts = await slack.post(ann, room, "nobody hears")
    await slack.settled()
    delivery = slack.delivery_of(ts)
    assert (delivery.lost, len(delivery.attempts)) == (True, 4)


async def test_an_acked_event_can_come_again(slack: FakeSlack, bolt: Any, room: str, ann: str) -> None:
    slack.repeat_events(2)
    async with bolt() as bot:
        ts = await slack.post(ann, room, "hello")
        await slack.wait_for(lambda: sum(a.acked for a in slack.delivery_of(ts).attempts) == 3)
    assert [e["ts"] for e in bot.heard] == [ts] * 3


async def test_events_can_come_out_of_order(slack: FakeSlack, bolt: Any, room: str, ann: str) -> None:
    slack.reorder(0.1)
    async with bolt() as bot:
        stamps = [await slack.post(ann, room, f"{number}") for number in range(20)]
        await slack.settled()
    heard = [e["ts"] for e in bot.heard]
    assert heard != stamps
    assert sorted(heard) == stamps


async def test_bolt_comes_back_after_its_socket_was_cut(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    slack.retry_delays = (0.0, 0.5)
    async with bolt() as bot:
        slack.drop_sockets()
        await slack.post(ann, room, "hello")
        await slack.settled()
    assert [e["text"] for e in bot.heard] == ["hello"]


async def test_a_refresh_makes_bolt_change_its_connection(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    async with bolt() as bot:
        await slack.disconnect("refresh_requested")
        await slack.wait_for(lambda: slack.gateway.connects == 2 and slack.connections == 1)
        await slack.post(ann, room, "hello")
        await slack.settled()
    assert [e["text"] for e in bot.heard] == ["hello"]


async def test_a_socket_ticket_works_once(slack: FakeSlack, web: AsyncWebClient) -> None:
    url = (await web.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as ws:
            assert (await ws.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_after_a_refused_connection_the_sdk_tries_a_dead_url_for_ever(
    slack: FakeSlack, bolt: Any
) -> None:
    async with bolt() as bot:
        slack.refuse_connections(60)
        slack.drop_sockets()
        await slack.wait_for(lambda: slack.gateway.turned_away == 1)
        slack.refuse_connections(0)
        await slack.wait_for(lambda: slack.gateway.turned_away == 3)
        assert len(slack.calls_to("apps.connections.open")) == 2
        bot.handler.client.wss_uri = None
        await slack.connected()


async def test_a_silent_socket_is_given_up(slack: FakeSlack, bolt: Any) -> None:
    async with bolt():
        slack.silence()
        await slack.wait_for(lambda: slack.gateway.connects > 1)
        slack.silence(False)


async def test_two_connections_share_the_events(slack: FakeSlack, bolt: Any, room: str, ann: str) -> None:
    async with bolt() as one, bolt() as two:
        await slack.connected(2)
        for number in range(20):
            await slack.post(ann, room, f"{number}")
        await slack.settled()
    assert one.heard
    assert two.heard
    assert len(one.heard) + len(two.heard) == 20


async def test_an_eleventh_connection_is_sent_away(slack: FakeSlack, web: AsyncWebClient) -> None:
    async with aiohttp.ClientSession() as session:
        urls = [(await web.apps_connections_open(app_token=slack.app_token))["url"] for _ in range(11)]
        sockets = [await session.ws_connect(url) for url in urls]
        greetings = [await ws.receive_json() for ws in sockets]
    assert [g["type"] for g in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[-1]["reason"] == "too_many_websockets"


# Interactions


async def test_a_click_reaches_bolt_with_its_message(
    slack: FakeSlack, web: AsyncWebClient, bolt: Any, room: str, ann: str
) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x", blocks=card(button())))["ts"]
    async with bolt() as bot:
        await slack.click(ann, room, ts, "claim")
        await slack.wait_for(lambda: bot.clicks)
    click = bot.clicks[0]
    assert (click["user"]["id"], click["message"]["ts"], click["actions"][0]["value"]) == (ann, ts, "7")


async def test_a_menus_option_can_be_chosen(
    slack: FakeSlack, web: AsyncWebClient, bolt: Any, room: str, ann: str
) -> None:
    option = {"text": {"type": "plain_text", "text": "Close"}, "value": "close"}
    blocks = card({"type": "overflow", "action_id": "more", "options": [option]})
    ts = (await web.chat_postMessage(channel=room, text="x", blocks=blocks))["ts"]
    async with bolt() as bot:
        await slack.click(ann, room, ts, "more", "close")
        await slack.wait_for(lambda: bot.clicks)
    assert bot.clicks[0]["actions"][0]["selected_option"]["value"] == "close"


async def test_a_button_that_is_not_there_cannot_be_pressed(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x"))["ts"]
    with pytest.raises(AssertionError, match="nothing to press"):
        await slack.click(ann, room, ts, "claim")


async def test_an_interaction_nobody_takes_is_not_repeated(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x", blocks=card(button())))["ts"]
    click = await slack.click(ann, room, ts, "claim")
    await slack.wait_for(lambda: click.lost)
    assert len(click.attempts) == 1


async def test_a_commands_answer_is_seen_by_who_typed_it(
    slack: FakeSlack, bolt: Any, room: str, ann: str
) -> None:
    async with bolt():
        await slack.command(ann, room, "/handoff", "status")
        await slack.wait_for(lambda: slack.ephemerals)
    assert [(e.user, e.text) for e in slack.ephemerals] == [(ann, "You said status")]


async def test_a_response_url_works_five_times(slack: FakeSlack, room: str, ann: str) -> None:
    command = await slack.command(ann, room, "/handoff")
    hook = AsyncWebhookClient(command.payload["response_url"])
    answers = [(await hook.send(text=f"{number}")).status_code for number in range(6)]
    assert answers == [200] * 5 + [404]
    assert [response.body["text"] for response in slack.responses] == ["0", "1", "2", "3", "4"]


async def test_a_response_can_replace_the_message_that_was_clicked(
    slack: FakeSlack, web: AsyncWebClient, room: str, ann: str
) -> None:
    ts = (await web.chat_postMessage(channel=room, text="x", blocks=card(button())))["ts"]
    click = await slack.click(ann, room, ts, "claim")
    await AsyncWebhookClient(click.payload["response_url"]).send(text="claimed", replace_original=True)
    assert slack.text_of(slack.message(room, ts)) == "claimed"


async def test_a_trigger_opens_one_modal(slack: FakeSlack, web: AsyncWebClient, room: str, ann: str) -> None:
    trigger = (await slack.command(ann, room, "/handoff")).payload["trigger_id"]
    await web.views_open(trigger_id=trigger, view=MODAL)
    assert await refusal(web.views_open(trigger_id=trigger, view=MODAL)) == "exchanged_trigger_id"
    assert [view.user for view in slack.views] == [ann]


async def test_a_trigger_lives_three_seconds(room: str) -> None:
    now = 1_700_000_000.0
    async with FakeSlack(clock=lambda: now) as slack:
        web = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        trigger = slack.new_trigger(slack.add_user("ann"))
        now += 3.1
        assert await refusal(web.views_open(trigger_id=trigger, view=MODAL)) == "expired_trigger_id"


async def test_a_submitted_modal_stays_open_with_errors(slack: FakeSlack, bolt: Any, ann: str) -> None:
    view = slack.open_view(ann, MODAL)
    async with bolt():
        delivery = await slack.submit(ann, view.id)
        await slack.wait_for(lambda: delivery.acked)
    assert delivery.response == {"response_action": "errors", "errors": {"note": "Say something"}}
    assert not view.closed


async def test_a_submitted_modal_that_is_accepted_closes(slack: FakeSlack, bolt: Any, ann: str) -> None:
    view = slack.open_view(ann, MODAL)
    async with bolt():
        await slack.submit(ann, view.id, {"note": "solved"})
        await slack.wait_for(lambda: view.closed)


# Files


async def test_an_uploaded_file_is_a_message_of_the_thread(
    slack: FakeSlack, web: AsyncWebClient, room: str
) -> None:
    root = (await web.chat_postMessage(channel=room, text="root"))["ts"]
    await web.files_upload_v2(channel=room, thread_ts=root, filename="a.txt", content="hello")
    shared = slack.thread(room, root)[1]
    assert slack.files[shared.files[0]["id"]].content == b"hello"


async def test_a_download_with_the_wrong_token_is_a_login_page(slack: FakeSlack, room: str, ann: str) -> None:
    file = slack.add_file(ann, "a.png", b"\x89PNG", "image/png")
    ts = await slack.post(ann, room, "", files=[file])
    url = slack.message(room, ts).files[0]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers={"Authorization": "Bearer xoxb-other"}) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
        async with session.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"}) as answer:
            assert await answer.read() == b"\x89PNG"


# The server


async def test_the_workspace_outlives_a_restart_at_the_same_place(room: str) -> None:
    slack = FakeSlack()
    await slack.start()
    web = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    room = slack.add_channel("support")
    await web.chat_postMessage(channel=room, text="before")
    await slack.stop()
    await slack.start(slack.port)
    assert (await web.conversations_history(channel=room))["messages"][0]["text"] == "before"
    await slack.stop()


async def test_waiting_in_vain_tells_what_happened(slack: FakeSlack, web: AsyncWebClient) -> None:
    await web.auth_test()
    with pytest.raises(TimeoutError, match=r"auth\.test=200"):
        await slack.wait_for(lambda: False, timeout=0.05)

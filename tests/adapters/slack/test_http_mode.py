"""`POST /slack/events`: only what Slack signed, only after the commit, and read back after every sign of a gap."""

import io
import json
import time

import aiohttp
import pytest

from adapters.slack.app import SlackAdapter
from adapters.slack.http_mode import LONGEST_BODY, is_genuine
from bot.commands import ThreadMessage
from bot.errors import Busy
from bot.settings import SettingsError, Timing, load, slack_calls_us
from tests.adapters.slack.desk import Desk
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.requests import signature

pytestmark = pytest.mark.transport("http")


async def post(desk: Desk, body: bytes, **headers: str) -> tuple[int, str, str]:
    """A request that Slack signed; the status, `Retry-After` and the text of its answer."""
    stamp = str(int(time.time()))
    signed = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(desk.slack.signing_secret, stamp, body),
        "Content-Type": "application/json",
    }
    async with (
        aiohttp.ClientSession() as http,
        http.post(desk.url, data=io.BytesIO(body), headers=signed | headers) as answer,
    ):
        return answer.status, answer.headers.get("Retry-After", ""), await answer.text()


def message(desk: Desk, ts: str = "1700000000.000001") -> bytes:
    event = {
        "type": "message",
        "channel": desk.room,
        "user": desk.anna,
        "text": "on it",
        "ts": ts,
        "thread_ts": desk.place.root,
    }
    envelope = {"type": "event_callback", "event_id": "Ev1", "team_id": desk.slack.team_id, "event": event}
    return json.dumps(envelope).encode()


async def test_the_challenge_is_given_back(desk: Desk) -> None:
    assert await desk.slack.verify_url()
    assert desk.bus.arrived == []


async def test_a_challenge_with_a_wrong_signature_is_refused(desk: Desk) -> None:
    desk.slack.forge("signature")
    assert not await desk.slack.verify_url()


async def test_the_challenge_is_given_back_before_we_could_sign_in() -> None:
    """The address is saved while the app is being made."""
    async with FakeSlack() as slack:
        desk = Desk(slack, "http")
        await desk.web.start()
        slack.deliver_to(desk.url)
        try:
            assert await slack.verify_url()
            status, retry_after, _ = await post(desk, message(desk))
            assert (status, retry_after) == (503, "1")
        finally:
            await desk.stop()


@pytest.mark.parametrize("forgery", ["signature", "timestamp"])
async def test_what_slack_did_not_just_sign_is_refused_before_anything(desk: Desk, forgery: str) -> None:
    before = len(desk.slack.calls)
    desk.slack.forge(*[forgery] * 4)  # type: ignore[list-item]
    ts = await desk.say("on it")
    await desk.slack.settled()
    delivery = desk.slack.delivery_of(ts)
    assert [attempt.status for attempt in delivery.attempts] == [401] * 4
    assert delivery.lost
    assert desk.bus.arrived == []
    assert len(desk.slack.calls) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=ü"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "²"},
    ],
)
async def test_nonsense_for_a_signature_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    status, _, text = await post(desk, message(desk), **headers)
    assert status == 401
    assert json.loads(text)["error"]["code"] == "unauthorized"


def test_slacks_own_example_is_genuine() -> None:
    """The figures of docs.slack.dev/authentication/verifying-requests-from-slack."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name="
        b"foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2F"
        b"hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
        b"47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    secret = b"8f742231b10e8888abcd99yyyzzz85a5"
    assert is_genuine(secret, headers, body, 1531420618 + 299)
    assert not is_genuine(secret, headers, body, 1531420618 + 301)
    assert not is_genuine(secret, headers, body, 1531420618 - 301)
    assert not is_genuine(secret, headers, body + b" ", 1531420618)
    assert not is_genuine(b"", headers, body, 1531420618)


async def test_a_body_that_is_too_large_is_refused_and_a_large_one_is_not(desk: Desk) -> None:
    status, _, _ = await post(desk, b"x" * (LONGEST_BODY + 1))
    assert status == 413
    large = message(desk).replace(b"on it", b"on it " * 100_000)
    status, _, _ = await post(desk, large)
    assert status == 200


async def test_a_busy_writer_is_said_with_the_time_to_come_back(desk: Desk) -> None:
    desk.bus.failures.append(Busy(1.4))
    status, retry_after, _ = await post(desk, message(desk))
    assert (status, retry_after) == (503, "2")


async def test_a_failure_is_a_500_without_a_word_of_why(desk: Desk) -> None:
    desk.bus.failures.append(RuntimeError("my card is 4111"))
    status, _, text = await post(desk, message(desk))
    assert status == 500
    assert "4111" not in text


async def test_a_retry_is_never_dropped_for_being_one(desk: Desk) -> None:
    status, _, _ = await post(
        desk, message(desk), **{"X-Slack-Retry-Num": "3", "X-Slack-Retry-Reason": "http_timeout"}
    )
    assert status == 200
    assert [command.heard.text for command in desk.bus.commands(ThreadMessage)] == ["on it"]


async def test_a_slow_commit_makes_slack_send_it_again(desk: Desk) -> None:
    desk.slack.ack_timeout = 0.2
    desk.bus.gate.clear()
    ts = await desk.say("on it")
    delivery = desk.slack.delivery_of(ts)
    await desk.until(lambda: len(delivery.attempts) >= 2)
    desk.bus.gate.set()
    await desk.slack.settled()
    assert delivery.acked
    assert delivery.attempts[1].reason == "http_timeout"
    assert {command.heard.id for command in desk.bus.commands(ThreadMessage)} == {ts}


@pytest.mark.parametrize(
    ("given", "app_token", "limits"),
    [
        ({"SLACK_SIGNING_SECRET": "s"}, "", True),
        ({"SLACK_SIGNING_SECRET": "s", "SLACK_LIMITS": "off"}, "", False),
        ({"SLACK_SIGNING_SECRET": "s", "SLACK_APP_TOKEN": "xapp-1"}, "xapp-1", True),
    ],
)
def test_an_app_token_means_socket_mode_and_a_secret_alone_http(
    given: dict[str, str], app_token: str, limits: bool
) -> None:
    slack = load({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C1"} | given).slack
    assert slack is not None
    assert (slack.app_token, slack.signing_secret, slack.limits) == (app_token, "s", limits)
    assert (SlackAdapter(slack, Timing())._http is None) == bool(app_token)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb"}, ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"]),
        ({"SLACK_SIGNING_SECRET": "s"}, ["SLACK_BOT_TOKEN", "although SLACK_SIGNING_SECRET"]),
        ({"SLACK_BOT_TOKEN": "b", "SLACK_APP_TOKEN": "a", "SLACK_LIMITS": "no"}, ["SLACK_LIMITS", "on, off"]),
    ],
)
def test_what_is_missing_names_both_ways(given: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        load(given)
    for name in named:
        assert name in str(error.value)


def test_the_manifest_is_for_http_where_there_is_a_secret_and_no_app_token() -> None:
    assert slack_calls_us({}) is None
    assert slack_calls_us({"SLACK_SIGNING_SECRET": "s", "SLACK_APP_TOKEN": "a"}) is None
    url = "https://baton.example"
    assert slack_calls_us({"SLACK_SIGNING_SECRET": "s", "BATON_PUBLIC_URL": url}) == url
    with pytest.raises(SettingsError, match="BATON_PUBLIC_URL"):
        slack_calls_us({"SLACK_SIGNING_SECRET": "s"})


# What may have been missed


async def test_the_hook_runs_once_at_the_start_and_not_without_a_sign(desk: Desk) -> None:
    await desk.say("on it")
    await desk.slack.settled()
    await desk.until(lambda: desk.connects == 1)


@pytest.mark.parametrize("sign", ["500", "retry", "held back"])
async def test_the_hook_runs_after_a_sign_of_a_gap_and_once_for_many(desk: Desk, sign: str) -> None:
    await desk.until(lambda: desk.connects == 1)
    for _ in range(5):
        if sign == "500":
            desk.bus.failures.append(RuntimeError("broken"))
            await post(desk, message(desk))
        elif sign == "retry":
            await post(desk, message(desk), **{"X-Slack-Retry-Num": "1"})
        else:
            limited = {"type": "app_rate_limited", "team_id": desk.slack.team_id, "minute_rate_limited": 1}
            assert (await post(desk, json.dumps(limited).encode()))[0] == 200
    await desk.until(lambda: desk.connects == 2)
    assert desk.connects == 2


async def test_a_hook_that_failed_runs_again(desk: Desk) -> None:
    await desk.until(lambda: desk.connects == 1)
    desk.hook_fails = 1
    await post(desk, message(desk), **{"X-Slack-Retry-Num": "1"})
    await desk.until(lambda: desk.connects == 3)


async def test_a_text_that_speaks_of_challenges_is_an_event(desk: Desk) -> None:
    status, _, _ = await post(desk, message(desk).replace(b"on it", b'the \\"url_verification\\" thing'))
    assert status == 200
    assert len(desk.bus.commands(ThreadMessage)) == 1

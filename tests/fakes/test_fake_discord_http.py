"""What the fake Discord refuses and how, seen without a client library in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.fakes.discord import FakeDiscord, Fault, Interaction

Json = dict[str, Any]
V2 = 1 << 15


class Api:
    """A bot that speaks plain HTTP and WebSocket."""

    def __init__(self, discord: FakeDiscord, http: aiohttp.ClientSession) -> None:
        self.discord, self.http = discord, http
        self.headers: Any = {}

    async def ask(self, verb: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bot {self.discord.token}"} | more.pop("headers", {})
        more |= {} if body is None else {"json": body}
        async with self.http.request(verb, self.discord.api_url + path, headers=headers, **more) as response:
            self.headers = response.headers
            text = await response.text()
            plain = response.headers.get("Content-Type") == "application/json"
            return response.status, json.loads(text) if plain else text

    async def say(self, channel: str, content: str = "", **more: Any) -> tuple[int, Any]:
        return await self.ask("POST", f"/channels/{channel}/messages", {"content": content} | more)

    async def problem(self, channel: str, content: str = "", **more: Any) -> tuple[str, str]:
        """Where a message is wrong, and the code there."""
        status, body = await self.say(channel, content, **more)
        assert (status, body["code"]) == (400, 50035), body
        return place(body["errors"])

    async def answer(self, one: Interaction, kind: int, data: Any = None, query: str = "") -> tuple[int, Any]:
        body = {"type": kind} | ({"data": data} if data is not None else {})
        return await self.ask("POST", f"/interactions/{one.id}/{one.token}/callback{query}", body)


def place(tree: Any, path: str = "") -> tuple[str, str]:
    """The first problem of an errors tree."""
    key, value = next(iter(tree.items()))
    return (path[1:], value[0]["code"]) if key == "_errors" else place(value, f"{path}.{key}")


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake


@pytest.fixture
async def api(discord: FakeDiscord) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as http:
        yield Api(discord, http)


@pytest.fixture
def ann(discord: FakeDiscord) -> str:
    return discord.add_user("Ann Lee")


@pytest.fixture
def room(discord: FakeDiscord) -> str:
    return discord.add_channel("support")


def button(custom_id: str = "go", **more: Any) -> Json:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id} | more


def row(*components: Json) -> Json:
    return {"type": 1, "components": list(components)}


def text(content: str) -> Json:
    return {"type": 10, "content": content}


def select(count: int, **more: Any) -> Json:
    options = [{"label": f"{n}", "value": f"{n}"} for n in range(count)]
    return {"type": 3, "custom_id": "pick", "options": options} | more


# Answers


async def test_answers_are_json_and_nothing_else(api: Api, room: str) -> None:
    status, body = await api.say(room, "  hello  ")
    assert (status, body["content"]) == (200, "hello")
    assert api.headers["Content-Type"] == "application/json"


async def test_without_the_token_everything_is_unauthorized(
    api: Api, discord: FakeDiscord, room: str
) -> None:
    headers = {"Authorization": "Bot wrong"}
    status, body = await api.ask("GET", f"/channels/{room}", headers=headers)
    assert (status, body) == (401, {"message": "401: Unauthorized", "code": 0})
    discord.revoke_token()
    assert (await api.say(room, "hello"))[0] == 401
    assert discord.invalid_requests == 2
    discord.renew_token()
    assert (await api.say(room, "hello"))[0] == 200


async def test_unknown_places_have_their_codes(api: Api, discord: FakeDiscord, room: str) -> None:
    paths = {
        "/channels/1": 10003,
        f"/channels/{room}/messages/1": 10008,
        "/guilds/1": 10004,
        f"/guilds/{discord.guild_id}/members/1": 10013,
        "/webhooks/1/token": 10015,
    }
    found = {path: (await api.ask("GET", path))[1]["code"] for path in paths}
    assert found == paths


async def test_a_429_carries_via_and_when_to_come_back(api: Api, discord: FakeDiscord, room: str) -> None:
    discord.faults.add("create_message", Fault.rate_limit(0.25))
    status, body = await api.say(room, "hello")
    assert (status, body["retry_after"], body["global"]) == (429, 0.25, False)
    assert api.headers["Via"]
    assert not discord.messages(room)


async def test_a_bucket_is_told_and_emptied(api: Api, discord: FakeDiscord, room: str) -> None:
    discord.enforce_limits = True
    told = []
    for number in range(6):
        status, _ = await api.say(room, f"{number}")
        told.append((status, api.headers["X-RateLimit-Remaining"]))
    assert told == [(200, "4"), (200, "3"), (200, "2"), (200, "1"), (200, "0"), (429, "0")]


async def test_more_than_fifty_calls_a_second_hit_the_limit_on_everything(
    api: Api, discord: FakeDiscord
) -> None:
    discord.enforce_limits = True
    discord.clock = lambda: 1_800_000_000.0
    for _ in range(50):
        discord.limits.take("get_user", {"guild_id": str(_)}, discord.clock())
    status, body = await api.ask("GET", "/users/@me")
    assert (status, body["global"]) == (429, True)


async def test_too_many_invalid_requests_are_banned_without_via(
    api: Api, discord: FakeDiscord, room: str
) -> None:
    discord.ban_after = 2
    for _ in range(2):
        await api.ask("GET", "/users/@me", headers={"Authorization": "none"})
    status, body = await api.say(room, "hello")
    assert (status, body) == (429, "error code: 1015")
    assert "Via" not in api.headers


@pytest.mark.parametrize(("status", "commit"), [(500, True), (502, False)])
async def test_an_error_page_says_nothing_about_whether_the_call_was_carried_out(
    api: Api, discord: FakeDiscord, room: str, status: int, commit: bool
) -> None:
    discord.faults.add("create_message", Fault.http(status, commit=commit))
    assert (await api.say(room, "hello"))[0] == status
    assert bool(discord.messages(room)) == commit


async def test_any_refusal_can_be_asked_for_by_its_code(api: Api, discord: FakeDiscord, room: str) -> None:
    discord.faults.add(
        "create_message", Fault.error("50013"), times=2, when=lambda args: args["content"] == "x"
    )
    assert (await api.say(room, "x"))[1] == {"message": "Missing Permissions", "code": 50013}
    assert (await api.say(room, "y"))[0] == 200


# What a message may hold


async def test_a_message_may_not_be_empty_or_too_long(api: Api, room: str) -> None:
    assert (await api.say(room, " \n "))[1]["code"] == 50006
    assert await api.problem(room, "x" * 2001) == ("content", "BASE_TYPE_MAX_LENGTH")
    assert await api.problem(room, "x", nonce="n" * 26) == ("nonce", "BASE_TYPE_MAX_LENGTH")
    assert (await api.say(room, "x" * 2000))[0] == 200


@pytest.mark.parametrize(
    ("embed", "where"),
    [
        ({"title": "x" * 257}, "embeds.0.title"),
        ({"description": "x" * 4097}, "embeds.0.description"),
        ({"fields": [{"name": "n", "value": "x" * 1025}]}, "embeds.0.fields.0.value"),
        ({"fields": [{"name": "n", "value": "v"}] * 26}, "embeds.0.fields"),
        ({"description": "x" * 4000, "footer": {"text": "x" * 2001}}, "embeds"),
    ],
)
async def test_embeds_have_limits(api: Api, room: str, embed: Json, where: str) -> None:
    assert (await api.problem(room, embeds=[embed]))[0] == where


@pytest.mark.parametrize(
    ("components", "where"),
    [
        ([row(*[button(f"{n}") for n in range(6)])], "components.0.components"),
        ([row(button(label="x" * 81))], "components.0.components.0.label"),
        ([row(button("x" * 101))], "components.0.components.0.custom_id"),
        ([row(button("a"), button("a"))], "components.0.components.1.custom_id"),
        ([row(select(26))], "components.0.components.0.options"),
        ([row(select(0))], "components.0.components.0.options"),
        ([row(select(2, max_values=3))], "components.0.components.0.max_values"),
        ([row(select(2), button())], "components.0.components"),
        ([row(button(f"{n}")) for n in range(6)], "components"),
        ([text("hello")], "components.0.type"),
        ([row(button(style=5, url=None))], "components.0.components.0.url"),
    ],
)
async def test_components_have_limits(api: Api, room: str, components: list[Json], where: str) -> None:
    assert (await api.problem(room, "x", components=components))[0] == where


async def test_a_layout_has_forty_components_and_four_thousand_characters(api: Api, room: str) -> None:
    many = [text("x")] * 41
    assert (await api.problem(room, components=many, flags=V2))[0] == "components"
    assert (await api.problem(room, components=[text("x" * 2500)] * 2, flags=V2))[0] == "components"
    assert (await api.say(room, components=[{"type": 17, "components": many[:39]}], flags=V2))[0] == 200


async def test_a_layout_stands_alone_and_stays_one(api: Api, room: str) -> None:
    legacy = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    assert await api.problem(room, "hello", components=[text("x")], flags=V2) == ("content", legacy)
    _, card = await api.say(room, components=[text("x")], flags=V2)
    status, body = await api.ask("PATCH", f"/channels/{room}/messages/{card['id']}", {"content": "plain"})
    assert (status, place(body["errors"])) == (400, ("content", legacy))


async def test_a_plain_message_becomes_a_layout_only_without_its_text(api: Api, room: str) -> None:
    _, card = await api.say(room, "hello")
    path = f"/channels/{room}/messages/{card['id']}"
    assert (await api.ask("PATCH", path, {"components": [text("x")], "flags": V2}))[0] == 400
    changed = {"content": None, "components": [text("x")], "flags": V2}
    assert (await api.ask("PATCH", path, changed))[1]["flags"] & V2


async def test_mentions_cannot_be_allowed_both_ways(api: Api, room: str, ann: str) -> None:
    both = {"parse": ["users"], "users": [ann]}
    assert (await api.problem(room, "x", allowed_mentions=both))[0] == "allowed_mentions"


async def test_a_file_may_be_too_large(api: Api, discord: FakeDiscord, room: str) -> None:
    discord.upload_limit = 10
    form = aiohttp.FormData({"payload_json": "{}"})
    form.add_field("files[0]", b"x" * 11, filename="big.bin")
    status, body = await api.ask("POST", f"/channels/{room}/messages", data=form)
    assert (status, body["code"]) == (413, 40005)


async def test_an_edit_keeps_the_files_it_names_and_the_rest_it_leaves_out(api: Api, room: str) -> None:
    form = aiohttp.FormData({"payload_json": json.dumps({"content": "two"})})
    form.add_field("files[0]", b"a", filename="a.txt")
    form.add_field("files[1]", b"b", filename="b.txt")
    _, sent = await api.ask("POST", f"/channels/{room}/messages", data=form)
    keep = [{"id": sent["attachments"][1]["id"]}]
    _, after = await api.ask("PATCH", f"/channels/{room}/messages/{sent['id']}", {"attachments": keep})
    assert ([one["filename"] for one in after["attachments"]], after["content"]) == (["b.txt"], "two")
    assert after["edited_timestamp"]


async def test_a_reply_to_a_message_that_is_gone_is_refused_unless_told_otherwise(
    api: Api, room: str
) -> None:
    assert (await api.problem(room, "x", message_reference={"message_id": "1"}))[0] == "message_reference"
    lenient = {"message_id": "1", "fail_if_not_exists": False}
    assert (await api.say(room, "x", message_reference=lenient))[0] == 200


# Reading


async def test_history_comes_newest_first_from_where_it_is_asked(
    api: Api, discord: FakeDiscord, ann: str, room: str
) -> None:
    ids = [await discord.post(ann, room, f"{n}") for n in range(6)]

    async def read(query: str) -> list[str]:
        _, found = await api.ask("GET", f"/channels/{room}/messages?{query}")
        return [one["content"] for one in found]

    assert await read("limit=2") == ["5", "4"]
    assert await read(f"limit=2&after={ids[1]}") == ["3", "2"]
    assert await read(f"limit=2&before={ids[3]}") == ["2", "1"]
    assert await read(f"limit=3&around={ids[2]}") == ["3", "2", "1"]
    assert (await api.ask("GET", f"/channels/{room}/messages?limit=101"))[0] == 400
    discord.revoke("read_message_history", room)
    assert await read("limit=2") == []


async def test_reactions_are_checked_and_counted(api: Api, discord: FakeDiscord, ann: str, room: str) -> None:
    said = await discord.post(ann, room, "hello")
    await discord.react(ann, room, said, "👀")
    path = f"/channels/{room}/messages/{said}/reactions"
    assert (await api.ask("PUT", f"{path}/👀/@me"))[0] == 204
    assert (await api.ask("PUT", f"{path}/thumbsup/@me"))[1]["code"] == 10014
    custom = f"baton:{discord.add_emoji('baton')}"
    assert (await api.ask("PUT", f"{path}/{custom}/@me"))[0] == 204
    assert discord.message(room, said).reactions == {"👀": [ann, discord.bot_id], custom: [discord.bot_id]}
    discord.revoke("add_reactions")
    assert (await api.ask("PUT", f"{path}/✅/@me"))[1]["code"] == 50013
    assert (await api.ask("DELETE", f"{path}/👀/@me"))[0] == 204


async def test_a_private_channel_is_seen_by_its_members_alone(
    api: Api, discord: FakeDiscord, ann: str
) -> None:
    bob = discord.add_user("Bob")
    den = discord.add_channel("den", [ann], private=True)
    attic = discord.add_channel("attic", [ann], private=True, bot=False)
    await discord.post(ann, den, "hello")
    with pytest.raises(AssertionError, match="does not see"):
        await discord.post(bob, den, "hello")
    assert (await api.say(den, "hello"))[0] == 200
    assert (await api.say(attic, "hello"))[1]["code"] == 50001


async def test_somebody_elses_webhook_is_listed_without_its_token(
    api: Api, discord: FakeDiscord, room: str
) -> None:
    await discord.post_as_webhook(room, "alert")
    await api.ask("POST", f"/channels/{room}/webhooks", {"name": "relay"})
    _, found = await api.ask("GET", f"/channels/{room}/webhooks")
    # a webhook that a person made has a token for all; one of our own application too
    assert [one["name"] for one in found] == ["Alerts", "relay"]
    _, sent = await api.ask("GET", f"/channels/{room}/messages?limit=1")
    assert sent[0]["webhook_id"] == found[0]["id"]


# Commands


OPTION: Json = {"name": "o", "description": "d", "type": 3}


@pytest.mark.parametrize(
    ("command", "where"),
    [
        ({"name": "Upper", "description": "d"}, "0.name"),
        ({"name": "two words", "description": "d"}, "0.name"),
        ({"name": "x", "description": "d" * 101}, "0.description"),
        (
            {"name": "x", "description": "d", "options": [OPTION] * 26},
            "0.options",
        ),
        ({"name": "Menu", "type": 3, "description": "none"}, "0.description"),
    ],
)
async def test_commands_have_limits(api: Api, discord: FakeDiscord, command: Json, where: str) -> None:
    path = f"/applications/{discord.application_id}/guilds/{discord.guild_id}/commands"
    status, body = await api.ask("PUT", path, [command])
    assert (status, place(body["errors"])[0]) == (400, where)


async def test_two_commands_may_not_share_a_name_but_keep_their_ids(api: Api, discord: FakeDiscord) -> None:
    path = f"/applications/{discord.application_id}/guilds/{discord.guild_id}/commands"
    one = {"name": "handoff", "description": "d"}
    _, body = await api.ask("PUT", path, [one, one])
    assert place(body["errors"]) == ("1", "APPLICATION_COMMANDS_DUPLICATE_NAME")
    _, first = await api.ask("PUT", path, [one])
    _, second = await api.ask("PUT", path, [one | {"description": "new"}])
    assert first[0]["id"] == second[0]["id"]


# The gateway


class Socket:
    """A client of the gateway, by hand."""

    def __init__(self, discord: FakeDiscord, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.discord, self.ws = discord, ws

    async def receive(self) -> Json:
        message = await self.ws.receive(5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return dict(json.loads(message.data))

    async def event(self, name: str) -> Json:
        while (frame := await self.receive()).get("t") != name:
            pass
        return frame

    async def identify(self, intents: int = 1 | 1 << 9 | 1 << 15) -> Json:
        body = {"token": self.discord.token, "intents": intents, "properties": {}}
        await self.ws.send_json({"op": 2, "d": body})
        ready = await self.receive()
        assert ready["t"] == "READY"
        return dict(ready["d"])


@pytest.fixture
async def socket(discord: FakeDiscord, api: Api) -> AsyncIterator[Socket]:
    async with api.http.ws_connect(discord.gateway_url) as ws:
        one = Socket(discord, ws)
        assert (await one.receive())["op"] == 10
        yield one


async def test_a_heartbeat_is_answered_unless_the_gateway_is_silent(
    discord: FakeDiscord, socket: Socket
) -> None:
    await socket.ws.send_json({"op": 1, "d": None})
    assert (await socket.receive())["op"] == 11
    discord.silence()
    await socket.ws.send_json({"op": 1, "d": None})
    with pytest.raises(asyncio.TimeoutError):
        await socket.ws.receive(0.1)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"op": 2, "d": {"token": "wrong", "intents": 0}}, 4004),
        ({"op": 8, "d": {}}, 4003),
        ({"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 1}}, 4004),
    ],
)
async def test_what_is_not_allowed_closes_with_its_code(socket: Socket, frame: Json, code: int) -> None:
    await socket.ws.send_json(frame)
    message = await socket.ws.receive(5)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, code)


async def test_a_resume_gives_what_came_after_that_sequence(
    discord: FakeDiscord, api: Api, socket: Socket, ann: str, room: str
) -> None:
    ready = await socket.identify()
    seen = await socket.event("GUILD_CREATE")
    await socket.ws.close(code=4000)
    await discord.wait_for(lambda: not discord.connections)
    await discord.post(ann, room, "in the gap")
    async with api.http.ws_connect(ready["resume_gateway_url"]) as ws:
        again = Socket(discord, ws)
        await again.receive()
        resume = {"token": discord.token, "session_id": ready["session_id"], "seq": seen["s"]}
        await ws.send_json({"op": 6, "d": resume})
        replayed = await again.receive()
        assert (replayed["t"], replayed["d"]["content"]) == ("MESSAGE_CREATE", "in the gap")
        assert (await again.receive())["t"] == "RESUMED"


async def test_a_session_that_said_good_bye_cannot_be_resumed(
    discord: FakeDiscord, api: Api, socket: Socket
) -> None:
    ready = await socket.identify()
    await socket.ws.close(code=1000)
    await discord.wait_for(lambda: not discord.connections)
    async with api.http.ws_connect(discord.gateway_url) as ws:
        again = Socket(discord, ws)
        await again.receive()
        resume = {"token": discord.token, "session_id": ready["session_id"], "seq": 1}
        await ws.send_json({"op": 6, "d": resume})
        assert await again.receive() == {"op": 9, "d": False}


async def test_only_what_was_subscribed_to_is_sent(
    discord: FakeDiscord, socket: Socket, ann: str, room: str
) -> None:
    await socket.identify(intents=1 | 1 << 9)
    said = await discord.post(ann, room, "hello")
    await discord.react(ann, room, said, "👀")
    await discord.change_presence(ann, "dnd")
    await discord.edit(room, said, "hello again")
    frames = [await socket.receive() for _ in range(3)]
    assert [one["t"] for one in frames] == ["GUILD_CREATE", "MESSAGE_CREATE", "MESSAGE_UPDATE"]
    assert frames[1]["d"]["content"] == ""


async def test_a_link_preview_is_an_update_without_an_edit(
    discord: FakeDiscord, socket: Socket, ann: str, room: str
) -> None:
    await socket.identify()
    said = await discord.post(ann, room, "https://example.com/")
    await discord.unfurl(room, said)
    update = await socket.event("MESSAGE_UPDATE")
    assert update["d"]["embeds"]
    assert update["d"]["edited_timestamp"] is None


async def test_the_guild_survives_its_server(discord: FakeDiscord, api: Api, ann: str, room: str) -> None:
    await discord.post(ann, room, "hello")
    port = discord.port
    await discord.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await api.say(room, "hello")
    await discord.start(port)
    _, found = await api.ask("GET", f"/channels/{room}/messages")
    assert [one["content"] for one in found] == ["hello"]


# Interactions


@pytest.fixture
async def click(discord: FakeDiscord, api: Api, socket: Socket, ann: str, room: str) -> Interaction:
    """Ann has pressed a button, and the app knows."""
    await socket.identify()
    _, card = await api.say(room, "card", components=[row(button())])
    pressed = await discord.click(ann, room, card["id"], "go")
    event = await socket.event("INTERACTION_CREATE")
    assert event["d"]["data"]["custom_id"] == "go"
    return pressed


async def test_an_interaction_is_answered_only_once(api: Api, click: Interaction) -> None:
    assert (await api.answer(click, 4, {"content": "one", "flags": 64}))[0] == 204
    status, body = await api.answer(click, 4, {"content": "two"})
    assert (status, body["code"]) == (400, 40060)
    assert click.text == "one"


async def test_an_answer_after_three_seconds_is_unknown(
    discord: FakeDiscord, api: Api, socket: Socket, ann: str, room: str
) -> None:
    assert discord.interaction_timeout == 3.0
    discord.interaction_timeout = 0.05
    await socket.identify()
    _, card = await api.say(room, "card", components=[row(button())])
    pressed = await (await discord.click(ann, room, card["id"], "go")).outcome()
    assert pressed.failed
    status, body = await api.answer(pressed, 4, {"content": "late"})
    assert (status, body["code"]) == (404, 10062)


async def test_an_answer_that_is_refused_can_be_put_right(api: Api, click: Interaction) -> None:
    assert (await api.answer(click, 4, {"content": "x" * 2001}))[1]["code"] == 50035
    assert click.error == 50035
    status, body = await api.answer(click, 4, {"content": "short", "flags": 64}, "?with_response=true")
    assert (status, body["resource"]["message"]["content"]) == (200, "short")


async def test_what_only_one_person_sees_is_in_no_history(
    api: Api, discord: FakeDiscord, click: Interaction, room: str
) -> None:
    await api.answer(click, 4, {"content": "psst", "flags": 64})
    assert click.reply is not None
    _, found = await api.ask("GET", f"/channels/{room}/messages")
    assert [one["content"] for one in found] == ["card"]
    assert (await api.ask("GET", f"/channels/{room}/messages/{click.reply.id}"))[1]["code"] == 10008


async def test_a_deferred_answer_is_filled_by_the_first_follow_up(
    api: Api, discord: FakeDiscord, click: Interaction
) -> None:
    await api.answer(click, 5, {"flags": 64})
    assert click.thinking
    assert not click.done
    path = f"/webhooks/{discord.application_id}/{click.token}"
    await api.ask("POST", path, {"content": "here"})
    assert (click.text, click.done, click.ephemeral) == ("here", True, True)
    assert not click.followups


async def test_an_interactions_token_lives_for_fifteen_minutes(
    api: Api, discord: FakeDiscord, click: Interaction
) -> None:
    await api.answer(click, 6)
    path = f"/webhooks/{discord.application_id}/{click.token}/messages/@original"
    assert (await api.ask("PATCH", path, {"content": "changed"}))[0] == 200
    assert discord.token_seconds == 900
    discord.token_seconds = 0
    status, body = await api.ask("PATCH", path, {"content": "changed again"})
    assert (status, body["code"]) == (401, 50027)


NOTE: Json = {"type": 4, "custom_id": "note", "style": 1}


@pytest.mark.parametrize(
    ("modal", "where"),
    [
        ({"title": "x" * 46}, "data.title"),
        ({"components": []}, "data.components"),
        ({"components": [row(button())]}, "data.components.0.components.0.type"),
        ({"components": [row(NOTE)]}, "data.components.0.components.0.label"),
        ({"components": [{"type": 18, "label": "L" * 46, "component": NOTE}]}, "data.components.0.label"),
        (
            {"components": [{"type": 18, "label": "L", "component": NOTE | {"max_length": 4001}}]},
            "data.components.0.component.max_length",
        ),
    ],
)
async def test_modals_have_limits(api: Api, click: Interaction, modal: Json, where: str) -> None:
    label = {"type": 18, "label": "Note", "component": NOTE}
    status, body = await api.answer(click, 9, {"title": "T", "custom_id": "m", "components": [label]} | modal)
    assert (status, place(body["errors"])[0]) == (400, where)


async def test_a_click_may_not_be_answered_with_choices(api: Api, click: Interaction) -> None:
    status, body = await api.answer(click, 8, {"choices": []})
    assert (status, place(body["errors"])[0]) == (400, "type")


async def test_filling_a_deferred_answer_pings_but_an_edit_does_not(
    api: Api, discord: FakeDiscord, click: Interaction, room: str
) -> None:
    bob = discord.add_user("Bob")
    await api.answer(click, 5)
    path = f"/webhooks/{discord.application_id}/{click.token}/messages/@original"
    await api.ask("PATCH", path, {"content": f"<@{bob}>"})
    assert click.reply is not None
    assert click.reply.pinged == [bob]
    _, sent = await api.say(room, "hello")
    await api.ask("PATCH", f"/channels/{room}/messages/{sent['id']}", {"content": f"<@{bob}>"})
    edited = discord.message(room, sent["id"])
    assert (edited.mentions, edited.pinged) == ([bob], [])


# Threads


async def test_a_thread_can_be_made_again_once_it_was_deleted(
    api: Api, discord: FakeDiscord, room: str
) -> None:
    _, root = await api.say(room, "card")
    path = f"/channels/{room}/messages/{root['id']}/threads"
    assert (await api.ask("POST", path, {"name": "case"}))[1]["id"] == root["id"]
    assert (await api.ask("DELETE", f"/channels/{root['id']}"))[0] == 200
    assert (await api.say(root["id"], "hello"))[1]["code"] == 10003
    assert (await api.ask("POST", path, {"name": "again"}))[0] == 200


async def test_a_webhooks_message_can_have_a_thread(
    api: Api, discord: FakeDiscord, ann: str, room: str
) -> None:
    root = await discord.post_as_webhook(room, "alert")
    thread = await discord.start_thread(ann, room, root, "case")
    _, found = await api.ask("GET", f"/channels/{thread}/messages")
    assert (found[0]["type"], found[0]["referenced_message"]["content"]) == (21, "alert")


@pytest.mark.parametrize("auto", [0, 90])
async def test_a_thread_has_a_name_and_a_known_time_to_archive(api: Api, room: str, auto: int) -> None:
    _, root = await api.say(room, "card")
    body = {"name": "x" * 101} if not auto else {"name": "case", "auto_archive_duration": auto}
    status, refused = await api.ask("POST", f"/channels/{room}/messages/{root['id']}/threads", body)
    assert (status, refused["code"]) == (400, 50035)


async def test_an_archived_thread_cannot_be_locked_before_it_is_woken(
    api: Api, discord: FakeDiscord, room: str
) -> None:
    _, root = await api.say(room, "card")
    await api.ask("POST", f"/channels/{room}/messages/{root['id']}/threads", {"name": "case"})
    _, said = await api.say(root["id"], "hello")
    await discord.archive(root["id"])
    assert (await api.ask("PATCH", f"/channels/{root['id']}", {"locked": True}))[1]["code"] == 50083
    assert (await api.ask("DELETE", f"/channels/{root['id']}/messages/{said['id']}"))[0] == 204
    status, thread = await api.ask("PATCH", f"/channels/{root['id']}", {"archived": False, "locked": True})
    assert (status, thread["thread_metadata"]["locked"]) == (200, True)


async def test_webhooks_and_answers_ping_people_but_not_everyone_unless_told(
    api: Api, discord: FakeDiscord, ann: str, room: str
) -> None:
    bob = discord.add_user("Bob")
    _, hook = await api.ask("POST", f"/channels/{room}/webhooks", {"name": "relay"})
    path = f"/webhooks/{hook['id']}/{hook['token']}?wait=true"
    _, quiet = await api.ask("POST", path, {"content": f"@everyone <@{ann}>"})
    _, loud = await api.ask(
        "POST", path, {"content": "@everyone", "allowed_mentions": {"parse": ["everyone"]}}
    )
    assert discord.message(room, quiet["id"]).pinged == [ann]
    assert set(discord.message(room, loud["id"]).pinged) == {ann, bob, discord.bot_id}

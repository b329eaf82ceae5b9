"""What the workspace remembers beside its messages: views, triggers, response URLs, files, ephemerals."""

from __future__ import annotations

import asyncio
import hashlib
import random
import uuid
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TypeVar

from .blocks import problems, texts, view_problems, with_ids
from .delivery import Delivery, Gateway
from .faults import Faults, Limits
from .world import Channel, Json, Message, SlackError, User, World, text_of

T = TypeVar("T")

TRIGGER_SECONDS = 3.0
RESPONSE_URL_USES, RESPONSE_URL_SECONDS = 5, 30 * 60.0


@dataclass(eq=False)
class Call:
    """One request to the Web API. `status` 0: no answer. `error`: Slack's code. `fault`: made to fail."""

    method: str
    args: Json
    at: float
    status: int = 0
    error: str | None = None
    fault: bool = False
    response: Json = field(default_factory=dict)


@dataclass(eq=False)
class Ephemeral:
    """What only one person saw; nobody did, when that person was not active."""

    channel: str
    user: str
    ts: str
    text: str
    blocks: list[Json]
    thread_ts: str | None
    seen: bool


@dataclass(eq=False)
class Response:
    """One use of a response_url, or the answer in a command's ack (`url` is then empty)."""

    user: str
    channel: str
    body: Json
    url: str = ""
    message_ts: str | None = None


@dataclass(eq=False)
class View:
    """A modal or Home tab as a person sees it: what the app sent, what stands beside its fields since the last
    submission, and whether it is `closed`."""

    id: str
    user: str
    content: Json
    team_id: str
    app_id: str
    bot_id: str
    closed: bool = False
    errors: Json = field(default_factory=dict)

    @property
    def hash(self) -> str:
        return hashlib.sha256(repr(self.content).encode()).hexdigest()[:16]

    def json(self) -> Json:
        ids = {"id": self.id, "team_id": self.team_id, "app_id": self.app_id, "bot_id": self.bot_id}
        base = {"private_metadata": "", "callback_id": "", "external_id": "", "root_view_id": self.id}
        return deepcopy(base | self.content | ids | {"hash": self.hash, "state": {"values": {}}})


@dataclass(eq=False)
class File:
    """A stored file, and the messages that show it: (channel, ts)."""

    id: str
    name: str
    user: str
    content: bytes = b""
    mimetype: str = "application/octet-stream"
    deleted: bool = False
    shares: list[tuple[str, str]] = field(default_factory=list)
    known_from: float = 0.0
    shares_known_from: float = 0.0


@dataclass(eq=False)
class _ResponseUrl:
    user: str
    channel: str
    message_ts: str | None
    expires: float
    uses: int = 0


class State:
    """The workspace, its delivery side, and what tests read."""

    bot_token = "xoxb-fake-bot"
    app_token = "xapp-fake-app"

    def __init__(self, clock: Callable[[], float], seed: int) -> None:
        self.clock = clock
        self.rng = random.Random(seed)
        self.world = World(clock, self.rng)
        self.gateway = Gateway(clock, self.rng)
        self.faults = Faults(self.rng)
        self.limits = Limits()
        self.base_url = ""
        self.calls: list[Call] = []
        self.ephemerals: list[Ephemeral] = []
        self.responses: list[Response] = []
        self.views: list[View] = []
        self.homes: dict[str, View] = {}
        self.home_enabled = True
        self.bad_answers: list[str] = []
        self.files: dict[str, File] = {}
        self.downloads: list[dict[str, str]] = []  # the headers of each
        self.hide_file_addresses = self.login_redirects = False
        self.files_readable = True
        self.usergroups: dict[str, tuple[str, list[str]]] = {}
        self._triggers: dict[str, tuple[str, float]] = {}
        self._used_triggers: set[str] = set()
        self._response_urls: dict[str, _ResponseUrl] = {}
        self._change = asyncio.Event()
        self.world.emit = self.emit_event
        self.world.changed = self.gateway.changed = self.changed
        self.gateway.on_response = self._on_response
        self.team_id, self.app_id = self.world.team_id, self.world.app_id
        self.bot_user_id, self.bot_id = self.world.bot_user_id, self.world.bot_id

    # Making the workspace

    def add_user(
        self,
        name: str,
        *,
        admin: bool = False,
        guest: bool = False,
        deleted: bool = False,
        presence: str = "active",
    ) -> str:
        user = User(self.world.new_id("U"), name, admin, guest, deleted, presence)
        self.world.users[user.id] = user
        return user.id

    def add_channel(
        self, name: str, members: list[str] | None = None, *, private: bool = False, bot: bool = True
    ) -> str:
        """A channel with these members, and the bot unless told otherwise."""
        joined = [*([self.bot_user_id] if bot else []), *(members or [])]
        channel = Channel(self.world.new_id("C"), name, joined, private)
        self.world.channels[channel.id] = channel
        return channel.id

    def add_usergroup(self, handle: str, users: list[str]) -> str:
        group = self.world.new_id("S")
        self.usergroups[group] = (handle, users)
        return group

    def add_file(
        self, user: str, name: str, content: bytes, mimetype: str = "application/octet-stream"
    ) -> File:
        """A file that a person has uploaded; share it with `post(files=[file])`."""
        file = self.new_file(name, user)
        file.content, file.mimetype = content, mimetype
        return file

    def new_file(self, name: str, user: str) -> File:
        file = File(self.world.new_id("F"), name, user)
        self.files[file.id] = file
        return file

    def set_presence(self, user: str, presence: str) -> None:
        self.world.users[user].presence = presence

    def dm(self, user: str) -> str:
        """The direct-message channel of the bot and this person."""
        if user not in self.world.users:
            raise SlackError("user_not_found")
        channel_id = user.replace("U", "D", 1)
        if channel_id not in self.world.channels:
            self.world.channels[channel_id] = Channel(
                channel_id, user, [self.bot_user_id, user], private=True
            )
        return channel_id

    # Events

    def emit_event(self, event: Json) -> Delivery:
        event.setdefault("event_ts", self.world.event_ts())
        installed = {
            "enterprise_id": None,
            "team_id": self.team_id,
            "user_id": self.bot_user_id,
            "is_bot": True,
        }
        payload = {
            "token": "fake-verification",
            "team_id": self.team_id,
            "api_app_id": self.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self.world.new_id("Ev"),
            "event_time": int(self.clock()),
            "authorizations": [{**installed, "is_enterprise_install": False}],
            "is_ext_shared_channel": False,
        }
        return self.gateway.send("events_api", str(payload["event_id"]), payload)

    # Interactions

    def new_trigger(self, user: str) -> str:
        trigger = f"{uuid.uuid4().int % 10**12}.{self.world.new_id()}"
        self._triggers[trigger] = (user, self.clock() + TRIGGER_SECONDS)
        return trigger

    def use_trigger(self, trigger: str) -> str:
        """The person who made this trigger. It lives 3 s and works once."""
        if trigger in self._used_triggers:
            raise SlackError("exchanged_trigger_id")
        if trigger not in self._triggers:
            raise SlackError("invalid_trigger_id")
        user, expires = self._triggers[trigger]
        if self.clock() > expires:
            raise SlackError("expired_trigger_id")
        self._used_triggers.add(trigger)
        return user

    def open_view(self, user: str, content: Json) -> View:
        view = View(
            self.world.new_id("V"), user, self._with_ids(content), self.team_id, self.app_id, self.bot_id
        )
        self.views.append(view)
        self.changed()
        return view

    def update_view(self, view: View, content: Json) -> View:
        view.content = self._with_ids(content)
        self.changed()
        return view

    def publish_home(self, user: str, content: Json) -> View:
        if user in self.homes:
            return self.update_view(self.homes[user], content)
        view = self.open_view(user, content)
        self.views.remove(view)
        self.homes[user] = view
        return view

    def _with_ids(self, content: Json) -> Json:
        return {**deepcopy(content), "blocks": with_ids(deepcopy(content["blocks"]), self.world.new_id)}

    def show_ephemeral(self, channel: str, user: str, content: Json) -> Ephemeral:
        person = self.world.users[user]
        blocks = with_ids(deepcopy(content.get("blocks") or []), self.world.new_id)
        ts, text = self.world.next_ts(self.world.channels[channel]), content.get("text") or ""
        seen = person.presence == "active" and not person.deleted
        ephemeral = Ephemeral(channel, user, ts, text, blocks, content.get("thread_ts"), seen)
        self.ephemerals.append(ephemeral)
        self.changed()
        return ephemeral

    def new_response_url(self, user: str, channel: str, message_ts: str | None = None) -> str:
        key = uuid.uuid4().hex
        expires = self.clock() + RESPONSE_URL_SECONDS
        self._response_urls[key] = _ResponseUrl(user, channel, message_ts, expires)
        return f"{self.base_url}actions/{self.team_id}/{key}"

    def respond(self, key: str, body: Json) -> None:
        """A post to a response_url: 5 uses in 30 minutes, ephemeral unless `in_channel`."""
        known = self._response_urls.get(key)
        if known is None or self.clock() > known.expires:
            raise SlackError("expired_url")
        if known.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        known.uses += 1
        if problems(body.get("blocks") or []):
            raise SlackError("invalid_blocks")
        url = f"{self.base_url}actions/{self.team_id}/{key}"
        self.responses.append(Response(known.user, known.channel, body, url, known.message_ts))
        self._apply_response(known, body)
        self.changed()

    def _apply_response(self, known: _ResponseUrl, body: Json) -> None:
        messages = self.world.channels[known.channel].messages
        original = messages.get(known.message_ts or "")
        replace, remove = bool(body.get("replace_original")), bool(body.get("delete_original"))
        if (replace or remove) and original is not None:
            if remove:
                self.world.delete(original)
            else:
                self.world.edit(
                    original, self.bot_id, text=body.get("text") or "", blocks=body.get("blocks") or []
                )
        elif replace or remove:
            self.ephemerals = [e for e in self.ephemerals if e.ts != known.message_ts]
            if replace:
                self.show_ephemeral(known.channel, known.user, body)
        elif body.get("response_type") == "in_channel":
            content = {key: body[key] for key in ("blocks", "thread_ts") if body.get(key)}
            text = body.get("text") or ""
            self.world.post(known.channel, self.bot_user_id, text, bot_id=self.bot_id, **content)
        else:
            self.show_ephemeral(known.channel, known.user, body)

    def _on_response(self, delivery: Delivery) -> None:
        """A command's ack may carry an answer; a modal's ack errors or an update (else it closes). What Slack would
        not show goes into `bad_answers`, and the person sees an error."""
        answer = delivery.response or {}
        if delivery.kind == "slash_commands" and answer:
            if found := problems(answer.get("blocks") or []):
                self.bad_answers += found
                return
            user, channel = delivery.payload["user_id"], delivery.payload["channel_id"]
            self.responses.append(Response(user, channel, answer))
            self._apply_response(_ResponseUrl(user, channel, None, 0), answer)
        elif delivery.payload.get("type") == "view_submission":
            view = next(v for v in self.views if v.id == delivery.payload["view"]["id"])
            self._on_submission(view, answer)

    def _on_submission(self, view: View, answer: Json) -> None:
        kind = answer.get("response_action")
        view.errors = {}
        if kind in ("update", "push"):
            if found := view_problems(answer["view"]):
                self.bad_answers += found
            elif kind == "update":
                self.update_view(view, answer["view"])
            else:
                self.open_view(view.user, answer["view"])
        elif kind == "errors":
            inputs = {block["block_id"] for block in view.content["blocks"] if block["type"] == "input"}
            self.bad_answers += [f"no such block: {one}" for one in set(answer["errors"]) - inputs]
            view.errors = answer["errors"]
        else:
            view.closed = True

    # Reading

    def message(self, channel: str, ts: str) -> Message:
        """Any message that was ever there; look at `.deleted`."""
        return self.world.channels[channel].messages[ts]

    def messages(self, channel: str, *, deleted: bool = False) -> list[Message]:
        """All messages of a channel, replies too, in order; deleted ones only when asked for."""
        return [m for m in self.world.channels[channel].messages.values() if deleted or not m.deleted]

    def thread(self, channel: str, root: str, *, deleted: bool = False) -> list[Message]:
        """The root and its replies, in order."""
        found = self.messages(channel, deleted=deleted)
        return [m for m in found if root in (m.ts, m.thread_ts)]

    def text_of(self, message: Message | Ephemeral | View) -> str:
        """All human-readable text."""
        if isinstance(message, Message):
            return text_of(message)
        if isinstance(message, View):
            return "\n".join(dict.fromkeys(texts(message.content)))
        return "\n".join(dict.fromkeys((message.text, *texts(message.blocks))))

    def calls_to(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def deliveries(self) -> list[Delivery]:
        """Every event, interaction and command, in the order in which they came about."""
        return self.gateway.deliveries

    def delivery_of(self, ts: str, kind: str = "message") -> Delivery:
        """The delivery of the event of this type whose ts (or event_ts) this is."""
        return next(
            d
            for d in self.deliveries
            if d.event.get("type") == kind and ts in (d.event.get("ts"), d.event["event_ts"])
        )

    # Waiting

    def changed(self) -> None:
        """Wake whoever waits; everything that changes the workspace ends here."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 30) -> T:
        """The first true value of `predicate`, asked again after every change, or TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate()):
                    await self._change.wait()
                return value
        except TimeoutError:
            raise TimeoutError(f"not true after {timeout} s; {self._recently()}") from None

    async def settled(self, timeout: float = 30) -> None:
        """Wait until everything under way, repeats included, is acked or lost."""
        await self.wait_for(lambda: not self.gateway.under_way, timeout)

    def _recently(self) -> str:
        calls = [f"{call.method}={call.error or call.status}" for call in self.calls[-8:]]
        waiting = [
            f"{d.kind}:{d.event.get('type', '')}×{len(d.attempts)}" for d in self.deliveries if not d.done
        ]
        return f"last calls {calls}, under way {waiting[:8]}, connections {len(self.gateway.connections)}"

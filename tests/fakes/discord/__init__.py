"""A Discord guild over real sockets, for tests: the real discord.py talks to it, from any process.

It holds its state in the test's process, so it survives a client that is killed. It refuses what Discord refuses
(its documentation's codes and limits), forgets what Discord forgets, and fails on demand. Nothing here was checked
against live Discord: where its own documentation is silent it follows what people report.

Every id is a string of digits, as in Discord's JSON. A thread is a channel whose id is its root message's id, so
wherever a channel is asked for a thread will do. How a test uses it:

    async with FakeDiscord() as discord:                     # `start(port)` and `stop()` do the same by hand
        discord.guild_id, discord.bot_id, discord.application_id, discord.token
        discord.api_url, discord.gateway_url                  # DISCORD_API_URL and DISCORD_GATEWAY_URL
        with pointed_at(discord, hurried=True):               # discord.py of this process goes there
            client = discord_py.Client(intents=…, guild_ready_timeout=0.05)   # READY waits 2 s otherwise
            asyncio.create_task(client.start(discord.token)); await discord.connected()

`hurried` takes away discord.py's own pauses (5 s before a second IDENTIFY, seconds between attempts to connect).

Making the guild
    add_role(name, *, permissions="view_channel send_messages …", mentionable=False) -> role id
    add_user(name, *, roles=(), lead=False, admin=False, bot=False, presence="online", nick=None, member=True) -> id
    add_channel(name, members=None, *, private=False, bot=True) -> id      # private: only `members` (and the bot)
    add_emoji(name) -> id;  add_file(user, name, content, mimetype) -> File;  set_presence(user, "idle")
    grant("send_messages", channel=None) / revoke("send_messages", channel=None)   # the bot's, there or everywhere
    privileged_intents = {"members", "presences", "message_content"}       # what the portal has switched on
    dm(user) -> Channel

What people do (each changes the guild and queues its event; what a client would not let them is an AssertionError)
    await post(user, channel, text, thread=None, *, reply_to=None, files=None, embeds=None) -> message id
    await edit(channel, message, text) / delete(channel, message) / bulk_delete(channel, [message, …])
    await unfurl(channel, message)                                          # MESSAGE_UPDATE that is no edit
    await react(user, channel, message, "✅") / unreact(…) / typing(user, channel)
    await start_thread(user, channel, message, name) -> thread id
    await archive(thread, locked=False) / unarchive(thread) / lock(thread) / unlock(thread) / delete_thread(thread)
    await rename(user, channel, name) / delete_channel(channel)
    await change_presence(user, "dnd") / leave(user) / join(user) / set_roles(user, [role]) / rename_user(user, nick)
    await kick_bot() / invite_bot()
    await post_as_app(channel, text, thread=None)                           # another bot
    await post_as_webhook(channel, text, username="Alerts", thread=None)    # somebody else's webhook

Interactions: each answers an Interaction; `await it.outcome()` waits until the person sees something
    await click(user, channel, message, "custom_id or label")               # of an ephemeral message, too
    await choose(user, channel, message, "custom_id", ["value, label or id", …])
    await command(user, channel, "handoff assign", case="12", to=user2)     # options by name
    await autocomplete(user, channel, "handoff assign", "case", "1", **other options typed so far)
    await context_menu(user, channel, message, "Send to shopper")
    await submit(user, modal, {"custom_id": "text", "other": ["value"]})    # modal: Interaction.modal, or None for
                                                                            # the one that `user` looks at
    it.done  it.acked  it.failed ("This interaction failed": no answer in `interaction_timeout` = 3 s, or no client)
    it.deferred  it.thinking  it.updated  it.reply (Message or None)  it.followups  it.modal (Modal)  it.choices
    it.text (all it shows)  it.ephemeral  it.error (code of the last answer refused)  it.refusals (all of them)
    interactions: list of all;  window(user) -> Modal or None;  modal.title .text .closed;  await close(modal)

What is there
    message(channel, id) -> Message (`deleted` ones too);  messages(channel, *, deleted=False) -> list, oldest first
    thread(channel, root, *, deleted=False) -> [root, its posts …];  threads(channel=None) -> [Channel]
    channel(id) -> Channel (name, archived, locked, owner_id, members, deleted, …);  ephemerals {id: Message}
    message.id .channel_id .author .content .embeds .components .attachments .reactions {emoji: [user]} .pinged
        (who was really notified) .webhook_id .by_webhook .username .edited .deleted .flags .reference .thread_id
        .versions (its texts before); a nonce is never kept
    rendered(message) -> Rendered(text, buttons, selects, files; .labels, .button(name).disabled, …)
    text_of(message, Modal or Interaction) -> str
    commands, webhooks, uploads, downloads, typings [(channel, user)], gateway.events [(name, data)]
    calls, calls_to("create_message") -> Call(method, args, at, status, error, fault, response)
    await wait_for(predicate, timeout=10); await settled(); await connected(count=1); connections

Trouble
    faults.add(method, Fault…, times=1, when=lambda args: …, after=0)       # as for the fake Slack
        Fault.http(502), Fault.http(500, commit=True), Fault.error("50013"), Fault.rate_limit(0.2),
        Fault.drop(commit=True), Fault.drop(), Fault.hang(), Fault.late(0.5), Fault.latency(0.1), global_limit(0.2)
        methods are Discord's own names: create_message edit_message delete_message bulk_delete get_message
        get_messages create_reaction delete_own_reaction delete_user_reaction pin typing start_thread
        start_thread_without_message modify_channel delete_channel get_channel active_threads archived_threads
        join_thread add_thread_member create_webhook get_webhooks execute_webhook get_webhook_message
        edit_webhook_message delete_webhook_message interaction_callback followup get_original edit_original
        delete_original edit_followup delete_followup overwrite_commands get_commands get_me get_application
        gateway_bot get_guild get_channels get_roles list_members search_members get_member get_user open_dm, "cdn"
        args: the names in the path (channel_id, message_id, webhook_id, token, …), the query and the body as one
    enforce_limits = True (buckets, 5 messages/5 s/channel, 50/s; off by default); renames always: 2 in 10 min
    invalid_requests (401, 403, 429 of the last ten minutes); ban_after = 10_000
    revoke_token() / renew_token(): 401 and gateway 4004
    drop_sockets(); refuse_connections(seconds); gateway_down(seconds); gateway_up(); silence(on)
    await reconnect() (op 7); await invalidate(resumable=False) (op 9); forget_sessions() (a RESUME gets op 9)
    await close_sockets(code); repeat_events(times); reorder(window); gateway.heartbeat_interval
    interaction_timeout, token_seconds, cdn_seconds, nonce_seconds, upload_limit: how long things live, how big
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import unquote

from aiohttp import web

from tests.fakes.slack.faults import Fault, Faults, Rule

from . import commands as _commands  # noqa: F401 — registers its calls
from .client import pointed_at
from .components import Button, Rendered, Select
from .errors import DiscordError, Json
from .gateway import Connection, Gateway, Session
from .hooks import name_of
from .interactions import Interaction, Modal
from .people import People
from .places import TooOften
from .routes import Method, find
from .shapes import signature
from .state import Call
from .things import Channel, File, Message, Webhook

__all__ = [
    "Button",
    "Call",
    "Channel",
    "Connection",
    "DiscordError",
    "FakeDiscord",
    "Fault",
    "Faults",
    "File",
    "Gateway",
    "Interaction",
    "Message",
    "Modal",
    "Rendered",
    "Rule",
    "Select",
    "Session",
    "Webhook",
    "global_limit",
    "pointed_at",
]

_ERROR_PAGE = "<html><title>502: Bad Gateway</title></html>"
_VIA = {"Via": "1.1 fake"}


def global_limit(retry_after: float = 1) -> Fault:
    """429 for everything the bot does, not for one route."""
    return Fault("http", status=429, code="global", retry_after=retry_after)


class FakeDiscord(People):
    """`async with FakeDiscord() as discord:`; see this package's docstring for what it can do."""

    def __init__(self, *, clock: Callable[[], float] = time.time, seed: int = 0) -> None:
        super().__init__(clock, seed)
        self.enforce_limits = False
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._late: set[asyncio.Task[None]] = set()

    @property
    def api_url(self) -> str:
        return self.base_url + "api/v10"

    @property
    def gateway_url(self) -> str:
        return self.base_url.replace("http", "ws", 1) + "gateway/"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; 0 takes a free port. After `stop()`, give `port` to come back there."""
        app = web.Application(client_max_size=128 * 1024**2)
        app.router.add_route("*", "/api/{version}/{path:.*}", self._api)
        app.router.add_get("/gateway/", self.gateway.accept)
        app.router.add_get("/attachments/{channel}/{file}/{name}", self._cdn)
        app.router.add_get("/proxy/attachments/{channel}/{file}/{name}", self._cdn)
        app.router.add_get("/embed/avatars/{name}", _avatar)
        self._stopping = asyncio.Event()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]
        self.base_url = self.world.address = f"http://127.0.0.1:{self.port}/"
        self.gateway.address = self.gateway_url

    async def stop(self) -> None:
        """Cut every connection and stop listening. The guild and its sessions stay."""
        self._stopping.set()
        for task in list(self._late):
            task.cancel()
        await self.gateway.shut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # Trouble

    def revoke_token(self) -> None:
        """From now on 401; connections are closed with 4004."""
        self.token_valid = False
        self.gateway.sessions.clear()
        self.gateway.close_all(4004)

    def renew_token(self) -> None:
        """The same token works again."""
        self.token_valid = True

    def repeat_events(self, times: int = 1) -> None:
        """Send every event about messages and threads this many times more."""
        self.gateway.repeats = times

    def reorder(self, window: float) -> None:
        """Hold every event about messages back for a random time below `window` s."""
        self.gateway.window = window

    def drop_sockets(self) -> None:
        """Cut every WebSocket without a closing handshake. Sessions stay and can be resumed."""
        self.gateway.drop()

    def refuse_connections(self, seconds: float) -> None:
        """Answer every WebSocket handshake with 503 for a while. Open ones stay."""
        self.gateway.refused_until = self.clock() + seconds

    def gateway_down(self, seconds: float) -> None:
        """Cut every WebSocket and refuse new ones for a while."""
        self.refuse_connections(seconds)
        self.drop_sockets()

    def gateway_up(self) -> None:
        """Accept connections again, whatever was said before."""
        self.gateway.refused_until = 0.0

    def silence(self, on: bool = True) -> None:
        """Keep the sockets open but send nothing, not even an answer to a heartbeat. What is not sent waits for a
        resume."""
        self.gateway.silent = on

    async def reconnect(self) -> None:
        """Op 7: ask every client to connect again and resume."""
        self.gateway.reconnect()

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9 to every client. Unless resumable, every session and what it had missed is gone."""
        self.gateway.invalidate(resumable)

    def forget_sessions(self) -> None:
        """Whoever resumes gets op 9 with d=false: what happened in the gap is lost."""
        self.gateway.sessions.clear()

    async def close_sockets(self, code: int) -> None:
        """Close every connection with that code."""
        self.gateway.close_all(code)

    # HTTP

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.rel_url.raw_path.split("/", 3)[3]
        found = find(request.method, path)
        args = await _read(request)
        if found is None:
            self.calls.append(Call(f"{request.method} {path}", args, self.clock(), 404, 0))
            return self._json(self.calls[-1], 404, {"message": "404: Not Found", "code": 0})
        method, named, by_token, function = found
        args |= {key: unquote(value) if key != "emoji" else value for key, value in named.items()}
        if "webhook_id" in named:
            method = name_of(self, method, args)
        call = Call(method, args, self.clock())
        self.calls.append(call)
        latency, fault = self.faults.pick(method, args)
        if latency:
            await self._pause(latency)
        allowed = not by_token or self._authorised(request)
        try:
            if fault is None:
                return self._answered(call, function, allowed)
            call.fault = True
            return await self._failed(call, function, fault, request, allowed)
        finally:
            self.changed()

    def _authorised(self, request: web.Request) -> bool:
        return self.token_valid and request.headers.get("Authorization") == f"Bot {self.token}"

    def _answered(self, call: Call, function: Method, allowed: bool) -> web.Response:
        if self.invalid_requests >= self.ban_after:  # Cloudflare answers, not Discord
            call.status, call.error = 429, "banned"
            return web.Response(status=429, text="error code: 1015", headers={"Retry-After": "600"})
        headers: dict[str, str] = {}
        if self.enforce_limits:
            wait, everything, headers = self.limits.take(call.method, call.args, self.clock())
            if wait:
                return self._limited(call, wait, "global" if everything else "user", headers)
        return self._committed(call, function, allowed, headers)

    def _committed(
        self, call: Call, function: Method, allowed: bool, headers: dict[str, str] | None = None
    ) -> web.Response:
        try:
            if not allowed:
                raise DiscordError(0)
            answer = function(self, call.args)
        except DiscordError as refused:
            call.error = refused.code
            return self._json(call, refused.status, refused.body, headers)
        except TooOften as often:
            return self._limited(call, often.wait, "user", headers or {})
        return self._json(call, 204 if answer is None else 200, answer, headers)

    def _json(
        self, call: Call, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> web.Response:
        """`application/json` and nothing else, or discord.py takes it for text."""
        call.status, call.response = status, body
        if status in (401, 403, 429):
            self.invalid.append(self.clock())
        if status == 204:
            return web.Response(status=204, headers=headers)
        kind = {"Content-Type": "application/json"}
        return web.Response(status=status, body=json.dumps(body).encode(), headers=kind | (headers or {}))

    def _limited(self, call: Call, wait: float, scope: str, headers: dict[str, str]) -> web.Response:
        everything = scope == "global"
        body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everything}
        more = {"Retry-After": str(math.ceil(wait)), "X-RateLimit-Scope": scope}
        more |= {"X-RateLimit-Global": "true"} if everything else {}
        call.error = "ratelimited"
        return self._json(call, 429, body, headers | more | _VIA)

    async def _failed(
        self, call: Call, function: Method, fault: Fault, request: web.Request, allowed: bool
    ) -> web.StreamResponse:
        if fault.commit == "yes":
            self._committed(call, function, allowed)
            self.changed()
        elif fault.commit == "late":
            task = asyncio.create_task(self._commit_later(call, function, allowed, fault.delay))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        call.status, call.error = fault.status, fault.code or fault.answer
        if fault.answer == "error":
            refused = DiscordError(int(fault.code))
            call.error = refused.code
            return self._json(call, refused.status, refused.body)
        if fault.answer == "http" and fault.status == 429:
            scope = "global" if fault.code == "global" else "user"
            return self._limited(call, fault.retry_after, scope, {})
        if fault.answer == "http":
            return web.Response(status=fault.status, text=_ERROR_PAGE, content_type="text/html")
        call.status = 0
        if fault.answer == "hang":
            await self._stopping.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _commit_later(self, call: Call, function: Method, allowed: bool, delay: float) -> None:
        await asyncio.sleep(delay)
        seen = call.status, call.error
        self._committed(call, function, allowed)
        call.status, call.error = seen
        self.changed()

    async def _pause(self, seconds: float) -> None:
        """Sleep, unless the server stops first."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _cdn(self, request: web.Request) -> web.StreamResponse:
        """An attachment; faults for it go by the name "cdn". A signature that is wrong or old gives 404."""
        self.downloads.append(request.match_info["file"])
        latency, fault = self.faults.pick("cdn", dict(request.match_info))
        if latency:
            await self._pause(latency)
        if fault is not None and fault.answer == "http":
            return web.Response(status=fault.status)
        if fault is not None and request.transport is not None:
            request.transport.abort()
        path = f"attachments/{request.match_info['channel']}/{request.match_info['file']}/{request.match_info['name']}"
        try:
            expires = int(request.query["ex"], 16)
        except (KeyError, ValueError):
            expires = 0
        file = self.world.files.get(request.match_info["file"])
        valid = expires > self.clock() and request.query.get("hm") == signature(path, expires)
        if file is None or not valid:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=file.content, content_type=file.mimetype)


async def _avatar(_: web.Request) -> web.Response:
    return web.Response(body=b"\x89PNG\r\n", content_type="image/png")


async def _read(request: web.Request) -> Json:
    """Query, JSON body and files of a call, as one. A body that is a list stands under `_body`."""
    args: Json = dict(request.query)
    if request.content_type.startswith("multipart/"):
        files: dict[int, tuple[str, bytes]] = {}
        async for part in await request.multipart():
            if part.name == "payload_json":
                args |= json.loads(await part.text())
            elif part.name and part.name.startswith("files["):
                content = bytes(await part.read(decode=True))
                files[int(part.name[6:-1])] = (part.filename or "file", content)
        return args | {"_files": files}
    text = await request.text()
    if not text:
        return args
    try:
        body = json.loads(text)
    except ValueError:
        return args
    return args | (body if isinstance(body, dict) else {"_body": body})

"""The gateway: connections, sessions, and what is replayed to a session that comes back.

A session outlives its connection: what happens meanwhile is kept for a RESUME. A session that was invalidated is
gone, and what happened in the gap with it.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from .errors import Json
from .things import CONTENT, MEMBERS, PRESENCES, Channel
from .world import World

PRIVILEGED = {"members": MEMBERS, "presences": PRESENCES, "message_content": CONTENT}


class Connection:
    """One WebSocket. What is sent goes out in order; `compress` as the client asked for."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request, sent: Callable[[], None]) -> None:
        self.ws, self.request, self._sent = ws, request, sent
        self._writing = False
        self.session: Session | None = None
        self.closing = False
        self._deflate = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        self._outbox: asyncio.Queue[str | int] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    def send(self, frame: str) -> None:
        self._outbox.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close behind what is still to be sent."""
        self.closing = True
        self._outbox.put_nowait(code)

    async def _write(self) -> None:
        try:
            while not isinstance(text := await self._outbox.get(), int):
                self._writing = True
                if self._deflate is None:
                    await self.ws.send_str(text)
                else:
                    data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self.ws.send_bytes(data)
                self._writing = False
                self._sent()
            await self.ws.close(code=text)
        except (ConnectionError, RuntimeError):
            pass  # the client has gone; its session keeps what it did not get

    @property
    def busy(self) -> bool:
        return (self._writing or not self._outbox.empty()) and not self._writer.done()

    def abort(self) -> None:
        self.closing = True
        self._writer.cancel()
        if self.request.transport is not None:
            self.request.transport.abort()

    def forget(self) -> None:
        self._writer.cancel()


@dataclass(eq=False)
class Session:
    """A client that has identified, connected or not, and the events it has got or will get."""

    id: str
    intents: int
    connection: Connection | None = None
    seq: int = 0
    sent: list[str] = field(default_factory=list)  # number n stands at n - 1

    def wants(self, intent: int) -> bool:
        return not intent or bool(self.intents & intent)


class Gateway:
    """Accepts connections and gives each session the events it may see."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self.token: Callable[[], str] = lambda: ""
        self.privileged: Callable[[], set[str]] = set
        self.address = ""
        self.heartbeat_interval = 41.25
        self.repeats, self.window = 0, 0.0
        self.silent = False
        self.refused_until = 0.0
        self.turned_away = 0
        self.connects = self.identifies = self.resumes = 0
        self.events: list[tuple[str, Json]] = []
        self.heartbeats = 0
        self.statuses: list[Json] = []
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.changed: Callable[[], None] = lambda: None
        self._delayed: set[asyncio.Task[None]] = set()

    # Events

    def emit(self, name: str, data: Json, intent: int = 0, channel: Channel | None = None) -> bool:
        """Give it to every session that may have it; whether anybody who is connected got it."""
        self.events.append((name, data))
        if self.world.bot_id not in self.world.members and name != "GUILD_DELETE":
            return False
        if channel is not None and not self.world.sees(self.world.bot_id, channel):
            return False
        heard = False
        for session in list(self.sessions.values()):
            if session.wants(intent):
                shown = data if session.intents & CONTENT else self._without_content(name, data)
                if self.window and name.startswith("MESSAGE_"):
                    self._later(session, name, shown)
                else:
                    self._dispatch(session, name, shown)
                heard = heard or session.connection is not None
        self.changed()
        return heard

    def _later(self, session: Session, name: str, data: Json) -> None:
        async def deliver() -> None:
            await asyncio.sleep(self.rng.uniform(0, self.window))
            self._dispatch(session, name, data)

        task = asyncio.create_task(deliver())
        self._delayed.add(task)
        task.add_done_callback(self._delivered)

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._delayed.discard(task)
        self.changed()

    @property
    def under_way(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._delayed) or any(one.busy for one in self.connections)

    def _without_content(self, name: str, data: Json) -> Json:
        """What a client without the message content intent sees of others' messages that do not mention it."""
        if name not in ("MESSAGE_CREATE", "MESSAGE_UPDATE") or not self.hidden(data):
            return data
        return data | {"content": "", "embeds": [], "attachments": [], "components": []}

    def hidden(self, message: Json) -> bool:
        mentioned = any(one["id"] == self.world.bot_id for one in message["mentions"])
        ours = self.world.bot_id in (message["author"]["id"], message.get("application_id"))
        return not (mentioned or ours or "guild_id" not in message)

    def give(self, session: Session, name: str, data: Json) -> None:
        """Tell one session."""
        self.events.append((name, data))
        self._dispatch(session, name, data)

    def _dispatch(self, session: Session, name: str, data: Any) -> None:
        session.seq += 1
        session.sent.append(json.dumps({"op": 0, "t": name, "s": session.seq, "d": data}))
        for _ in range(1 + (self.repeats if name.startswith(("MESSAGE_", "THREAD_")) else 0)):
            self._pass(session.connection, session.sent[-1])

    def _send(self, connection: Connection, frame: Json) -> None:
        self._pass(connection, json.dumps(frame))

    def _pass(self, connection: Connection | None, frame: str) -> None:
        if connection is not None and not connection.closing and not self.silent:
            connection.send(frame)

    # Connections

    async def accept(self, request: web.Request) -> web.StreamResponse:
        if self.world.clock() < self.refused_until:
            self.turned_away += 1
            self.changed()
            return web.Response(status=503)
        ws = web.WebSocketResponse(max_msg_size=0, timeout=0.3)
        await ws.prepare(request)
        self.connects += 1
        connection = Connection(ws, request, self.changed)
        self.connections.append(connection)
        self._send(connection, {"op": 10, "d": {"heartbeat_interval": int(self.heartbeat_interval * 1000)}})
        self.changed()
        try:
            async for frame in ws:
                if frame.type is WSMsgType.TEXT:
                    self._take(connection, frame.json())
        finally:
            self._gone(connection)
        return ws

    def _gone(self, connection: Connection) -> None:
        connection.forget()
        if connection in self.connections:
            self.connections.remove(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            if connection.ws.close_code in (1000, 1001) and not connection.closing:
                self.sessions.pop(session.id, None)  # the client said good-bye
        self.changed()

    def _take(self, connection: Connection, frame: Json) -> None:
        op, data = frame.get("op"), frame.get("d")
        if op == 1:
            self.heartbeats += 1
            self._send(connection, {"op": 11})
        elif op == 2:
            self._identify(connection, data)
        elif op == 6:
            self._resume(connection, data)
        elif connection.session is None:
            connection.close(4003)
        elif op == 3:
            self.statuses.append(data)
            self.changed()
        elif op == 8:
            self._list_members(connection.session, data)
        elif op != 4:
            connection.close(4001)

    def _identify(self, connection: Connection, data: Json) -> None:
        self.identifies += 1
        if connection.session is not None:
            connection.close(4005)
            return
        if data.get("token") != self.token():
            connection.close(4004)
            return
        intents = int(data.get("intents", 0))
        if any(intents & bit and name not in self.privileged() for name, bit in PRIVILEGED.items()):
            connection.close(4014)
            return
        session = Session(uuid.uuid4().hex, intents, connection)
        connection.session = self.sessions[session.id] = session
        self._dispatch(session, "READY", self._ready(session))
        if self.world.bot_id in self.world.members:
            self._dispatch(session, "GUILD_CREATE", self.guild_for(session))
        self.changed()

    def guild_for(self, session: Session) -> Json:
        return self.world.guild_json(members=session.wants(MEMBERS), presences=session.wants(PRESENCES))

    def _ready(self, session: Session) -> Json:
        here = self.world.bot_id in self.world.members
        return {
            "v": 10,
            "user": self.world.user_json(self.world.bot_id)
            | {"verified": True, "mfa_enabled": True, "email": None},
            "guilds": [{"id": self.world.guild_id, "unavailable": True}] if here else [],
            "session_id": session.id,
            "resume_gateway_url": self.address,
            "session_type": "normal",
            "private_channels": [],
            "relationships": [],
            "shard": [0, 1],
            "application": {"id": self.world.application_id, "flags": self.flags()},
        }

    def flags(self) -> int:
        """The application's flags: which privileged intents its portal has switched on."""
        bits = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}
        return sum(bits[one] for one in self.privileged())

    def _resume(self, connection: Connection, data: Json) -> None:
        self.resumes += 1
        if data.get("token") != self.token():
            connection.close(4004)
            return
        session = self.sessions.get(str(data.get("session_id")))
        if session is None:
            self._send(connection, {"op": 9, "d": False})
            return
        if session.connection is not None:
            session.connection.close(4000)
        session.connection = connection
        connection.session = session
        for frame in session.sent[int(data.get("seq") or 0) :]:
            self._pass(connection, frame)
        self._dispatch(session, "RESUMED", {"_trace": ["fake"]})
        self.changed()

    def _list_members(self, session: Session, data: Json) -> None:
        """Op 8: members by id or by the beginning of their name, in chunks of 1,000."""
        world = self.world
        wanted = data.get("user_ids")
        wanted = [str(wanted)] if isinstance(wanted, (str, int)) else [str(one) for one in wanted or ()]
        found = [one for one in wanted if one in world.members]
        if not wanted:
            if not data.get("query") and not session.wants(MEMBERS):
                return
            prefix, limit = (data.get("query") or "").lower(), int(data.get("limit") or 0)
            found = [one for one in world.members if world.users[one].name.lower().startswith(prefix)]
            found = found[: limit or None]
        chunks = [found[n : n + 1000] for n in range(0, len(found), 1000)] or [[]]
        for index, chunk in enumerate(chunks):
            answer: Json = {
                "guild_id": world.guild_id,
                "members": [world.member_json(one) for one in chunk],
                "chunk_index": index,
                "chunk_count": len(chunks),
                "not_found": [one for one in wanted if one not in world.members],
            }
            if data.get("presences") and session.wants(PRESENCES):
                answer["presences"] = [world.presence_json(one) for one in chunk]
            if data.get("nonce"):
                answer["nonce"] = data["nonce"]
            self._dispatch(session, "GUILD_MEMBERS_CHUNK", answer)

    # Trouble

    def drop(self) -> None:
        for connection in list(self.connections):
            connection.abort()

    def close_all(self, code: int) -> None:
        for connection in list(self.connections):
            connection.close(code)

    def reconnect(self) -> None:
        for connection in list(self.connections):
            self._send(connection, {"op": 7, "d": None})

    def invalidate(self, resumable: bool) -> None:
        if not resumable:
            self.sessions.clear()
        for connection in list(self.connections):
            self._send(connection, {"op": 9, "d": resumable})

    async def shut(self) -> None:
        for task in list(self._delayed):
            task.cancel()
        for connection in list(self.connections):
            connection.closing = True
            await connection.ws.close(code=WSCloseCode.GOING_AWAY)
            connection.abort()

"""Delivery from Slack's side: connections, envelopes, acknowledgements and retries of what nobody acked.

An event is offered to any one open connection, or posted to the request URL where one is set (`requests.py`).
Without an ack in time, or with no connection at all, it is offered again on Slack's schedule (at once, +1 min,
+5 min); after that it is lost for good. Interactions and commands get one chance, as at Slack: the person sees
an error instead.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from .requests import Requests

Json = dict[str, Any]

MAX_CONNECTIONS = 10
TICKET_SECONDS = 30.0


@dataclass(eq=False)
class Attempt:
    """One envelope sent, or not sent because no connection was open (`connection` is then 0); or one request made,
    which was answered with `status`."""

    number: int
    reason: str
    at: float
    envelope_id: str
    connection: int = 0
    status: int = 0
    acked: bool = False


@dataclass(eq=False)
class Delivery:
    """An event, interaction or command on its way to the client."""

    id: str
    kind: str
    payload: Json
    accepts_response: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    acked_at: float | None = None
    response: Json | None = None
    lost: bool = False

    @property
    def acked(self) -> bool:
        return self.acked_at is not None

    @property
    def done(self) -> bool:
        return self.acked or self.lost

    @property
    def event(self) -> Json:
        event: Json = self.payload.get("event", {})
        return event


@dataclass(eq=False)
class Connection:
    """One open WebSocket and the envelopes that wait for its ack."""

    number: int
    ws: web.WebSocketResponse
    request: web.Request
    pending: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)
    leaving: bool = False

    def fail(self) -> None:
        self.leaving = True
        for future in self.pending.values():
            if not future.done():
                future.set_result(None)

    def abort(self) -> None:
        self.fail()
        if self.request.transport is not None:
            self.request.transport.abort()


class Gateway:
    """Hands deliveries to connections until each is acked or lost."""

    def __init__(self, clock: Callable[[], float], rng: random.Random) -> None:
        self.clock, self.rng = clock, rng
        self.ack_timeout = 3.0
        self.retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
        self.repeats = 0
        self.window = 0.0
        self.silent = False
        self.refused_until = 0.0
        self.deliveries: list[Delivery] = []
        self.under_way: set[Delivery] = set()
        self.turned_away = 0
        self.connections: list[Connection] = []
        self.connects = 0
        self.changed: Callable[[], None] = lambda: None
        self.on_response: Callable[[Delivery], None] = lambda _delivery: None
        self.requests: Requests | None = None
        self._tickets: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # Deliveries

    def send(self, kind: str, delivery_id: str, payload: Json, *, accepts_response: bool = False) -> Delivery:
        delivery = Delivery(delivery_id, kind, payload, accepts_response)
        self.deliveries.append(delivery)
        self.under_way.add(delivery)
        task = asyncio.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def _deliver(self, delivery: Delivery) -> None:
        if self.window:
            await asyncio.sleep(self.rng.uniform(0, self.window))
        delays = (0.0, *self.retry_delays) if delivery.kind == "events_api" else (0.0,)
        reason = ""
        for number, delay in enumerate(delays):
            if delay:
                await asyncio.sleep(delay)
            reason = await self._attempt(delivery, number, reason)
            if not reason:
                break
        delivery.lost = not delivery.acked
        self.changed()
        for _ in range(self.repeats if delivery.acked and delivery.kind == "events_api" else 0):
            await self._attempt(delivery, 1, "timeout")
        self.under_way.discard(delivery)
        self.changed()

    async def _attempt(self, delivery: Delivery, number: int, reason: str) -> str:
        """Offer it once. Returns why it was not acked, or an empty string."""
        attempt = Attempt(number, reason, self.clock(), str(uuid.uuid4()))
        delivery.attempts.append(attempt)
        if self.requests is not None:
            return await self._request(self.requests, delivery, attempt)
        connection = self._pick()
        if connection is None:
            return "connection_failed"
        attempt.connection = connection.number
        waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        connection.pending[attempt.envelope_id] = waiting
        try:
            async with asyncio.timeout(self.ack_timeout):
                if not self.silent:
                    await connection.ws.send_json(_envelope(delivery, attempt))
                answer = await waiting
        except TimeoutError:
            return "timeout"
        except ConnectionError:
            return "connection_failed"
        finally:
            del connection.pending[attempt.envelope_id]
        if answer is None:
            return "connection_failed"
        self._acked(delivery, attempt, answer)
        return ""

    async def _request(self, requests: Requests, delivery: Delivery, attempt: Attempt) -> str:
        retry = (attempt.number, attempt.reason) if attempt.number else None
        attempt.status, reason, answer = await requests.send(
            delivery.kind, delivery.payload, retry, self.clock(), self.ack_timeout
        )
        if not reason:
            self._acked(delivery, attempt, {"payload": answer})
        return reason

    def _acked(self, delivery: Delivery, attempt: Attempt, answer: Json) -> None:
        attempt.acked = True
        if not delivery.acked:
            delivery.acked_at = self.clock()
            delivery.response = answer.get("payload")
            self.on_response(delivery)
        self.changed()

    def _pick(self) -> Connection | None:
        usable = [c for c in self.connections if not c.leaving]
        return self.rng.choice(usable) if usable else None

    # Connections

    def ticket(self) -> str:
        ticket = uuid.uuid4().hex
        self._tickets[ticket] = self.clock() + TICKET_SECONDS
        return ticket

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket handshake. The ticket is used up even when the connection is refused."""
        valid_until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        refused = self.clock() < self.refused_until
        if refused or self.clock() > valid_until:
            self.turned_away += 1
            self.changed()
            return web.Response(status=503 if refused else 404)
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        if len(self.connections) >= MAX_CONNECTIONS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await ws.close()
            return ws
        self.connects += 1
        connection = Connection(self.connects, ws, request)
        try:
            await self._greet(connection)
            await self._listen(connection)
        except ConnectionError:
            pass  # the client went away while we greeted or answered a ping
        finally:
            connection.fail()
            if connection in self.connections:
                self.connections.remove(connection)
            self.changed()
        return ws

    async def _greet(self, connection: Connection) -> None:
        count = len(self.connections) + 1
        info = {"host": "fake-slack", "build_number": 1, "approximate_connection_time": 18060}
        hello = {
            "type": "hello",
            "num_connections": count,
            "connection_info": {"app_id": "A0BATON"},
            "debug_info": info,
        }
        self.connections.append(connection)
        if not self.silent:
            await connection.ws.send_json(hello)
        self.changed()

    async def _listen(self, connection: Connection) -> None:
        async for frame in connection.ws:
            if frame.type is WSMsgType.PING and not self.silent:
                await connection.ws.pong(frame.data)
            elif frame.type is WSMsgType.TEXT:
                answer = frame.json()
                waiting = connection.pending.get(answer.get("envelope_id"))
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)

    async def disconnect(self, reason: str, *, grace: float = 0.5) -> None:
        """Tell every connection to go. After a `warning` it stays; otherwise it is cut after `grace` s."""
        for connection in list(self.connections):
            connection.leaving = reason != "warning"
            await connection.ws.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "fake-slack"}}
            )
            if connection.leaving:
                asyncio.get_running_loop().call_later(grace, connection.abort)

    def drop(self) -> None:
        """Cut every connection without a closing handshake."""
        for connection in list(self.connections):
            connection.abort()
        self.connections.clear()
        self.changed()

    async def close(self) -> None:
        """Stop delivering and cut every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.under_way.clear()
        self.drop()
        if self.requests is not None:
            await self.requests.close()


def _envelope(delivery: Delivery, attempt: Attempt) -> Json:
    envelope = {
        "envelope_id": attempt.envelope_id,
        "type": delivery.kind,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.accepts_response,
    }
    if delivery.kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return envelope

"""The load generator: Slack's events as Slack sends them, and the shoppers' open streams.

The fake Slack's own bookkeeping costs about as much as the floor itself. So the events are built before the clock
starts, each a copy of one that the fake delivered, and go through the fake's own connections (Socket Mode) or with
its own signature (HTTP). The fake knows the messages all the same, should Baton read a thread back.
"""

import asyncio
import gc
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from benchmarks.processes import BenchFailed
from benchmarks.wire import Wire, request
from tests.fakes.slack import FakeSlack, Message
from tests.fakes.slack.requests import signature

PATIENCE = 3.0
"""Slack's: what is not acknowledged after so many seconds is sent again."""
ROUND_SECONDS = 60.0
SETTLE_SECONDS = 15.0
_MARK = re.compile(rb"\(n(\d+)\)")
_LONGEST_MARK = 32


@dataclass(frozen=True)
class Thread:
    """A thread that an operator answers in, and where its shopper listens."""

    channel: str
    root: str
    operator: str
    stream: bytes  # the request that opens the shopper's stream
    port: int


@dataclass
class Told:
    """What was sent and what arrived; times by `time.perf_counter`, indexed by the message's number."""

    sent: dict[int, float] = field(default_factory=dict)
    acked: dict[int, float] = field(default_factory=dict)
    arrived: dict[int, float] = field(default_factory=dict)
    twice: list[int] = field(default_factory=list)
    repeats: int = 0  # events sent once more, since nobody acknowledged them in time
    order: dict[int, list[int]] = field(default_factory=dict)  # thread → numbers as they came

    def delays_ms(self) -> list[float]:
        """From Slack's event to the shopper's socket."""
        return [(self.arrived[number] - at) * 1000 for number, at in self.sent.items()]

    def check(self, what: str, threads: dict[int, list[int]]) -> None:
        """Every message arrived once, at its own shopper, and after all that had been acknowledged before it was
        sent. (Two that are on their way at the same time may pass each other: Slack promises no order.)"""
        missing = self.sent.keys() - self.arrived.keys()
        if missing:
            raise BenchFailed(
                f"{what}: {len(missing)} of {len(self.sent)} messages never reached the shopper."
            )
        if self.twice:
            raise BenchFailed(f"{what}: {len(self.twice)} messages reached a shopper twice.")
        for index, numbers in threads.items():
            came = self.order.get(index, [])
            if sorted(came) != sorted(numbers):
                raise BenchFailed(f"{what}: a shopper was shown what was written in another thread.")
            latest = 0.0
            for number in came:
                if self.acked[number] < latest:
                    raise BenchFailed(f"{what}: message {number} was shown after one that was written later.")
                latest = max(latest, self.sent[number])


class Listener(asyncio.Protocol):
    """A shopper's open stream, read for the numbers of messages only."""

    def __init__(self, opening: bytes, heard: Callable[[int, float], None] | None = None) -> None:
        self._opening = opening
        self._heard = heard
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_closed = False
        self.heard: list[int] = []

    def hear(self) -> None:
        """From now on note the numbers of messages in `heard`."""
        self._heard = lambda number, _: self.heard.append(number)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._opening)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self.opened.done():
            self._greet(data)
        if self._heard is None:
            return
        data = self._rest + data
        end = 0
        for found in _MARK.finditer(data):
            self._heard(int(found[1]), now)
            end = found.end()
        self._rest = data[max(end, len(data) - _LONGEST_MARK) :]

    def _greet(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 200"):
            self.opened.set_result(None)
        else:
            self.opened.set_exception(BenchFailed(f"A stream was refused: {data[:200]!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if not self.opened.done():
            self.opened.set_exception(BenchFailed("A stream was closed before it began."))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


async def listen(port: int, opening: bytes, heard: Callable[[int, float], None] | None = None) -> Listener:
    """Open a stream and wait until it has begun."""
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: Listener(opening, heard), "127.0.0.1", port)
    await listener.opened
    return listener


class Rounds:
    """Sends operators' messages to one system under test, and hears its shoppers' streams. How they are built and sent
    is the platform's."""

    mode = ""

    def __init__(self, threads: Sequence[Thread]) -> None:
        self._threads = threads
        self._template = ""
        self._numbers = count(1)
        self._listeners: list[Listener] = []
        self._told = Told()

    async def open(self) -> None:
        """Open the streams; send one message the long way, through all of the fake, which is also the pattern for
        those that are built here."""
        for index, thread in enumerate(self._threads):
            self._listeners.append(await listen(thread.port, thread.stream, self._hears(index)))
        self._template = await self._pattern()

    def close(self) -> None:
        """Hang up."""
        for listener in self._listeners:
            listener.close()

    def _hears(self, index: int) -> Callable[[int, float], None]:
        def heard(number: int, at: float) -> None:
            told = self._told
            if number in told.arrived:
                told.twice.append(number)
            told.arrived[number] = at
            told.order.setdefault(index, []).append(number)

        return heard

    def build(self, amount: int) -> list["Event"]:
        """Messages, round all threads, ready to be sent."""
        return [self._event(index % len(self._threads)) for index in range(amount)]

    async def _pattern(self) -> str:
        raise NotImplementedError

    def _event(self, index: int) -> "Event":
        raise NotImplementedError

    async def _send(self, event: "Event") -> None:
        raise NotImplementedError

    # --- rounds -----------------------------------------------------------------------------------------------

    async def saturate(self, events: Sequence["Event"], in_flight: int) -> tuple[float, Told]:
        """As fast as acknowledgements come, with so many on their way; the answer is messages per second."""
        waiting = iter(events)

        async def work() -> None:
            for event in waiting:
                await self._send(event)

        began = time.perf_counter()
        told = await self._round(lambda: _all([work() for _ in range(in_flight)]))
        return len(events) / (max(told.acked.values()) - began), self._checked(events, told)

    async def pace(self, events: Sequence["Event"], per_second: float) -> Told:
        """One after the other at this rate, whether the ones before were acknowledged or not."""

        async def send_all() -> None:
            began = time.perf_counter() + 0.01
            tasks = []
            for index, event in enumerate(events):
                wait = began + index / per_second - time.perf_counter()
                if wait > 0:
                    await asyncio.sleep(wait)
                tasks.append(asyncio.ensure_future(self._send(event)))
            await _all(tasks)

        return self._checked(events, await self._round(send_all))

    async def _round(self, sending: Callable[[], Awaitable[Any]]) -> Told:
        told = self._told = Told()
        with undisturbed():
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await sending()
            except TimeoutError:
                raise BenchFailed(
                    f"Only {len(told.acked)} of {len(told.sent)} messages were acknowledged in time."
                ) from None
            until = time.perf_counter() + SETTLE_SECONDS
            while told.arrived.keys() < told.sent.keys() and time.perf_counter() < until:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return told

    def _checked(self, events: Sequence["Event"], told: Told) -> Told:
        threads: dict[int, list[int]] = {}
        for event in events:
            threads.setdefault(event.thread, []).append(event.number)
        told.check(self.mode, threads)
        return told


class Line(Rounds):
    """Slack's: in Socket Mode, or over HTTP."""

    def __init__(self, slack: FakeSlack, threads: Sequence[Thread], url_port: int = 0) -> None:
        super().__init__(threads)
        self.mode = "HTTP" if url_port else "Socket Mode"
        self._slack = slack
        self._url_port = url_port  # of the request URL; 0: Socket Mode
        self._wires: list[Wire] = []
        self._idle: asyncio.Queue[Wire] = asyncio.Queue()

    async def open(self, wires: int = 64) -> None:
        """In HTTP mode with this many connections."""
        for _ in range(wires if self._url_port else 0):
            wire = await Wire.connect(self._url_port)
            self._wires.append(wire)
            self._idle.put_nowait(wire)
        await super().open()

    def close(self) -> None:
        """Hang up."""
        super().close()
        for wire in self._wires:
            wire.close()

    async def _pattern(self) -> str:
        thread = self._threads[0]
        ts = await self._slack.post(
            thread.operator, thread.channel, "One moment, please.", thread_ts=thread.root
        )
        delivery = self._slack.delivery_of(ts)
        await self._slack.wait_for(lambda: delivery.done)
        if not delivery.acked:
            raise BenchFailed("The first message was not acknowledged.")
        return json.dumps(delivery.payload)

    def _event(self, index: int) -> "Event":
        thread, number = self._threads[index], next(self._numbers)
        channel = self._slack.world.channels[thread.channel]
        ts = self._slack.world.next_ts(channel)  # its own, or two messages would be one
        text = f"Your refund for order #4521 is on its way; it takes two working days. (n{number})"
        message = Message(thread.channel, ts, thread.operator, text, thread_ts=thread.root)
        channel.messages[ts] = message
        channel.threads.setdefault(thread.root, []).append(message)
        payload = json.loads(self._template)
        payload["event_id"] = f"EvB{number:08d}"
        event = payload["event"]
        event |= {"text": text, "ts": ts, "event_ts": ts, "thread_ts": thread.root, "channel": thread.channel}
        event |= {"user": thread.operator, "client_msg_id": str(uuid.uuid4())}
        event["blocks"][0]["elements"][0]["elements"][0]["text"] = text
        if self._url_port:
            body = json.dumps(payload).encode()
            stamp = str(int(time.time()))
            signed = signature(self._slack.signing_secret, stamp, body)
            whole = request(
                "POST", "/slack/events", body, X_Slack_Request_Timestamp=stamp, X_Slack_Signature=signed
            )
            return Event(number, index, "", "", whole)
        envelope_id = str(uuid.uuid4())
        envelope = {
            "envelope_id": envelope_id,
            "type": "events_api",
            "payload": payload,
            "accepts_response_payload": False,
            "retry_attempt": 0,
            "retry_reason": "",
        }
        return Event(number, index, envelope_id, json.dumps(envelope), b"")

    async def _send(self, event: "Event") -> None:
        """Send one until it is acknowledged, as Slack does."""
        self._told.sent[event.number] = time.perf_counter()
        attempt = self._request if self._url_port else self._envelope
        while not await attempt(event):
            self._told.repeats += 1
        self._told.acked[event.number] = time.perf_counter()

    async def _envelope(self, event: "Event") -> bool:
        gateway, loop = self._slack.gateway, asyncio.get_running_loop()
        connection = gateway.rng.choice(gateway.connections)
        acked: asyncio.Future[Any] = loop.create_future()
        connection.pending[event.envelope_id] = acked
        alarm = loop.call_later(PATIENCE, _give_up, acked)
        try:
            await connection.ws.send_str(event.text)
            return await acked is not None
        finally:
            alarm.cancel()
            connection.pending.pop(event.envelope_id, None)

    async def _request(self, event: "Event") -> bool:
        wire = await self._idle.get()
        try:
            status, body = await wire.send(event.request)
        finally:
            self._idle.put_nowait(wire)
        if status == 503:
            await asyncio.sleep(PATIENCE / 3)
        elif status != 200:
            raise BenchFailed(f"An event was answered with {status}: {body[:200]!r}")
        return status == 200


@dataclass(frozen=True, slots=True)
class Event:
    """A message that is ready to be sent: as an envelope, or as a request."""

    number: int
    thread: int
    envelope_id: str
    text: str
    request: bytes


@asynccontextmanager
async def line(slack: FakeSlack, threads: Sequence[Thread], url_port: int = 0) -> AsyncIterator[Line]:
    """An open line, hung up afterwards."""
    opened = Line(slack, threads, url_port)
    try:
        await opened.open()
        yield opened
    finally:
        opened.close()


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection in the generator while it measures."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _give_up(acked: "asyncio.Future[Any]") -> None:
    if not acked.done():
        acked.set_result(None)


async def _all(works: Sequence[Awaitable[None]]) -> None:
    """All of them; the first failure ends the others."""
    tasks = [asyncio.ensure_future(one) for one in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()

"""The shopper's stream: server-sent events out of the log, each entry once and in order.

The log is the outbox. A stream is a position in it and at most a few events that wait to be written; whenever what
is told it does not follow on its position, it reads the log from there. So a slow, a late and a resumed stream are
one case, nothing grows with the number of messages, and an open stream costs little more than its connection.

One hub serves all streams: one subscription, one ticker (pings, tokens' ends, stuck writes), one reader of states.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import hdrs, web
from multidict import istr

from adapters.storefront.refusals import TooMany
from adapters.storefront.tokens import Ticket
from bot import views
from bot.commands import Window
from bot.entries import Audience, Author, Entry, Kind
from bot.errors import Busy, NotAllowed
from bot.ports import Changes, Clock, Reads, UnitOfWork, Wakeup
from bot.settings import Timing

log = logging.getLogger("baton.stream")

PAGE = 100  # entries per read
WAITING_LIMIT = 64 * 1024  # bytes a stream may have waiting before it goes back to reading the log
CHUNK = 16 * 1024  # bytes per write
STATE_GAP = 0.5  # seconds between two states of one conversation
STATES_AT_ONCE = 50
NEWS_AT_ONCE = 20  # entries of one conversation that are read together with those of others
STREAMS_EACH = 30  # of one conversation
NAMES_KEPT = 20_000
PING = b": ping\n\n"
HEADERS = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store",
    istr("X-Accel-Buffering"): "no",  # nginx must not collect
}
# What needs nothing but the entry itself to be shown; edits and deletes look at their target.
SELF_CONTAINED = frozenset({Kind.MESSAGE, Kind.NOTICE})
NO_READS = cast(UnitOfWork, None)

Key = tuple[str, str]  # store, conversation id


def event(name: str, data: Any, seq: int | None = None) -> bytes:
    """One server-sent event."""
    shown = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    head = f"event: {name}\n" if seq is None else f"event: {name}\nid: {seq}\n"
    return f"{head}data: {shown}\n\n".encode("utf-8", "replace")


def last_event_id(request: web.Request) -> int:
    """Behind which entry to go on; anything but a number is the beginning."""
    given = request.headers.get("Last-Event-ID", "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


@dataclass(frozen=True, slots=True)
class Page:
    """What one read found. `number` None: the conversation has not begun. `through`: read up to that entry."""

    number: int | None
    through: int
    events: list[bytes]
    is_last: bool
    state: bytes


@dataclass(frozen=True, slots=True)
class News:
    """What was found of a conversation that may have changed elsewhere. `entries` come one behind the other and reach
    up to `head`, or are none: then the log is read by each stream."""

    head: int = 0
    shoppers: Sequence[str] = ()
    entries: list[Entry] = field(default_factory=list)


NOTHING = News()


class Room:
    """The streams of one conversation, and the state they show."""

    __slots__ = ("is_waiting", "key", "number", "refreshed_at", "state", "streams")

    def __init__(self, key: Key):
        self.key = key
        self.number: int | None = None
        self.streams: set[Stream] = set()
        self.state: bytes | None = None
        self.refreshed_at = 0.0
        self.is_waiting = False

    @property
    def tail(self) -> int | None:
        """Up to where all of its streams have what there is; None: all of them are reading anyway."""
        return min((one.tail for one in self.streams if not (one.is_behind or one.is_reading)), default=None)

    def show(self, state: bytes) -> None:
        """Make this the newest state."""
        self.state = state
        self.is_waiting = b'"stage":"waiting"' in state
        for stream in self.streams:
            stream.wake()


class Stream:
    """One open connection. `position`: written up to there. `tail`: what waits goes up to there.

    `is_behind`: something was appended that does not wait here, so the log has to be read.
    """

    __slots__ = (
        "expires_at", "extra", "is_behind", "is_closing", "is_reading", "pending", "ping_at", "position", "size",
        "state", "stuck_at", "stuck_since", "tail", "transport", "waiter", "window",
    )  # fmt: skip

    def __init__(self, window: Window, position: int, expires_at: float, ping_at: float):
        self.window = window
        self.position = position
        self.tail = position
        self.expires_at = expires_at
        self.ping_at = ping_at
        self.is_behind = True
        self.is_reading = False
        self.is_closing = False
        self.pending: list[bytes] | None = None
        self.size = 0
        self.extra: bytes = b""  # typing and pings: of interest now or never
        self.state: bytes | None = None  # the one it was told
        self.waiter: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.stuck_at = 0  # bytes that wait in the socket's buffer, and since when they got no fewer
        self.stuck_since = 0.0

    def wake(self) -> None:
        """There may be something to do."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def fall_behind(self) -> None:
        """Forget what waits; the log has it."""
        self.is_behind = True
        self.pending = None
        self.size = 0
        self.tail = self.position
        self.wake()

    def push(self, first: int, last: int, events: list[tuple[int, bytes]]) -> None:
        """Entries `first`..`last` were appended; `events` are those a shopper may see."""
        if self.is_behind:
            return
        if self.is_reading or first > self.tail + 1:
            self.fall_behind()
            return
        fresh = [data for seq, data in events if seq > self.tail]
        self.size += sum(map(len, fresh))
        if self.size > WAITING_LIMIT:
            self.fall_behind()
            return
        self.tail = max(self.tail, last)
        if fresh:
            self.pending = [*self.pending, *fresh] if self.pending else fresh
        self.wake()

    def mention(self, data: bytes) -> None:
        """Something that is dropped rather than kept for a slow reader."""
        if len(self.extra) < 1024:
            self.extra += data
            self.wake()

    def has_news(self, room: Room) -> bool:
        """Whether there is anything to do now."""
        return bool(
            self.is_behind or self.is_closing or self.pending or self.extra or room.state != self.state
        )

    def is_stuck(self, now: float, patience: float) -> bool:
        """Whether the other side has taken nothing for so long."""
        waiting = self.transport.get_write_buffer_size() if self.transport is not None else 0
        if waiting == 0 or waiting < self.stuck_at or not self.stuck_since:
            self.stuck_since = now
        self.stuck_at = waiting
        return waiting > 0 and now - self.stuck_since > patience

    def close(self) -> None:
        """End after what is being written."""
        self.is_closing = True
        self.wake()


class StreamHub:
    """All open streams of this process."""

    def __init__(self, reads: Reads, wakeup: Wakeup, clock: Clock, timing: Timing):
        self._reads = reads
        self._clock = clock
        self._ping = timing.stream_ping
        self._stuck = timing.stream_ping * 2 / 3  # a write may take 10 s while pings come every 15
        self._requeue = timing.stream_ping / 3  # how often those who wait are told their new place
        self._rooms: dict[Key, Room] = {}
        self._numbered: dict[int, Room] = {}
        self._nameless = 0  # rooms whose conversation has not begun, or is being read for the first time
        self._names: OrderedDict[int, Key] = OrderedDict()  # looked up before; they never change
        self._unknown: set[int] = set()
        self._dirty: set[Room] = set()
        self._suspects: set[Room] = (
            set()
        )  # something changed there; whether it was an entry, the log's head says
        self._work = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._queue_moved = False
        self._requeue_at = 0.0
        self._is_closed = False
        self._unsubscribe = wakeup.subscribe(self._changed)

    @property
    def open_streams(self) -> int:
        """How many are connected now."""
        return sum(len(room.streams) for room in self._rooms.values())

    async def close(self) -> None:
        """End every stream; browsers come back to another replica, or to this one once it is up again."""
        self._is_closed = True
        self._unsubscribe()
        for stream in self._streams():
            stream.close()
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    # --- one stream -------------------------------------------------------------------------------------------

    async def serve(self, request: web.Request, ticket: Ticket, after: int) -> web.StreamResponse:
        """Answer one request for the stream. 403 `other_shopper` before anything is sent."""
        if self._is_closed:
            raise Busy(1.0)
        self._start()
        now = asyncio.get_running_loop().time()
        stream = Stream(ticket.window, after, ticket.expires_at, now + self._ping)
        stream.transport = request.transport
        room = self._enter(stream)
        try:
            first = await self._read(stream, room)
            response = web.StreamResponse(headers=HEADERS)
            with suppress(ConnectionError):
                await response.prepare(request)
                await self._write_page(stream, room, response, first)
                await self._pump(stream, room, response)
            return response
        finally:
            self._leave(stream, room)

    async def _pump(self, stream: Stream, room: Room, response: web.StreamResponse) -> None:
        """Write what there is to write until the stream ends. A refusal or a fault of the reads ends it too: the
        browser comes back, and is told then."""
        loop = asyncio.get_running_loop()
        while not (stream.is_closing or self._is_closed):
            if stream.is_behind:
                try:
                    page = await self._read(stream, room)
                except Exception as error:  # noqa: BLE001 - the root of a stream: the response has begun
                    log.warning("a stream ends: its log cannot be read (%s)", type(error).__name__)
                    return
                await self._write_page(stream, room, response, page)
                continue
            events, tail, stream.pending, stream.size = stream.pending or [], stream.tail, None, 0
            extra, stream.extra = stream.extra, b""
            await self._write(response, [*events, *self._new_state(stream, room), extra])
            stream.position = max(stream.position, tail)
            if not stream.has_news(room):
                stream.waiter = loop.create_future()
                await stream.waiter
                stream.waiter = None

    async def _read(self, stream: Stream, room: Room) -> Page:
        """The next page behind the stream's position. Whatever is appended meanwhile makes it read again."""
        stream.is_behind, stream.is_reading = False, True
        window, after = stream.window, stream.position
        try:
            page = await self._reads(lambda uow: read_page(uow, window, after))
        finally:
            stream.is_reading = False
        stream.tail = page.through
        stream.is_behind = stream.is_behind or not page.is_last
        if page.number is not None and room.number is None:
            self._number(room, page.number, stream)
        if room.state is None:
            room.show(page.state)
        elif room.state != page.state:
            self._mark_dirty(room)
        return page

    async def _write_page(self, stream: Stream, room: Room, response: web.StreamResponse, page: Page) -> None:
        await self._write(response, [*self._new_state(stream, room), *page.events])
        stream.position = page.through

    def _new_state(self, stream: Stream, room: Room) -> list[bytes]:
        if room.state is None or room.state == stream.state:
            return []
        stream.state = room.state
        return [room.state]

    async def _write(self, response: web.StreamResponse, events: Iterable[bytes]) -> None:
        """In pieces, so that a slow reader holds back little; the ticker drops one that takes nothing."""
        piece = b""
        for data in events:
            piece += data
            if len(piece) >= CHUNK:
                await response.write(piece)
                piece = b""
        if piece:
            await response.write(piece)

    # --- rooms ------------------------------------------------------------------------------------------------

    def _enter(self, stream: Stream) -> Room:
        """Before the first read, so that nothing committed in between is missed."""
        key = (stream.window.store, stream.window.conversation_id)
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = Room(key)
            self._nameless += 1
        if len(room.streams) >= STREAMS_EACH:
            raise TooMany(
                "This conversation is open in too many windows; close some.", retry_after=int(self._ping) + 1
            )
        room.streams.add(stream)
        return room

    def _leave(self, stream: Stream, room: Room) -> None:
        room.streams.discard(stream)
        if room.streams or self._rooms.get(room.key) is not room:
            return
        del self._rooms[room.key]
        self._dirty.discard(room)
        self._suspects.discard(room)
        if room.number is None:
            self._nameless -= 1
        else:
            self._numbered.pop(room.number, None)

    def _number(self, room: Room, number: int, reader: Stream | None = None) -> None:
        """The room's conversation is that one; who looked before it began has to look again."""
        if self._rooms.get(room.key) is not room:
            return
        room.number = number
        self._numbered[number] = room
        self._nameless -= 1
        if room.streams - {reader}:
            self._fall_behind(room, but=reader)

    def _fall_behind(self, room: Room, but: Stream | None = None) -> None:
        for stream in room.streams:
            if stream is not but:
                stream.fall_behind()
        self._mark_dirty(room)

    def _streams(self) -> list[Stream]:
        return [stream for room in self._rooms.values() for stream in room.streams]

    # --- what was committed -----------------------------------------------------------------------------------

    def _changed(self, changes: Changes) -> None:
        """After each commit, in the event loop."""
        self._queue_moved = True
        for number, entries in changes.appended.items():
            if entries and (room := self._numbered.get(number)) is not None:
                self._push(room, entries)
        for number in changes.touched:
            room = self._numbered.get(number)
            if room is not None and number not in changes.appended:
                self._suspects.add(room)
                self._mark_dirty(room)
                self._work.set()
        if self._nameless:
            self._look_up(changes.touched | changes.appended.keys())
        for number, author, name in changes.typing:
            room = self._numbered.get(number)
            if room is not None and author != Author.SHOPPER:
                data = event("typing", {"author": str(author), "name": name})
                for stream in room.streams:
                    stream.mention(data)

    def _push(self, room: Room, entries: list[Entry]) -> None:
        """Straight from the commit, without a read, where an entry alone says everything about itself.

        An edit or a delete goes by the log: what still waits to be written may be what it takes back."""
        visible = [entry for entry in entries if entry.audience is Audience.SHOPPER]
        seqs = [entry.seq for entry in entries]
        is_whole = seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        if not is_whole or any(not _is_self_contained(entry) for entry in visible):
            self._fall_behind(room)
            return
        events = [
            (entry.seq, event("entry", shown, entry.seq))
            for entry in visible
            if (shown := views.widget_entry(NO_READS, entry)) is not None
        ]
        for stream in room.streams:
            stream.push(seqs[0], seqs[-1], events)
        self._mark_dirty(room)

    def _look_up(self, numbers: Iterable[int]) -> None:
        """Some streams wait for their conversation to begin: is it one of these?"""
        for number in numbers:
            if number in self._numbered:
                continue
            if (key := self._names.get(number)) is None:
                self._unknown.add(number)
                self._work.set()
            else:
                self._found(number, key)

    def _found(self, number: int, key: Key) -> None:
        """A change of `number` was told while nobody knew whose it is; it may be one that a first read just missed."""
        room = self._rooms.get(key)
        if room is None:
            return
        if room.number is None:
            self._number(room, number)
        elif room.number == number:
            self._fall_behind(room)

    def _mark_dirty(self, room: Room) -> None:
        if room not in self._dirty:
            self._dirty.add(room)
            self._work.set()

    # --- beside the streams -----------------------------------------------------------------------------------

    def _start(self) -> None:
        if not self._tasks and not self._is_closed:
            self._tasks = [
                asyncio.create_task(self._for_ever(self._tick), name="stream ticker"),
                asyncio.create_task(self._for_ever(self._refresh), name="stream states"),
            ]

    async def _for_ever(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - the root of a task that must not end
                log.error("the streams' own work failed (%s); trying again", type(error).__name__)
                await asyncio.sleep(1)

    async def _tick(self) -> None:
        await asyncio.sleep(self._ping / 10)
        now, wall = asyncio.get_running_loop().time(), self._clock()
        for stream in self._streams():
            if stream.transport is None or stream.transport.is_closing() or wall >= stream.expires_at:
                stream.close()
            elif stream.is_stuck(now, self._stuck):
                stream.is_closing = True
                stream.transport.abort()  # it takes nothing: what waits is dropped, the log has it
            elif now >= stream.ping_at:
                stream.ping_at = now + self._ping - self._ping / 20
                stream.mention(PING)
        if self._queue_moved and now >= self._requeue_at:
            self._queue_moved, self._requeue_at = False, now + self._requeue
            for room in self._numbered.values():
                if room.is_waiting:
                    self._mark_dirty(room)

    async def _refresh(self) -> None:
        await self._work.wait()
        self._work.clear()
        await self._learn_names()
        await self._check_heads()
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = [room for room in self._dirty if now - room.refreshed_at >= STATE_GAP][:STATES_AT_ONCE]
        if due:
            self._dirty.difference_update(due)
            await self._show_states(due, now)
        if self._timer is not None:
            self._timer.cancel()
        if self._dirty:
            soonest = min(room.refreshed_at for room in self._dirty) + STATE_GAP
            self._timer = loop.call_later(max(0.0, soonest - loop.time()), self._work.set)

    async def _show_states(self, rooms: list[Room], now: float) -> None:
        numbers = [room.number for room in rooms]
        for room in rooms:
            room.refreshed_at = now
        try:
            states = await self._reads(lambda uow: [read_state(uow, number) for number in numbers])
        except Exception:
            self._dirty.update(room for room in rooms if room.streams)
            self._work.set()
            raise
        for room, state in zip(rooms, states, strict=True):
            room.show(state)

    async def _check_heads(self) -> None:
        """Most changes append nothing (a tab was seen, a delivery was made), and what another replica appended is
        little: one read tells it for all who ask."""
        if not self._suspects:
            return
        rooms, self._suspects = self._suspects, set()
        tails = {room.number: room.tail for room in rooms if room.number is not None}
        try:
            found = await self._reads(lambda uow: read_news(uow, tails))
        except Exception:
            self._suspects |= {room for room in rooms if room.streams}
            self._work.set()
            raise
        for room in rooms:
            news = found.get(room.number or 0, NOTHING)
            for stream in room.streams:
                if stream.is_reading or stream.window.shopper_id not in news.shoppers:
                    stream.fall_behind()
            if news.entries:
                self._push(room, news.entries)
            for stream in room.streams:
                if stream.tail < news.head:
                    stream.fall_behind()

    async def _learn_names(self) -> None:
        if not self._unknown:
            return
        numbers, self._unknown = self._unknown, set()
        try:
            names = await self._reads(lambda uow: read_names(uow, numbers))
        except Exception:
            self._unknown |= numbers
            self._work.set()
            raise
        for number, key in names.items():
            self._names[number] = key
            self._found(number, key)
        while len(self._names) > NAMES_KEPT:
            self._names.popitem(last=False)


# --- reads, beside the event loop -----------------------------------------------------------------------------


def _is_self_contained(entry: Entry) -> bool:
    """Files' addresses are signed when they are read."""
    return entry.kind in SELF_CONTAINED and not entry.data.get("files")


def read_page(uow: UnitOfWork, window: Window, after: int) -> Page:
    """Up to `PAGE` entries behind `after`, if the window's shopper is the conversation's. 403 `other_shopper`."""
    conversation = uow.conversations.named(window.store, window.conversation_id)
    if conversation is None:
        return Page(None, 0, [], is_last=True, state=event("state", views.widget_state(uow, None)))
    if not views.is_theirs(uow, conversation, window.shopper_id):
        raise NotAllowed(
            "This conversation belongs to another shopper; get a new token.", code="other_shopper"
        )
    head = conversation.head
    after = min(after, head)
    entries = uow.log.after(conversation.number, after, PAGE, shopper_only=True)
    events = [
        event("entry", shown, entry.seq)
        for entry in entries
        if (shown := views.widget_entry(uow, entry)) is not None
    ]
    is_last = len(entries) < PAGE
    last = entries[-1].seq if entries else after
    return Page(
        number=conversation.number,
        through=max(head, last) if is_last else last,
        events=events,
        is_last=is_last,
        state=event("state", views.widget_state(uow, conversation)),
    )


def read_state(uow: UnitOfWork, number: int | None) -> bytes:
    """The state as its event."""
    conversation = uow.conversations.get(number) if number is not None else None
    return event("state", views.widget_state(uow, conversation))


def read_names(uow: UnitOfWork, numbers: Iterable[int]) -> dict[int, Key]:
    """What the store calls these conversations."""
    found = {number: uow.conversations.get(number) for number in numbers}
    return {number: (one.store, one.external_id) for number, one in found.items() if one is not None}


def read_news(uow: UnitOfWork, tails: Mapping[int, int | None]) -> dict[int, News]:
    """What there is behind these positions, as long as it is little."""
    conversations = uow.conversations.some(tails)
    uow.people.load_shoppers({one.shopper_id for one in conversations})
    wanted = [
        (one.number, seq)
        for one in conversations
        if (tail := tails[one.number]) is not None and one.head - tail <= NEWS_AT_ONCE
        for seq in range(tail + 1, one.head + 1)
    ]
    entries: dict[int, list[Entry]] = {}
    for entry in uow.log.at(wanted):
        entries.setdefault(entry.conversation, []).append(entry)
    return {
        one.number: News(one.head, views.shopper_ids(uow, one), entries.get(one.number, []))
        for one in conversations
    }

"""Lanes, deliveries, bindings and links."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, and_, bindparam, or_, select

from bot.entries import Reader
from bot.lanes import OUTSTANDING, Binding, BindingState, Delivery, DeliveryState, Lane, Link, Op
from storage.many import among, parameters
from storage.memory import Memory
from storage.rows import Rows
from storage.tables import BindingRow, ConversationRow, DeliveryRow, LaneRow, LinkRow, table

_LANE, _DELIVERY, _BINDING, _LINK = (table(row) for row in (LaneRow, DeliveryRow, BindingRow, LinkRow))
_IS_OUTSTANDING = or_(*(_DELIVERY.c.state == str(state) for state in sorted(OUTSTANDING)))
_TO_SHOPPER = or_(*(_DELIVERY.c.reader == str(reader) for reader in (Reader.EMAIL, Reader.WEBHOOK)))
MOST_UNSETTLED = 100
MOST_RESUMED = 1000
ENDED = frozenset({BindingState.CLOSED, BindingState.MOVED})
LOOKED_AT = 2000
"""Cases that changed last among which ended threads are looked for."""
_CONVERSATION = table(ConversationRow)
_CHANGED: Any = (
    select(_CONVERSATION.c.number)
    .where(_CONVERSATION.c.updated_at >= bindparam("since"))
    .order_by(_CONVERSATION.c.updated_at.desc(), _CONVERSATION.c.number.desc())
    .limit(LOOKED_AT)
)
"""There may be very many threads that are over: those of the cases that changed last are found by their cases."""
Thread = tuple[str, str, str]


def _outstanding(select: Select[Any]) -> Select[Any]:
    own = (_DELIVERY.c.conversation == bindparam("conversation"), _DELIVERY.c.reader == bindparam("reader"))
    order = (_DELIVERY.c.created_at, _DELIVERY.c.part, _DELIVERY.c.id)
    return select.where(*own, _IS_OUTSTANDING).order_by(*order)


@cache
def _outstanding_of(dialect: Dialect) -> Callable[[Any], Any]:
    return lambda select: select.where(among([_DELIVERY.c.conversation], dialect), _IS_OUTSTANDING)


def _posted(select: Select[Any]) -> Select[Any]:
    own = (_DELIVERY.c.conversation == bindparam("conversation"), _DELIVERY.c.reader == str(Reader.THREAD))
    made = (_DELIVERY.c.remote_id.is_not(None), _DELIVERY.c.attempted_at >= bindparam("since"))
    return select.where(*own, *made, _DELIVERY.c.state == str(DeliveryState.SENT))


def _undelivered(select: Select[Any]) -> Select[Any]:
    dead = _DELIVERY.c.state == str(DeliveryState.DEAD)
    return select.where(_DELIVERY.c.conversation == bindparam("conversation"), _TO_SHOPPER, dead)


def _bindings(select: Select[Any]) -> Select[Any]:
    return select.where(_BINDING.c.conversation == bindparam("conversation")).order_by(_BINDING.c.id)


def _links_of(select: Select[Any]) -> Select[Any]:
    spans = (_LINK.c.first_seq <= bindparam("seq"), _LINK.c.last_seq >= bindparam("seq"))
    return select.where(_LINK.c.binding_id == bindparam("binding"), *spans).order_by(
        _LINK.c.part, _LINK.c.remote_id
    )


def _unsettled(select: Select[Any]) -> Select[Any]:
    unsettled = or_(_LINK.c.mark.is_(None), _LINK.c.mark != bindparam("final"))
    return (
        select.where(_LINK.c.conversation == bindparam("conversation"), _LINK.c.ours.is_(False), unsettled)
        .order_by(_LINK.c.first_seq.desc())
        .limit(MOST_UNSETTLED)
    )


@cache
def _conversations_of(dialect: Dialect) -> Select[Any]:
    thread = [_BINDING.c.platform, _BINDING.c.channel, _BINDING.c.root]
    return select(_BINDING.c.conversation).where(among(thread, dialect))


def _of_team(team: str) -> Any:
    own = select(_CONVERSATION.c.number).where(_CONVERSATION.c.team == team)
    return and_(_LANE.c.conversation.in_(own), _LANE.c.reader != str(Reader.WEBHOOK))


def _thread_of(binding: Binding) -> Thread:
    return binding.platform, binding.channel, binding.root


class Lanes:
    """See `bot.ports.Lanes`. `woken` is told of every lane that became due."""

    def __init__(
        self,
        connection: Connection,
        now: float,
        woken: Callable[[int, Reader], None],
        memory: Memory | None = None,
    ):
        self._connection = connection
        self._now = now
        self._woken = woken
        self.lanes: Rows[Lane] = Rows(
            connection, _LANE, Lane, ("conversation", "reader"), {"reader": Reader}, memory
        )
        kinds: dict[str, Callable[[Any], Any]] = {"reader": Reader, "op": Op, "state": DeliveryState}
        self.deliveries: Rows[Delivery] = Rows(connection, _DELIVERY, Delivery, ("id",), kinds)
        self.bound: Rows[Binding] = Rows(
            connection, _BINDING, Binding, ("id",), {"state": BindingState}, memory
        )
        self._memory = memory
        self._threads: dict[Thread, Binding | None] = {}
        # Conversations whose bindings and outstanding deliveries are all in hand.
        self._whole: set[int] = set()
        self.links: Rows[Link] = Rows(connection, _LINK, Link, ("platform", "channel", "remote_id"))

    def lane(self, number: int, reader: Reader) -> Lane | None:
        return self.lanes.get(number, reader)

    def open(self, number: int, reader: Reader, position: int = 0) -> Lane:
        known = self.lanes.get(number, reader)
        return known if known is not None else self.lanes.add(Lane(number, reader, position))

    def wake(self, number: int, reader: Reader, due_at: float | None = None) -> None:
        lane = self.lanes.get(number, reader)
        if lane is None:
            return
        at = self._now if due_at is None else due_at
        if lane.due_at is None or at < lane.due_at:
            lane.due_at = at
        if at <= self._now:
            self._woken(number, reader)

    def due(self, now: float, limit: int) -> Sequence[tuple[int, Reader]]:
        statement = (
            select(_LANE.c.conversation, _LANE.c.reader)
            .where(_LANE.c.due_at <= now, _LANE.c.not_before <= now, _LANE.c.lease_until <= now)
            .order_by(_LANE.c.due_at)
            .limit(limit)
        )
        return [(int(number), Reader(reader)) for number, reader in self._connection.execute(statement)]

    def prefetch_work(self, numbers: Collection[int]) -> None:
        """Load what a lane's next step looks at: the conversations' bindings and outstanding deliveries."""
        fresh = [number for number in numbers if number not in self._whole]
        if not fresh:
            return
        keys = [(number,) for number in fresh]
        self.bound.among(("conversation",), keys)
        dialect = self._connection.dialect
        self.deliveries.select(_outstanding_of(dialect), **parameters(keys, dialect))
        self._whole.update(fresh)

    def outstanding(self, number: int, reader: Reader) -> Sequence[Delivery]:
        if number in self._whole:
            found = [
                one
                for one in self.deliveries.loaded
                if one.conversation == number and one.reader is reader and one.state in OUTSTANDING
            ]
            return sorted(found, key=lambda one: (one.created_at, one.part, one.id))
        return self.deliveries.select(_outstanding, conversation=number, reader=str(reader))

    def delivery(self, delivery_id: str) -> Delivery | None:
        return self.deliveries.get(delivery_id)

    def add_delivery(self, delivery: Delivery) -> None:
        self.deliveries.add(delivery)

    def dead(self, limit: int = 100) -> Sequence[Delivery]:
        return self.deliveries.where(
            _DELIVERY.c.state == str(DeliveryState.DEAD), order_by=(_DELIVERY.c.created_at,), limit=limit
        )

    def posted(self, number: int, since: float) -> Collection[str]:
        found = self.deliveries.select(_posted, conversation=number, since=since)
        return {one.remote_id for one in found if one.remote_id is not None}

    def undelivered(self, number: int) -> Collection[int]:
        return {one.first_seq for one in self.deliveries.select(_undelivered, conversation=number)}

    def shares(self, number: int, seq: int) -> Sequence[Delivery]:
        return self.deliveries.where(
            _DELIVERY.c.conversation == number,
            _DELIVERY.c.reader == str(Reader.THREAD),
            _DELIVERY.c.state == str(DeliveryState.SENT),
            _DELIVERY.c.op == str(Op.SHARE),
            _DELIVERY.c.first_seq == seq,
            _DELIVERY.c.remote_id.is_not(None),
        )

    def latest_binding(self, number: int) -> Binding | None:
        if number in self._whole:
            return max(self.bindings(number), key=lambda one: one.id, default=None)
        found = self.bound.select(_bindings, conversation=number)
        return found[-1] if found else None

    def bindings(self, number: int) -> Sequence[Binding]:
        if number in self._whole:
            own = [one for one in self.bound.loaded if one.conversation == number]
            return sorted(own, key=lambda one: one.id)
        return self.bound.select(_bindings, conversation=number)

    def binding(self, binding_id: int) -> Binding | None:
        return self.bound.get(binding_id)

    def conversations_of(self, threads: Iterable[Thread]) -> set[int]:
        """The numbers behind these threads; the bindings themselves are read once those are locked."""
        wanted = [thread for thread in threads if thread not in self._threads]
        numbers, unknown = self._recalled(wanted)
        if unknown:
            dialect = self._connection.dialect
            found = self._connection.execute(_conversations_of(dialect), parameters(unknown, dialect))
            numbers |= {int(number) for number in found.scalars()}
        return numbers

    def _recalled(self, threads: Sequence[Thread]) -> tuple[set[int], list[Thread]]:
        """The numbers behind those that the writer remembers, and the others."""
        if self._memory is None:
            return set(), list(threads)
        numbers, unknown = set(), []
        for thread in threads:
            key = self._memory.names.get(thread)
            binding = self.bound.get(*key) if key is not None else None
            if binding is None or _thread_of(binding) != thread:  # SQLite gives an id again
                unknown.append(thread)
            else:
                self._threads[thread] = binding
                numbers.add(binding.conversation)
        return numbers, unknown

    def remember(self, memory: Memory) -> None:
        """After the commit: see `Rows.remember`."""
        self.lanes.remember()
        self.bound.remember()
        memory.names.update(
            (thread, (binding.id,)) for thread, binding in self._threads.items() if binding is not None
        )

    def prefetch_threads(self, threads: Iterable[Thread]) -> None:
        """Load the bindings of these threads."""
        wanted = [thread for thread in threads if thread not in self._threads]
        if wanted:
            self._threads.update(dict.fromkeys(wanted))
            for found in self.bound.among(("platform", "channel", "root"), wanted):
                self._threads[found.platform, found.channel, found.root] = found

    def binding_at(self, platform: str, channel: str, root: str) -> Binding | None:
        thread = (platform, channel, root)
        if thread not in self._threads:
            self.prefetch_threads([thread])
        return self._threads[thread]

    def add_binding(self, binding: Binding) -> Binding:
        self._threads[binding.platform, binding.channel, binding.root] = binding
        return self.bound.add_numbered(binding, "id")

    def open_bindings(self, platform: str) -> Sequence[Binding]:
        return self.bound.where(
            _BINDING.c.platform == platform,
            _BINDING.c.state == str(BindingState.OPEN),
            order_by=(_BINDING.c.id,),
        )

    def ended_bindings(self, platform: str, since: float, limit: int) -> Sequence[Binding]:
        numbers = [int(one) for one in self._connection.execute(_CHANGED, {"since": since}).scalars()]
        rank = {number: index for index, number in enumerate(numbers)}
        theirs = self.bound.among(("conversation",), [(number,) for number in numbers]) if numbers else []
        over = [one for one in theirs if one.platform == platform and one.state in ENDED]
        return sorted(over, key=lambda one: (rank[one.conversation], -one.id))[:limit]

    def link(self, platform: str, channel: str, remote_id: str) -> Link | None:
        return self.links.get(platform, channel, remote_id)

    def add_link(self, link: Link) -> None:
        self.links.add(link)

    def links_of(self, binding_id: int, seq: int) -> Sequence[Link]:
        return self.links.select(_links_of, binding=binding_id, seq=seq)

    def resume(self, team: str) -> None:
        late = self.lanes.where(
            _of_team(team), _LANE.c.faults > 0, order_by=(_LANE.c.conversation,), limit=MOST_RESUMED
        )
        for lane in late:
            lane.not_before, lane.faults = 0.0, 0
            if lane.due_at is not None:
                self._woken(lane.conversation, lane.reader)

    def fault_of(self, team: str, since: float) -> str | None:
        """Receipts and cards follow the thread: it alone counts."""
        stuck = (_LANE.c.reader == str(Reader.THREAD), _LANE.c.faults > 0, _LANE.c.fault_since <= since)
        found = self.lanes.where(_of_team(team), *stuck, order_by=(_LANE.c.fault_since,), limit=1)
        return found[0].fault if found else None

    def last_links(self, binding_id: int, limit: int) -> Sequence[Link]:
        newest = self.links.where(
            _LINK.c.binding_id == binding_id,
            _LINK.c.ours.is_(False),
            order_by=(_LINK.c.first_seq.desc(),),
            limit=limit,
        )
        return newest[::-1]

    def unsettled_links(self, number: int, final_mark: str) -> Sequence[Link]:
        newest = self.links.select(_unsettled, conversation=number, final=final_mark)
        return newest[::-1]

"""After a gap: what people wrote, edited, removed and stopped in threads while nobody listened.

History goes through the same inbox as live events, so whatever came both ways counts once. The last linked
messages are compared for edits and deletes, since those leave no new message behind. Open threads come first, those
where a message is held before all; then the threads that were over not long ago, which still get edits.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.arrivals import Arrivals, thread_lane
from bot.commands import ReadBack, RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage, Withdraw
from bot.errors import Busy, DeliveryFault, RootGone
from bot.handlers.files_back import left_in, remote_ids
from bot.holds import NO_ENTRY
from bot.lanes import Link
from bot.people import Actor, Role
from bot.ports import Reads, TeamChat, UnitOfWork
from bot.posts import Heard, Place
from bot.readers.thread import place_of

logger = logging.getLogger("baton.catchup")

COMPARED = 200
BESIDE_EACH_OTHER = 4
ENDED_WITHIN, MOST_ENDED = 7 * 24 * 3600.0, 200
"""How long ago a thread's case may have changed that is read although it is over, and how many of those: a platform
lets us read about fifty a minute."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds, until the next connect is relied on
NOT_TAKEN = 3.0
"""Seconds between two looks while our own database takes nothing, for as long as that lasts: no connect will follow."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a thread before it is read: its links, which of them stand for messages that are held, and the
    platform's ids of the files that each had."""

    links: Sequence[Link]
    held: Collection[str]
    files: Mapping[str, Collection[str]]

    def may_be_stopped(self, message_id: str) -> bool:
        """Whether 🛑 can still keep it inside: it has not left, or nobody has heard of it yet."""
        return message_id in self.held or all(link.remote_id != message_id for link in self.links)


class CatchUp:
    """Run after every (re)connect of a platform. `second` stretches or shortens the pauses (tests)."""

    def __init__(self, reads: Reads, arrivals: Arrivals, chat: TeamChat, second: float = 1.0):
        self._reads = reads
        self._arrivals = arrivals
        self._chat = chat
        self._second = second
        self._few = asyncio.Semaphore(BESIDE_EACH_OTHER)

    async def run(self) -> None:
        """Read every open thread's history. One that cannot be read holds up no other, and is tried again."""
        platform = self._chat.platform
        self._arrivals.close_gates([platform])  # until we know which threads are open, all of them may be
        try:
            holding, others = await self._reads(self._open_threads)
            self._arrivals.close_gates(_lane(place) for place in (*holding, *others))
        finally:
            self._arrivals.open_gate(platform)
        for place in holding:
            await self._tell(ReadBack(place))
        await asyncio.gather(*(self.opened(place) for place in (*holding, *others)))
        ended = await self._reads(self._ended_threads)
        await asyncio.gather(*(self.opened(place) for place in ended))

    async def expect(self, place: Place) -> None:
        """A root stands whose binding is about to be stored: live events of that thread wait for `opened`. Those under
        way are handled first, while the thread is nobody's: behind the binding they would overtake what is read."""
        self._arrivals.close_gates([_lane(place)])
        await self._arrivals.passed(_lane(place))

    async def opened(self, place: Place) -> None:
        """Read one thread. What was written there while nobody listened, or between its root and its binding (a late
        answer, a crash), comes no other way: a failed look is repeated. Live events wait for the first look only."""
        pauses = iter(PAUSES)
        while True:
            try:
                async with self._few:
                    await self._look(place)
            except (DeliveryFault, Busy) as fault:
                logger.warning("catch-up failed", extra={"platform": place.platform, "reason": str(fault)})
                pause = NOT_TAKEN if isinstance(fault, Busy) else next(pauses, None)
            else:
                return
            finally:
                self._arrivals.open_gate(_lane(place))
            if pause is None:
                return
            await asyncio.sleep(pause * self._second)

    def _open_threads(self, uow: UnitOfWork) -> tuple[list[Place], list[Place]]:
        """Those with a message that is held, and the others."""
        bindings = uow.lanes.open_bindings(self._chat.platform)
        held = {one.binding_id for one in uow.held.on(self._chat.platform)}
        return (
            [place_of(binding) for binding in bindings if binding.id in held],
            [place_of(binding) for binding in bindings if binding.id not in held],
        )

    def _ended_threads(self, uow: UnitOfWork) -> list[Place]:
        """Newest first. Live events of theirs wait for nothing: an edit says itself how new it is."""
        since = uow.now - ENDED_WITHIN
        return [place_of(one) for one in uow.lanes.ended_bindings(self._chat.platform, since, MOST_ENDED)]

    async def _look(self, place: Place) -> None:
        def look(uow: UnitOfWork) -> _Known | None:
            binding = uow.lanes.binding_at(place.platform, place.channel, place.root)
            if binding is None:
                return None
            links = uow.lanes.last_links(binding.id, COMPARED)
            held = {link.remote_id for link in links if link.last_seq == NO_ENTRY}
            entries = uow.log.entries(binding.conversation, {link.last_seq for link in links})
            files = {
                one.remote_id: remote_ids(entries[one.last_seq].data)
                for one in links
                if one.last_seq in entries
            }
            files |= {
                one.remote_id: remote_ids(one.data["entry"]) for one in uow.held.of(binding.conversation)
            }
            return _Known(links, held, files)

        known = await self._reads(look)
        if known is not None:
            await self._thread(place, known)
            if known.held:
                await self._tell(ReadBack(place, done=True))

    async def _tell(self, command: ReadBack) -> None:
        """What is held leaves at its time all the same."""
        try:
            await self._arrivals.submit(command)
        except Busy as busy:
            logger.warning(
                "catch-up not told", extra={"platform": command.place.platform, "reason": str(busy)}
            )

    async def _thread(self, place: Place, known: _Known) -> None:
        lane, links = _lane(place), known.links
        try:
            heard = await self._chat.history(place, _oldest(links))
        except RootGone:
            await self._arrivals.submit(RootDeleted(place))
            return
        for one in heard:
            for actor in one.extra.get("stopped_by", ()) if known.may_be_stopped(one.id) else ():
                await self._take(lane, one.order, Withdraw(place, one.id, actor))
            message = ThreadMessage(place, one, _actor(place.platform, one), live=False)
            await self._take(lane, one.order, message)
            if one.edited_order or set(known.files.get(one.id, ())) - left_in(one):
                await self._take(lane, one.order, ThreadEdit(place, one, _actor(place.platform, one)))
        there = {one.id for one in heard}
        for link in links:
            if link.remote_id not in there:
                await self._take(lane, link.remote_id, ThreadDelete(place, link.remote_id, link.remote_id))

    async def _take(
        self, lane: str, order: str, command: ThreadMessage | ThreadEdit | ThreadDelete | Withdraw
    ) -> None:
        """One that breaks must not hold up those behind it, which come no other way."""
        try:
            await self._arrivals.arrive(lane, order, command, live=False)
        except (Busy, DeliveryFault):
            raise
        except Exception as error:  # noqa: BLE001
            extra = {"command": type(command).__name__, "fault": type(error).__name__}
            logger.error("catch-up left one out", extra=extra)


def _lane(place: Place) -> str:
    return thread_lane(place.platform, place.channel, place.root)


def _oldest(links: Sequence[Link]) -> str:
    """Where to read from: a thread's beginning (what came before its first link may have been passed by), or the
    oldest of very many links. Links come in the log's order; a late message, or an aside that was sent after all, is
    older than its place there. Platforms' ids grow with time: Slack's are of one length, Discord's get longer."""
    if len(links) < COMPARED:
        return ""
    return min((link.remote_id for link in links), key=lambda one: (len(one), one))


def _actor(platform: str, heard: Heard) -> Actor:
    """History says who wrote it, with name and role, in `extra["actor"]`."""
    known = heard.extra.get("actor", {})
    return Actor(
        platform,
        heard.author_id,
        known.get("name", heard.author_id),
        Role(known.get("role", "none")),
        known.get("standings"),
        known.get("called", ""),
    )

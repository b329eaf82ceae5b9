"""After a gap: what people wrote, edited and removed in the open threads while nobody listened.

History goes through the same inbox as live events, so whatever came both ways counts once. The last linked
messages are compared for edits and deletes, since those leave no new message behind.
"""

import asyncio
import logging
from collections.abc import Sequence

from bot.arrivals import Arrivals, thread_lane
from bot.commands import RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage
from bot.errors import Busy, DeliveryFault, RootGone
from bot.lanes import Link
from bot.people import Actor, Role
from bot.ports import Reads, TeamChat, UnitOfWork
from bot.posts import Heard, Place
from bot.readers.thread import place_of

logger = logging.getLogger("baton.catchup")

COMPARED = 200
BESIDE_EACH_OTHER = 4
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds, until the next connect is relied on


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
            places = await self._reads(self._open_threads)
            self._arrivals.close_gates(_lane(place) for place in places)
        finally:
            self._arrivals.open_gate(platform)
        await asyncio.gather(*(self.opened(place) for place in places))

    def expect(self, place: Place) -> None:
        """A root stands whose binding is about to be stored: live events of that thread wait for `opened`."""
        self._arrivals.close_gates([_lane(place)])

    async def opened(self, place: Place) -> None:
        """Read one thread. What was written there while nobody listened, or between its root and its binding (a late
        answer, a crash), comes no other way: a failed look is repeated. Live events wait for the first look only."""
        for pause in PAUSES:
            try:
                async with self._few:
                    await self._look(place)
            except (DeliveryFault, Busy) as fault:
                logger.warning("catch-up failed", extra={"platform": place.platform, "reason": str(fault)})
            else:
                return
            finally:
                self._arrivals.open_gate(_lane(place))
            await asyncio.sleep(pause * self._second)

    def _open_threads(self, uow: UnitOfWork) -> list[Place]:
        return [place_of(binding) for binding in uow.lanes.open_bindings(self._chat.platform)]

    async def _look(self, place: Place) -> None:
        def links(uow: UnitOfWork) -> Sequence[Link] | None:
            binding = uow.lanes.binding_at(place.platform, place.channel, place.root)
            return uow.lanes.last_links(binding.id, COMPARED) if binding is not None else None

        known = await self._reads(links)
        if known is not None:
            await self._thread(place, known)

    async def _thread(self, place: Place, links: Sequence[Link]) -> None:
        lane = _lane(place)
        try:
            heard = await self._chat.history(place, _oldest(links))
        except RootGone:
            await self._arrivals.submit(RootDeleted(place))
            return
        for one in heard:
            message = ThreadMessage(place, one, _actor(place.platform, one), live=False)
            await self._take(lane, one.order, message)
            if one.edited_order:
                await self._take(lane, one.order, ThreadEdit(place, one, _actor(place.platform, one)))
        there = {one.id for one in heard}
        for link in links:
            if link.remote_id not in there:
                await self._take(lane, link.remote_id, ThreadDelete(place, link.remote_id, link.remote_id))

    async def _take(self, lane: str, order: str, command: ThreadMessage | ThreadEdit | ThreadDelete) -> None:
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

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
from bot.lanes import Binding, Link
from bot.people import Actor, Role
from bot.ports import Reads, TeamChat, UnitOfWork
from bot.posts import Heard, Place
from bot.readers.thread import place_of

logger = logging.getLogger("baton.catchup")

COMPARED = 200
BESIDE_EACH_OTHER = 4
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds, until the next connect is relied on


class CatchUp:
    """Run after every (re)connect of a platform."""

    def __init__(self, reads: Reads, arrivals: Arrivals, chat: TeamChat):
        self._reads = reads
        self._arrivals = arrivals
        self._chat = chat

    async def run(self) -> None:
        """Read every open thread's history. A thread that cannot be read is logged and tried at the next connect."""
        platform = self._chat.platform
        self._arrivals.close_gates([platform])  # until we know which threads are open, all of them may be
        try:
            found = await self._reads(self._open_threads)
            lanes = {binding.id: _lane(binding) for binding, _ in found}
            self._arrivals.close_gates(lanes.values())
        finally:
            self._arrivals.open_gate(platform)
        limit = asyncio.Semaphore(BESIDE_EACH_OTHER)

        async def one(binding: Binding, links: Sequence[Link]) -> None:
            async with limit:
                try:
                    await self._thread(binding, links)
                except DeliveryFault as fault:
                    logger.warning(
                        "catch-up failed", extra={"case": binding.conversation, "reason": fault.reason}
                    )
                finally:
                    self._arrivals.open_gate(lanes[binding.id])

        await asyncio.gather(*(one(binding, links) for binding, links in found))

    def expect(self, place: Place) -> None:
        """A root stands whose binding is about to be stored: live events of that thread wait for `opened`."""
        self._arrivals.close_gates([thread_lane(place.platform, place.channel, place.root)])

    async def opened(self, place: Place) -> None:
        """Read a new thread once. Between its root and its binding nobody knew whose it is (a late answer, a crash),
        so what people wrote there meanwhile was passed by. It comes no other way: a failed look is repeated."""
        for pause in PAUSES:
            try:
                binding = await self._reads(
                    lambda uow: uow.lanes.binding_at(place.platform, place.channel, place.root)
                )
                if binding is not None:
                    await self._thread(binding, ())
            except (DeliveryFault, Busy) as fault:
                logger.warning("catch-up failed", extra={"reason": str(fault)})
            else:
                return
            finally:
                self._arrivals.open_gate(thread_lane(place.platform, place.channel, place.root))
            await asyncio.sleep(pause)

    def _open_threads(self, uow: UnitOfWork) -> list[tuple[Binding, Sequence[Link]]]:
        open_ones = uow.lanes.open_bindings(self._chat.platform)
        return [(binding, uow.lanes.last_links(binding.id, COMPARED)) for binding in open_ones]

    async def _thread(self, binding: Binding, links: Sequence[Link]) -> None:
        place, lane = place_of(binding), _lane(binding)
        try:
            heard = await self._chat.history(place, _oldest(links))
        except RootGone:
            await self._arrivals.submit(RootDeleted(place))
            return
        for one in heard:
            await self._arrivals.arrive(lane, one.order, ThreadMessage(place, one, _actor(place.platform, one)),
                                        live=False)  # fmt: skip
            if one.edited_order:
                edit = ThreadEdit(place, one, _actor(place.platform, one))
                await self._arrivals.arrive(lane, one.order, edit, live=False)
        there = {one.id for one in heard}
        for link in links:
            if link.remote_id not in there:
                gone = ThreadDelete(place, link.remote_id, link.remote_id)
                await self._arrivals.arrive(lane, link.remote_id, gone, live=False)


def _lane(binding: Binding) -> str:
    return thread_lane(binding.platform, binding.channel, binding.root)


def _oldest(links: Sequence[Link]) -> str:
    """Links come in the log's order; a late message, or an aside that was sent after all, is older than its place
    there. Platforms' ids grow with time: Slack's are of one length, Discord's get longer."""
    return min((link.remote_id for link in links), key=lambda one: (len(one), one), default="")


def _actor(platform: str, heard: Heard) -> Actor:
    """History says who wrote it, with name and role, in `extra["actor"]`."""
    known = heard.extra.get("actor", {})
    return Actor(
        platform, heard.author_id, known.get("name", heard.author_id), Role(known.get("role", "none"))
    )

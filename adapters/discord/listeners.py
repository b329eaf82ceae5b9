"""What is done with an event. Discord sends it once and asks for no acknowledgement: one that could not be stored is
found again by reading its thread back.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from weakref import WeakValueDictionary

from adapters.discord.answers import Answers, Where, refusal, said
from adapters.discord.inbound import (
    WITHDRAWS,
    Arrival,
    Event,
    changed,
    deleted,
    is_spoken,
    people_in,
    root_deleted,
)
from adapters.discord.inbound import said as spoken
from adapters.discord.outbound import DiscordChat
from adapters.discord.places import PLATFORM
from bot import texts
from bot.commands import Withdraw
from bot.errors import Busy, DeliveryFault, Refused, Unavailable
from bot.ports import Bus, Desk
from bot.posts import Answer, Place
from bot.verbs import asked_in

log = logging.getLogger("baton.discord")

PATIENCE = 30.0
"""Seconds for which an event waits until there is room for it. After that its thread is read back."""
REMEMBERED = 5_000
"""Messages of which it is known what files they had."""
REPLY = 19
"""The type of a message that replies to another."""
PLACES = frozenset({"CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE",
                    "GUILD_CREATE", "GUILD_DELETE"})  # fmt: skip
"""Events after which a place may work that did not, or the other way round."""


class Listeners:
    """`hear` takes the gateway's events in their order. `missed` is told of one that was not stored; `errand` runs what
    nobody waits for."""

    def __init__(
        self,
        chat: DiscordChat,
        bus: Bus,
        desk: Desk,
        errand: Callable[[Coroutine[Any, Any, Any]], object],
        missed: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ):
        self._chat = chat
        self._directory = chat.directory
        self._bus = bus
        self._desk = desk
        self._errand = errand
        self._missed = missed
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._answers = Answers(chat, errand)
        self._files: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._last = 0.0
        self._fresh = False

    def hear(self, name: str, event: Event) -> None:
        """Whatever the gateway sends. Another guild's is none of ours."""
        self._note_gap(name, event)
        self._directory.learn(name, event)
        if str(event.get("guild_id", event.get("id"))) != self._chat.guild_id:
            return
        if name in PLACES:
            self._chat.places_changed()
        listener = _LISTENERS.get(name)
        if listener is not None:
            self._errand(self._taken(listener, event))

    def _note_gap(self, name: str, event: Event) -> None:
        """Where we see something again that was hidden from us, people may have written meanwhile. After a greeting
        the guild comes in any case, and all is read then."""
        if name == "READY":
            self._fresh = True
        elif name == "GUILD_CREATE" and self._fresh:
            self._fresh = False
        elif self._directory.opens_again(name, event):
            self._missed()

    async def _taken(self, listener: "Listener", event: Event) -> None:
        """What could not be stored is read back a while later."""
        try:
            await listener(self, event)
        except (Busy, DeliveryFault) as fault:
            log.warning("discord: an event was not taken and is read back", extra={"fault": _named(fault)})
            self._missed()
        except Exception as error:  # the root of the task  # noqa: BLE001
            log.error(
                "discord: an event was not taken and is read back", extra={"fault": type(error).__name__}
            )
            self._missed()

    # What people write

    async def message(self, event: Event) -> None:
        """Somebody wrote something."""
        if is_spoken(event):
            self._loses_file(event)
            await self._arrive(event, spoken)

    async def edit(self, event: Event) -> None:
        """A message reads differently, has lost a file, or got a preview."""
        loses = is_spoken(event) and "attachments" in event and self._loses_file(event)
        if is_spoken(event) and (event.get("edited_timestamp") or loses):
            await self._arrive(event, changed)

    def _loses_file(self, event: Event) -> bool:
        """Whether it has fewer files than it had, as far as we know: a preview is told by the same event."""
        now = frozenset(str(one["id"]) for one in event.get("attachments") or ())
        before = self._files.pop(str(event["id"]), None)
        self._files[str(event["id"])] = now
        if len(self._files) > REMEMBERED:
            self._files.popitem(last=False)
        return before is None or not before <= now

    async def _arrive(self, event: Event, read: Callable[..., Arrival | None]) -> None:
        async with self._turn(event):  # a look-up that takes longer must not let the next message pass
            channel = await self._directory.parent_of(str(event["channel_id"]))
            if not channel:
                if event.get("type") == REPLY:
                    self._errand(self._beside_thread(event))
                return
            author = event["author"]
            await self._chat.require_words(event)
            actors = await self._directory.actors(people_in(event), channel)
            found = read(event, channel, actors, await self._directory.ourselves())
            if found is None:
                return
            arriving = self._in_its_place(found)  # before the next one may
        where = Where(str(author["id"]), channel, found.command.place.root, str(event["id"]))
        try:
            result = await arriving
            answer = said(result)
        except Refused as refused:
            result, answer = None, refusal(refused)
        if answer is None and result is not None:
            self._look_up(where, found.command, result)
        else:
            self._answers.tell(where, answer)

    async def _beside_thread(self, event: Event) -> None:
        """Whoever replies to a card in its channel means the shopper, who would wait for ever."""
        card = str((event.get("message_reference") or {}).get("message_id") or "")
        if not card or event.get("edited_timestamp"):
            return
        channel = str(event["channel_id"])
        number = await self._desk.case_at(Place(PLATFORM, channel, card))
        if number is not None:
            where = Where(str(event["author"]["id"]), channel, "", str(event["id"]))
            self._answers.tell(where, Answer(texts.answers.reply_beside_thread(number)))

    def _in_its_place(self, one: Arrival) -> Awaitable[Any]:
        """Stored in its thread's order. A message that were let go here would come back by the history, and stand
        behind those that were written after it."""
        return self._bus.arrive(one.lane, one.order, one.command, patience=PATIENCE)

    def _look_up(self, where: Where, command: Any, result: Any) -> None:
        """A verb that only reads has no handler: the desk answers it, for the case of that thread."""
        if (asked := asked_in(command)) is not None:
            words, people = asked
            asking = self._desk.ask(words, command.actor, number=result.number, people=people)
            self._errand(self._tell_soon(where, asking))

    async def _tell_soon(self, where: Where, asking: Awaitable[Answer]) -> None:
        try:
            answer = await asking
        except Refused as refused:
            answer = refusal(refused)
        except (Busy, DeliveryFault):
            answer = Answer(texts.answers.busy_now())
        self._answers.tell(where, answer)

    def _turn(self, event: Event) -> asyncio.Lock:
        """One at a time per thread, in the order they came; other threads do not wait."""
        return self._turns.setdefault(str(event["channel_id"]), asyncio.Lock())

    # What people take back

    async def delete(self, event: Event) -> None:
        """Messages were deleted, in a thread or in a channel; a card may be among them."""
        async with self._turn(event):
            channel_id = str(event["channel_id"])
            parent, now = await self._directory.parent_of(channel_id), self._now()
            if parent:
                arriving = [*deleted(event, parent, now)]
            else:
                ids = event.get("ids") or [event["id"]]
                arriving = [root_deleted(channel_id, str(one), now) for one in ids]
            under_way = [self._in_its_place(one) for one in arriving]
        await asyncio.gather(*under_way)

    async def thread_gone(self, event: Event) -> None:
        """A thread was deleted; its card is taken away by whoever posts there next."""
        found = root_deleted(str(event.get("parent_id") or ""), str(event["id"]), self._now())
        await self._in_its_place(found)
        if (
            await self._desk.case_at(found.command.place) is not None
        ):  # another's began with a person's own message
            await self._chat.take_card_back(found.command.place)

    def _now(self) -> float:
        """Behind all that came before, also if the clock stands still or goes back."""
        self._last = max(self._clock(), self._last + 0.001)
        return self._last

    async def reaction(self, event: Event) -> None:
        """🛑 on a message: it must not leave."""
        if (event.get("emoji") or {}).get("name") != WITHDRAWS:
            return
        channel = await self._directory.parent_of(str(event["channel_id"]))
        if not channel or (event.get("member") or {}).get("user", {}).get("bot"):
            return
        where = Where(str(event["user_id"]), channel, str(event["channel_id"]), str(event["message_id"]))
        place = Place(PLATFORM, channel, where.root)
        actor = await self._directory.actor(where.user_id, here=channel)
        try:
            answer = said(await self._bus.submit(Withdraw(place, where.message_id, actor)))
        except Refused as refused:
            answer = refusal(refused)
        self._answers.tell(where, answer)


Listener = Callable[[Listeners, Event], Awaitable[None]]

_LISTENERS: dict[str, Listener] = {
    "MESSAGE_CREATE": Listeners.message,
    "MESSAGE_UPDATE": Listeners.edit,
    "MESSAGE_DELETE": Listeners.delete,
    "MESSAGE_DELETE_BULK": Listeners.delete,
    "MESSAGE_REACTION_ADD": Listeners.reaction,
    "THREAD_DELETE": Listeners.thread_gone,
}
"""By the gateway's names; `adapters.discord.client.HEARD` hands them over."""


def _named(error: Exception) -> str:
    """Never the error's own text: it may hold what a customer wrote."""
    if isinstance(error, DeliveryFault):
        return error.reason
    return "database" if isinstance(error, Unavailable) else "busy"

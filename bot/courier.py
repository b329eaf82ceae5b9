"""The courier: makes the calls that the lanes owe, one lane at a time each, many lanes beside each other.

It decides nothing: `Advance` says what to do next and is told how it ended. A slow or broken platform holds up
its own lanes only.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot import noticing
from bot.catchup import CatchUp
from bot.commands import Advance, Settled
from bot.deadline import until
from bot.delivering import ALLOWANCE, Call
from bot.entries import Reader
from bot.errors import Busy, EntryFault, PlaceFault, RootGone, Unsure
from bot.lanes import Op
from bot.passing import PASSING, SLOW, Passing
from bot.people import Member
from bot.ports import (
    Bus,
    Changes,
    Clock,
    Files,
    Reads,
    RecognisesPosts,
    TeamChat,
    UnitOfWork,
    Wakeup,
    Webhook,
)
from bot.posts import Card, Place, Post, Posted, Receipt
from bot.settings import Settings

logger = logging.getLogger("baton.courier")

MOST_LANES = 64
LaneKey = tuple[int, Reader]


class Courier:
    """One per process; `holder` names it in leases."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        reads: Reads,
        wakeup: Wakeup,
        clock: Clock,
        chats: Mapping[str, TeamChat],
        webhook: Webhook,
        *,
        catch_ups: Mapping[str, CatchUp] | None = None,
        files: Files | None = None,
    ):
        self._settings = settings
        self._bus = bus
        self._reads = reads
        self._clock = clock
        self._chats = chats
        self._webhook = webhook
        self._passing = Passing(settings, bus, clock, chats, files)
        self._catch_ups = catch_ups or {}
        self._reading: set[asyncio.Task[None]] = set()
        self._holder = secrets.token_hex(8)
        self._unsubscribe = wakeup.subscribe(self._woken)
        self._running: dict[LaneKey, asyncio.Task[None]] = {}
        self._again: set[LaneKey] = set()
        self._slots = {reader: asyncio.Semaphore(MOST_LANES) for reader in Reader}
        self._poll: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Look for what is owed already, and from then on."""
        self._poll = asyncio.create_task(self._look_now_and_then(), name="courier-poll")

    async def stop(self) -> None:
        """Let the calls under way end and be recorded; the rest stays owed."""
        self._stop.set()
        self._unsubscribe()
        ended = [*self._reading]  # read again at the next connect
        if self._poll is not None:
            ended.append(self._poll)
        running = list(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=self._settings.timing.call_timeout * 2)
            ended += late
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    def _woken(self, changes: Changes) -> None:
        for key in changes.lanes:
            self._work(key)

    async def _look_now_and_then(self) -> None:
        """Due times and backoffs end without a commit; so do leases of processes that died."""
        while True:
            try:
                for key in await self._reads(lambda uow: uow.lanes.due(self._clock(), 500)):
                    self._work(key)
            except Busy:
                pass  # the database is away, which the writer says
            except Exception:
                logger.warning("looking for due lanes failed", exc_info=True)
            await asyncio.sleep(self._settings.timing.poll)

    def _work(self, key: LaneKey) -> None:
        if self._stop.is_set():
            return
        if key in self._running:
            self._again.add(key)
            return
        task = asyncio.create_task(self._serve(key), name=f"lane-{key[0]}-{key[1]}")
        self._running[key] = task
        task.add_done_callback(lambda _: self._served(key))

    def _served(self, key: LaneKey) -> None:
        self._running.pop(key, None)
        if key in self._again:
            self._again.discard(key)
            self._work(key)

    async def _serve(self, key: LaneKey) -> None:
        number, reader = key
        async with self._slots[reader]:  # a hanging platform holds up its own kind of lane, not the webhooks
            settled: Settled | None = None
            opened: Place | None = None
            try:
                while True:
                    self._again.discard(key)  # what came until now is seen by the Advance below
                    command = Advance(number, reader, self._holder, settled, stop=self._stop.is_set())
                    call = await self._advance(command, opened)
                    if call is None:
                        return
                    settled = await self._make(call)
                    opened = await self._opened(call, settled)
            except Busy:
                logger.warning("writer busy", extra={"case": number, "reader": str(reader)})
            except Exception:
                logger.exception("lane failed", extra={"case": number, "reader": str(reader)})

    async def _advance(self, command: Advance, opened: Place | None) -> Call | None:
        """Ask for the next call; a thread whose binding is stored by that is then read once."""
        try:
            return await self._submit(command)
        finally:
            if opened is not None:
                task = asyncio.create_task(self._catch_ups[opened.platform].opened(opened))
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)

    async def _opened(self, call: Call, settled: Settled) -> Place | None:
        """Where a thread was opened by that call, if somebody listens there."""
        catch_up = self._catch_ups.get(call.place.platform)
        if call.op is not Op.OPEN or settled.posted is None or catch_up is None:
            return None
        place = Place(call.place.platform, settled.posted.channel, settled.posted.remote_id)
        await catch_up.expect(place)
        return place

    async def _submit(self, command: Advance) -> Call | None:
        """A busy writer is asked again: the result of a call that was made must not be lost, nor the lane kept
        waiting for its own lease to end."""
        while True:
            try:
                call: Call | None = await self._bus.submit(command)
            except Busy as busy:
                if self._stop.is_set():
                    raise
                logger.warning("writer busy", extra={"case": command.number, "reader": str(command.reader)})
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), busy.retry_after)
            else:
                return call

    async def _make(self, call: Call) -> Settled:
        """Make one call; every way it can end is an answer."""
        try:
            async with asyncio.timeout(self._patience(call)):
                if call.find:
                    return await self._find(call)
                with until(call.attempted_at + self._patience(call), self._clock):
                    return await self._carry_out(call)
        except RootGone as fault:
            ended = Settled(call.delivery_id, fault="root", reason=fault.reason)
        except PlaceFault as fault:
            ended = Settled(
                call.delivery_id, fault="place", reason=fault.reason, retry_after=fault.retry_after
            )
        except EntryFault as fault:
            ended = Settled(call.delivery_id, fault="entry", reason=fault.reason)
        except Unsure as fault:
            ended = Settled(call.delivery_id, fault="unsure", reason=fault.reason)
        except TimeoutError:
            ended = Settled(call.delivery_id, fault="unsure", reason="timeout")
        except Exception as error:
            logger.exception("call broke", extra={"case": call.conversation, "op": str(call.op)})
            ended = Settled(call.delivery_id, fault="unsure", reason=type(error).__name__)
        if call.find and ended.fault in {"unsure", "entry"}:
            # Asking again is harmless, and no answer is no refusal: it counts as a fault of the place.
            ended = replace(ended, fault="place")
        level = logging.DEBUG if ended.reason == ALLOWANCE else logging.WARNING
        logger.log(
            level,
            "call failed",
            extra={
                "case": call.conversation,
                "op": str(call.op),
                "fault": ended.fault,
                "reason": ended.reason,
            },
        )
        return ended

    def _patience(self, call: Call) -> float:
        """Bytes take their time; a repeat of carrying them is harmless, so they may outlast the lease."""
        return self._settings.timing.call_timeout * (15 if call.op in SLOW else 1)

    async def _find(self, call: Call) -> Settled:
        began = self._clock()
        if call.op in PASSING:
            posted = await self._passing.find(call)
        else:
            posted = await self._look_for(call)
        if posted is None:
            return Settled(call.delivery_id, missing=True, looked_at=began)
        return Settled(call.delivery_id, posted=posted, done=True)

    async def _look_for(self, call: Call) -> Posted | None:
        """By the delivery's id, or where that is not kept by what was said."""
        chat = self._chat(call)
        recognises: RecognisesPosts | None = chat if hasattr(chat, "recognise") else None  # type: ignore[assignment]
        if recognises is None:
            return await chat.find(call.place, call.delivery_id, call.attempted_at)
        said = Card.from_dict(call.content) if call.op is Op.OPEN else Post.from_dict(call.content)
        return await recognises.recognise(call.place, said, call.attempted_at, call.known)

    def _chat(self, call: Call) -> TeamChat:
        chat = self._chats.get(call.place.platform)
        if chat is None:  # its tokens were taken away since
            raise PlaceFault(f"{call.place.platform} is not configured")
        return chat

    async def _carry_out(self, call: Call) -> Settled:
        if call.op is Op.WEBHOOK:
            body = call.content["body"].encode()
            await self._webhook.send(call.store, call.delivery_id, body, self._clock())
            return Settled(call.delivery_id, done=True)
        if call.op in PASSING:
            return Settled(call.delivery_id, posted=await self._passing.carry_out(call), done=True)
        chat, place, remote_id = self._chat(call), call.place, call.remote_id or ""
        posted = None
        match call.op:
            case Op.OPEN:
                card = replace(Card.from_dict(call.content), mentions=await self._to_mention(call))
                posted = await chat.open_thread(place.channel, card, call.delivery_id)
            case Op.POST:
                posted = await chat.post(place, Post.from_dict(call.content), call.delivery_id)
            case Op.AMEND:
                await chat.amend(place, remote_id, Post.from_dict(call.content))
            case Op.RETRACT:
                await chat.retract(place, remote_id)
            case Op.CARD:
                await chat.update_card(place, Card.from_dict(call.content))
            case Op.MARK:
                wanted, before = call.content["receipt"], call.content["before"]
                await chat.mark(
                    place, remote_id, Receipt(wanted) if wanted else None, Receipt(before) if before else None
                )
        return Settled(call.delivery_id, posted=posted, done=True)

    async def _to_mention(self, call: Call) -> tuple[str, ...]:
        """By the team's rule. A new case is posted even when nobody can be asked for."""
        team, chat = self._settings.team(call.team), self._chat(call)
        members: Sequence[Member] = ()
        group, away = "", set[str]()
        try:
            if team.mentions == "present":
                members = await chat.members(call.place.channel, team)
                away = await self._reads(lambda uow: _away(uow, team.name, self._clock()))
            elif team.mentions == "group":
                group = await chat.group(team.group)
        except (PlaceFault, EntryFault, Unsure) as fault:
            logger.warning("members unknown", extra={"team": team.name, "reason": fault.reason})
        except Busy:
            pass  # the database is away: who said that they are away is not known
        return noticing.for_new_case(team, members, away, group, self._clock())


def _away(uow: UnitOfWork, team: str, now: float) -> set[str]:
    """Accounts of those who said so."""
    return {one.external_id for one in uow.people.team(team) if one.is_away(now)}

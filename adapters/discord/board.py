"""The board: one message in each team's channel that shows who waits, kept up to date in place.

Whichever replica holds the board's lease changes it, at most every few seconds, however much happens meanwhile. Its id
is kept in the house's database; before a first one is made the channel's newest messages are looked at, so that a
crash between making and keeping it leaves no second one.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.discord.answer_view import LAYOUT
from adapters.discord.components import CHOOSE, Component
from adapters.discord.queue_view import team_board, without_time
from adapters.discord.rendering import Rendered
from bot.boards import Look, View
from bot.commands import HoldLease, Keep
from bot.errors import Busy, DeliveryFault, PlaceFault, Refused, Unavailable
from bot.people import Actor, Role, Standing
from bot.ports import Bus, Changes, Desk
from bot.settings import TeamPolicy

if TYPE_CHECKING:
    from adapters.discord.outbound import DiscordChat

log = logging.getLogger("baton.discord")

BETWEEN = 5.0
"""Seconds between two changes of a board: the channel's cards need Discord's allowance more."""
STALE = 60.0
"""Seconds after which the waiting times on it are shown anew."""
LEASE = 20.0
AFTER_FAULT, MOST_AFTER_FAULT = 5.0, 120.0
LOOKED_AT = 50


@dataclass(slots=True)
class _Board:
    """One team's. `serial` counts the uses of its selects; `shown` is what stands there now, without its time."""

    team: TeamPolicy
    wanted: bool = True
    message_id: str = ""
    channel: str = ""
    serial: int = 0
    shown: Any = None
    changed_at: float = 0.0
    not_before: float = 0.0
    busy: bool = False
    faults: int = field(default=0)


class Boards:
    """`changed` is for `Wakeup.subscribe`; `clock` in monotonic seconds; `holder` names this replica."""

    def __init__(
        self,
        chat: "DiscordChat",
        bus: Bus,
        desk: Desk,
        teams: Sequence[TeamPolicy],
        holder: str,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._chat, self._bus, self._desk = chat, bus, desk
        self._holder, self._clock = holder, clock
        self._boards = [_Board(team) for team in teams]
        self._hurry = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Once there is a connection; again is once."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name="discord-boards")

    async def stop(self) -> None:
        """The boards stay as they are."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    def changed(self, changes: Changes) -> None:
        """Something was committed."""
        if changes.touched or changes.appended:
            self._want(self._boards)

    def used(self, message_id: str) -> bool:
        """Somebody chose something on a board: it shows what was chosen until it changes. False: it is no board."""
        found = [one for one in self._boards if one.message_id == message_id]
        for one in found:
            one.serial += 1
            one.shown = None
        self._want(found)
        return bool(found)

    def deleted(self, message_id: str) -> None:
        """A message is gone."""
        found = [one for one in self._boards if one.message_id == message_id]
        for one in found:
            one.shown = None
        self._want(found)

    def _want(self, boards: Sequence[_Board]) -> None:
        for one in boards:
            one.wanted = True
        if boards:
            self._hurry.set()

    async def _run(self) -> None:
        while True:
            now = self._clock()
            for one in self._boards:
                stale = one.changed_at + STALE <= now and one.busy
                if (one.wanted or stale) and one.not_before <= now:
                    await self._try(one)
            await self._pause()

    async def _pause(self) -> None:
        """Until one is due."""
        now = self._clock()
        due = [
            one.not_before if one.wanted else max(one.not_before, one.changed_at + STALE)
            for one in self._boards
        ]
        self._hurry.clear()
        if any(one.wanted and one.not_before <= now for one in self._boards):
            return
        try:
            async with asyncio.timeout(max(0.01, min([STALE, *(at - now for at in due)]))):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _try(self, one: _Board) -> None:
        one.wanted = False
        one.not_before = self._clock() + BETWEEN
        try:
            if not await self._bus.submit(HoldLease(f"board:{one.team.name}", self._holder, LEASE)):
                one.wanted, one.not_before = True, self._clock() + LEASE
                return
            await self._show(one)
            one.faults = 0
        except (DeliveryFault, Busy, Refused, Unavailable) as fault:
            self._later(one, getattr(fault, "retry_after", None))
            log.warning("discord: a board could not be shown", extra={"fault": _named(fault)})
        except Exception as error:  # noqa: BLE001  the root of the task
            self._later(one, None)
            log.error("discord: a board failed", extra={"fault": type(error).__name__})

    def _later(self, one: _Board, asked: float | None) -> None:
        one.faults += 1
        pause = min(AFTER_FAULT * 2 ** min(one.faults - 1, 8), MOST_AFTER_FAULT)
        one.wanted, one.not_before = True, self._clock() + max(asked or 0.0, pause)

    async def _show(self, one: _Board) -> None:
        board = await self._desk.board(eye_of(one.team.name), Look(View.UNCLAIMED))
        one.busy = bool(board.rows)
        components = team_board(board, one.team.name, time.time(), one.serial)
        if without_time(components) == one.shown:
            one.changed_at = self._clock()
            return
        one.channel = await self._chat.directory.channel_id(one.team.channel)
        kept = f"discord:board:{one.team.name}:{one.channel}"
        known = str(await self._bus.submit(Keep(kept)))
        rendered = Rendered(content="", components=components, flags=LAYOUT)
        if not known or not await self._chat.change(one.channel, known, rendered):
            made = await self._found(one, known) or await self._made(one, rendered)
            known = await self._kept(one, kept, made, known)
        one.message_id = known
        one.shown, one.changed_at = without_time(components), self._clock()

    async def _found(self, one: _Board, gone: str) -> str:
        """One that was made and not kept."""
        me = (await self._chat.directory.identity()).user_id
        newest = await self._chat.api.call(
            "GET",
            "/channels/{channel_id}/messages",
            channel_id=one.channel,
            params={"limit": LOOKED_AT},
            repeatable=True,
        )
        if not newest:
            await self._chat.api.require_history(one.channel)
        for message in newest or ():
            ours = str(message["author"]["id"]) == me and str(message["id"]) != gone
            if ours and _is_board(message.get("components") or (), one.team.name):
                one.wanted, one.not_before = True, 0.0  # it shows what there was then
                return str(message["id"])
        return ""

    async def _made(self, one: _Board, rendered: Rendered) -> str:
        message = await self._chat.say(one.channel, rendered)
        return str(message["id"])

    async def _kept(self, one: _Board, kept: str, made: str, before: str) -> str:
        """Ours, unless another replica was first: then ours is taken away."""
        known = str(await self._bus.submit(Keep(kept, made, instead_of=before)))
        if known != made:
            await self._chat.api.call(
                "DELETE", "/channels/{channel_id}/messages/{message_id}", channel_id=one.channel, message_id=made,
                repeatable=True,
            )  # fmt: skip
            one.wanted = True
        return known


def eye_of(team: str) -> Actor:
    """Sees what one team's operators see, and nothing else."""
    return Actor("discord", "board", "Baton", Role.OPERATOR, (Standing(team, Role.OPERATOR),))


def _is_board(components: Sequence[Component], team: str) -> bool:
    names = [str(one.get("custom_id") or "") for row in components for one in row.get("components") or ()]
    return any(name.startswith(f"{CHOOSE}board:{team}:") for name in names)


def _named(error: Exception) -> str:
    """Never the error's own text: it may hold what a customer wrote."""
    return error.reason if isinstance(error, PlaceFault) else type(error).__name__

"""The Home tab: the queue, kept fresh for those who have looked at it lately.

Slack tells when somebody opens it and never when they leave, so "lately" is ten minutes. A change in the house is
shown within two seconds, at most one call per person in a second and a half, behind everything that matters more; and
each minute what has grown by itself: how long people wait.

Of several replicas the one where somebody opened or pressed something last keeps their tab fresh. It has a lease on it,
which the next one takes away; only it knows which view and filters they look at.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.allowance import Importance
from adapters.slack.answers import Errand
from adapters.slack.api import SlackApi
from adapters.slack.clicks import Where
from adapters.slack.home_view import home_view, look_of, refusal_view, without_time
from adapters.slack.modals import ActorOf
from bot import texts
from bot.boards import Look
from bot.commands import HoldLease
from bot.errors import Busy, DeliveryFault, EntryFault, PlaceFault, Refused, Unavailable
from bot.ports import Bus, Changes, Desk

log = logging.getLogger("baton.slack")

OPEN_SECONDS = 600.0
BETWEEN = 1.5
RENEW_SECONDS, RENEW_TICK = 60.0, 5.0
RENEWED_A_MINUTE = 50
"""Half of what Slack allows for all tabs: with more of them open, each is renewed less often."""
AFTER_FAULT, MOST_AFTER_FAULT = 2.0, 15.0
SAID_SECONDS = 10.0
_NOBODY = frozenset({"not_enabled", "user_not_found", "view_too_large"})


@dataclass(slots=True)
class _Tab:
    """One person's tab. `wanted`: something may have changed since it was last made; `hurry`: they wait for it;
    `taken`: we have the lease on it, for all we know."""

    look: Look
    until: float
    published_at: float = 0.0
    looked_at: float = 0.0
    taken: bool = False
    wanted: bool = False
    running: bool = False
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    shown: Any = None
    said: str = ""
    said_until: float = 0.0


class Homes:
    """The tabs that are open here. `changed` is for `Wakeup.subscribe`; `clock` in monotonic seconds."""

    def __init__(
        self,
        api: SlackApi,
        desk: Desk,
        actor_of: ActorOf,
        errand: Errand,
        bus: Bus,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._api = api
        self._desk = desk
        self._actor_of = actor_of
        self._errand = errand
        self._bus = bus
        self._clock = clock
        self._tabs: dict[str, _Tab] = {}
        self._ourselves = secrets.token_hex(6)
        self._renewing = False

    def opened(self, user_id: str, view: Mapping[str, Any]) -> None:
        """Somebody looks. `view` is what Slack shows them now, empty the first time."""
        known = self._tabs.get(user_id)
        self.show(user_id, look_of(view) if view else known.look if known else Look())

    def show(self, user_id: str, look: Look, said: str = "") -> None:
        """Show this at once, even if it is what we showed last: another replica may have shown something else since.
        `said` stands above it for a moment."""
        now = self._clock()
        tab = self._tabs.setdefault(user_id, _Tab(look, now))
        tab.look, tab.until = look, now + OPEN_SECONDS
        if said:
            tab.said, tab.said_until = said, now + SAID_SECONDS
        tab.shown, tab.taken = None, False
        tab.hurry.set()
        self._want(user_id, tab)
        if not self._renewing:
            self._renewing = True
            self._errand(self._renew())

    def say(self, user_id: str, said: str) -> None:
        """Above what they look at, if they do."""
        tab = self._tabs.get(user_id)
        if tab is not None:
            self.show(user_id, tab.look, said)

    def changed(self, changes: Changes) -> None:
        """Something was committed."""
        if not (changes.touched or changes.appended):
            return
        for user_id, tab in self._open():
            self._want(user_id, tab)

    def _open(self) -> list[tuple[str, _Tab]]:
        """Those that are; the others are forgotten."""
        now = self._clock()
        for user_id, tab in list(self._tabs.items()):
            if tab.until <= now and not tab.running:
                del self._tabs[user_id]
        return [(user_id, tab) for user_id, tab in self._tabs.items() if tab.until > now]

    async def _renew(self) -> None:
        """As long as any is open: each a minute after it was last looked at, so that they do not come all at once."""
        try:
            while self._tabs:
                await asyncio.sleep(RENEW_TICK)
                tabs = self._open()
                age = RENEW_SECONDS * max(1.0, len(tabs) / RENEWED_A_MINUTE)
                for user_id, tab in tabs:
                    if self._clock() - tab.looked_at >= age:
                        self._want(user_id, tab)
        finally:
            self._renewing = False

    def _want(self, user_id: str, tab: _Tab) -> None:
        tab.wanted = True
        if not tab.running:
            tab.running = True
            self._errand(self._keep(user_id, tab))

    async def _keep(self, user_id: str, tab: _Tab) -> None:
        """Until nothing more is wanted. What comes meanwhile is shown by the next call."""
        try:
            while tab.wanted and self._tabs.get(user_id) is tab and tab.until > self._clock():
                await self._turn(tab)
                tab.wanted, urgent = False, tab.hurry.is_set()
                tab.hurry.clear()
                if not await self._is_ours(user_id, tab):
                    if tab.hurry.is_set():
                        continue  # they came back to us while we asked
                    self._tabs.pop(user_id, None)
                    return
                await self._publish(user_id, tab, urgent)
        except Exception as error:  # noqa: BLE001  the root of the task
            log.error("slack: a Home tab failed", extra={"fault": type(error).__name__})
        finally:
            tab.running = False

    async def _is_ours(self, user_id: str, tab: _Tab) -> bool:
        """Whether it is still us who keep it fresh. While the database cannot be asked we do, so as to say so there."""
        seconds = max(1.0, tab.until - self._clock())
        lease = HoldLease(f"home:{user_id}", self._ourselves, seconds, take=not tab.taken)
        try:
            tab.taken = bool(await self._bus.submit(lease))
        except (Busy, Unavailable):
            return True
        return tab.taken

    async def _turn(self, tab: _Tab) -> None:
        pause = tab.published_at + BETWEEN - self._clock()
        if pause > 0:
            await _pause(pause, tab.hurry)

    async def _publish(self, user_id: str, tab: _Tab, urgent: bool) -> None:
        view, known = await self._view(user_id, tab)
        tab.looked_at = self._clock()
        if without_time(view) != tab.shown:
            await self._call(user_id, tab, view, urgent)
        if not known:
            await self._later(tab, AFTER_FAULT)

    async def _call(self, user_id: str, tab: _Tab, view: dict[str, Any], urgent: bool) -> None:
        importance = Importance.ANSWER if urgent else Importance.HOME
        try:
            answer = await self._api.call(
                "views.publish",
                importance=importance,
                repeatable=True,
                unless=_NOBODY,
                user_id=user_id,
                view=view,
            )
        except EntryFault as fault:
            log.error("slack: a Home tab was refused", extra={"reason": fault.reason})
            self._tabs.pop(user_id, None)
        except DeliveryFault as fault:
            asked = fault.retry_after if isinstance(fault, PlaceFault) else None
            await self._later(tab, asked or AFTER_FAULT)
        else:
            tab.shown, tab.published_at = without_time(view), self._clock()
            if not answer.get("ok"):
                log.info("slack: no Home tab there", extra={"reason": str(answer.get("error"))})
                self._tabs.pop(user_id, None)

    async def _later(self, tab: _Tab, seconds: float) -> None:
        tab.wanted = True
        await asyncio.sleep(min(seconds, MOST_AFTER_FAULT))

    async def _view(self, user_id: str, tab: _Tab) -> tuple[dict[str, Any], bool]:
        """The tab, and whether the queue is in it: it cannot always be had."""
        try:
            actor = await self._actor_of(Where(user_id))
            board = await self._desk.board(actor, tab.look)
        except Refused as refused:
            return refusal_view(refused.message, tab.look), True
        except (Busy, DeliveryFault):
            return refusal_view(texts.boards.home_unknown(), tab.look), False
        tab.look = board.look
        said = tab.said if tab.said_until > self._clock() else ""
        return home_view(board, time.time(), said), True


async def _pause(seconds: float, hurry: asyncio.Event) -> None:
    """So long, or until somebody is in a hurry."""
    try:
        async with asyncio.timeout(seconds):
            await hurry.wait()
    except TimeoutError:
        return

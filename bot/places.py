"""Whether each team's place in its chat works: looked at once a minute, said once, kept for `/readyz`.

A place that does not work loses nothing: its lanes wait, with backoff, and go on when it is mended. But somebody must
hear of it, and not there: the team's leads by a private message, or else another team on the same platform.
"""

import hashlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from bot import roster, texts
from bot.commands import ChannelGone, PlaceMended, Told
from bot.errors import DeliveryFault
from bot.people import Operator
from bot.ports import Bus, Clock, Reads, TeamChat, UnitOfWork
from bot.posts import Answer
from bot.settings import Settings, TeamPolicy

logger = logging.getLogger("baton.places")

MOST_TOLD = 3


class Places:
    """One per process, since `/readyz` is. `problems` has a sentence with its cure for each team in trouble."""

    def __init__(
        self, settings: Settings, bus: Bus, reads: Reads, clock: Clock, chats: Mapping[str, TeamChat]
    ):
        self._settings = settings
        self._bus = bus
        self._reads = reads
        self._clock = clock
        self._chats = chats
        self.problems: dict[str, str] = {}
        self._told: set[str] = set()

    async def look(self) -> None:
        """At every team's place. One that breaks the look holds up no other."""
        for team in self._settings.teams.values():
            chat = self._chats.get(team.chat)
            if chat is None:
                continue
            try:
                await self._look_at(team, chat)
            except DeliveryFault as fault:
                logger.warning("place not looked at", extra={"team": team.name, "reason": fault.reason})

    async def _look_at(self, team: TeamPolicy, chat: TeamChat) -> None:
        since = self._clock() - self._settings.timing.members_refresh
        met = await self._reads(lambda uow: uow.lanes.fault_of(team.name, since))
        problem, before = await chat.trouble(team.channel, met or ""), self.problems.get(team.name)
        await self._look_for_lost_threads(team, chat)
        if problem is None:
            if before is not None:
                await self._mended(team, chat)
            return
        self.problems[team.name] = problem
        if problem != before:
            logger.warning("place in trouble: %s", problem, extra={"team": team.name})
        elif team.name not in self._told:  # it was so a minute ago, too
            logger.error("place still in trouble: %s", problem, extra={"team": team.name})
            self._told.add(team.name)
            await self._tell_once(team, chat, problem)

    async def _mended(self, team: TeamPolicy, chat: TeamChat) -> None:
        del self.problems[team.name]
        logger.info("place works again", extra={"team": team.name})
        await self._bus.submit(PlaceMended(team.name))
        if team.name in self._told:
            self._told.discard(team.name)
            if await self._is_first(team, f"mended:{self._clock() // 600:.0f}"):
                await self._tell(team, chat, texts.terminal.place_mended(team.name))

    async def _tell_once(self, team: TeamPolicy, chat: TeamChat, problem: str) -> None:
        """Once a day for each problem, whichever replica sees it first."""
        day = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        digest = hashlib.sha256(problem.encode()).hexdigest()[:16]
        if await self._is_first(team, f"{digest}:{day}"):
            await self._tell(team, chat, texts.thread.place_trouble(team.name, problem))

    async def _is_first(self, team: TeamPolicy, what: str) -> bool:
        return bool(await self._bus.submit(Told(f"place:{team.name}:{what}")))

    async def _tell(self, team: TeamPolicy, chat: TeamChat, text: str) -> None:
        leads = await self._reads(lambda uow: _leads(uow, team, chat.platform))
        reached = 0
        for lead in leads[:MOST_TOLD]:
            try:
                await chat.tell(lead.external_id, text)
                reached += 1
            except DeliveryFault as fault:
                logger.warning("lead not told", extra={"team": team.name, "reason": fault.reason})
        if not reached:
            await self._tell_others(team, chat, text)

    async def _tell_others(self, team: TeamPolicy, chat: TeamChat, text: str) -> None:
        for other in self._settings.teams.values():
            if other.chat == team.chat and other.channel != team.channel and other.name not in self.problems:
                try:
                    await chat.announce(other.channel, Answer(text))
                except DeliveryFault as fault:
                    logger.warning("other team not told", extra={"team": other.name, "reason": fault.reason})
                else:
                    return

    async def _look_for_lost_threads(self, team: TeamPolicy, chat: TeamChat) -> None:
        """Threads in a channel that is gone, while the team has another one now: told again there."""
        for channel in await self._reads(lambda uow: _channels(uow, team, chat.platform)):
            if await chat.channel_lost(channel, team.channel):
                logger.warning("channel lost; its cases go on in another", extra={"team": team.name})
                await self._bus.submit(ChannelGone(chat.platform, channel))


def _leads(uow: UnitOfWork, team: TeamPolicy, platform: str) -> list[Operator]:
    return [one for one in roster.leads(team, uow.people.team(team.name)) if one.platform == platform]


def _channels(uow: UnitOfWork, team: TeamPolicy, platform: str) -> set[str]:
    """Channels of open threads whose case is the team's."""
    found: set[str] = set()
    for binding in uow.lanes.open_bindings(platform):
        conversation = uow.conversations.get(binding.conversation)
        if conversation is not None and conversation.team == team.name:
            found.add(binding.channel)
    return found

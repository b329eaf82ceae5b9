"""Whether each team's place in its chat works: looked at once a minute and whenever the chat says that something about
it changed, said once per outage, kept for `/readyz`.

A place that does not work loses nothing: its lanes wait, with backoff, and go on when it is mended. But somebody must
hear of it, and not there: the team's leads by a private message, or else another team on the same platform.
"""

import asyncio
import hashlib
import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial

from bot import roster, texts
from bot.commands import ChannelGone, PlaceBroken, PlaceMended, Told
from bot.errors import Busy, DeliveryFault, Unavailable
from bot.people import Operator
from bot.ports import Bus, Clock, Reads, TeamChat, UnitOfWork
from bot.posts import Answer
from bot.settings import Settings, TeamPolicy

logger = logging.getLogger("baton.places")

MOST_TOLD = 3
AT_ONCE = 30
"""Teams a look: a platform allows about 50 such questions a minute. Where there are more, they take turns."""
REST = 1.0
"""Seconds between two looks that were asked for: a storm of events is a look a second."""


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
        self._known_well: set[str] = set()
        self._looked: dict[str, int] = {}
        self._looks = 0
        self._stopped = False
        self._unsaid: dict[str, str] = {}
        self._turn = asyncio.Lock()
        self._asked: set[str] = set()
        self._words: set[tuple[str, str, str]] = set()
        self._looking: asyncio.Task[None] | None = None
        for platform, chat in chats.items():
            watch = getattr(chat, "when_places_change", None)
            if watch is not None:
                watch(partial(self.changed, platform))

    # --- looking ----------------------------------------------------------------------------------------------

    async def look(self, platforms: Collection[str] | None = None, *, sure: bool = False) -> None:
        """At every team's place (on those platforms). One that breaks the look holds up no other. `sure`: the platform
        itself said that something happened, so a problem is told at once; else it is when it lasts."""
        async with self._turn:
            for team in self._whose_turn(platforms):
                chat = self._chats[team.chat]
                try:
                    await self._look_at(team, chat, sure)
                except DeliveryFault as fault:
                    logger.warning("place not looked at", extra={"team": team.name, "reason": fault.reason})

    def _whose_turn(self, platforms: Collection[str] | None) -> list[TeamPolicy]:
        """Those in trouble first, then whoever was looked at longest ago."""
        teams = [
            team
            for team in self._settings.teams.values()
            if team.chat in self._chats and (platforms is None or team.chat in platforms)
        ]
        teams.sort(key=lambda team: (team.name not in self.problems, self._looked.get(team.name, 0)))
        for team in teams[:AT_ONCE]:
            self._looks += 1
            self._looked[team.name] = self._looks
        return teams[:AT_ONCE]

    def changed(self, platform: str, channel: str = "", word: str = "") -> None:
        """The platform says that something about a place may have changed. See `bot.ports.TellsOfPlaces`."""
        if self._stopped:
            return
        self._asked.add(platform)
        if word:
            self._words.add((platform, channel, word))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_now(), name="places")

    async def _look_now(self) -> None:
        while self._asked:
            platforms, self._asked = self._asked, set()
            try:
                await self.look(platforms, sure=True)
                await self._pass_on()
            except (Busy, Unavailable) as fault:
                logger.warning("places not looked at", extra={"reason": str(fault)})
            except Exception:  # the root of the task; the next look comes within a minute
                logger.exception("places not looked at")
            await asyncio.sleep(REST)

    async def stop(self) -> None:
        """No more looks that were asked for."""
        self._stopped = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_at(self, team: TeamPolicy, chat: TeamChat, sure: bool) -> None:
        since = self._clock() - self._settings.timing.members_refresh
        met = await self._reads(lambda uow: uow.lanes.fault_of(team.name, since))
        problem, before = await chat.trouble(team.channel, met or ""), self.problems.get(team.name)
        await self._look_for_lost_threads(team, chat)
        if problem is None:
            await self._works(team, chat, before)
        else:
            await self._is_broken(team, chat, problem, before, sure)

    # --- what was found ---------------------------------------------------------------------------------------

    async def _works(self, team: TeamPolicy, chat: TeamChat, before: str | None) -> None:
        """The first time, too: an outage may have ended while nobody ran."""
        if before is None and team.name in self._known_well:
            return
        was_said = await self._bus.submit(PlaceMended(team.name)) and team.name not in self._unsaid
        self.problems.pop(team.name, None)
        self._unsaid.pop(team.name, None)
        self._known_well.add(team.name)
        if before is not None:
            logger.info("place works again", extra={"team": team.name})
        if was_said:
            await self._tell(team, chat, texts.terminal.place_mended(team.name))

    async def _is_broken(
        self, team: TeamPolicy, chat: TeamChat, problem: str, before: str | None, sure: bool
    ) -> None:
        self.problems[team.name] = problem
        self._known_well.discard(team.name)
        if problem != before:
            logger.warning("place in trouble: %s", problem, extra={"team": team.name})
        if not sure and before is None:
            return  # it may be gone in a minute
        if await self._bus.submit(PlaceBroken(team.name)):
            logger.error("place still in trouble: %s", problem, extra={"team": team.name})
            self._unsaid[team.name] = problem
        if team.name in self._unsaid and await self._tell(
            team, chat, texts.thread.place_trouble(team.name, problem)
        ):
            del self._unsaid[team.name]

    # --- telling ----------------------------------------------------------------------------------------------

    async def _pass_on(self) -> None:
        """Words about what works and should be seen to: to the leads of that place, once a day."""
        words, self._words = self._words, set()
        day = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        for platform, channel, word in words:
            digest = hashlib.sha256(word.encode()).hexdigest()[:16]
            for team in self._settings.teams.values():
                if (team.chat, team.channel) != (platform, channel):
                    continue
                if await self._bus.submit(Told(f"place:{team.name}:{digest}:{day}")):
                    logger.warning("place to be seen to: %s", word, extra={"team": team.name})
                    await self._tell(team, self._chats[platform], word)

    async def _tell(self, team: TeamPolicy, chat: TeamChat, text: str) -> bool:
        """Whether anybody could be told."""
        leads = await self._reads(lambda uow: _leads(uow, team, chat.platform))
        reached = 0
        for lead in leads[:MOST_TOLD]:
            try:
                await chat.tell(lead.external_id, text)
                reached += 1
            except DeliveryFault as fault:
                logger.warning("lead not told", extra={"team": team.name, "reason": fault.reason})
        return reached > 0 or await self._tell_others(team, chat, text)

    async def _tell_others(self, team: TeamPolicy, chat: TeamChat, text: str) -> bool:
        for other in self._settings.teams.values():
            if other.chat == team.chat and other.channel != team.channel and other.name not in self.problems:
                try:
                    await chat.announce(other.channel, Answer(text))
                except DeliveryFault as fault:
                    logger.warning("other team not told", extra={"team": other.name, "reason": fault.reason})
                else:
                    return True
        return False

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

"""The periodic jobs, as a table. Due times are rows; the scheduler only ticks (PLATFORMS.md on APScheduler)."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import brief
from bot.commands import HoldLease, OpenBrief, RunDue, TeamMembers
from bot.errors import Busy, DeliveryFault, EntryFault, PlaceFault, Unavailable, Unsure
from bot.places import Places
from bot.ports import Background, Bus, Clock, Reads, TeamChat
from bot.posts import Answer
from bot.settings import Settings

logger = logging.getLogger("baton.schedule")

AT_ONCE = 200
AT_THE_START = frozenset({"team members", "places"})
"""Jobs whose first run does not wait for their interval: who is there, and whether we are."""


def jobs(
    settings: Settings,
    bus: Bus,
    reads: Reads,
    clock: Clock,
    chats: Mapping[str, TeamChat],
    places: Places,
) -> dict[str, tuple[float, Background]]:
    """Name → (seconds between two runs, what to run)."""

    holder = secrets.token_hex(6)
    lease = max(5 * settings.timing.due_tick, 1.0)

    def alone(run: Background) -> Background:
        """Only on the replica that holds the lease; were two to run it, the second would find nothing to do."""

        async def run_if_holding() -> None:
            if await bus.submit(HoldLease("periodic jobs", holder, lease)):
                await run()

        return run_if_holding

    async def run_due() -> None:
        for kind, number, due_at in await reads(lambda uow: uow.due.ripe(clock(), AT_ONCE)):
            try:
                await bus.submit(RunDue(kind, number, due_at))
            except Busy:
                raise
            except Exception:  # one row that breaks must not hold up those behind it
                logger.exception("due row failed", extra={"case": number, "event": kind})

    async def refresh_members() -> None:
        for team in settings.teams.values():
            chat = chats.get(team.chat)
            if chat is not None:
                members = await chat.members(team.channel, team)
                await bus.submit(TeamMembers(team.name, tuple(members), whole=not chat.shows_log))

    unsaid: dict[str, Answer] = {}

    async def open_briefs() -> None:
        """A place in trouble gets its brief as soon as it works, within the hour."""
        for team in settings.teams.values():
            day, chat = brief.day_begun(team.hours, clock()), chats.get(team.chat)
            if day is None or chat is None:
                unsaid.pop(team.name, None)
                continue
            if team.name not in unsaid:
                fresh = await bus.submit(OpenBrief(team.name, day))
                if fresh is None:
                    continue
                unsaid[team.name] = fresh
            try:
                await chat.announce(team.channel, unsaid[team.name])
            except PlaceFault as fault:
                logger.warning("brief put off", extra={"team": team.name, "reason": fault.reason})
            except (EntryFault, Unsure) as fault:
                del unsaid[team.name]  # refused, or perhaps there already: at most one a day
                logger.warning("brief given up", extra={"team": team.name, "reason": fault.reason})
            else:
                del unsaid[team.name]

    return {
        "due rows": (settings.timing.due_tick, alone(run_due)),
        "team members": (settings.timing.members_refresh, alone(refresh_members)),
        "opening briefs": (settings.timing.members_refresh, alone(open_briefs)),
        "places": (settings.timing.members_refresh, places.look),
    }


def start(table: Mapping[str, tuple[float, Background]]) -> AsyncIOScheduler:
    """Tick all of them. A late run is made up for once, however many were missed."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for name, (seconds, run) in table.items():
        first = {"next_run_time": datetime.now(UTC)} if name in AT_THE_START else {}
        scheduler.add_job(_guarded, "interval", seconds=seconds, args=[name, run], id=name, **first)
    scheduler.start()
    return scheduler


async def _guarded(name: str, run: Any) -> None:
    try:
        await run()
    except asyncio.CancelledError:
        return  # we are stopping, which APScheduler would report as an error
    except Unavailable:
        return  # the database is away, which the writer says; the next tick tries again
    except (DeliveryFault, Busy) as fault:
        logger.warning("job put off", extra={"job": name, "reason": str(fault)})
    except Exception:
        logger.exception("job failed", extra={"job": name})

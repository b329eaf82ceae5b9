"""The periodic jobs, as a table. Due times are rows; the scheduler only ticks (PLATFORMS.md on APScheduler)."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.commands import HoldLease, RunDue, TeamMembers
from bot.errors import Busy, DeliveryFault, Unavailable
from bot.ports import Background, Bus, Clock, Reads, TeamChat
from bot.settings import Settings

logger = logging.getLogger("baton.schedule")

AT_ONCE = 200


def jobs(
    settings: Settings, bus: Bus, reads: Reads, clock: Clock, chats: Mapping[str, TeamChat]
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
                members = await chat.members(team.channel)
                await bus.submit(TeamMembers(team.name, tuple(members)))

    return {
        "due rows": (settings.timing.due_tick, alone(run_due)),
        "team members": (settings.timing.members_refresh, alone(refresh_members)),
    }


def start(table: Mapping[str, tuple[float, Background]]) -> AsyncIOScheduler:
    """Tick all of them. A late run is made up for once, however many were missed."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for name, (seconds, run) in table.items():
        scheduler.add_job(_guarded, "interval", seconds=seconds, args=[name, run], id=name)
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

"""The composition root: the one file that knows every adapter and the storage.

Nothing is built at import. A platform's library is imported only where that platform is configured, which keeps
start-up and memory small (MEASURED.md).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from prometheus_client import CollectorRegistry, Gauge

from adapters.console import ConsoleAdapter
from adapters.files.local import LocalFiles
from adapters.storefront import StorefrontAdapter, demo_page
from adapters.web_server import WebServer
from adapters.webhook.outbound import WebhookSender
from bot import schedule, texts
from bot.arrivals import Arrivals
from bot.catchup import CatchUp
from bot.checkup import Finding, ok, problem, unknown
from bot.commands import (
    Advance,
    Attend,
    ChannelGone,
    HoldLease,
    Leave,
    OpenBrief,
    PlaceBroken,
    PlaceMended,
    RetryDead,
    RunDue,
    SweepFiles,
    TeamMembers,
    Told,
)
from bot.courier import Courier
from bot.delivering import Delivering
from bot.desk import Desk
from bot.errors import Busy, Unavailable
from bot.handlers import HANDLERS
from bot.lanes import Delivery
from bot.passing import Passing
from bot.places import Places
from bot.ports import Bus, Clock, TeamChat, Wakeup
from bot.replicas import Replicas
from bot.settings import Settings, SettingsError, discord_invites, slack_calls_us
from storage.engine import reading_engine, writing_engine
from storage.migrate import migrate, trouble
from storage.reads import Reads
from storage.writer import Writer

if TYPE_CHECKING:
    from storage.bell import Bell

logger = logging.getLogger("baton")


BACKGROUND = frozenset(
    {
        Advance,
        RunDue,
        HoldLease,
        Attend,
        Leave,
        SweepFiles,
        TeamMembers,
        OpenBrief,
        Told,
        ChannelGone,
        PlaceBroken,
        PlaceMended,
    }
)
"""Commands for which nobody waits at the other end of a connection."""


class Platform(Protocol):
    """A chat platform's adapter: `chat` speaks, and between `start` and `stop` its events reach the bus."""

    @property
    def chat(self) -> TeamChat: ...
    @property
    def connected(self) -> bool: ...
    def mount(self, app: web.Application) -> None: ...
    async def start(self, bus: Bus, desk: Desk, wakeup: Wakeup, on_connected: Any) -> None: ...
    async def stop(self) -> None: ...


class Baton:
    """One running process."""

    def __init__(self, settings: Settings, *, clock: Clock = time.time, demo: bool = False):
        self.settings = settings
        self._engine = writing_engine(settings.database_url)
        self._read_engine = reading_engine(settings.database_url)
        self.reads = Reads(self._read_engine, settings, clock)
        self._platforms: list[Platform] = _platforms(settings, lambda: self._replicas.alive)
        self._chats: dict[str, TeamChat] = {
            adapter.chat.platform: adapter.chat for adapter in self._platforms
        }
        handlers = {**HANDLERS, Advance: Delivering(self._chats).advance}
        self.writer = Writer(self._engine, settings, handlers, clock, background=BACKGROUND)
        self.bus = Arrivals(self.writer.enqueue, settings.timing.catch_up_wait)
        self.desk = Desk(settings, self.bus, self.reads, clock)
        self.console = ConsoleAdapter(
            settings, self.bus, self.reads, self.writer, clock, open_on_loopback=demo
        )
        self._chats[self.console.chat.platform] = self.console.chat
        self.files = LocalFiles.at(settings.files_url)
        self.storefront = StorefrontAdapter(settings, self.bus, self.reads, self.writer, clock, self.files)
        self._webhook = WebhookSender(settings.stores, settings.timing.call_timeout)
        self._catch_ups = {
            adapter.chat.platform: CatchUp(self.reads, self.bus, adapter.chat, settings.timing.backoff_first)
            for adapter in self._platforms
        }
        self.courier = Courier(
            settings,
            self.bus,
            self.reads,
            self.writer,
            clock,
            chats=self._chats,
            webhook=self._webhook,
            catch_ups=self._catch_ups,
            files=self.files,
        )
        # Replicas share PostgreSQL; one process with SQLite has nobody to wake, or to share with.
        self._bell = _bell(settings, self.reads, clock, self.writer)
        self._replicas = Replicas(self.bus, settings.timing.replica, alone=self._bell is None)
        self._places = Places(settings, self.bus, self.reads, clock, self._chats)
        self._jobs = schedule.jobs(settings, self.bus, self.reads, clock, self._chats, self._places)
        self._jobs["unused files"] = 3600.0, Passing(settings, self.bus, clock, store=self.files).sweep
        if self._bell is not None:
            self._jobs["replicas"] = self._replicas.every, self._replicas.attend
        self._scheduler: AsyncIOScheduler | None = None
        self.web = WebServer(settings, _metrics(self.writer), self._checks())
        self.storefront.mount(self.web.app)
        self.console.mount(self.web.app)
        for adapter in self._platforms:
            adapter.mount(self.web.app)
        if demo:
            demo_page.mount(self.web.app)
        _require_chats(settings, self._chats)

    def _checks(self) -> dict[str, Any]:
        async def database() -> str | None:
            try:
                await self.reads(lambda uow: uow.conversations.stages())
            except Unavailable as fault:
                return fault.cure
            return self.writer.trouble

        def connection(adapter: Platform) -> Any:
            async def check() -> str | None:
                return None if adapter.connected else f"{adapter.chat.platform} is not connected"

            return check

        def place(team: str) -> Any:
            async def check() -> str | None:
                return self._places.problems.get(team)

            return check

        return (
            {"database": database}
            | {one.chat.platform: connection(one) for one in self._platforms}
            | {f"{team.chat}:{team.name}": place(team.name) for team in self.settings.teams.values()}
        )

    async def start(self) -> None:
        """Migrate, then serve. The shop's side starts even when a platform is down."""
        await asyncio.to_thread(migrate, self._engine)
        await self.files.sweep()
        self.writer.start()
        if self._bell is not None:
            self._bell.start()
        with contextlib.suppress(Busy, Unavailable):  # the next renewal comes soon
            await self._replicas.attend()
        await self.web.start()
        self.courier.start()
        for adapter in self._platforms:
            await adapter.start(self.bus, self.desk, self.writer, self._catch_ups[adapter.chat.platform].run)
        self._scheduler = schedule.start(self._jobs)

    async def stop(self) -> None:
        """Take no more, let what is under way end; everything owed stays owed."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        await self._places.stop()
        await self.courier.stop()  # while there is still somebody to call
        for adapter in self._platforms:
            await adapter.stop()
        await self.web.stop()
        await self.console.close()
        await self._webhook.close()
        if self._bell is not None:
            await self._bell.stop()
        with contextlib.suppress(Busy, Unavailable):  # its lease ends by itself
            await self._replicas.leave()
        await self.writer.stop()
        self.reads.close()
        self._engine.dispose()
        self._read_engine.dispose()


def _bell(settings: Settings, reads: Reads, clock: Clock, writer: Writer) -> "Bell | None":
    """Where replicas can share the database."""
    if not settings.database_url.startswith("postgresql"):
        return None
    from storage.bell import Bell

    return Bell(settings.database_url, reads, clock, writer)


def _platforms(settings: Settings, replicas: Callable[[], int]) -> list[Platform]:
    """The chat platforms that are configured, each a line. `replicas`: how many share what a platform allows."""
    adapters: list[Platform] = []
    if settings.slack is not None:
        from adapters.slack.app import SlackAdapter

        teams = [team for team in settings.teams.values() if team.chat == "slack"]
        adapters.append(SlackAdapter(settings.slack, settings.timing, teams, replicas))
    if settings.discord is not None:
        from adapters.discord.app import DiscordAdapter

        teams = [team for team in settings.teams.values() if team.chat == "discord"]
        alone = not settings.database_url.startswith("postgresql")
        discord = DiscordAdapter(settings.discord, settings.timing, teams, alone=alone, replicas=replicas)
        adapters.append(discord)
    return adapters


def _require_chats(settings: Settings, chats: dict[str, TeamChat]) -> None:
    for team in settings.teams.values():
        if team.chat not in chats:
            raise SettingsError(
                f"teams.{team.name}.chat: {team.chat} is not configured; set its tokens (see .env.example), or write "
                f"one of {', '.join(chats)}."
            )


def _metrics(writer: Writer) -> CollectorRegistry:
    registry = CollectorRegistry()
    waiting = Gauge("baton_writer_queue", "Commands waiting for the writer.", registry=registry)
    waiting.set_function(lambda: float(writer.waiting))
    return registry


async def examine(settings: Settings) -> list[Finding]:
    """What works and what does not, of everything that can be tried from here."""
    troubles = {
        "database": await asyncio.to_thread(trouble, reading_engine(settings.database_url)),
        "files": await asyncio.to_thread(LocalFiles.at(settings.files_url).trouble),
    }
    findings = [problem(about, one) for about, one in troubles.items() if one]
    findings += [*await _examine_slack(settings), *await _examine_discord(settings)]
    if settings.slack is None and settings.discord is None:
        findings.append(unknown("chats", texts.terminal.doctor_no_chat()))
    if settings.admin_token:
        findings.append(ok("console", "BATON_ADMIN_TOKEN is set: operators can sign in."))
    else:
        findings.append(problem("console", texts.terminal.doctor_no_admin_token()))
    return findings


async def _examine_slack(settings: Settings) -> list[Finding]:
    teams = [team for team in settings.teams.values() if team.chat == "slack"]
    if settings.slack is None:
        return [problem("slack", texts.terminal.doctor_no_tokens(one.name, "slack")) for one in teams[:1]]
    from adapters.slack.doctor import Doctor

    doctor = Doctor(
        settings.slack,
        settings.timing,
        teams,
        public_url=settings.public_url,
        running=await _is_running(settings),
    )
    return await doctor.examine()


async def _examine_discord(settings: Settings) -> list[Finding]:
    teams = [team for team in settings.teams.values() if team.chat == "discord"]
    if settings.discord is None:
        return [problem("discord", texts.terminal.doctor_no_tokens(one.name, "discord")) for one in teams[:1]]
    from adapters.discord.doctor import Doctor

    return await Doctor(settings.discord, settings.timing, teams).examine()


async def _is_running(settings: Settings) -> bool:
    """Whether a Baton serves on our own port."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host
    timeout = ClientTimeout(total=2.0)
    try:
        async with (
            ClientSession(timeout=timeout) as session,
            session.get(f"http://{host}:{settings.port}/healthz") as answer,
        ):
            return answer.status == 200
    except (ClientError, OSError, TimeoutError, ValueError):
        return False


def slack_manifest() -> dict[str, Any]:
    """What to paste into Slack's set-up page."""
    from adapters.slack.manifest import manifest

    return manifest(public_url=slack_calls_us())


def discord_manifest() -> str:
    """Where to invite Baton to a Discord server, and what to switch on."""
    from adapters.discord.manifest import application_of, manifest

    token, guild_id = discord_invites()
    return manifest(application_of(token), guild_id)


def migrate_database(settings: Settings) -> bool:
    """True if there was anything to do."""
    return migrate(writing_engine(settings.database_url))


async def failed_deliveries(settings: Settings) -> Sequence[Delivery]:
    """Dead letters, oldest first, read beside a serving process."""
    migrate_database(settings)
    reads = Reads(reading_engine(settings.database_url), settings, time.time)
    try:
        return await reads(lambda uow: uow.lanes.dead(1000))
    finally:
        reads.close()


async def retry_delivery(settings: Settings, delivery_id: str) -> int:
    """Make a dead letter due again; the serving process delivers it. The answer is its case number."""
    migrate_database(settings)
    writer = Writer(writing_engine(settings.database_url), settings, HANDLERS, time.time)
    writer.start()
    try:
        return int(await writer.submit(RetryDead(delivery_id)))
    finally:
        await writer.stop()

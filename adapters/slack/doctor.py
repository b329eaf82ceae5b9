"""Everything that can be wrong with a Slack set-up, tried one after the other, each with what to do about it.

It posts for real: a message in each team's channel, a reply, a reaction, and takes them back. What comes in is tried
by waiting for the event of that very message. Nothing here is Baton's work: no case, no database.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from adapters.slack.api import quiet_logger
from adapters.slack.directory import Identity
from adapters.slack.http_mode import PATH
from adapters.slack.manifest import SCOPES
from adapters.slack.outbound import SlackChat, missing_scopes, no_access
from bot import texts
from bot.checkup import Finding, ok, problem, unknown
from bot.errors import DeliveryFault
from bot.people import Member, Role
from bot.settings import Slack, TeamPolicy, Timing

ABOUT = "slack"
MOST_NAMES = 10
REACTION = "eyes"


class Doctor:
    """`running`: a Baton serves already with these tokens, so that an event may go to it instead of to us."""

    def __init__(
        self,
        settings: Slack,
        timing: Timing,
        teams: Sequence[TeamPolicy],
        *,
        public_url: str = "",
        running: bool = False,
        patience: float = 10.0,
    ):
        self._settings = settings
        self._teams = teams
        self._public_url = public_url
        self._running = running
        self._patience = patience
        self._chat = SlackChat(settings, timing, teams=teams)

    async def examine(self) -> list[Finding]:
        """All of it. A refused token ends it: everything else would fail for the same reason."""
        try:
            return [finding async for finding in self._examine()]
        finally:
            await self._chat.close()

    async def _examine(self) -> AsyncIterator[Finding]:
        try:
            identity = await self._chat.directory.identity(fresh=True)
        except DeliveryFault as fault:
            yield problem(ABOUT, no_access(fault.reason))
            return
        yield ok(ABOUT, f"The bot token works at {identity.url or 'Slack'}.")
        for finding in self._scopes(identity):
            yield finding
        if self._settings.app_token:
            yield await self._socket()
        else:
            yield await self._requests()
        async with self._listening() as heard:
            for team in self._teams:
                for finding in await self._team(team, heard):
                    yield finding

    def _scopes(self, identity: Identity) -> list[Finding]:
        if identity.scopes is None:
            names = ", ".join(scope for scope, _ in SCOPES)
            return [unknown(ABOUT, f"Slack does not say which scopes the token has; it needs {names}.")]
        missing = missing_scopes(identity.scopes)
        return [problem(ABOUT, one) for one in missing] or [ok(ABOUT, "All scopes are granted.")]

    # Transport

    async def _socket(self) -> Finding:
        for trouble in await self._chat.check_socket():
            return problem(ABOUT, trouble)
        return ok(ABOUT, "Socket Mode: Slack opens a connection for SLACK_APP_TOKEN.")

    async def _requests(self) -> Finding:
        """Over HTTP: whether our public address answers what Slack would ask it first."""
        address = f"{self._public_url.rstrip('/')}{PATH}"
        if not self._public_url.startswith("https://"):
            return problem(
                ABOUT,
                "BATON_PUBLIC_URL: Slack calls Baton over HTTP (SLACK_SIGNING_SECRET without SLACK_APP_TOKEN) and "
                f"cannot reach {self._public_url or 'an empty address'}; write the https:// address that leads here.",
            )
        trouble = await verify(address, self._settings.signing_secret, self._patience)
        if trouble is not None:
            return problem(ABOUT, f"{address} {trouble}")
        return ok(ABOUT, f"HTTP: {address} answers a request signed with SLACK_SIGNING_SECRET.")

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator["_Heard | None"]:
        """Our own connection for the time of the examination; None where there cannot be one."""
        if not self._settings.app_token or self._running:
            yield None
            return
        heard = _Heard()
        client = SocketModeClient(
            app_token=self._settings.app_token, logger=quiet_logger(), web_client=self._chat.api.bare_client()
        )
        client.socket_mode_request_listeners.append(heard.take)
        try:
            async with asyncio.timeout(self._patience):
                await client.connect()  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001  whatever it was, the check of the transport has said so
            heard = None  # type: ignore[assignment]
        try:
            yield heard
        finally:
            await _end(client)

    # A team

    async def _team(self, team: TeamPolicy, heard: "_Heard | None") -> list[Finding]:
        about = f"{ABOUT}:{team.name}"
        troubles = await self._chat.check_channel(team.channel)
        if troubles:
            return [problem(about, one) for one in troubles]
        found = [ok(about, f"Baton is in {team.channel}.")]
        found += await self._post(team, about, heard)
        found += await self._people(team, about)
        return found

    async def _post(self, team: TeamPolicy, about: str, heard: "_Heard | None") -> list[Finding]:
        """A message, a reply, a reaction; all of it is gone afterwards, whatever fails."""
        made: list[tuple[str, str]] = []
        step = "post"
        try:
            channel, root = await self._said(team.channel)
            made.append((channel, root))
            step = "write in a thread"
            _, reply = await self._said(channel, root)
            made.append((channel, reply))
            step = "react"
            await self._chat.api.call("reactions.add", channel=channel, timestamp=root, name=REACTION)
            step = "take a message back"
            back = await self._came_back(about, heard, root)
            await self._remove(made)
        except DeliveryFault as fault:
            await self._remove_quietly(made)
            return [problem(about, texts.terminal.doctor_cannot(step, fault.reason))]
        return [ok(about, "Posting, threading, reacting and deleting work."), back]

    async def _said(self, channel: str, root: str | None = None) -> tuple[str, str]:
        channel_id = await self._chat.directory.channel_id(channel)
        answer = await self._chat.api.call(
            "chat.postMessage", channel=channel_id, thread_ts=root, text=texts.terminal.doctor_was_here()
        )
        return str(answer["channel"]), str(answer["ts"])

    async def _remove(self, made: list[tuple[str, str]]) -> None:
        while made:
            channel, ts = made[-1]
            await self._chat.api.call("chat.delete", repeatable=True, channel=channel, ts=ts)
            made.pop()

    async def _remove_quietly(self, made: list[tuple[str, str]]) -> None:
        try:
            await self._remove(made)
        except DeliveryFault:
            made.clear()  # what had failed before is what matters

    async def _came_back(self, about: str, heard: "_Heard | None", ts: str) -> Finding:
        """The whole round: what we posted is told to us as an event."""
        if heard is not None:
            if await heard.of(ts, self._patience):
                return ok(about, "The round trip works: Slack told us of our own message.")
            return problem(about, texts.terminal.doctor_heard_nothing())
        if self._running:
            return unknown(about, texts.terminal.doctor_baton_runs())
        return unknown(about, texts.terminal.doctor_over_http())

    async def _people(self, team: TeamPolicy, about: str) -> list[Finding]:
        found: list[Finding] = []
        if team.group:
            try:
                await self._chat.directory.group_id(team.group)
            except DeliveryFault as fault:
                found.append(problem(about, texts.terminal.doctor_no_group(team.group, fault.reason)))
        try:
            members = await self._chat.members(team.channel, team)
            for entry, ids in (await self._chat.directory.unmatched(team)).items():
                found.append(problem(about, texts.terminal.doctor_names_nobody(team.name, entry, ids)))
        except DeliveryFault as fault:
            return [*found, problem(about, texts.terminal.doctor_no_people(fault.reason))]
        leads, operators = _names(members, Role.LEAD), _names(members, Role.OPERATOR)
        if not leads and not operators:
            return [*found, problem(about, texts.terminal.doctor_nobody(team.name, team.channel))]
        found.append(ok(about, f"Leads: {leads or 'nobody'}. Operators: {operators or 'nobody'}."))
        if not leads:
            found.append(unknown(about, texts.terminal.doctor_no_leads(team.name)))
        return found


def _names(members: Sequence[Member], role: Role) -> str:
    names = sorted(one.actor.name for one in members if one.actor.role is role)
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


class _Heard:
    """The messages we were told of. Only those of our own are acknowledged: Slack sends the others again, to a Baton
    that is there for them."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._more = asyncio.Event()

    async def take(self, client: Any, request: SocketModeRequest) -> None:
        """Slack's envelope."""
        event = request.payload.get("event") or {} if request.type == "events_api" else {}
        if event.get("type") == "message" and texts.terminal.doctor_was_here() in str(
            event.get("text") or ""
        ):
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
            self._seen.add(str(event.get("ts")))
            self._more.set()

    async def of(self, ts: str, seconds: float) -> bool:
        """Whether that message's event comes within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while ts not in self._seen:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return False
        return True


async def _end(client: SocketModeClient) -> None:
    try:
        async with asyncio.timeout(3.0):
            await client.disconnect()  # type: ignore[no-untyped-call]
            await client.close()  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001  it was ours alone, and we are done with it
        return


async def verify(address: str, signing_secret: str, seconds: float) -> str | None:
    """Ask an address as Slack does when it is saved; None if it answers as it must, else what is wrong and the cure."""
    challenge = secrets.token_hex(12)
    body = json.dumps({"type": "url_verification", "challenge": challenge})
    stamp = str(int(time.time()))
    signed = hmac.new(signing_secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signed}",
        "Content-Type": "application/json",
    }
    try:
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(address, data=body, headers=headers) as answer,
        ):
            status, said = answer.status, await answer.text()
    except (aiohttp.ClientError, OSError, TimeoutError):
        return "cannot be reached from here; start Baton, and check the proxy and the address in BATON_PUBLIC_URL."
    if status == 200 and challenge in said:
        return None
    if status == 401:
        return (
            "refuses the signature (401); the running Baton has another SLACK_SIGNING_SECRET, or the clocks differ "
            "by more than five minutes."
        )
    return f"answers {status} instead of Slack's challenge; something else than Baton is at that address."

"""The JSON behind the console: a request becomes a command, a view becomes an answer. Nothing is decided."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any

from aiohttp import web

from adapters.console import bodies, stream
from adapters.console.access import Access, Doorkeeper, operator_actor, refusal
from adapters.console.outbound import PLATFORM, ConsoleChat, Present
from adapters.console.page import Page
from bot import commands, texts, views
from bot.conversation import Conversation, Stage
from bot.errors import BatonError, NotFound
from bot.people import Actor, Role
from bot.ports import Bus, Clock, Reads, UnitOfWork, Wakeup
from bot.posts import Action
from bot.settings import Settings

log = logging.getLogger(__name__)

QUEUE_LIMIT = 200
PAGE_LIMIT = 50
SEARCH_LIMIT = 300
PRESENCE_SETTLE = 0.5  # seconds: a page that is reloaded has not left

_CASE = r"/console/api/conversations/{number:\d{1,15}}"


class ConsoleAdapter:
    """The console: its page, its API, its stream, and `chat`, the chat of teams that have none.

    `open_on_loopback` is for the demo: there a name is enough to sign in, as a lead, from this machine only.
    """

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        reads: Reads,
        wakeup: Wakeup,
        clock: Clock,
        *,
        open_on_loopback: bool = False,
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._reads = reads
        self._wakeup = wakeup
        self._clock = clock
        self._doors = Doorkeeper(settings, clock, open_on_loopback)
        self._present = Present(self._presence_changed)
        self._page = Page()
        self._feeds: set[stream.Feed] = set()
        self._telling: asyncio.Task[None] | None = None
        self.chat = ConsoleChat(settings, self._present, open_to_all=open_on_loopback)

    def mount(self, app: web.Application) -> None:
        """Add the console's routes. The streams end when the application shuts down, before it waits for them."""
        app.on_shutdown.append(self._end_streams)
        add = app.router.add_route
        add("GET", "/console", self._show_page)
        add("GET", "/console/", self._to_page)
        for name in ("console.js", "console.css"):
            add("GET", f"/console/{name}", self._show_asset)
        add("POST", "/console/api/session", self._sign_in)
        add("GET", "/console/api/session", self._who)
        add("GET", "/console/api/stream", self._stream)
        add("GET", "/console/api/conversations", self._list)
        add("GET", _CASE, self._show)
        plain = (commands.Claim, commands.Release, commands.HandBack, commands.Resolve)
        for command in plain:
            add("POST", f"{_CASE}/{command.__name__.lower()}", self._moves(command))
        add("POST", f"{_CASE}/assign", self._assign)
        add("POST", f"{_CASE}/messages", self._write)
        add("POST", f"{_CASE}/messages/{{id:[\\w.:-]{{1,64}}}}/withdraw", self._take_back)
        add("POST", f"{_CASE}/asides/{{seq:\\d{{1,15}}}}", self._send_aside)

    def link(self, role: Role = Role.OPERATOR) -> str:
        """A signed link to the console, good for 12 hours."""
        return f"{self._settings.public_url}/console?token={self._doors.link_token(role)}"

    async def close(self) -> None:
        """End the open streams and what was still to be told."""
        await self._end_streams()
        if self._telling:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _end_streams(self, _: web.Application | None = None) -> None:
        for feed in self._feeds:
            feed.close()

    # --- the page and its session ---------------------------------------------------------------------------

    async def _show_page(self, request: web.Request) -> web.Response:
        if self._doors.role(request) is None:
            return self._page.html("ask")
        return self._page.html("link" if "token" in request.query else "open")

    async def _to_page(self, request: web.Request) -> web.Response:
        raise web.HTTPPermanentRedirect(f"../console?{request.query_string}".rstrip("?"))

    async def _show_asset(self, request: web.Request) -> web.Response:
        return self._page.asset(request, request.path.rpartition("/")[2])

    async def _sign_in(self, request: web.Request) -> web.Response:
        self._doors.check_origin(request)
        body = await bodies.read(request, bodies.SignIn)
        token, actor, expires_at = self._doors.sign_in(request, body.operator)
        return _json({"token": token, "operator": _person(actor), "expires_at": expires_at})

    async def _who(self, request: web.Request) -> web.Response:
        actor = self._doors.access(request).actor
        return _json({"operator": _person(actor) if actor else None, "present": self._names_present()})

    def _names_present(self) -> list[str]:
        return [actor.name for actor in self._present.actors()]

    # --- reading --------------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        self._doors.access(request)
        query = request.query
        stage = query.get("stage") or None
        if stage is not None and stage not in {str(known) for known in Stage}:
            raise refusal(422, "invalid", f"stage: write one of {', '.join(Stage)}.", "stage")
        team, text = query.get("team") or None, query.get("q", "").strip()[:200]
        before = _cursor(query.get("cursor", ""))
        return _json(await self._reads(lambda uow: _listed(uow, stage, team, text, before)))

    async def _show(self, request: web.Request) -> web.Response:
        self._doors.access(request)
        return _json(await self._case(_number(request)))

    async def _case(self, number: int) -> dict[str, Any]:
        def read(uow: UnitOfWork) -> dict[str, Any]:
            return {**views.console_case(uow, _conversation(uow, number)), "now": uow.now}

        return await self._reads(read)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        access = self._doors.access(request)
        feed = stream.Feed()
        unsubscribe = self._wakeup.subscribe(feed.take)
        self._feeds.add(feed)
        if access.actor:
            self._present.enter(access.actor)
        try:
            return await stream.serve(
                request, feed, self._settings.timing.stream_ping, lambda: self._still_valid(access)
            )
        finally:
            unsubscribe()
            self._feeds.discard(feed)
            if access.actor:
                self._present.leave(access.actor)

    def _still_valid(self, access: Access) -> bool:
        return access.expires_at is None or self._clock() < access.expires_at

    # --- acting ---------------------------------------------------------------------------------------------

    def _moves(self, command: Callable[[int, Actor], Any]) -> Callable[[web.Request], Any]:
        async def move(request: web.Request) -> web.Response:
            actor, _ = await self._asked(request, bodies.Acting)
            return await self._done(request, command(_number(request), actor))

        return move

    async def _assign(self, request: web.Request) -> web.Response:
        actor, body = await self._asked(request, bodies.AssignTo)
        number = _number(request)
        named = operator_actor(body.to, Role.OPERATOR)
        to = next((one for one in (actor, *self._present.actors()) if one.id == named.id), None)
        if to is None:
            to = await self._reads(lambda uow: _colleague(uow, number, named))
        return await self._done(request, commands.Assign(number, actor, to))

    async def _write(self, request: web.Request) -> web.Response:
        actor, body = await self._asked(request, bodies.Message)
        command = commands.OperatorWrites(_number(request), actor, body.text, body.id or uuid.uuid4().hex)
        return await self._done(request, command)

    async def _take_back(self, request: web.Request) -> web.Response:
        actor, _ = await self._asked(request, bodies.Acting)
        command = commands.TakeBack(_number(request), actor, request.match_info["id"])
        return await self._done(request, command)

    async def _send_aside(self, request: web.Request) -> web.Response:
        actor, body = await self._asked(request, bodies.Aside)
        seq = int(request.match_info["seq"])
        return await self._done(
            request, commands.SendAside(_number(request), seq, Action(body.action), actor)
        )

    async def _asked(self, request: web.Request, shape: type[bodies.A]) -> tuple[Actor, bodies.A]:
        self._doors.check_origin(request)
        access = self._doors.access(request)
        body = await bodies.read(request, shape)
        return access.acting(body.operator), body

    async def _done(self, request: web.Request, command: Any) -> web.Response:
        """Ask for it; the answer is the case as it is now, and what the handler said as `result`."""
        result = await self._bus.submit(command)
        case = await self._case(_number(request))
        return _json({**case, "result": _plain(result)})

    # --- presence -------------------------------------------------------------------------------------------

    def _presence_changed(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell_members())

    async def _tell_members(self) -> None:
        """Tell the core who is at the console, so that nobody waits for the next regular look."""
        told: list[Actor] | None = None
        while self._present.actors() != told:
            await asyncio.sleep(PRESENCE_SETTLE)
            told = self._present.actors()
            members = tuple(await self.chat.members(PLATFORM))
            for team in self._settings.teams.values():
                if team.chat == PLATFORM:
                    await self._submit_members(commands.TeamMembers(team.name, members, whole=False))

    async def _submit_members(self, command: commands.TeamMembers) -> None:
        try:
            await self._bus.submit(command)
        except BatonError as error:  # the regular look tells it again
            log.warning("console: members of team %s not taken: %s", command.team, type(error).__name__)


# --- reads and small translations ---------------------------------------------------------------------------


def _listed(
    uow: UnitOfWork, stage: str | None, team: str | None, text: str, before: tuple[float, int] | None
) -> dict[str, Any]:
    """The queue in its order, then the rest, newest change first; `cursor` is where the next page begins."""
    queue = [case for case in uow.conversations.queue(team, QUEUE_LIMIT) if stage in (None, str(case.stage))]
    queued = {case.number for case in queue}
    limit = SEARCH_LIMIT if text else PAGE_LIMIT
    page = uow.conversations.page(stage=stage, team=team, before=before, limit=limit)
    cases = [] if before else queue
    cases = [*cases, *(case for case in page if case.number not in queued)]
    if text:
        cases = _named_first(uow, cases, text)
    rows = [views.console_row(uow, case) for case in cases]
    last = page[-1] if len(page) == limit else None
    return {
        "conversations": [row for row in rows if _matches(row, text)],
        "counts": uow.conversations.stages(),
        "cursor": f"{last.updated_at!r}:{last.number}" if last else None,
        "now": uow.now,
    }


def _named_first(uow: UnitOfWork, cases: list[Conversation], text: str) -> list[Conversation]:
    """A case that is asked for by its number is found however old it is."""
    digits = text.removeprefix("#")
    named = uow.conversations.get(int(digits)) if digits.isdecimal() and len(digits) < 16 else None
    if named is None:
        return cases
    return [named, *(case for case in cases if case.number != named.number)]


def _matches(row: dict[str, Any], text: str) -> bool:
    """Every word stands somewhere in what the row shows."""
    shown = ("title", "customer", "category", "owner", "store", "team", "tier", "priority")
    line = " ".join([f"#{row['number']}", *(str(row.get(key) or "") for key in shown)]).casefold()
    return all(word in line for word in text.casefold().split())


def _cursor(raw: str) -> tuple[float, int] | None:
    if not raw:
        return None
    at, _, number = raw.partition(":")
    try:
        return float(at), int(number)
    except ValueError:
        raise refusal(422, "invalid", "cursor: use the one of the page before.", "cursor") from None


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])


def _conversation(uow: UnitOfWork, number: int) -> Conversation:
    conversation = uow.conversations.get(number)
    if conversation is None:
        raise NotFound(f"There is no case #{number}.")
    return conversation


def _colleague(uow: UnitOfWork, number: int, named: Actor) -> Actor:
    """The member of the case's team that a name means. Somebody whom nobody knows yet can be given the case of a team
    that works at the console, and no other's: they would take it away from everybody."""
    team = uow.settings.team(_conversation(uow, number).team)
    operators = uow.people.team(team.name)
    given = named.name.casefold()
    for operator in operators:
        if given in (operator.name.casefold(), operator.external_id.casefold()):
            return Actor(
                operator.platform, operator.external_id, operator.name, operator.role,
                called=operator.first_name,
            )  # fmt: skip
    if team.chat == PLATFORM:
        return named
    known = sorted(one.name for one in operators if one.active)
    raise NotFound(texts.answers.no_such_colleague(named.name, team.name, known[:8]), field="to")


def _plain(result: Any) -> Any:
    """What a handler said, as JSON has it."""
    if is_dataclass(result) and not isinstance(result, type):
        return asdict(result)
    return result if isinstance(result, dict) else None


def _person(actor: Actor) -> dict[str, str]:
    return {"id": actor.id, "name": actor.name, "role": str(actor.role)}


def _json(body: dict[str, Any]) -> web.Response:
    return web.json_response(body, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})

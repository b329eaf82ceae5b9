"""What is done with an event, by whichever way it came: Bolt finds the listener, and acknowledges after its commit.

Bolt by default answers first and works later, and an event whose listener fails is lost. With
`process_before_response` a listener that raises is not acknowledged, and Slack sends the event again (PLATFORMS.md).
"""

import asyncio
import logging
import math
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any
from weakref import WeakValueDictionary

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltError
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.request.payload_utils import to_event
from slack_bolt.response import BoltResponse

from adapters.slack.answers import Answers, refusal, said
from adapters.slack.api import quiet_logger
from adapters.slack.blocks import ACTION_PREFIX, MORE
from adapters.slack.clicks import HOME, MODAL, Click, Where, click, where_of
from adapters.slack.directory import PLATFORM, Identity
from adapters.slack.home import Homes
from adapters.slack.home_view import AWAY, BACK, changed, look_of
from adapters.slack.inbound import arrival, author_of, people_in, withdraws
from adapters.slack.listings import Listings, below
from adapters.slack.manifest import COMMAND, SEND_SHORTCUT
from adapters.slack.modal_views import FORM, NEXT, answer_view, dealt_with, lists_case, says_view
from adapters.slack.modals import Modals, ready
from adapters.slack.outbound import SlackChat
from adapters.slack.place_events import PLACE_EVENTS, place_news
from adapters.slack.slash import HELP, SlashCommand
from bot import texts
from bot.answers import OPEN_CASES
from bot.commands import Claim, FileDeleted, SendMessage, ThreadMessage, Withdraw
from bot.errors import AlreadyClaimed, Busy, DeliveryFault, Refused, Unavailable
from bot.people import Actor, Role
from bot.ports import Bus, Desk
from bot.posts import FORMS, Action, Answer, Place
from bot.verbs import asked_in, goes_away

log = logging.getLogger("baton.slack")

MESSAGE = "message"

SAY_WHAT_THEY_DID = frozenset({Action.RETRY, Action.HAND_OVER})
"""Nothing else shows at once that these did something."""


class Listeners:
    """What Bolt calls. Each returns when the bus has committed; what it raises is not acknowledged."""

    def __init__(
        self,
        chat: SlackChat,
        bus: Bus,
        desk: Desk,
        identity: Identity,
        errand: Callable[[Coroutine[Any, Any, Any]], object],
    ):
        self._chat = chat
        self._bus = bus
        self._desk = desk
        self.identity = identity
        self._errand = errand
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._answers = Answers(chat.api, errand)
        self._listings = Listings(desk, self._answers, errand, lambda user, word: self.homes.say(user, word))
        self._modals = Modals(chat.api, desk, self._answers, self._listings, self._actor, errand)
        self._slash = SlashCommand(desk, self._answers, self._actor, chat.directory.actors, errand)
        self.homes = Homes(chat.api, desk, self._actor, errand, bus)

    async def _actor(self, where: Where) -> Actor:
        """Who acts: by what they are where they clicked, or anywhere."""
        directory = self._chat.directory
        if where.channel:
            return await directory.member(where.channel, where.user_id, where.user_name)
        return await directory.actor(where.user_id, where.user_name)

    # Events

    async def message(self, event: dict[str, Any]) -> None:
        """A `message` event of any subtype."""
        async with self._turn(event):  # a look-up that takes longer must not let the next message pass
            here = str(event.get("channel") or "")
            actors = await self._chat.directory.actors(people_in(event), here)
            found = arrival(event, actors, self.identity.user_id)
            if found is None:
                return
            arriving = self._bus.arrive(found.lane, found.order, found.command)  # before the next one may
        where = Where(author_of(event), channel=found.command.place.channel, root=found.command.place.root)
        try:
            result = await arriving
            answer = said(result)
        except Refused as refused:
            result, answer = None, refusal(refused)
        if answer is None and result is not None:
            self._look_up(where, found.command, result)
        elif answer is not None and isinstance(found.command, ThreadMessage) and _goes_away(found.command):
            self._errand(self._tell_soon(where, self._with_open_cases(answer, found.command.actor)))
        elif where.user_id:
            self._answers.tell(where, answer)

    async def _with_open_cases(self, answer: Answer, actor: Actor) -> Answer:
        """Who goes sees what they leave, as after the slash command."""
        return below(answer, await self._desk.press(Action.PAGE, OPEN_CASES, actor))

    def _look_up(self, where: Where, command: Any, result: Any) -> None:
        """A verb that only reads has no handler: the desk answers it, for the case of that thread."""
        if (asked := asked_in(command)) is not None:
            words, people = asked
            asking = self._desk.ask(words, command.actor, number=result.number, people=people)
            self._errand(self._tell_soon(where, asking))

    def _turn(self, event: Mapping[str, Any]) -> asyncio.Lock:
        """One at a time per thread, in the order they came; other threads do not wait."""
        message = event.get("message") or event.get("previous_message") or event
        thread = f"{event.get('channel')}:{message.get('thread_ts') or message.get('ts')}"
        return self._turns.setdefault(thread, asyncio.Lock())

    async def mention(self, event: dict[str, Any]) -> None:
        """The bot is mentioned. In a thread the same words arrive as a message; outside of one there is no case, so
        whoever wrote is told what can be done where."""
        channel, user_id = str(event.get("channel") or ""), str(event.get("user") or "")
        if event.get("thread_ts") or event.get("bot_id") or not (channel and user_id):
            return
        where = Where(user_id, channel=channel)
        self._errand(self._tell_soon(where, self._ask(where, HELP)))

    async def home(self, event: dict[str, Any]) -> None:
        """Somebody opened the Home tab."""
        if event.get("tab", "home") == "home" and event.get("user"):
            self.homes.opened(str(event["user"]), event.get("view") or {})

    async def reaction(self, event: dict[str, Any]) -> None:
        """Somebody reacted. In which thread that message stands, Slack does not say: it is asked, for 🛑 only."""
        item, user_id = event.get("item") or {}, str(event.get("user") or "")
        ours = user_id == self.identity.user_id
        if not withdraws(str(event.get("reaction") or "")) or ours or item.get("type") != "message":
            return
        channel, ts = str(item["channel"]), str(item["ts"])
        root = await self._chat.thread_of(channel, ts)
        if root:
            where = Where(user_id, channel=channel, root=root)
            await self._do(where, Withdraw(Place(PLATFORM, channel, root), ts, await self._actor(where)))

    async def file_deleted(self, event: dict[str, Any]) -> None:
        """Somebody deleted a file, out of whatever message has shown it."""
        if event.get("file_id"):
            await self._bus.submit(FileDeleted(PLATFORM, str(event["file_id"])))

    async def place(self, event: dict[str, Any]) -> None:
        """Something happened to a channel, to our membership or to our token: whoever watches the places looks now.
        There is nothing to store, so nothing is waited for."""
        news = place_news(event, self.identity.user_id)
        if news is not None:
            self._errand(self._chat.place_news(news))

    # What people press

    async def button(self, body: dict[str, Any]) -> None:
        """A click on something of ours, on whichever surface."""
        pressed = click(body)
        if pressed is None:
            return
        name, where = pressed.name, pressed.where
        try:
            if name.startswith("look"):
                self.homes.show(where.user_id, changed(look_of(where.view), name, pressed.value))
            elif name == NEXT:
                self._modals.next_step(pressed)
            elif name == MORE or name in FORMS:
                self._modals.open(pressed)
            elif name in (AWAY, BACK):
                self._show_or_tell(where, self._ask(where, name))
            elif name in (Action.SHOW, Action.PAGE):
                self._show_or_tell(where, self._ask(where, _question(pressed)), instead=name == Action.PAGE)
            else:
                await self._press(pressed)
        except ValueError:
            log.warning("slack: an unknown button was pressed")

    async def _press(self, pressed: Click) -> None:
        """A button that changes something: acknowledged after the commit."""
        where = pressed.where
        actor = await self._actor(where)
        if pressed.name in SAY_WHAT_THEY_DID or where.kind == HOME or (where.again and where.ephemeral):
            action = Action(pressed.name)
            answer: Answer | None = await self._desk.press(action, pressed.value, actor, where.trigger_id)
        else:
            answer = await self._result(pressed.command(actor))
        if where.kind == MODAL:
            self._errand(self._in_window(pressed, answer))
        elif where.again and where.ephemeral:
            self._listings.tell(where, actor, answer)
        else:
            self._tell(where, answer)

    async def _in_window(self, pressed: Click, answer: Answer | None) -> None:
        where, view = pressed.where, pressed.where.view
        if not lists_case(view, pressed.number):
            shown = answer_view(answer, where) if answer else says_view(texts.windows.WINDOW_DONE, where)
        else:
            shown = dealt_with(view, pressed.number, answer.text if answer else "", where)
        await self._modals.update(where.view_id, shown)

    async def _do(self, where: Where, command: Any) -> None:
        self._tell(where, await self._result(command))

    def _tell(self, where: Where, answer: Answer | None) -> None:
        """On the Home tab a word stands above the queue; what can be pressed needs a window."""
        if where.kind != HOME:
            self._answers.tell(where, answer)
            return
        pressable = answer is not None and bool(answer.buttons or answer.rows)
        self.homes.show(where.user_id, look_of(where.view), answer.text if answer and not pressable else "")
        if answer is not None and pressable:
            self._modals.show(where, ready(answer_view(answer, where)))

    async def _result(self, command: Any) -> Answer | None:
        """A lead who finds a case taken is offered to take it over, as after the verb."""
        try:
            return said(await self._bus.submit(command))
        except AlreadyClaimed as refused:
            if isinstance(command, Claim) and command.actor.highest is Role.LEAD:
                return await self._desk.ask(f"{Action.CLAIM} {command.number}", command.actor)
            return refusal(refused)
        except Refused as refused:
            return refusal(refused)

    # What people ask

    def _show_or_tell(self, where: Where, asking: Awaitable[Answer], *, instead: bool = False) -> None:
        """In a window where there is no message to answer beside."""
        if not where.kind:
            self._errand(self._tell_soon(where, asking, instead))
            return

        async def shown() -> dict[str, Any]:
            answer = await asking
            if where.kind == HOME:
                self.homes.show(where.user_id, look_of(where.view))
            return answer_view(answer, where)

        self._modals.show(where, shown())

    async def _tell_soon(self, where: Where, asking: Awaitable[Answer], instead: bool = False) -> None:
        try:
            answer = await asking
        except Refused as refused:
            answer = refusal(refused)
        except (Busy, DeliveryFault):
            answer = Answer(texts.answers.busy_now())
        self._answers.tell(where, answer, instead=instead and where.ephemeral)

    async def _ask(self, where: Where, words: str) -> Answer:
        return await self._desk.ask(words, await self._actor(where), id=where.trigger_id)

    async def command(self, body: dict[str, Any]) -> dict[str, Any]:
        """The slash command; what Slack is answered."""
        return await self._slash.run(body)

    async def submitted(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """A window was filled in; what Slack is answered."""
        return await self._modals.submitted(body)

    async def send(self, body: dict[str, Any]) -> None:
        """The shortcut on a message of a thread: send that to the shopper after all."""
        where, message = where_of(body), body.get("message") or {}
        ts, root = str(message.get("ts") or ""), str(message.get("thread_ts") or "")
        if where is None or not where.channel:
            return
        if not root or root == ts:
            self._answers.tell(where, Answer(texts.answers.not_our_thread()))
            return
        place = Place(PLATFORM, where.channel, root)
        await self._do(where, SendMessage(place, ts, await self._actor(where)))


EVENT_LISTENERS: dict[str, Callable[[Listeners, dict[str, Any]], Awaitable[None]]] = {
    MESSAGE: Listeners.message,
    "app_mention": Listeners.mention,
    "app_home_opened": Listeners.home,
    "file_deleted": Listeners.file_deleted,
    "reaction_added": Listeners.reaction,
    **dict.fromkeys(sorted(PLACE_EVENTS), Listeners.place),
}
"""By the event's type; `adapters.slack.manifest.EVENTS` subscribes to them."""


class Messages(AsyncMiddleware):
    """The short way through Bolt for messages, which are most of what comes: before anything is prepared for listeners
    that they do not need. An answer is an acknowledgement here, too, and what is raised goes to the same place."""

    def __init__(self, listener: Callable[[dict[str, Any]], Awaitable[None]]):
        self._listener = listener

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        event = to_event(req.body)
        if event is None or event.get("type") != MESSAGE:
            return await next()
        await self._listener(event)
        return BoltResponse(status=200)


def build_app(
    listeners: Listeners, chat: SlackChat, identity: Identity, missed: Callable[[], None]
) -> AsyncApp:
    """Bolt with our own authorisation (no call per event) and our own loop guard: Bolt's hides an admin deleting our
    card. Over HTTP signatures have been checked before. Its application name must not be a logger of ours, since Bolt
    sets that logger's level. `missed` is told when an event was not taken."""

    ourselves = AuthorizeResult(
        enterprise_id=identity.enterprise_id,
        team_id=identity.team_id,
        bot_id=identity.bot_id,
        bot_user_id=identity.user_id,
    )

    async def authorize(**_: Any) -> AuthorizeResult:
        return ourselves

    app = AsyncApp(
        name="slack_bolt.baton",
        logger=quiet_logger(),
        client=chat.api.bare_client(),
        authorize=authorize,
        signing_secret="",
        request_verification_enabled=False,
        process_before_response=True,
        ignoring_self_events_enabled=False,
        before_authorize=Messages(listeners.message),
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    async def failed(error: Exception) -> BoltResponse:
        """Socket Mode acknowledges nothing but a 200; over HTTP Slack is told."""
        log.warning("slack: an event was not taken and comes again", extra={"fault": _named(error)})
        missed()
        if isinstance(error, Busy):
            return BoltResponse(
                status=503, headers={"Retry-After": str(max(1, math.ceil(error.retry_after)))}
            )
        return BoltResponse(status=500)

    _hear(app, listeners)
    _take(app, listeners)
    app.error(failed)
    return app


def _hear(app: AsyncApp, listeners: Listeners) -> None:
    """Events; whatever else we are subscribed to is acknowledged."""

    def heard(listener: Callable[[Listeners, dict[str, Any]], Awaitable[None]]) -> Any:
        async def hear(event: dict[str, Any]) -> None:
            await listener(listeners, event)

        return hear

    for kind, listener in EVENT_LISTENERS.items():
        if kind == MESSAGE:
            continue  # see `Messages`
        app.event(kind)(heard(listener))
    app.event(re.compile(r".*"))(_ignored)


def _take(app: AsyncApp, listeners: Listeners) -> None:
    """What people press, type and fill in."""

    async def button(ack: Any, body: dict[str, Any]) -> None:
        await listeners.button(body)
        await ack()

    async def command(ack: Any, body: dict[str, Any]) -> None:
        await ack(**await listeners.command(body))

    async def submitted(ack: Any, body: dict[str, Any]) -> None:
        await ack(**(await listeners.submitted(body) or {}))

    async def send(ack: Any, body: dict[str, Any]) -> None:
        await listeners.send(body)
        await ack()

    app.action(re.compile(rf"^{ACTION_PREFIX}"))(button)
    app.action(re.compile(r".*"))(_ignored)
    app.command(COMMAND)(command)
    app.view(FORM)(submitted)
    app.view(re.compile(r".*"))(_ignored)
    app.shortcut(SEND_SHORTCUT)(send)


async def _ignored(ack: Any) -> None:
    await ack()


def _goes_away(command: ThreadMessage) -> bool:
    """Whether a message of a thread tells the bot that its author goes."""
    heard = command.heard
    return heard.addressed == "bot" and goes_away(str(heard.extra.get("command") or ""))


def _question(pressed: Click) -> str:
    """The words that ask for what a button shows."""
    return f"{Action.SHOW} {pressed.number}" if pressed.name == Action.SHOW else pressed.value


def _named(error: Exception) -> str:
    """Never the error's own text: it may hold what a customer wrote."""
    if isinstance(error, DeliveryFault):
        return error.reason
    if isinstance(error, Unavailable):
        return "database"
    return "busy" if isinstance(error, Busy | BoltError) else type(error).__name__

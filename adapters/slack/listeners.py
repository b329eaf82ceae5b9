"""What is done with an event, by whichever way it came: Bolt finds the listener, and acknowledges after its commit.

Bolt by default answers first and works later, and an event whose listener fails is lost. With
`process_before_response` a listener that raises is not acknowledged, and Slack sends the event again (PLATFORMS.md).
"""

import asyncio
import logging
import math
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from weakref import WeakValueDictionary

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltError
from slack_bolt.response import BoltResponse

from adapters.slack.api import quiet_logger
from adapters.slack.directory import Identity
from adapters.slack.inbound import Click, arrival, author_of, click, people_in
from adapters.slack.outbound import SlackChat
from adapters.slack.rendering import ACTION_PREFIX
from bot.errors import Busy, DeliveryFault, Refused, Unavailable
from bot.ports import Bus

log = logging.getLogger("baton.slack")


class Listeners:
    """What Bolt calls. Each returns when the bus has committed; what it raises is not acknowledged."""

    def __init__(
        self,
        chat: SlackChat,
        bus: Bus,
        identity: Identity,
        errand: Callable[[Coroutine[Any, Any, None]], object],
    ):
        self._chat = chat
        self._bus = bus
        self._identity = identity
        self._errand = errand
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def message(self, event: dict[str, Any]) -> None:
        """A `message` event of any subtype."""
        async with self._turn(event):  # a look-up that takes longer must not let the next message pass
            actors = await self._chat.directory.actors(people_in(event))
            found = arrival(event, actors, self._identity.user_id)
            if found is None:
                return
            arriving = asyncio.ensure_future(self._bus.arrive(found.lane, found.order, found.command))
            await asyncio.sleep(0)  # it queues in its thread before the next one may
        try:
            answer = _whisper_of(await arriving)
        except Refused as refused:
            answer = refused.message
        author = author_of(event)
        if answer and author:
            self._whisper(found.command.place.channel, author, answer, found.command.place.root)

    def _turn(self, event: Mapping[str, Any]) -> asyncio.Lock:
        """One at a time per thread, in the order they came; other threads do not wait."""
        message = event.get("message") or event.get("previous_message") or event
        thread = f"{event.get('channel')}:{message.get('thread_ts') or message.get('ts')}"
        return self._turns.setdefault(thread, asyncio.Lock())

    async def button(self, body: dict[str, Any]) -> None:
        """A click on one of our buttons."""
        pressed = click(body)
        if pressed is None:
            return
        actor = await self._chat.directory.member(pressed.channel, pressed.user_id, pressed.user_name)
        try:
            command = pressed.command(actor)
        except ValueError:
            log.warning("slack: an unknown button was pressed")
            return
        try:
            answer = _whisper_of(await self._bus.submit(command))
        except Refused as refused:
            answer = refused.message
        if answer:
            self._answer(pressed, answer)

    def _answer(self, pressed: Click, text: str) -> None:
        self._whisper(pressed.channel, pressed.user_id, text, pressed.root)

    def _whisper(self, channel: str, user_id: str, text: str, root: str) -> None:
        self._errand(self._say_quietly(channel, user_id, text, root))

    async def _say_quietly(self, channel: str, user_id: str, text: str, root: str) -> None:
        try:
            await self._chat.whisper(channel, user_id, text, root)
        except DeliveryFault as fault:
            log.warning("slack: a whisper could not be shown", extra={"reason": fault.reason})


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
    )

    async def message(event: dict[str, Any]) -> None:
        await listeners.message(event)

    async def button(ack: Any, body: dict[str, Any]) -> None:
        await listeners.button(body)
        await ack()

    async def ignored(ack: Any) -> None:
        await ack()

    async def failed(error: Exception) -> BoltResponse:
        """Socket Mode acknowledges nothing but a 200; over HTTP Slack is told."""
        log.warning("slack: an event was not taken and comes again", extra={"fault": _named(error)})
        missed()
        if isinstance(error, Busy):
            return BoltResponse(
                status=503, headers={"Retry-After": str(max(1, math.ceil(error.retry_after)))}
            )
        return BoltResponse(status=500)

    app.event("message")(message)
    app.event(re.compile(r".*"))(ignored)
    app.action(re.compile(rf"^{ACTION_PREFIX}"))(button)
    app.action(re.compile(r".*"))(ignored)
    app.error(failed)
    return app


def _whisper_of(result: Any) -> str | None:
    found = result.get("whisper") if isinstance(result, dict) else getattr(result, "whisper", None)
    return str(found) if found else None


def _named(error: Exception) -> str:
    """Never the error's own text: it may hold what a customer wrote."""
    if isinstance(error, DeliveryFault):
        return error.reason
    if isinstance(error, Unavailable):
        return "database"
    return "busy" if isinstance(error, Busy | BoltError) else type(error).__name__

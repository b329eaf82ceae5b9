"""Telling somebody what became of what they wrote in a thread, where Discord has nothing that only they could see."""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.discord.answer_view import LAYOUT, layouts
from adapters.discord.rendering import Rendered
from bot.errors import DeliveryFault, Refused
from bot.posts import Answer

if TYPE_CHECKING:
    from adapters.discord.outbound import DiscordChat

log = logging.getLogger("baton.discord")

Errand = Callable[[Coroutine[Any, Any, Any]], object]


@dataclass(frozen=True, slots=True)
class Where:
    """Who did something, and where they look for its answer: a text channel, or the thread `root` in it. `message_id`
    is what they wrote."""

    user_id: str
    channel: str = ""
    root: str = ""
    message_id: str = ""


class Answers:
    """Answers below what was asked. `errand` runs what must not hold up an event."""

    def __init__(self, chat: "DiscordChat", errand: Errand):
        self._chat = chat
        self._errand = errand

    def tell(self, where: Where, answer: Answer | None) -> None:
        """Show it soon."""
        place = where.root or where.channel
        if place and answer is not None and (answer.text or answer.rows or answer.buttons):
            self._errand(self._tell(place, where.message_id, answer))

    async def _tell(self, place: str, message_id: str, answer: Answer) -> None:
        for components in layouts(answer):
            rendered = Rendered(components=components, flags=LAYOUT)
            try:
                await self._chat.say(place, rendered, reply_to=message_id)
            except DeliveryFault as fault:
                log.warning("discord: an answer could not be shown", extra={"reason": fault.reason})
                return


def said(result: Any) -> Answer | None:
    """What a handler's result has to say to the one who asked: an answer, or a `whisper` in it."""
    if isinstance(result, Answer):
        return result
    found = result.get("whisper") if isinstance(result, dict) else getattr(result, "whisper", None)
    if isinstance(found, Answer):
        return found
    return Answer(str(found)) if found else None


def refusal(refused: Refused) -> Answer:
    """The rules said no, and why."""
    return Answer(refused.message)

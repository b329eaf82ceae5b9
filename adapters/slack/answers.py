"""Telling one person what became of what they did, where they look: beside the click, in the thread, in a window."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from adapters.slack.allowance import Importance
from adapters.slack.api import SlackApi
from adapters.slack.clicks import Where
from adapters.slack.rendering import render_answer
from bot.errors import DeliveryFault, Refused
from bot.posts import Answer

log = logging.getLogger("baton.slack")

Errand = Callable[[Coroutine[Any, Any, None]], object]


class Answers:
    """Nothing here may fail what was done: an answer that cannot be shown is logged, and that is all."""

    def __init__(self, api: SlackApi, errand: Errand):
        self._api = api
        self._errand = errand

    def tell(self, where: Where, answer: Answer | None, *, instead: bool = False) -> None:
        """Show it soon. `instead`: in the place of the whisper that was clicked."""
        if answer is not None and (answer.text or answer.rows or answer.buttons):
            self._errand(self._tell(where, answer, instead))

    async def _tell(self, where: Where, answer: Answer, instead: bool) -> None:
        body = payload(answer)
        ways = [self._whisper] if where.channel else []
        if where.response_url:
            ways.insert(0 if where.ephemeral else len(ways), self._respond)
        for way in ways:
            try:
                await way(where, body, instead)
            except DeliveryFault as fault:
                log.warning("slack: a whisper could not be shown", extra={"reason": fault.reason})
            else:
                return

    async def _respond(self, where: Where, body: dict[str, Any], instead: bool) -> None:
        """Works where the bot is no member, too."""
        thread = {"thread_ts": where.root} if where.root else {}
        beside = {"response_type": "ephemeral", "replace_original": instead}
        await self._api.answer(where.response_url, beside | thread | body)

    async def _whisper(self, where: Where, body: dict[str, Any], instead: bool) -> None:
        await self._api.call(
            "chat.postEphemeral",
            importance=Importance.ANSWER,
            channel=where.channel,
            user=where.user_id,
            thread_ts=where.root or None,
            **body,
        )


def payload(answer: Answer) -> dict[str, Any]:
    """An answer as `text` and `blocks`."""
    rendered = render_answer(answer)
    return {"text": rendered.text, "blocks": rendered.blocks}


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

"""The slash command, answered within three seconds, to the one who typed it only.

Slack has no slash commands inside threads, so the command takes a case's number; there the bot's mention does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from adapters.slack.answers import Answers, Errand, payload, refusal
from adapters.slack.clicks import Where
from adapters.slack.modals import ANSWER_WITHIN, ActorOf, ended
from adapters.slack.words import numbered
from bot import texts
from bot.errors import Busy, DeliveryFault, Refused
from bot.people import Actor
from bot.ports import Desk
from bot.posts import Answer

log = logging.getLogger("baton.slack")

HELP = "help"
ActorsOf = Callable[[Sequence[str]], Awaitable[Mapping[str, Actor]]]


class SlashCommand:
    """Answers in the acknowledgement if it can, and beside it if that takes longer."""

    def __init__(self, desk: Desk, answers: Answers, actor_of: ActorOf, actors_of: ActorsOf, errand: Errand):
        self._desk = desk
        self._answers = answers
        self._actor_of = actor_of
        self._actors_of = actors_of
        self._errand = errand

    async def run(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What Slack is answered."""
        where = Where(
            user_id=str(body.get("user_id") or ""),
            user_name=str(body.get("user_name") or ""),
            response_url=str(body.get("response_url") or ""),
            ephemeral=True,
        )
        asking = asyncio.ensure_future(self._ask(where, body))
        self._errand(ended(asking))  # what was begun is not cut short
        done, _ = await asyncio.wait({asking}, timeout=ANSWER_WITHIN)
        if done:
            return {"response_type": "ephemeral", **payload(asking.result())}
        self._errand(self._late(asking, where))
        return {"response_type": "ephemeral", "text": texts.answers.takes_a_moment()}

    async def _ask(self, where: Where, body: Mapping[str, Any]) -> Answer:
        """Whoever typed is told something, whatever happens."""
        words, ids = numbered(str(body.get("text") or ""))
        try:
            actor, actors = await self._actor_of(where), await self._actors_of(ids)
            people = [actors[one] for one in ids]
            named = str(body.get("trigger_id") or "")
            return await self._desk.ask(words or HELP, actor, people=people, id=named)
        except Refused as refused:
            return refusal(refused)
        except (Busy, DeliveryFault):
            return Answer(texts.answers.busy_now())
        except Exception as error:  # noqa: BLE001
            log.error("slack: a command failed", extra={"fault": type(error).__name__})
            return Answer(texts.answers.busy_now())

    async def _late(self, asking: "asyncio.Future[Answer]", where: Where) -> None:
        self._answers.tell(where, await asking, instead=True)

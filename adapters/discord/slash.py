"""What stands behind `/handoff`: the words a subcommand means, whose case it is about, what may be meant while somebody
types, and "Send to shopper" on a message.

Each subcommand becomes the words that the same verb has anywhere else, so what may be asked, how it is judged and what
it is answered is the desk's. In a case's thread the case is left out.
"""

import asyncio
import logging

from adapters.discord.answer_view import says
from adapters.discord.clicks import Clicks
from adapters.discord.directory import Directory
from adapters.discord.forms import Forms
from adapters.discord.taking import Taking, place_of
from adapters.discord.turns import Interaction, Turn
from adapters.discord.words import numbered
from bot import texts, verbs
from bot.boards import Look, View
from bot.commands import SendMessage
from bot.errors import Busy, DeliveryFault, Refused, Unavailable
from bot.forms import Option
from bot.posts import Answer
from bot.splitting import clip
from bot.suggestions import Sought
from bot.verbs import Act

log = logging.getLogger("baton.discord")

Choice = tuple[str, str]
"""What is shown, and what it stands for."""
SUGGEST_WITHIN = 2.0
CHOICE = 100
_ASKED_TWICE = frozenset({Act.CLAIM, Act.TAKE_OVER})
"""Verbs whose answer may be a question: whether they mean to take it from somebody."""


class Asking:
    """What the commands share."""

    def __init__(self, taking: Taking, directory: Directory, clicks: Clicks, forms: Forms):
        self._taking, self._directory, self._clicks, self._forms = taking, directory, clicks, forms

    async def about_case(
        self, interaction: Interaction, act: Act, case: str | None, *words: str | None
    ) -> None:
        """A verb about a case."""

        async def asked(turn: Turn) -> Answer:
            number, said = await self._case(turn.interaction, case)
            if number is None and not said:  # or a number in the words would be taken for a case's
                example = verbs.example(act, in_thread=False)
                return Answer(texts.answers.number_missing(str(act), example))
            return await self._ask(turn, " ".join(filter(None, (act.value, said, *words))), number)

        once = act not in _ASKED_TWICE
        await self._taking.take(
            interaction, lambda turn: self._taking.show(turn, asked(turn), asked=not once)
        )

    async def about_none(self, interaction: Interaction, act: Act, *words: str | None) -> None:
        """A verb that is about no case."""
        text = " ".join(filter(None, (act.value, *words)))
        await self._taking.take(
            interaction, lambda turn: self._taking.show(turn, self._ask(turn, text, None))
        )

    async def look(self, interaction: Interaction, view: View, page: int | None) -> None:
        """The queue as that person sees it."""
        look = Look(view, page=(page or 1) - 1)
        await self._taking.take(interaction, lambda turn: self._clicks.look(turn, look))

    async def reply(self, interaction: Interaction, saved: str, case: str | None) -> None:
        """A saved reply, read over before it leaves."""

        async def opened(turn: Turn) -> None:
            number, said = await self._case(interaction, case)
            if number is not None:
                await self._forms.open_reply(turn, number, saved)
            elif said:
                await turn.say(says(texts.slash.no_case_called(said)))
            else:
                await turn.say(says(texts.answers.number_missing("reply", "reply 1042")))

        await self._taking.take(interaction, opened)

    async def send(self, interaction: Interaction, message_id: str) -> None:
        """The message that somebody pointed at leaves after all."""

        async def sent(turn: Turn) -> Answer:
            place = place_of(interaction)
            if not place.root:
                return Answer(texts.answers.not_our_thread())
            command = SendMessage(place, message_id, await self._taking.actor(turn))
            return await self._taking.result(command) or Answer(texts.windows.WINDOW_DONE)

        await self._taking.take(interaction, lambda turn: self._taking.show(turn, sent(turn)))

    async def failed(self, interaction: Interaction) -> None:
        """A command that could not even be begun; nothing if it was answered already."""
        await self._taking.take(interaction, lambda turn: turn.say(says(texts.slash.not_known_here())))

    async def _ask(self, turn: Turn, text: str, number: int | None) -> Answer:
        words, ids = numbered(text)
        actor = await self._taking.actor(turn)
        found = await self._directory.actors(ids, place_of(turn.interaction).channel) if ids else {}
        people = [found[one] for one in ids]
        return await self._taking.desk.ask(words, actor, number=number, people=people, id=f"slash:{turn.id}")

    async def _case(self, interaction: Interaction, case: str | None) -> tuple[int | None, str]:
        """The case that is meant: its number, or what was written instead of one."""
        given = (case or "").strip()
        bare = given.lstrip("#")
        if bare.isdecimal() and len(bare) <= 9:
            return int(bare), ""
        place = place_of(interaction)
        if given or not place.root:
            return None, given
        return await self._taking.desk.case_at(place), ""

    # Suggestions

    async def suggested(self, interaction: Interaction, sought: Sought, typed: str) -> list[Choice]:
        """What fits so far. Whatever goes wrong, nothing is suggested: it can always be written out."""
        try:
            async with asyncio.timeout(SUGGEST_WITHIN):
                return await self._suggested(interaction, sought, typed)
        except (Refused, Busy, DeliveryFault, Unavailable, TimeoutError):
            return []
        except Exception as error:  # noqa: BLE001  the root of the task
            log.error("discord: nothing could be suggested", extra={"fault": type(error).__name__})
            return []

    async def _suggested(self, interaction: Interaction, sought: Sought, typed: str) -> list[Choice]:
        if not self._taking.is_here(interaction):
            return []
        actor = await self._directory.actor_of(interaction.user, place_of(interaction).channel)
        case = None if sought is Sought.CASE else getattr(interaction.namespace, "case", None)
        number, _ = (None, "") if sought is Sought.CASE else await self._case(interaction, case)
        bare = typed.removeprefix("<@").removesuffix(">")  # somebody who was picked already
        found = await self._taking.desk.suggest(sought, bare, actor, number)
        choices = [(_shown(one), _value(sought, one)) for one in found]
        return [(name, value) for name, value in choices if 0 < len(value) <= CHOICE]


def _shown(one: Option) -> str:
    """A suggestion in one line."""
    return clip(" ".join(f"{one.label} · {one.hint}".split()) if one.hint else one.label, CHOICE) or "…"


def _value(sought: Sought, one: Option) -> str:
    """What is put into the command: an account as its mention, which stands for nobody else."""
    return f"<@{one.value}>" if sought is Sought.PERSON and one.value.isdigit() else one.value

"""What people press and choose in Discord: which command or question it is, and what they are told, to them only. What
changes something is answered after its commit.
"""

import logging
from typing import Any

from adapters.discord import queue_view
from adapters.discord.answer_view import dealt_with, layouts, lists_case, says
from adapters.discord.board import eye_of
from adapters.discord.components import CHANGE, EARLIER, LOOK, NOTHING, SEND, Pressed
from adapters.discord.forms import Forms
from adapters.discord.queue_view import AWAY, BACK
from adapters.discord.selects import Selects
from adapters.discord.taking import Taking
from adapters.discord.turns import Interaction, Turn, layout
from bot import texts
from bot.boards import Look, View
from bot.commands import from_button
from bot.posts import FORMS, Action, Answer

log = logging.getLogger("baton.discord")

MOST_SHARED_PAGES = 10

SAY_WHAT_THEY_DID = frozenset({Action.RETRY, Action.HAND_OVER})
"""Nothing else shows at once that these did something."""


class Clicks:
    """Takes what is pressed and chosen."""

    def __init__(self, taking: Taking, forms: Forms, selects: Selects):
        self._taking, self._forms, self._selects = taking, forms, selects

    async def pressed(self, interaction: Interaction, what: Pressed) -> None:
        """For `pressing.hear`."""
        await self._taking.take(interaction, lambda turn: self._pressed(turn, what))

    async def _pressed(self, turn: Turn, what: Pressed) -> None:
        if what.select:
            self._selects.used(turn, what)
        try:
            await self._do(turn, what)
        except ValueError:
            log.warning("discord: an unknown button was pressed")
            await turn.say(says(texts.windows.button_unknown()))

    async def _do(self, turn: Turn, what: Pressed) -> None:
        name = what.name
        if name == NOTHING:
            await turn.replace(layout(says(texts.windows.nothing_changed())))
        elif name == LOOK:
            await self.look(turn, queue_view.look_of(what.value), again=turn.own)
        elif name in (AWAY, BACK):
            await self._presence(turn, what)
        elif name == CHANGE:
            await self._forms.again(turn, what)
        elif name == SEND:
            await self._forms.send(turn, what)
        elif name in FORMS:
            await self._forms.open(turn, Action(name), what.number)
        elif what.asks:
            await self._taking.show(turn, self._question(turn, what), asked=True)
        elif name in (Action.SHOW, Action.PAGE):
            await self._turned(turn, Action(name), what.value)
        else:
            await self._command(turn, what)

    async def _question(self, turn: Turn, what: Pressed) -> Answer:
        """How the case stands now, and whether they mean it: a claim of a taken case asks a lead just that."""
        return await self._taking.desk.ask(
            f"{Action.CLAIM} {what.number}", await self._taking.actor(turn), id=f"ask:{turn.id}"
        )

    async def _turned(self, turn: Turn, action: Action, value: str) -> None:
        """More of the same: a page in the place of the one before, a whole case beside the listing."""

        async def asked() -> Answer:
            return await self._taking.desk.press(action, value, await self._taking.actor(turn), turn.id)

        if action is Action.PAGE and turn.own and turn.is_layout:
            answer = await turn.wait(self._taking.begun(asked()))
            await turn.replace(layout(layouts(answer)[0]))
        else:
            await self._taking.show(turn, asked())

    async def _command(self, turn: Turn, what: Pressed) -> None:
        """A button that changes something: answered after the commit."""
        answer = await turn.wait(self._taking.begun(self._carried_out(turn, what)))
        number = what.value.partition(":")[0]
        here = number.isdecimal() and turn.is_layout and lists_case(turn.components, int(number))
        more = answer is not None and bool(answer.rows or answer.buttons)
        if here and turn.own and not more:
            word = answer.text if answer is not None else texts.windows.WINDOW_DONE
            await turn.replace(layout(dealt_with(turn.components, int(number), word)))
        elif turn.own and what.name == Action.STEP_IN:
            await turn.replace(layout(layouts(answer or Answer(texts.answers.did_claim(int(number))))[0]))
        elif answer is not None:
            for components in layouts(answer):
                await turn.say(components)
        elif turn.is_layout and not turn.own and here:
            await turn.say(says(texts.windows.WINDOW_DONE))  # the case's card is somewhere else
        else:
            await turn.nothing()

    async def _carried_out(self, turn: Turn, what: Pressed) -> Answer | None:
        actor, action = await self._taking.actor(turn), Action(what.name)
        if action in SAY_WHAT_THEY_DID:
            return await self._taking.desk.press(action, what.value, actor, turn.id)
        value = await self._named(what.value) if action is Action.SHARE_OUT else what.value
        return await self._taking.result(from_button(action, value, actor))

    async def _named(self, value: str) -> str:
        """A brief's cases. Where its button had no room for them: what waits of those that there were by then."""
        team, _, numbers = value.partition(":")
        if not numbers.startswith(EARLIER):
            return value
        newest = int(numbers.removeprefix(EARLIER))
        one = eye_of(team)
        found: list[int] = []
        for page in range(MOST_SHARED_PAGES):
            board = await self._taking.desk.board(one, Look(View.UNCLAIMED, page=page))
            found += [row.number for row in board.rows if row.number <= newest]
            if page + 1 >= board.pages:
                break
        return f"{team}:{','.join(map(str, found))}" if found else f"{team}:{newest}"

    # The queue

    async def look(self, turn: Turn, look: Look, *, again: bool = False) -> None:
        """One page of the queue as that person sees it; `again`: in the place of the page it was asked on."""

        async def looked() -> Any:
            return queue_view.window(await self._taking.desk.board(await self._taking.actor(turn), look))

        components = await turn.wait(self._taking.begun(looked()))
        if again and turn.is_layout:
            await turn.replace(layout(components))
        else:
            await turn.say(components)

    async def _presence(self, turn: Turn, what: Pressed) -> None:
        """Away or back: the window says so, and their open cases are listed."""

        async def asked() -> Answer:
            return await self._taking.desk.ask(
                what.name, await self._taking.actor(turn), id=f"click:{turn.id}"
            )

        answer = await turn.wait(self._taking.begun(asked()))
        if turn.own and turn.is_layout:
            look = queue_view.look_of(what.value.partition(":")[2])
            await self.look(turn, look, again=True)
        for components in layouts(answer):
            await turn.say(components)

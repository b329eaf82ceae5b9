"""Forms: opened as a modal at once or not at all, since a modal can only be the first answer to a click; filled in,
given to the desk, and what was refused given back to its writer.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from adapters.discord import form_view
from adapters.discord.answer_view import dealt_with, layouts, lists_case, says
from adapters.discord.components import Pressed
from adapters.discord.taking import Taking
from adapters.discord.turns import Interaction, Turn, layout
from bot import texts
from bot.errors import Busy, DeliveryFault, Refused, Unavailable
from bot.forms import Form
from bot.posts import Action, Answer

log = logging.getLogger("baton.discord")

FORM_WITHIN = 2.0
"""Seconds for a form to be made; Discord waits three for it to be shown."""


class Forms:
    """What stands behind the buttons that ask something first."""

    def __init__(self, taking: Taking):
        self._taking = taking

    async def open(
        self, turn: Turn, action: Action, number: int, values: form_view.Values | None = None
    ) -> None:
        """The form behind a button."""

        async def made() -> dict[str, Any]:
            form = await self._taking.desk.form(action, number, await self._taking.actor(turn))
            return form_view.modal(form, turn.id, values)

        await self._opened(turn, made())

    async def open_reply(self, turn: Turn, number: int, picked: str) -> None:
        """A saved reply by its name: at once its text."""

        async def made() -> dict[str, Any]:
            actor = await self._taking.actor(turn)
            form = await self._taking.desk.submit(
                Action.SAVED_REPLY, number, {"reply": picked}, actor, turn.id
            )
            assert isinstance(form, Form), "what was picked is read over first"
            return form_view.modal(form, turn.id)

        await self._opened(turn, made())

    async def _opened(self, turn: Turn, making: Coroutine[Any, Any, dict[str, Any]]) -> None:
        try:
            async with asyncio.timeout(FORM_WITHIN):
                modal = await making
        except TimeoutError:
            await turn.say(says(texts.windows.form_not_opened()))
        else:
            await turn.open(modal)

    async def again(self, turn: Turn, what: Pressed) -> None:
        """A form that was refused, or a saved reply that is read over, with what is kept in the draft."""
        name, number, *kept_with_it = what.value.split(":")
        action = Action(name)
        named, seen = form_view.kept_of(kept_with_it)
        opened = named or turn.id
        text = form_view.kept_text(turn.embeds)
        if action is Action.SAVED_REPLY and text:
            await turn.open(form_view.modal(form_view.reply_form(int(number), text), opened))
            return

        async def made() -> dict[str, Any]:
            asked = await self._taking.desk.form(action, int(number), await self._taking.actor(turn))
            form = form_view.as_seen(asked, seen)
            kept = form_view.kept_values(form, turn.embeds) if turn.embeds else None
            return form_view.modal(form, opened, kept)

        await self._opened(turn, made())

    async def send(self, turn: Turn, what: Pressed) -> None:
        """A saved reply that was read over, as it stands. The draft names it: pressed twice, it leaves once."""
        values = {"text": form_view.kept_text(turn.embeds)}
        await self._stored(turn, Action.SAVED_REPLY, what.number, values, f"draft:{turn.message_id}")

    async def submitted(self, interaction: Interaction) -> None:
        """A modal was sent. Ours carry their meaning in their name, so one opened before a restart counts too."""
        data: Any = interaction.data or {}
        try:
            action, number, opened = form_view.task_of(str(data.get("custom_id") or ""))
        except ValueError:
            return
        values = form_view.values_of(data.get("components") or ())
        await self._taking.take(
            interaction,
            lambda turn: self._stored(turn, action, number, values, form_view.named_of(opened)),
        )

    async def _stored(
        self, turn: Turn, action: Action, number: int, values: dict[str, str], named: str
    ) -> None:
        async def storing() -> Answer | Form:
            return await self._taking.desk.submit(
                action, number, values, await self._taking.actor(turn), named
            )

        try:
            result = await turn.wait(self._taking.begun(storing()))
        except Exception as error:  # noqa: BLE001  whatever it was, what somebody wrote is not lost
            drafting = self._draft(turn, action, number, values, _why(error), named)
            await self._kept(turn, await turn.wait(self._taking.begun(drafting)))
            return
        if isinstance(result, Form):
            await self._kept(turn, form_view.read_over(result))
        else:
            await self._done(turn, number, result)

    async def _draft(
        self, turn: Turn, action: Action, number: int, values: dict[str, str], why: str, named: str
    ) -> dict[str, Any]:
        """What they wrote, back to them. The form says what its fields are called; without it their names do."""
        if action is Action.SAVED_REPLY and "text" in values:
            return form_view.draft(form_view.reply_form(number, values["text"]), values, why, named)
        try:
            form = await self._taking.desk.form(action, number, await self._taking.actor(turn))
        except Exception:  # noqa: BLE001  the same
            form = form_view.nameless(action, number, values)
        return form_view.draft(form, values, why, named)

    async def _kept(self, turn: Turn, draft: dict[str, Any]) -> None:
        """In the place of an earlier draft, else beside what it was done on."""
        if turn.own and not turn.is_layout:
            await turn.replace(draft)
        else:
            await turn.send(draft)

    async def _done(self, turn: Turn, number: int, answer: Answer) -> None:
        plain = not (answer.rows or answer.buttons)
        if plain and turn.own and not turn.is_layout:
            await turn.replace(form_view.said(answer.text))
        elif plain and turn.own and lists_case(turn.components, number):
            await turn.replace(layout(dealt_with(turn.components, number, answer.text)))
        else:
            for components in layouts(answer):
                await turn.say(components)


def _why(error: Exception) -> str:
    """What the rules said, or that something is broken; never an error's own text."""
    if isinstance(error, Refused):
        return error.message
    if not isinstance(error, Busy | DeliveryFault | Unavailable):
        log.error("discord: a form failed", extra={"fault": type(error).__name__})
    return texts.answers.busy_now()

"""Where discord.py hands over what people press: one class for buttons, one for selects, by their names alone, so that
messages of an earlier process work too. Whoever listens is known by the client they came through."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self
from weakref import WeakKeyDictionary

import discord
from discord import ui

from adapters.discord.components import CHOOSE, PRESS, Pressed, pressed

Handler = Callable[["discord.Interaction[Any]", Pressed], Awaitable[None]]
_HANDLERS: WeakKeyDictionary[discord.Client, Handler] = WeakKeyDictionary()


def hear(client: discord.Client, handler: Handler) -> None:
    """From now on `handler` is told of whatever is pressed on any message of ours, however old."""
    _HANDLERS[client] = handler
    client.add_dynamic_items(Press, Choose)


async def _tell(interaction: "discord.Interaction[Any]", what: Pressed) -> None:
    handler = _HANDLERS.get(interaction.client)
    if handler is not None:
        await handler(interaction, what)


class Press(ui.DynamicItem[ui.Button[Any]], template=re.compile(rf"{PRESS}[a-z_]+:.*", re.DOTALL)):
    """A button."""

    @classmethod
    async def from_custom_id(
        cls, interaction: "discord.Interaction[Any]", item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The one that was pressed."""
        return cls(ui.Button(label="…", custom_id=match[0]))

    async def callback(self, interaction: "discord.Interaction[Any]") -> None:
        """Tell whoever listens."""
        await _tell(interaction, pressed(self.custom_id))


class Choose(ui.DynamicItem[ui.Select[Any]], template=re.compile(rf"{CHOOSE}[a-z_]+:.*", re.DOTALL)):
    """A select, each of whose options is like a button."""

    @classmethod
    async def from_custom_id(
        cls, interaction: "discord.Interaction[Any]", item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The one in which something was chosen."""
        return cls(ui.Select(custom_id=match[0], options=[discord.SelectOption(label="…")]))

    async def callback(self, interaction: "discord.Interaction[Any]") -> None:
        """Tell whoever listens, as if that option had been a button."""
        for value in self.item.values[:1]:
            await _tell(interaction, pressed(value, self.custom_id))

"""The whole house with its team in Discord: Baton with the real discord.py, a guild, a store and its shoppers."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from bot.settings import Settings, load
from bot.wiring import Baton
from tests.fakes.discord import FakeDiscord, Interaction, Message, pointed_at
from tests.fakes.discord.components import SELECTS, walk
from tests.journeys.shop import API_KEY, WEBHOOK_SECRET, Shop
from tests.journeys.world import ADMIN_TOKEN, World


class DiscordWorld(World):
    """One store, one team (or `others` beside it) in Discord, and Baton."""

    def __init__(self, database: str, **policy: Any) -> None:
        self.others: tuple[str, ...] = policy.pop("others", ())
        self.replies = policy.pop("replies", ())
        super().__init__(database, None, slack=False, **policy)
        self.discord = FakeDiscord()
        self._pointed = ExitStack()

    async def start(self) -> None:
        await self.discord.start()
        self._pointed.enter_context(pointed_at(self.discord, hurried=True))
        self.channel = self.discord.add_channel("support")
        self.rooms = {name: self.discord.add_channel(name) for name in self.others}
        self.dana, self.bob = self.discord.add_user("Dana Miller"), self.discord.add_user("Bob Ray")
        self.lena = self.discord.add_user("Lena Lead", lead=True)
        await self.shop.start()
        await self.start_baton(0)

    async def start_baton(self, port: int) -> None:
        self.baton = Baton(self._settings(port))
        await self.baton.start()
        self.shop.baton = self.url
        await self.discord.connected()

    def _settings(self, port: int) -> Settings:
        settings = load(
            {
                "BATON_DATABASE_URL": self._database,
                "BATON_SECRET": "s" * 32,
                "BATON_API_KEY": API_KEY,
                "BATON_ADMIN_TOKEN": ADMIN_TOKEN,
                "BATON_PORT": str(port),
                "WEBHOOK_URL": f"{self.shop.url}/webhook",
                "WEBHOOK_SECRET": WEBHOOK_SECRET,
                "BATON_FILES_URL": f"file://{self._files.name}",
                "DISCORD_TOKEN": self.discord.token,
                "DISCORD_GUILD_ID": self.discord.guild_id,
                "DISCORD_API_URL": self.discord.api_url,
                "DISCORD_GATEWAY_URL": self.discord.gateway_url,
                "DISCORD_CHANNEL_ID": self.channel,
            }
        )
        store = replace(settings.stores["main"], origins=(self.shop.url,), brand="Lumen & Oak")
        team = replace(settings.teams["support"], **self._policy)
        others = {name: replace(team, name=name, channel=room) for name, room in self.rooms.items()}
        return replace(
            settings, timing=self.timing, stores={"main": store}, teams={"support": team, **others},
            replies=tuple(self.replies), queue_seconds=30.0,
        )  # fmt: skip

    async def stop(self) -> None:
        await self.baton.stop()
        await self.shop.stop()
        await self.discord.stop()
        self._pointed.close()
        self._files.cleanup()

    # What stands there

    def cards(self) -> list[Message]:
        """Every case's card, oldest first."""
        found = self.discord.messages(self.channel)
        return [
            one
            for one in found
            if one.author == self.discord.bot_id and one.content.startswith(("**#", "🔴"))
        ]

    def board(self, channel: str = "") -> Message | None:
        """The board of a channel, if there is one."""
        found = [
            one
            for one in self.discord.messages(channel or self.channel)
            if "choose:board:" in str(one.components)
        ]
        assert len(found) < 2, "two boards"
        return found[0] if found else None

    async def card(self, number: int) -> Message:
        """That case's card, once its thread stands."""

        def stands() -> Message | None:
            found = [one for one in self.cards() if f"#{number}" in one.content]
            return found[0] if found and self.discord.thread(self.channel, found[0].id)[1:] else None

        return await self.discord.wait_for(stands)

    # What people do

    async def press(self, user: str, message: Message, action: str) -> Interaction:
        """Press a button of a message, or choose that entry of one of its selects, once it is there."""
        pressed = await self.discord.wait_for(lambda: pressable(message, action))
        kind, name = pressed
        if kind == "button":
            interaction = await self.discord.click(user, message.channel_id, message.id, name)
        else:
            interaction = await self.discord.choose(user, message.channel_id, message.id, kind, [name])
        await interaction.outcome()
        assert not interaction.failed, "Discord says that the interaction failed"
        return interaction

    async def type(self, user: str, command: str, channel: str = "", **options: Any) -> Interaction:
        """`/handoff` and what follows; its answer."""
        await self.discord.wait_for(lambda: self.discord.commands)
        interaction = await self.discord.command(
            user, channel or self.channel, f"handoff {command}", **options
        )
        await interaction.outcome()
        assert not interaction.failed, "Discord says that the command failed"
        return interaction

    async def fill(self, user: str, opened: Interaction, **values: Any) -> Interaction:
        """Fill in the form that something opened, and send it."""
        assert opened.modal is not None, opened.text
        interaction = await self.discord.submit(user, opened.modal, values)
        await interaction.outcome()
        assert not interaction.failed, "Discord says that the form failed"
        return interaction


def pressable(message: Message, action: str) -> tuple[str, str] | None:
    """Where an action stands: ("button", its name), or (a select's name, the entry's)."""
    wanted = (f"baton:{action}:", f"baton:ask:{action}:")
    exact = (f"baton:{action}", f"baton:ask:{action}")
    for one in walk(message.components):
        name = str(one.get("custom_id") or "")
        if name.startswith(wanted) or name in exact:
            return "button", name
    for one in walk(message.components):
        if one["type"] in SELECTS:
            for option in one.get("options") or ():
                if option["value"].startswith(wanted) or option["value"] in exact:
                    return str(one["custom_id"]), str(option["value"])
    return None


__all__ = ["DiscordWorld", "Shop", "pressable"]

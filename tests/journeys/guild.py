"""A `World` whose team is in Discord: what a journey asks of threads and cards, by the same names as in Slack."""

from dataclasses import replace
from typing import Any

from playwright.async_api import Browser

from adapters.discord.outbound import REACTIONS
from bot.commands import MoveToTeam
from bot.people import Actor, Role
from bot.posts import Receipt
from bot.settings import Settings, Slack, TeamPolicy
from bot.wiring import Baton
from tests.fakes.discord import FakeDiscord, Interaction, Message
from tests.fakes.discord.components import walk
from tests.journeys.discord_world import DiscordWorld, pressable


class GuildThread:
    """See `tests.journeys.world.Thread`."""

    RICH = "Hi Sarah, it is **refunded**. See [your receipt](https://shop.example/r) 🎉"

    def __init__(self, world: "Guild", root: Message) -> None:
        self.world, self.discord = world, world.discord
        self.channel, self.root = root.channel_id, root.id

    @property
    def _root(self) -> Message:
        return self.discord.message(self.channel, self.root)

    @property
    def card(self) -> str:
        return self.discord.text_of(self._root)

    @property
    def posts(self) -> list[Message]:
        return self.discord.thread(self.channel, self.root)[1:]

    @property
    def ours(self) -> str:
        """Everything Baton wrote below the card, as it is shown: a webhook's name stands before its words."""
        return "\n".join(map(self._seen, filter(self._is_ours, self.posts)))

    def _is_ours(self, post: Message) -> bool:
        return post.author == self.discord.bot_id or bool(post.webhook_id)

    def _seen(self, post: Message) -> str:
        name = f"**{post.username}**  " if post.webhook_id else ""
        return name + self.discord.text_of(post)

    async def says(self, text: str, times: int = 1) -> None:
        await self.discord.wait_for(lambda: self.ours.count(text) == times)

    async def hears(self, name: str, text: str) -> None:
        """Wait until that person said so, by what Baton shows."""
        said = [f"**{who}**  {text}" for who in (name, f"{name} (Shopper)")]
        await self.discord.wait_for(lambda: sum(self.ours.count(one) for one in said) == 1)

    async def write(self, user: str, text: str) -> str:
        return await self.discord.post(user, self.channel, text, self.root)

    async def edit(self, message: str, text: str) -> None:
        await self.discord.edit(self.root, message, text)

    async def delete(self, message: str) -> None:
        await self.discord.delete(self.root, message)

    async def press(self, user: str, action: str, message: str | None = None) -> Interaction:
        place = self.channel if message in (None, self.root) else self.root
        return await self.world.press(user, self.discord.message(place, message or self.root), action)

    async def claim(self, user: str) -> None:
        await self.press(user, "claim")
        await self.discord.wait_for(lambda: "resolve" in self.buttons())

    def buttons(self, message: str | None = None) -> list[str]:
        """The actions that can be pressed on the card, or on that post."""
        found = self._root if message is None else self.discord.message(self.root, message)
        return actions(found)

    def offers(self) -> list[Message]:
        return [post for post in self.posts if self._is_ours(post) and actions(post)]

    async def offer(self, action: str) -> Message:
        await self.discord.wait_for(lambda: any(action in actions(post) for post in self.offers()))
        (offer,) = self.offers()
        return offer

    async def has_receipt(self, message: str, receipt: Receipt) -> None:
        """Wait until that is the message's only reaction."""
        reactions = self.discord.message(self.root, message).reactions
        wanted = [REACTIONS[receipt]]
        await self.discord.wait_for(lambda: [one for one, users in reactions.items() if users] == wanted)


def actions(message: Message) -> list[str]:
    """The actions that can be pressed on a message, in their order."""
    names = [str(one["custom_id"]).split(":") for one in walk(message.components) if one.get("custom_id")]
    return [name[2] if name[1] == "ask" else name[1] for name in names if name[0] == "baton"]


class Guild(DiscordWorld):
    """The `World` of the journeys that are made on every platform."""

    def __init__(self, database: str, browser: Browser | None = None, **policy: Any) -> None:
        super().__init__(database, **policy)
        self._browser = browser

    @property
    def chat(self) -> FakeDiscord:
        return self.discord

    def hire(self, name: str, **traits: Any) -> str:
        traits["lead"] = traits.pop("admin", False)
        return self.discord.add_user(name, **traits)

    async def start_baton(self, port: int) -> None:
        await super().start_baton(port)
        await self.connected()

    async def connected(self) -> None:
        """Wait until Discord's events reach Baton, and what was missed has been read."""
        await self.discord.wait_for(lambda: all(one.connected for one in self.baton._platforms))

    async def add_replica(self) -> str:
        """One more Baton on the same database. The gateway stays where it is."""
        replica = Baton(self._settings(0))
        await replica.start()
        self.replicas.append(replica)
        return f"http://127.0.0.1:{replica.web.port}"

    def threads(self) -> list[GuildThread]:  # type: ignore[override]
        return [GuildThread(self, root) for root in self.cards()]

    async def thread(self, index: int = 0) -> GuildThread:  # type: ignore[override]
        await self.discord.wait_for(lambda: len(self.threads()) > index and self.threads()[index].posts)
        return self.threads()[index]

    async def stop(self) -> None:
        for tap in self._taps:
            tap.cancel()
        for context in self._contexts:
            await context.close()
        for replica in self.replicas:
            await replica.stop()
        await super().stop()


class Both(Guild):
    """One deployment for a team in Discord and one in Slack, `vip`."""

    async def start(self) -> None:
        await self.slack.start()
        self.slack.add_channel("vip")
        await super().start()
        await self.slack.connected()

    def _settings(self, port: int) -> Settings:
        settings = super()._settings(port)
        slack = Slack(self.slack.bot_token, self.slack.app_token, self.slack.api_url, limits=False)
        vip = TeamPolicy("vip", "slack", "#vip")
        return replace(settings, slack=slack, teams={**settings.teams, "vip": vip})

    async def move(self, team: str) -> None:
        """A lead of Discord moves the first case to another team."""
        lead = Actor("discord", self.lena, "Lena Lead", Role.LEAD)
        await self.baton.bus.submit(MoveToTeam((await self.case())["number"], lead, team))

    def in_slack(self) -> str:
        """Everything that Baton wrote there."""
        channel = next(one.id for one in self.slack.world.channels.values() if one.name == "vip")
        return "\n".join(self.slack.text_of(one) for one in self.slack.messages(channel) if one.bot_id)

    async def stop(self) -> None:
        await super().stop()
        await self.slack.stop()


__all__ = ["Both", "Guild", "GuildThread", "actions", "pressable"]

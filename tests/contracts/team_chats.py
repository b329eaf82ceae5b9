"""The harness of each `TeamChat`: how a test plays the people and the trouble behind it.

A new platform adds a class and a line in `HARNESSES`; the suite is `test_team_chat`.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal, Protocol

from adapters.console.outbound import ConsoleChat, Present
from adapters.discord.outbound import REACTIONS as DISCORD_REACTIONS
from adapters.discord.outbound import DiscordChat
from adapters.slack.outbound import REACTIONS, SlackChat
from bot.people import Actor, Role
from bot.ports import TeamChat
from bot.posts import Card, Place, Post, Posted, Receipt
from bot.settings import Discord, Settings, Slack, Timing, load
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import Message as DiscordMessage
from tests.fakes.slack import FakeSlack, Fault, Message

Trouble = Literal["rate_limit", "commit_then_drop", "drop", "refuse", "unauthorised"]
TROUBLES = frozenset(("rate_limit", "commit_then_drop", "drop", "refuse", "unauthorised"))
RETRY_AFTER = 7.0


class Harness(Protocol):
    """What the suite asks of a platform beside the port. `channel` is as a team's policy names it.

    What a platform can do or suffer stands beside its harness in `HARNESSES`; a test names what it needs.
    """

    chat: TeamChat
    channel: str
    operator: str
    lead: str

    async def say(self, place: Place, text: str) -> str:
        """The operator writes in the thread; the message's id."""
        ...

    async def say_as_bot(self, place: Place, text: str) -> None:
        """Another program writes in the thread."""
        ...

    async def edit(self, place: Place, remote_id: str, text: str) -> None: ...

    def shown(self, place: Place) -> list[str]:
        """What people can read in the thread, the root first."""
        ...

    def strays(self, place: Place) -> list[str]:
        """Our posts in the channel that are no thread's root."""
        ...

    def marks(self, place: Place, remote_id: str) -> set[Receipt]: ...

    def pinged(self, place: Place) -> set[str]:
        """Whom the thread's posts ping; broadcasts by their name."""
        ...

    async def delete_root(self, place: Place) -> None: ...

    def trouble(self, kind: Trouble) -> None:
        """The next post meets this."""
        ...


_PING = re.compile(r"<(?:@|!subteam\^|!)(here|channel|everyone|[A-Z0-9]+)")


class SlackHarness:
    """The real adapter against a local Slack."""

    def __init__(self, slack: FakeSlack):
        self.slack = slack
        slack.world.emoji.add("e-mail")  # Slack's name for 📧
        self.operator = slack.add_user("anna berg")
        self.lead = slack.add_user("lea lind", admin=True)
        self.guest = slack.add_user("gus guest", guest=True)
        self.room = slack.add_channel("support", [self.operator, self.lead, self.guest])
        slack.set_presence(self.lead, "away")
        self.channel = "#support"
        settings = Slack(slack.bot_token, slack.app_token, slack.api_url, limits=False)
        self.outbound = SlackChat(settings, Timing().scaled(0.1))
        self.chat: TeamChat = self.outbound

    async def say(self, place: Place, text: str) -> str:
        return await self.slack.post(self.operator, place.channel, text, place.root)

    async def say_as_bot(self, place: Place, text: str) -> None:
        await self.slack.post_as_app(place.channel, text, place.root)

    async def edit(self, place: Place, remote_id: str, text: str) -> None:
        await self.slack.edit(place.channel, remote_id, text)

    def _ours(self, place: Place) -> list[Message]:
        return [m for m in self.slack.messages(place.channel) if m.bot_id == self.slack.bot_id]

    def shown(self, place: Place) -> list[str]:
        return [self.slack.text_of(message) for message in self.slack.thread(place.channel, place.root)]

    def strays(self, place: Place) -> list[str]:
        return [m.text for m in self._ours(place) if not m.is_reply and m.ts != place.root]

    def marks(self, place: Place, remote_id: str) -> set[Receipt]:
        by_name = {name: receipt for receipt, name in REACTIONS.items()}
        return {by_name[name] for name in self.slack.message(place.channel, remote_id).reactions}

    def pinged(self, place: Place) -> set[str]:
        raw = "\n".join(message.text + str(message.blocks) for message in self._ours(place))
        return {found for found in _PING.findall(raw) if found != "date"}

    async def delete_root(self, place: Place) -> None:
        await self.slack.delete(place.channel, place.root)

    def trouble(self, kind: Trouble) -> None:
        faults = {
            "rate_limit": Fault.rate_limit(int(RETRY_AFTER)),
            "commit_then_drop": Fault.drop(commit=True),
            "drop": Fault.drop(),
            "refuse": Fault.error("msg_too_long"),
            "unauthorised": Fault.error("token_revoked"),
        }
        self.slack.faults.add("chat.postMessage", faults[kind])


@asynccontextmanager
async def slack_harness() -> AsyncIterator[SlackHarness]:
    async with FakeSlack() as slack:
        harness = SlackHarness(slack)
        try:
            yield harness
        finally:
            await harness.outbound.close()


class DiscordHarness:
    """The real adapter against a local Discord."""

    def __init__(self, discord: FakeDiscord):
        self.discord = discord
        self.operator = discord.add_user("anna berg")
        self.lead = discord.add_user("lea lind", lead=True)
        self.outsider = discord.add_user("gus guest")
        self.room = discord.add_channel("support", [self.operator, self.lead], private=True)
        self.channel = "#support"
        settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
        self.outbound = DiscordChat(settings, Timing().scaled(0.1))
        self.chat: TeamChat = self.outbound

    async def say(self, place: Place, text: str) -> str:
        return await self.discord.post(self.operator, place.channel, text, place.root)

    async def say_as_bot(self, place: Place, text: str) -> None:
        await self.discord.post_as_app(place.root, text)

    async def edit(self, place: Place, remote_id: str, text: str) -> None:
        await self.discord.edit(place.root, remote_id, text)

    def shown(self, place: Place) -> list[str]:
        return [self._seen(message) for message in self.discord.thread(place.channel, place.root)]

    def _seen(self, message: DiscordMessage) -> str:
        """With the name that a webhook's message stands under, and what can be pressed."""
        rendered = self.discord.rendered(message)
        name = [message.username] if message.webhook_id and message.username else []
        return "\n".join([*name, rendered.text, *(button.label for button in rendered.buttons)])

    def strays(self, place: Place) -> list[str]:
        """Nothing but cards belongs into the channel."""
        return [m.content for m in self.discord.messages(place.channel) if m.id != place.root]

    def marks(self, place: Place, remote_id: str) -> set[Receipt]:
        by_emoji = {emoji: receipt for receipt, emoji in DISCORD_REACTIONS.items()}
        shown = self.discord.message(place.root, remote_id).reactions
        return {by_emoji[emoji] for emoji, users in shown.items() if users}

    def pinged(self, place: Place) -> set[str]:
        return {who for one in self.discord.thread(place.channel, place.root) for who in one.pinged}

    async def delete_root(self, place: Place) -> None:
        """Its message and its thread: on Discord one may go without the other."""
        await self.discord.delete_thread(place.root)
        await self.discord.delete(place.channel, place.root)

    def trouble(self, kind: Trouble) -> None:
        faults = {
            "rate_limit": Fault.rate_limit(int(RETRY_AFTER)),
            "commit_then_drop": Fault.drop(commit=True),
            "drop": Fault.drop(),
            "refuse": Fault.error("50035"),
            "unauthorised": Fault.error("0"),
        }
        for method in ("create_message", "execute_webhook"):  # whichever the next post is
            self.discord.faults.add(method, faults[kind])


@asynccontextmanager
async def discord_harness() -> AsyncIterator[DiscordHarness]:
    async with FakeDiscord() as discord:
        harness = DiscordHarness(discord)
        try:
            yield harness
        finally:
            await harness.outbound.close()


class _Page(ConsoleChat):
    """The console's chat over a log of its own: what is called here was appended before, as the core does it."""

    def __init__(self, settings: Settings, present: Present):
        super().__init__(settings, present, open_to_all=True)
        self.root = ""
        self.log: dict[str, str] = {}
        self.marks: dict[str, Receipt] = {}
        self.mentioned: set[str] = set()

    async def open_thread(self, channel: str, card: Card, delivery_id: str) -> Posted:
        self.root = str(card.as_dict())
        return await super().open_thread(channel, card, delivery_id)

    async def update_card(self, place: Place, card: Card) -> None:
        self.root = str(card.as_dict())
        await super().update_card(place, card)

    async def post(self, place: Place, post: Post, delivery_id: str) -> Posted:
        self._append(delivery_id, post)
        return await super().post(place, post, delivery_id)

    async def amend(self, place: Place, remote_id: str, post: Post) -> None:
        if remote_id in self.log:
            self._append(remote_id, post)
        await super().amend(place, remote_id, post)

    async def retract(self, place: Place, remote_id: str) -> None:
        self.log.pop(remote_id, None)
        await super().retract(place, remote_id)

    async def mark(
        self, place: Place, remote_id: str, receipt: Receipt | None, before: Receipt | None
    ) -> None:
        self.marks.pop(remote_id, None)
        if receipt is not None:
            self.marks[remote_id] = receipt
        await super().mark(place, remote_id, receipt, before)

    def _append(self, key: str, post: Post) -> None:
        self.log[key] = "\n".join([post.text, *(f"{turn.speaker} {turn.text}" for turn in post.turns)])
        self.mentioned |= set(post.mentions)


class ConsoleHarness:
    """The console, whose page reads the log: no vendor stands between, so there is no trouble to meet."""

    channel = "console"

    def __init__(self) -> None:
        settings = load({"BATON_CONFIG": ""})
        present = Present(lambda: None)
        self.operator, self.lead = "anna-berg", "lea-lind"
        for who, role in ((self.operator, Role.OPERATOR), (self.lead, Role.LEAD)):
            present.enter(Actor("console", who, who.title(), role))
        self.page = _Page(settings, present)
        self.chat: TeamChat = self.page

    async def say(self, place: Place, text: str) -> str:
        self.page.log[text] = text
        return text

    async def say_as_bot(self, place: Place, text: str) -> None:
        raise NotImplementedError("nothing but people writes in a console")

    async def edit(self, place: Place, remote_id: str, text: str) -> None:
        self.page.log[remote_id] = text

    def shown(self, place: Place) -> list[str]:
        return [self.page.root, *self.page.log.values()]

    def strays(self, place: Place) -> list[str]:
        return []

    def marks(self, place: Place, remote_id: str) -> set[Receipt]:
        return {self.page.marks[remote_id]} if remote_id in self.page.marks else set()

    def pinged(self, place: Place) -> set[str]:
        return self.page.mentioned

    async def delete_root(self, place: Place) -> None:
        raise NotImplementedError("a case's page cannot be deleted")

    def trouble(self, kind: Trouble) -> None:
        raise NotImplementedError("there is nothing between the console and the log")


@asynccontextmanager
async def console_harness() -> AsyncIterator[ConsoleHarness]:
    yield ConsoleHarness()


Opens = Callable[[], AbstractAsyncContextManager[Harness]]
HARNESSES: dict[str, tuple[Opens, frozenset[str]]] = {
    "slack": (slack_harness, TROUBLES | {"vanishing_roots", "posts_of_its_own", "history"}),
    "discord": (discord_harness, TROUBLES | {"vanishing_roots", "posts_of_its_own", "history"}),
    "console": (console_harness, frozenset()),
}

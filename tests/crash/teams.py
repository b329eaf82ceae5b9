"""The team of a story, in Slack or in Discord: what its people do there and what they see, in the words of the story.

Both stand-ins live in the test's process, as the platforms would: Baton's processes come and go, they stay.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from adapters.discord.outbound import REACTIONS
from bot.posts import Receipt
from tests.crash.known import key_of
from tests.crash.plans import Plan
from tests.fakes import discord as in_discord
from tests.fakes import slack as in_slack
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.things import snowflake_time
from tests.fakes.slack import FakeSlack, Fault
from tests.journeys.discord_world import pressable

PATIENCE = 60.0
A_MOMENT = 0.012
"""What each call takes there, so that it has a middle."""


class Post(NamedTuple):
    """One that was committed: what its attempts are known by, when the call came and when it was committed."""

    known_as: str
    came_at: float
    committed_at: float


class Team(Protocol):
    """`fake` is the platform's stand-in; `dana` and `bob` are its operators; `seen` is the mark of what was seen."""

    fake: Any
    seen: str
    dana: str
    bob: str

    def environment(self) -> dict[str, str]: ...
    async def write(self, user: str, text: str) -> str: ...
    async def press(self, user: str, action: str) -> bool: ...
    def shows(self, action: str) -> bool: ...
    def cards(self) -> list[Any]: ...
    def card_text(self) -> str: ...
    def shown(self) -> str: ...
    def replies(self) -> list[tuple[str, list[str]]]: ...
    def boards(self) -> int: ...
    def taken_back(self) -> int: ...
    def posts(self) -> Iterator[Post]: ...
    def is_quiet(self) -> bool: ...
    def came_again(self, text: str) -> bool: ...


class InSlack:
    """See `Team`."""

    seen = "eyes"

    def __init__(self, plan: Plan) -> None:
        self.fake = FakeSlack(seed=plan.seed)
        self.fake.ack_timeout = 3.0 * plan.scale * 2
        self.fake.retry_delays = (0.0, 60.0 / 60, 300.0 / 60)
        self.dana, self.bob = self.fake.add_user("dana miller"), self.fake.add_user("bob ray")
        self.channel = self.fake.add_channel("support", members=[self.dana, self.bob])
        self._over_http = plan.over_http
        for method in ("chat.postMessage", "chat.update", "reactions.add", "reactions.remove"):
            self.fake.faults.add(method, Fault.latency(A_MOMENT), times=None)

    def environment(self) -> dict[str, str]:
        """Where it is, for Baton."""
        return {
            "SLACK_BOT_TOKEN": self.fake.bot_token,
            "SLACK_APP_TOKEN": "" if self._over_http else self.fake.app_token,
            "SLACK_SIGNING_SECRET": self.fake.signing_secret,
            "SLACK_LIMITS": "off",
            "SLACK_API_URL": self.fake.api_url,
            "SLACK_CHANNEL": "#support",
        }

    async def write(self, user: str, text: str) -> str:
        """In the case's thread; the message's id."""
        return await self.fake.post(user, self.channel, text, thread_ts=self.cards()[0].ts)

    async def press(self, user: str, action: str) -> bool:
        """A button of the card; whether that showed no error."""
        pressed = await self.fake.click(user, self.channel, self.cards()[0].ts, f"baton:{action}")
        await self.fake.wait_for(lambda: pressed.done, PATIENCE)
        return pressed.acked

    def shows(self, action: str) -> bool:
        """Whether the card has that button."""
        blocks = self.cards()[-1].blocks if self.cards() else []
        ids = [element.get("action_id") for block in blocks for element in block.get("elements", ())]
        return f"baton:{action}" in ids

    def cards(self) -> list[in_slack.Message]:
        """Our posts that stand in the channel itself."""
        return [one for one in self.fake.messages(self.channel) if one.bot_id and not one.is_reply]

    def card_text(self) -> str:
        """What the card says."""
        return self.fake.text_of(self.cards()[0])

    def shown(self) -> str:
        """All our posts in the thread, as people read them."""
        ours = [one for one in self.fake.messages(self.channel) if one.bot_id and one.is_reply]
        return "\n".join(text for post in ours for text in _block_texts(post))

    def replies(self) -> list[tuple[str, list[str]]]:
        """What the operators wrote, with its reactions."""
        found = [one for one in self.fake.messages(self.channel) if not one.bot_id]
        return [(one.text, list(one.reactions)) for one in found]

    def boards(self) -> int:
        """None: the queue has a tab of its own."""
        return 0

    def taken_back(self) -> int:
        """How many messages were deleted."""
        return sum(one.deleted for one in self.fake.messages(self.channel, deleted=True))

    def posts(self) -> Iterator[Post]:
        """All that were committed."""
        for call in self.fake.calls_to("chat.postMessage"):
            if call.response.get("ok"):
                delivery = call.args["metadata"]["event_payload"]["delivery"]
                yield Post(delivery, call.at, float(call.response["ts"]))

    def is_quiet(self) -> bool:
        """Nothing is on its way to or from Baton."""
        return not (self.fake.gateway.under_way or self.fake._late)

    def came_again(self, text: str) -> bool:
        """Whether Slack had to deliver it more than once, so that the next message may have been there before it."""
        told = [one for one in self.fake.deliveries if one.event.get("text") == text]
        return any(len(one.attempts) > 1 for one in told)


class InDiscord:
    """See `Team`. Discord sends an event once: what was missed is read back, before anything that is new."""

    seen = REACTIONS[Receipt.SEEN]

    def __init__(self, plan: Plan) -> None:
        self.fake = FakeDiscord(seed=plan.seed)
        self.dana, self.bob = self.fake.add_user("Dana Miller"), self.fake.add_user("Bob Ray")
        self.channel = self.fake.add_channel("support")
        for method in ("create_message", "execute_webhook", "edit_message", "start_thread", "create_reaction",
                       "delete_own_reaction"):  # fmt: skip
            self.fake.faults.add(method, Fault.latency(A_MOMENT), times=None)

    def environment(self) -> dict[str, str]:
        """Where it is, for Baton."""
        return {
            "DISCORD_TOKEN": self.fake.token,
            "DISCORD_GUILD_ID": self.fake.guild_id,
            "DISCORD_API_URL": self.fake.api_url,
            "DISCORD_GATEWAY_URL": self.fake.gateway_url,
            "DISCORD_CHANNEL_ID": self.channel,
        }

    async def write(self, user: str, text: str) -> str:
        """In the case's thread, once there is one: a card can be claimed before. The message's id."""
        await self.fake.wait_for(self._threads, PATIENCE)
        return await self.fake.post(user, self.channel, text, self.cards()[0].id)

    async def press(self, user: str, action: str) -> bool:
        """A button of the card; whether that showed no error."""
        card = self.cards()[0]
        found = pressable(card, action)
        if found is None:
            return False
        kind, name = found
        if kind == "button":
            pressed = await self.fake.click(user, self.channel, card.id, name)
        else:
            pressed = await self.fake.choose(user, self.channel, card.id, kind, [name])
        await self.fake.wait_for(lambda: pressed.done, PATIENCE)
        return pressed.acked

    def shows(self, action: str) -> bool:
        """Whether the card has that button, or entry of its menu."""
        return bool(self.cards()) and pressable(self.cards()[-1], action) is not None

    def cards(self) -> list[in_discord.Message]:
        """Our messages in the channel itself, without the board."""
        ours = [one for one in self.fake.messages(self.channel) if one.author == self.fake.bot_id]
        return [one for one in ours if one.content.startswith(("**#", "🔴"))]

    def boards(self) -> int:
        """How many messages of the channel show the queue."""
        return sum("choose:board:" in str(one.components) for one in self.fake.messages(self.channel))

    def card_text(self) -> str:
        """What the card says."""
        return self.fake.text_of(self.cards()[0])

    def _threads(self) -> list[str]:
        there = {one.id for one in self.fake.threads(self.channel)}
        return [one.id for one in self.cards() if one.id in there]

    def _thread(self) -> list[in_discord.Message]:
        return [one for thread in self._threads() for one in self.fake.messages(thread)]

    def _is_ours(self, message: in_discord.Message) -> bool:
        return message.author == self.fake.bot_id or message.webhook_id is not None

    def shown(self) -> str:
        """All our posts in the thread, as people read them; the small print's mark is not to be seen."""
        ours = [self.fake.text_of(one) for one in self._thread() if self._is_ours(one)]
        return "\n".join(line.removeprefix("-# ") for text in ours for line in text.splitlines())

    def replies(self) -> list[tuple[str, list[str]]]:
        """What the operators wrote, with its reactions."""
        return [(one.content, [*one.reactions]) for one in self._thread() if not self._is_ours(one)]

    def taken_back(self) -> int:
        """How many messages were deleted."""
        places = (self.channel, *(one.id for one in self.fake.threads()))
        return sum(one.deleted for place in places for one in self.fake.messages(place, deleted=True))

    def posts(self) -> Iterator[Post]:
        """All that were committed for a delivery."""
        for method in ("create_message", "execute_webhook"):
            for call in self.fake.calls_to(method):
                known_as = key_of(call.args)
                if known_as and isinstance(call.response, dict) and "id" in call.response:
                    yield Post(known_as, call.at, snowflake_time(call.response["id"]))

    def is_quiet(self) -> bool:
        """Nothing is on its way to or from Baton."""
        return not (self.fake.gateway.under_way or self.fake._late)

    def came_again(self, text: str) -> bool:
        """Never."""
        return False


TEAMS: dict[str, type[InSlack] | type[InDiscord]] = {"slack": InSlack, "discord": InDiscord}


def _block_texts(message: in_slack.Message) -> list[str]:
    """The blocks only: the message's own text repeats them for notifications."""
    found = []
    for block in message.blocks:
        parts = [block.get("text"), *block.get("elements", ())]
        found += [
            part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)
        ]
    return found

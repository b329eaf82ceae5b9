"""The harness of each `TeamChat`: how a test plays the people and the trouble behind it.

A new platform adds a class and a line in `HARNESSES`; the suite is `test_team_chat`.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal, Protocol

from adapters.slack.outbound import REACTIONS, SlackChat
from bot.ports import TeamChat
from bot.posts import Place, Receipt
from bot.settings import Slack, Timing
from tests.fakes.slack import FakeSlack, Fault, Message

Trouble = Literal["rate_limit", "commit_then_drop", "drop", "refuse", "unauthorised"]
RETRY_AFTER = 7.0


class Harness(Protocol):
    """What the suite asks of a platform beside the port. `channel` is as a team's policy names it.

    A platform that cannot have a trouble (`troubles`) or has no threads to delete is spared those tests.
    """

    chat: TeamChat
    channel: str
    troubles: frozenset[Trouble]
    roots_can_vanish: bool
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

    troubles: frozenset[Trouble] = frozenset(
        ("rate_limit", "commit_then_drop", "drop", "refuse", "unauthorised")
    )
    roots_can_vanish = True

    def __init__(self, slack: FakeSlack):
        self.slack = slack
        slack.world.emoji.add("e-mail")  # Slack's name for 📧
        self.operator = slack.add_user("anna berg")
        self.lead = slack.add_user("lea lind", admin=True)
        self.guest = slack.add_user("gus guest", guest=True)
        self.room = slack.add_channel("support", [self.operator, self.lead, self.guest])
        slack.set_presence(self.lead, "away")
        self.channel = "#support"
        settings = Slack(slack.bot_token, slack.app_token, slack.api_url)
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


HARNESSES: dict[str, Callable[[], AbstractAsyncContextManager[Harness]]] = {"slack": slack_harness}

"""What the guild remembers beside its messages: calls, interactions, what only one person saw; and what tests read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.fakes.slack.faults import Faults

from .components import Rendered, modal_texts, render
from .errors import DiscordError, Json
from .gateway import Gateway
from .interactions import Interaction, Modal
from .limits import Limits
from .permissions import BITS, bits
from .things import (
    DM,
    GUILDS,
    MEMBERS,
    PRESENCES,
    Channel,
    File,
    Member,
    Message,
    Overwrite,
    Role,
    User,
    Webhook,
)
from .world import World

T = TypeVar("T")


@dataclass(eq=False)
class Call:
    """One request to the REST API. `status` 0: no answer. `error`: Discord's code. `fault`: made to fail."""

    method: str
    args: Json
    at: float
    status: int = 0
    error: int | str | None = None
    fault: bool = False
    response: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class State:
    """The guild, its gateway, and what tests read."""

    def __init__(self, clock: Callable[[], float], seed: int) -> None:
        self.clock = clock
        self.rng = random.Random(seed)
        self.world = World(clock)
        self.gateway = Gateway(self.world, self.rng)
        self.faults = Faults(self.rng)
        self.limits = Limits()
        self.token = "fake-discord-token.1"
        self.token_valid = True
        self.privileged_intents = {"members", "presences", "message_content"}
        self.calls: list[Call] = []
        self.interactions: list[Interaction] = []
        self.modals: list[Modal] = []
        self.ephemerals: dict[str, Message] = {}
        self.commands: list[Json] = []
        self.global_commands: list[Json] = []
        self.typings: list[tuple[str, str]] = []
        self.uploads: list[File] = []
        self.downloads: list[str] = []
        self.interaction_timeout, self.token_seconds, self.nonce_seconds = 3.0, 15 * 60.0, 180.0
        self.upload_limit = 10 * 1024**2
        self.nonces: dict[tuple[str, str], tuple[float, Message]] = {}
        self.invalid: list[float] = []
        self.ban_after = 10_000
        self.base_url = ""
        self._change = asyncio.Event()
        self.world.emit = self.gateway.emit
        self.world.changed = self.gateway.changed = self.changed
        self.gateway.token = lambda: self.token if self.token_valid else ""
        self.gateway.privileged = lambda: self.privileged_intents
        self.guild_id, self.bot_id = self.world.guild_id, self.world.bot_id
        self.application_id, self.owner_id = self.world.application_id, self.world.owner_id

    @property
    def cdn_seconds(self) -> float:
        """How long an attachment's address lives."""
        return self.world.cdn_seconds

    @cdn_seconds.setter
    def cdn_seconds(self, seconds: float) -> None:
        self.world.cdn_seconds = seconds

    # Making the guild

    def add_role(self, name: str, *, permissions: str = "", mentionable: bool = False) -> str:
        role = Role(self.world.new_id(), name, bits(permissions), mentionable, len(self.world.roles))
        self.world.roles[role.id] = role
        self.world.emit("GUILD_ROLE_CREATE", self._of_guild(role=self.world.role_json(role)), GUILDS)
        return role.id

    def add_user(
        self,
        name: str,
        *,
        roles: tuple[str, ...] | list[str] = (),
        lead: bool = False,
        admin: bool = False,
        bot: bool = False,
        presence: str = "online",
        nick: str | None = None,
        member: bool = True,
    ) -> str:
        """A person in the guild. `lead`: with a role that may manage threads; `admin`: administrator."""
        user = User(self.world.new_id(), name, bot)
        self.world.users[user.id] = user
        if member:
            extra = [self._role("Leads", "manage_threads manage_messages")] if lead else []
            extra += [self._role("Admins", "administrator")] if admin else []
            self.add_member(user.id, [*roles, *extra], presence=presence, nick=nick)
        return user.id

    def add_member(
        self, user: str, roles: list[str], *, presence: str = "online", nick: str | None = None
    ) -> None:
        held = [self.world.crew_role, *roles]
        self.world.members[user] = Member(user, held, self.clock(), nick, presence)
        data = self._of_guild(**self.world.member_json(user))
        self.world.emit("GUILD_MEMBER_ADD", data, MEMBERS)

    def _role(self, name: str, granted: str) -> str:
        found = [one.id for one in self.world.roles.values() if one.name == name]
        return found[0] if found else self.add_role(name, permissions=granted)

    def add_channel(
        self, name: str, members: list[str] | None = None, *, private: bool = False, bot: bool = True
    ) -> str:
        """A text channel that everybody sees; `private`: only `members`. Without `bot` the bot does not see it."""
        channel = Channel(self.world.new_id(), name, position=len(self.world.channels))
        view = BITS["view_channel"]
        if private:
            channel.overwrites[self.guild_id] = Overwrite(0, deny=view)
            for user in members or ():
                channel.overwrites[user] = Overwrite(1, allow=view)
            channel.overwrites[self.world.bot_role] = Overwrite(0, allow=view)
        if not bot:
            channel.overwrites[self.world.bot_role] = Overwrite(0, deny=view)
        self.world.channels[channel.id] = channel
        self.world.say_channel("CHANNEL_CREATE", channel)
        return channel.id

    def add_emoji(self, name: str) -> str:
        """A custom emoji; in texts it is `<:name:id>`, as a reaction `name:id`."""
        key = self.world.new_id()
        self.world.emojis[key] = name
        return key

    def add_file(
        self, user: str, name: str, content: bytes, mimetype: str = "application/octet-stream"
    ) -> File:
        """A file that a person will post with `post(files=[file])`."""
        return self.new_file(name, content, mimetype)

    def new_file(self, name: str, content: bytes, mimetype: str, description: str | None = None) -> File:
        file = File(self.world.new_id(), name, content, mimetype, description)
        self.world.files[file.id] = file
        return file

    def dm(self, user: str) -> Channel:
        """The direct-message channel of the bot and this person."""
        if user not in self.world.users:
            raise DiscordError(10013)
        for channel in self.world.channels.values():
            if channel.is_dm and user in channel.members:
                return channel
        channel = Channel(self.world.new_id(), "", DM, members=[self.bot_id, user])
        self.world.channels[channel.id] = channel
        return channel

    def set_presence(self, user: str, presence: str) -> None:
        """online, idle, dnd, offline or invisible."""
        self.world.members[user].presence = presence
        self.world.emit("PRESENCE_UPDATE", self.world.presence_json(user), PRESENCES)

    def grant(self, names: str, channel: str | None = None) -> None:
        """Give the bot permissions back, everywhere or in a channel."""
        self._permit(bits(names), channel, granted=True)

    def revoke(self, names: str, channel: str | None = None) -> None:
        """Take permissions from the bot, everywhere or in a channel."""
        self._permit(bits(names), channel, granted=False)

    def _permit(self, value: int, channel_id: str | None, *, granted: bool) -> None:
        if channel_id is None:
            role = self.world.roles[self.world.bot_role]
            role.permissions = role.permissions | value if granted else role.permissions & ~value
            self.world.emit("GUILD_ROLE_UPDATE", self._of_guild(role=self.world.role_json(role)), GUILDS)
            return
        channel = self.world.parent(self.world.channels[channel_id])
        overwrite = channel.overwrites.setdefault(self.bot_id, Overwrite(1))
        overwrite.deny = overwrite.deny & ~value if granted else overwrite.deny | value
        overwrite.allow = overwrite.allow | value if granted else overwrite.allow & ~value
        if self.world.sees(self.bot_id, channel):
            self.world.say_channel("CHANNEL_UPDATE", channel)
        else:
            data = self.world.channel_json(channel)
            self.gateway.emit("CHANNEL_DELETE", data, GUILDS)  # a client that may see no more is told this

    def _of_guild(self, **data: Any) -> Json:
        return {"guild_id": self.guild_id, **data}

    # Reading

    def channel(self, channel: str) -> Channel:
        """A channel or thread, deleted ones too."""
        return self.world.channels[channel]

    def threads(self, channel: str | None = None) -> list[Channel]:
        return self.world.threads(channel)

    def message(self, channel: str, message: str) -> Message:
        """Any message that was ever there, in the channel or one of its threads; look at `.deleted`."""
        if message in self.ephemerals:
            return self.ephemerals[message]
        found = self.world.channels[channel].messages.get(message)
        return found or self.world.find(message)

    def messages(self, channel: str, *, deleted: bool = False) -> list[Message]:
        """All messages of a channel or a thread, oldest first, without Discord's own notes."""
        found = self.world.channels[channel].messages.values()
        return [one for one in found if one.type in (0, 19, 20, 23) and (deleted or not one.deleted)]

    def thread(self, channel: str, root: str, *, deleted: bool = False) -> list[Message]:
        """The root and what stands in its thread, in order."""
        top = [self.world.find(root)]
        top = [one for one in top if deleted or not one.deleted]
        return top + (self.messages(root, deleted=deleted) if root in self.world.channels else [])

    def rendered(self, message: Message) -> Rendered:
        files = [file.name for file in message.attachments]
        return render(message.content, message.embeds, message.components, files)

    def text_of(self, shown: Message | Modal | Interaction) -> str:
        """All human-readable text."""
        if isinstance(shown, Modal):
            return "\n".join(modal_texts(shown.content))
        if isinstance(shown, Interaction):
            return shown.text
        return self.rendered(shown).text

    @property
    def webhooks(self) -> list[Webhook]:
        return list(self.world.webhooks.values())

    def window(self, user: str) -> Modal | None:
        """The modal this person looks at: the newest that is open."""
        return next((one for one in reversed(self.modals) if one.user == user and not one.closed), None)

    def calls_to(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def invalid_requests(self) -> int:
        """How many of the last ten minutes' requests were answered with 401, 403 or 429."""
        return len([at for at in self.invalid if at > self.clock() - 600])

    @property
    def connections(self) -> int:
        """Connections whose client has identified or resumed."""
        return len([one for one in self.gateway.connections if one.session is not None])

    # Waiting

    def changed(self) -> None:
        """Wake whoever waits; everything that changes the guild ends here."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:
        """The first true value of `predicate`, asked again after every change, or TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate()):
                    await self._change.wait()
                return value
        except TimeoutError:
            raise TimeoutError(f"not true after {timeout} s; {self._recently()}") from None

    async def connected(self, count: int = 1, timeout: float = 10) -> None:
        """Wait until this many clients are connected."""
        await self.wait_for(lambda: self.connections >= count, timeout)

    async def settled(self, timeout: float = 10) -> None:
        """Wait until every event has been sent and every interaction is done."""

        def quiet() -> bool:
            return not self.gateway.under_way and all(one.done for one in self.interactions)

        await self.wait_for(quiet, timeout)

    def _recently(self) -> str:
        calls = [f"{call.method}={call.error or call.status}" for call in self.calls[-8:]]
        waiting = [one.name for one in self.interactions if not one.done]
        return f"last calls {calls}, interactions waiting {waiting[:8]}, connections {self.connections}"

"""What a guild is made of: people, roles, channels, messages; and the numbers Discord gives their kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import Json

EPOCH = 1_420_070_400_000
TEXT, DM, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 11, 12
DEFAULT, RENAMED, PINNED, REPLY, COMMAND_REPLY, STARTER, MENU_REPLY = 0, 4, 6, 19, 20, 21, 23
NORMAL_TYPES = (DEFAULT, REPLY, COMMAND_REPLY, MENU_REPLY)
EPHEMERAL, LOADING, HAS_THREAD, SILENT, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 5, 1 << 12, 1 << 15

GUILDS, MEMBERS, WEBHOOKS, PRESENCES = 1 << 0, 1 << 1, 1 << 5, 1 << 8
MESSAGES, REACTIONS, TYPING, CONTENT = 1 << 9, 1 << 10, 1 << 11, 1 << 15
DM_MESSAGES, DM_REACTIONS, DM_TYPING = 1 << 12, 1 << 13, 1 << 14


@dataclass(eq=False)
class User:
    id: str
    name: str
    bot: bool = False


@dataclass(eq=False)
class Role:
    id: str
    name: str
    permissions: int
    mentionable: bool = False
    position: int = 0
    managed: bool = False


@dataclass(eq=False)
class Member:
    """Somebody in the guild."""

    user: str
    roles: list[str]
    joined_at: float
    nick: str | None = None
    presence: str = "online"


@dataclass(eq=False)
class Overwrite:
    """What a channel allows and denies a role (`kind` 0) or a member (1)."""

    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(eq=False)
class File:
    """A stored file. In messages it stands with an address that is signed and expires."""

    id: str
    name: str
    content: bytes
    mimetype: str = "application/octet-stream"
    description: str | None = None
    ephemeral: bool = False
    channel_id: str = "0"


@dataclass(eq=False)
class Message:
    """A message; a deleted one stays here with `deleted` set, so that tests can see what it was.

    `pinged`: who was notified when it was posted. `interaction`: what it answers, as Discord describes it.
    """

    id: str
    channel_id: str
    author: str
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[File] = field(default_factory=list)
    type: int = DEFAULT
    flags: int = 0
    at: float = 0.0
    edited: float | None = None
    deleted: bool = False
    pinned: bool = False
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    pinged: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    reference: Json | None = None
    webhook_id: str | None = None
    username: str | None = None
    avatar_url: str | None = None
    application_id: str | None = None
    interaction: Json | None = None
    versions: list[str] = field(default_factory=list)

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def by_webhook(self) -> bool:
        """Whether a webhook wrote it under a name of its own (answers to interactions have a webhook_id too)."""
        return self.webhook_id is not None and self.webhook_id != self.application_id

    @property
    def thread_id(self) -> str | None:
        """The thread that hangs on it, if there is one: it has the message's id."""
        return self.id if self.flags & HAS_THREAD else None


@dataclass(eq=False)
class Channel:
    """A text channel, a thread in one, or a direct message."""

    id: str
    name: str
    type: int = TEXT
    parent_id: str | None = None
    position: int = 0
    topic: str | None = None
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    owner_id: str = ""
    archived: bool = False
    locked: bool = False
    auto_archive: int = 4320
    archived_at: float = 0.0
    members: list[str] = field(default_factory=list)
    deleted: bool = False
    renames: list[float] = field(default_factory=list)
    rate_limit: int = 0

    @property
    def is_thread(self) -> bool:
        return self.type in (PUBLIC_THREAD, PRIVATE_THREAD)

    @property
    def is_dm(self) -> bool:
        return self.type == DM


@dataclass(eq=False)
class Webhook:
    id: str
    token: str
    channel_id: str
    name: str
    creator: str
    application_id: str | None
    avatar: str | None = None


USERS_ONLY: Json = {"parse": ["users"]}
"""Whom webhooks and answers to interactions mention when they say nothing about it."""

Emit = Callable[..., None]


def snowflake_time(snowflake: str) -> float:
    return ((int(snowflake) >> 22) + EPOCH) / 1000

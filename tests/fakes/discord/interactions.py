"""Interactions: a click, a command, a modal that is sent; and the calls that answer them.

Each must be answered once, within 3 s; its token then works for 15 minutes. What only its reader sees is kept beside
the channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import permissions
from .components import check_modal, modal_texts, render, with_ids
from .errors import DiscordError, Json, Problems, refuse
from .forms import changes, new_message
from .routes import route
from .things import COMMAND_REPLY, DEFAULT, EPHEMERAL, LOADING, MENU_REPLY, REPLY, USERS_ONLY, Message

if TYPE_CHECKING:
    from .state import State

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5


@dataclass(eq=False)
class Modal:
    """A form as a person sees it; `closed` once it was sent and taken, or dismissed."""

    id: str
    user: str
    content: Json
    interaction: Interaction
    closed: bool = False

    @property
    def title(self) -> str:
        return str(self.content["title"])

    @property
    def custom_id(self) -> str:
        return str(self.content["custom_id"])

    @property
    def text(self) -> str:
        return "\n".join(modal_texts(self.content))


@dataclass(eq=False)
class Interaction:
    """What a person did, and what came of it."""

    id: str
    token: str
    kind: int
    name: str
    user: str
    channel_id: str
    data: Json
    at: float
    message: Message | None = None
    modal_sent: Modal | None = None
    acked: bool = False
    failed: bool = False
    deferred: bool = False
    updated: bool = False
    reply: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Modal | None = None
    choices: list[Json] | None = None
    refusals: list[int] = field(default_factory=list)
    until: Callable[[Callable[[], Any], float], Any] | None = None

    @property
    def thinking(self) -> bool:
        """Whether the person still looks at "Baton is thinking…"."""
        return self.reply is not None and bool(self.reply.flags & LOADING)

    @property
    def done(self) -> bool:
        """Whether the person sees what came of it."""
        return self.failed or (self.acked and not self.thinking)

    @property
    def ephemeral(self) -> bool:
        return self.reply is not None and self.reply.ephemeral

    @property
    def error(self) -> int | None:
        """The code of the last answer that Discord refused."""
        return self.refusals[-1] if self.refusals else None

    @property
    def text(self) -> str:
        """All that the person was shown: the reply, what followed, or the modal."""
        if self.failed:
            return "This interaction failed"
        shown = [one for one in (self.reply, *self.followups) if one is not None and not one.deleted]
        texts = [render(one.content, one.embeds, one.components, []).text for one in shown]
        return "\n".join([*texts, *([self.modal.text] if self.modal else [])])

    async def outcome(self, timeout: float = 10) -> Interaction:
        """Wait until the person sees something: an answer, a modal, choices, or that it failed."""
        assert self.until is not None
        await self.until(lambda: self.done, timeout)
        return self


def begin(discord: State, interaction: Interaction) -> Interaction:
    """Send it to the app. With nobody there, or no answer in time, it fails."""
    discord.interactions.append(interaction)
    interaction.until = discord.wait_for

    def expire() -> None:
        if not interaction.acked:
            interaction.failed = True
            discord.changed()

    if not discord.gateway.emit("INTERACTION_CREATE", _event(discord, interaction)):
        expire()
    else:
        asyncio.get_running_loop().call_later(discord.interaction_timeout, expire)
    return interaction


def _event(discord: State, one: Interaction) -> Json:
    world = discord.world
    channel = world.channels[one.channel_id]
    can = {user: str(permissions.in_channel(world, user, channel)) for user in (one.user, discord.bot_id)}
    event: Json = {
        "id": one.id,
        "application_id": discord.application_id,
        "type": one.kind,
        "token": one.token,
        "version": 1,
        "channel": world.channel_json(channel) | {"permissions": can[one.user]},
        "channel_id": channel.id,
        "locale": "en-US",
        "app_permissions": can[discord.bot_id],
        "data": one.data,
        "entitlements": [],
        "authorizing_integration_owners": {"0": discord.guild_id},
        "context": 1 if channel.is_dm else 0,
        "attachment_size_limit": discord.upload_limit,
    }
    if one.message is not None:
        event["message"] = world.message_json(one.message)
    if channel.is_dm:
        return event | {"user": world.user_json(one.user)}
    return event | {
        "guild_id": discord.guild_id,
        "guild": {"id": discord.guild_id, "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "member": world.member_json(one.user) | {"permissions": can[one.user]},
    }


def _known(discord: State, token: str) -> Interaction:
    found = next((one for one in discord.interactions if one.token == token), None)
    if found is None or not found.acked:
        raise DiscordError(10015)
    if discord.clock() > found.at + discord.token_seconds:
        raise DiscordError(50027)
    return found


@route("interaction_callback", "POST", "/interactions/{interaction_id}/{token}/callback", token=False)
def callback(discord: State, args: Json) -> Any:
    one = next((each for each in discord.interactions if each.id == args["interaction_id"]), None)
    if one is None or one.token != args["token"] or one.failed:
        raise DiscordError(10062)
    if one.acked:
        raise _refused(one, DiscordError(40060))
    try:
        _answer(discord, one, int(args.get("type") or 0), args.get("data") or {}, args)
    except DiscordError as refused:
        raise _refused(one, refused) from None
    one.acked = True
    if one.modal_sent is not None:
        one.modal_sent.closed = True
    discord.changed()
    return (
        _callback_json(discord, one, int(args["type"]))
        if args.get("with_response") in ("1", "true")
        else None
    )


def _refused(one: Interaction, refused: DiscordError) -> DiscordError:
    """The form stands under `data` in this call, and so does what is wrong with it."""
    one.refusals.append(refused.code)
    if refused.errors and not {"type", "data"} & set(refused.errors):
        return DiscordError(refused.code, {"data": refused.errors})
    return refused


def _answer(discord: State, one: Interaction, kind: int, data: Json, args: Json) -> None:
    possible = {COMMAND: (4, 5, 9), AUTOCOMPLETE: (8,), COMPONENT: (4, 5, 6, 7, 9), MODAL: (4, 5)}[one.kind]
    if one.kind == MODAL and one.message is not None:
        possible = (4, 5, 6, 7)
    if kind not in possible:
        refuse("type", "INTERACTION_RESPONSE_TYPE_INVALID", f"Value must be one of {possible}.")
    if kind == 4:
        one.reply = _say(discord, one, data | {"_files": args.get("_files")})
    elif kind == 5:
        one.deferred = True
        one.reply = _put(discord, one, {"flags": int(data.get("flags") or 0) & EPHEMERAL | LOADING})
    elif kind == 6:
        one.deferred = True
    elif kind == 7:
        assert one.message is not None
        _change(discord, one.message, data | {"_files": args.get("_files")})
        one.updated = True
    elif kind == 8:
        one.choices = _choices(data)
    else:
        problems = Problems()
        check_modal(problems, data)
        problems.refuse()
        one.modal = Modal(discord.world.new_id(), one.user, data, one)
        discord.modals.append(one.modal)


def _choices(data: Json) -> list[Json]:
    choices = data.get("choices") or []
    problems = Problems()
    problems.length("choices", choices, 0, 25)
    for number, choice in enumerate(choices):
        problems.length(f"choices.{number}.name", choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str):
            problems.length(f"choices.{number}.value", choice["value"], 1, 100)
    problems.refuse()
    return choices


def _say(discord: State, one: Interaction, data: Json) -> Message:
    return _put(discord, one, new_message(discord, data), data.get("allowed_mentions"))


def _put(discord: State, one: Interaction, parts: Json, allowed: Json | None = None) -> Message:
    """A message that answers an interaction; an ephemeral one stands in no channel."""
    world = discord.world
    kind = {COMMAND: COMMAND_REPLY, COMPONENT: REPLY}.get(one.kind, DEFAULT)
    if one.kind == COMMAND and one.data["type"] != 1:
        kind = MENU_REPLY
    about = {
        "webhook_id": discord.application_id,
        "application_id": discord.application_id,
        "interaction": {
            "id": one.id,
            "type": one.kind,
            "user": world.user_json(one.user),
            "authorizing_integration_owners": {"0": discord.guild_id},
            **({"interacted_message_id": one.message.id} if one.kind == COMPONENT and one.message else {}),
            **({"name": one.data["name"]} if one.kind == COMMAND else {}),
        },
    }
    channel = world.channel(one.channel_id)
    allowed = allowed or USERS_ONLY
    if not parts["flags"] & EPHEMERAL:
        if kind == REPLY and one.message is not None:
            about["reference"] = {"message_id": one.message.id, "channel_id": channel.id}
        return world.post(channel, discord.bot_id, type=kind, allowed=allowed, **parts, **about)
    for file in parts.get("attachments", ()):
        file.ephemeral, file.channel_id = True, channel.id
    message = Message(
        world.new_id(), channel.id, discord.bot_id, type=kind, at=discord.clock(), **parts, **about
    )
    with_ids(message.components)
    discord.ephemerals[message.id] = message
    discord.changed()
    return message


def _change(discord: State, message: Message, data: Json) -> None:
    """Filling a deferred answer is no edit: it pings like a new message."""
    found = changes(discord, data, message)
    fills = bool(message.flags & LOADING)
    found["flags"] &= ~LOADING
    allowed = data.get("allowed_mentions") or USERS_ONLY
    discord.world.edit(message, stamp=not fills, pings=fills, allowed=allowed, **found)


def _callback_json(discord: State, one: Interaction, kind: int) -> Json:
    answered: Json = {"id": one.id, "type": one.kind}
    shown = one.message if kind in (6, 7) else one.reply
    if shown is None:
        return {"interaction": answered}
    answered |= {
        "response_message_id": shown.id,
        "response_message_loading": one.thinking,
        "response_message_ephemeral": shown.ephemeral,
        "channel_id": one.channel_id,
    }
    if kind not in (4, 5, 7):
        return {"interaction": answered}
    return {"interaction": answered, "resource": {"type": kind, "message": discord.world.message_json(shown)}}


# What comes later, with the token


def follow_up(discord: State, args: Json) -> Json:
    """One more message. Behind a deferred answer it fills that."""
    one = _known(discord, args["token"])
    if one.thinking and one.reply is not None:
        _change(discord, one.reply, args)
        return discord.world.message_json(one.reply)
    message = _say(discord, one, args)
    one.followups.append(message)
    discord.changed()
    return discord.world.message_json(message)


def message_of(discord: State, args: Json) -> Message:
    """`@original` or a followup."""
    one = _known(discord, args["token"])
    mine = [each for each in (one.reply, *one.followups) if each is not None]
    original = one.reply or one.message
    if args["message_id"] == "@original":
        found = original
    else:
        found = next((each for each in mine if each.id == args["message_id"]), None)
    if found is None or found.deleted:
        raise DiscordError(10008)
    return found


def change(discord: State, args: Json) -> Json:
    message = message_of(discord, args)
    one = _known(discord, args["token"])
    _change(discord, message, args)
    one.updated = True
    discord.changed()
    return discord.world.message_json(message)

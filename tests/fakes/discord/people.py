"""What people do in Discord: write, edit, click, choose, command.

Each act changes the guild and queues its event. Texts are as Discord sends them: `<@id>` for a mention,
`<:name:id>` for a custom emoji. What a person's client would not let them do is an AssertionError.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from . import permissions
from .commands import CHANNEL, CHAT, MENTIONABLE, MESSAGE_MENU, ROLE, USER, filled, find, resolve
from .components import (
    BOX,
    BOXES,
    BUTTON,
    FIELDS,
    INPUT,
    LABEL,
    LINK,
    RADIO,
    ROW,
    SELECT,
    SELECTS,
    UPLOAD,
    walk,
)
from .errors import Json
from .hooks import make
from .interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction, Modal, begin
from .messages import delete_many
from .state import State
from .things import DM_TYPING, GUILDS, MEMBERS, REPLY, TYPING, Channel, File, Member, Message, User

_PICKED = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}


class People(State):
    """The acts of the guild's members."""

    async def post(
        self,
        user: str,
        channel: str,
        text: str,
        thread: str | None = None,
        *,
        reply_to: str | None = None,
        files: list[File] | None = None,
        embeds: list[Json] | None = None,
    ) -> str:
        """Say something there, or in the thread of that root; returns its id."""
        place = self._place(user, thread or channel)
        more: Json = {}
        if reply_to is not None:
            reference = {"message_id": reply_to, "channel_id": place.id, "guild_id": self.guild_id}
            more = {"type": REPLY, "reference": reference}
        more |= {"attachments": list(files or ()), "embeds": list(embeds or ())}
        assert text.strip() or files or embeds, "nothing to send"
        assert len(text) <= 2000, "the client does not send that much"
        return self.world.post(place, user, text, nonce=self.world.new_id(), **more).id

    def _place(self, user: str, channel: str) -> Channel:
        place = self.world.channels[channel]
        assert not place.deleted, "that channel is gone"
        if not place.is_dm:
            assert self.world.sees(user, place), "this person does not see that channel"
            name = "send_messages_in_threads" if place.is_thread else "send_messages"
            assert permissions.may(self.world, user, place, name), "this person may not write there"
            locked_out = place.locked and not permissions.may(self.world, user, place, "manage_threads")
            assert not locked_out, "the thread is locked"
        return place

    async def post_as_app(self, channel: str, text: str, thread: str | None = None) -> str:
        """Another app's bot says something."""
        bot = self._other("Other App")
        return self.world.post(self.world.channels[thread or channel], bot, text).id

    async def post_as_webhook(
        self, channel: str, text: str, username: str = "Alerts", thread: str | None = None
    ) -> str:
        """Somebody else's webhook says something."""
        found = [one for one in self.webhooks if one.channel_id == channel and one.application_id is None]
        home = self.world.channels[channel]
        webhook = found[0] if found else make(self, home, "Alerts", self.owner_id, None)
        place = self.world.channels[thread or channel]
        return self.world.post(place, webhook.id, text, webhook_id=webhook.id, username=username).id

    def _other(self, name: str) -> str:
        for user in self.world.users.values():
            if user.name == name:
                return user.id
        bot = User(self.world.new_id(), name, bot=True)
        self.world.users[bot.id] = bot
        self.world.members[bot.id] = Member(bot.id, [self.world.crew_role], self.clock())
        return bot.id

    async def edit(self, channel: str, message: str, text: str) -> None:
        found = self.message(channel, message)
        assert not self.world.channels[found.channel_id].archived, (
            "nothing can be edited in an archived thread"
        )
        self.world.edit(found, content=text)

    async def delete(self, channel: str, message: str) -> None:
        """Delete any message, the bot's too, as a moderator can. Its thread stays."""
        self.world.delete(self.message(channel, message))

    async def bulk_delete(self, channel: str, messages: list[str]) -> None:
        """As a moderation bot does it: one event for all."""
        delete_many(self, self.world.channels[channel], messages)

    async def unfurl(self, channel: str, message: str) -> None:
        """A MESSAGE_UPDATE that is no edit, as link previews give."""
        found = self.message(channel, message)
        preview = {"type": "link", "url": "https://example.com/", "title": "Example"}
        self.world.edit(found, stamp=False, embeds=[*found.embeds, preview])

    async def react(self, user: str, channel: str, message: str, emoji: str) -> None:
        self.world.react(self.message(channel, message), user, emoji)

    async def unreact(self, user: str, channel: str, message: str, emoji: str) -> None:
        self.world.unreact(self.message(channel, message), user, emoji)

    async def typing(self, user: str, channel: str) -> None:
        place = self.world.channels[channel]
        data: Json = {"channel_id": channel, "user_id": user, "timestamp": int(self.clock())}
        if not place.is_dm:
            data |= {"guild_id": self.guild_id, "member": self.world.member_json(user)}
        self.typings.append((channel, user))
        self.world.emit("TYPING_START", data, DM_TYPING if place.is_dm else TYPING, place)

    # Threads and channels

    async def start_thread(self, user: str, channel: str, message: str, name: str) -> str:
        return self.world.start_thread(self.message(channel, message), name, user).id

    async def archive(self, thread: str, *, locked: bool = False) -> None:
        """What a moderator does, or the time that nobody wrote."""
        found = self.world.channels[thread]
        found.locked = found.locked or locked
        self.world.set_archived(found, True)

    async def unarchive(self, thread: str) -> None:
        self.world.set_archived(self.world.channels[thread], False)

    async def lock(self, thread: str) -> None:
        await self._lock(thread, True)

    async def unlock(self, thread: str) -> None:
        await self._lock(thread, False)

    async def _lock(self, thread: str, locked: bool) -> None:
        self.world.channels[thread].locked = locked
        self.world.say_channel("THREAD_UPDATE", self.world.channels[thread])

    async def rename(self, user: str, channel: str, name: str) -> None:
        found = self.world.channels[channel]
        self.world.rename(found, name, user)
        self.world.say_channel("THREAD_UPDATE" if found.is_thread else "CHANNEL_UPDATE", found)

    async def delete_thread(self, thread: str) -> None:
        self.world.delete_channel(self.world.channels[thread])

    async def delete_channel(self, channel: str) -> None:
        self.world.delete_channel(self.world.channels[channel])

    # Members

    async def change_presence(self, user: str, presence: str) -> None:
        self.set_presence(user, presence)

    async def join(self, user: str, roles: tuple[str, ...] | list[str] = ()) -> None:
        self.add_member(user, list(roles))

    async def leave(self, user: str) -> None:
        del self.world.members[user]
        data = {"guild_id": self.guild_id, "user": self.world.user_json(user)}
        self.world.emit("GUILD_MEMBER_REMOVE", data, MEMBERS)

    async def set_roles(self, user: str, roles: tuple[str, ...] | list[str]) -> None:
        self.world.members[user].roles = [self.world.crew_role, *roles]
        self._say_member(user)

    async def rename_user(self, user: str, nick: str | None) -> None:
        self.world.members[user].nick = nick
        self._say_member(user)

    def _say_member(self, user: str) -> None:
        data = {"guild_id": self.guild_id, **self.world.member_json(user)}
        self.world.emit("GUILD_MEMBER_UPDATE", data, MEMBERS)

    async def kick_bot(self) -> None:
        """GUILD_DELETE; everything in the guild is Missing Access from then on."""
        self.remove_bot()

    def remove_bot(self) -> None:
        self.world.members.pop(self.bot_id, None)
        self.commands = []
        self.world.emit("GUILD_DELETE", {"id": self.guild_id}, GUILDS)

    async def invite_bot(self) -> None:
        """The bot is back, with the permissions it had; its commands must be synced again."""
        self.world.members[self.bot_id] = Member(self.bot_id, [self.world.bot_role], self.clock())
        for session in list(self.gateway.sessions.values()):
            if session.wants(GUILDS):
                self.gateway.give(session, "GUILD_CREATE", self.gateway.guild_for(session))
        self.changed()

    # Interactions

    async def click(self, user: str, channel: str, message: str, button: str) -> Interaction:
        """Press a button, named by its custom_id or its label, of a message or of what only this person sees."""
        found = self.message(channel, message)
        one = _pressable(found, button)
        data = {"component_type": BUTTON, "custom_id": one["custom_id"], "id": one["id"]}
        return self._interact(COMPONENT, one["custom_id"], user, found.channel_id, data, message=found)

    async def choose(
        self, user: str, channel: str, message: str, select: str, values: list[str]
    ) -> Interaction:
        """Choose from a select, named by its custom_id: values, or labels, or ids of people, roles, channels."""
        found = self.message(channel, message)
        selects = [one for one in walk(found.components) if one["type"] in SELECTS]
        one = next((one for one in selects if one["custom_id"] == select), None)
        assert one is not None, f"no select {select!r}; there are {[each['custom_id'] for each in selects]}"
        assert not one.get("disabled"), f"{select!r} is disabled"
        resolved: Json = {}
        chosen = self._values(one, values, resolved)
        data = {"component_type": one["type"], "custom_id": select, "values": chosen, "id": one["id"]}
        data |= {"resolved": resolved} if resolved else {}
        return self._interact(COMPONENT, select, user, found.channel_id, data, message=found)

    def _values(self, one: Json, values: list[str], resolved: Json) -> list[str]:
        least, most = one.get("min_values", 1), one.get("max_values", 1)
        assert least <= len(values) <= most, (
            f"{one['custom_id']!r} takes {least} to {most}, not {len(values)}"
        )
        if one["type"] not in _PICKED:
            return [_option(one, value) for value in values]
        for value in values:
            resolve(self, _PICKED[one["type"]], value, resolved)
        return values

    async def command(self, user: str, channel: str, command: str, **options: Any) -> Interaction:
        """A slash command, with its subcommand: `command(dana, room, "handoff assign", case="12")`."""
        name, *path = command.removeprefix("/").split()
        data = filled(self, find(self, name, CHAT), path, options)
        return self._interact(COMMAND, command, user, channel, data)

    async def autocomplete(
        self, user: str, channel: str, command: str, option: str, typed: str, **options: Any
    ) -> Interaction:
        """Type into an option; the answer's `choices` are what the client offers."""
        name, *path = command.removeprefix("/").split()
        data = filled(self, find(self, name, CHAT), path, {**options, option: typed}, focused=option)
        return self._interact(AUTOCOMPLETE, command, user, channel, data)

    async def context_menu(self, user: str, channel: str, message: str, name: str) -> Interaction:
        """Apps → name, on a message."""
        command, found = find(self, name, MESSAGE_MENU), self.message(channel, message)
        resolved = {"messages": {found.id: self.world.message_json(found)}}
        data = {"id": command["id"], "name": name, "type": MESSAGE_MENU, "guild_id": self.guild_id}
        data |= {"target_id": found.id, "resolved": resolved}
        return self._interact(COMMAND, name, user, found.channel_id, data)

    async def submit(self, user: str, modal: Modal | None = None, values: Json | None = None) -> Interaction:
        """Send a modal, by default the one this person looks at. `values`: custom_id → text, option or list of those.

        What the client would not send (a required field that is empty, a text too long) is an AssertionError.
        """
        modal = modal or self.window(user)
        assert modal is not None, "this person looks at no modal"
        assert not modal.closed, "that modal is closed"
        given, resolved = dict(values or {}), {}
        components = [self._submitted(one, given, resolved) for one in modal.content["components"]]
        assert not given, f"the modal has no field {list(given)}"
        data: Json = {"custom_id": modal.custom_id, "components": components}
        data |= {"resolved": resolved} if resolved else {}
        one = modal.interaction
        return self._interact(
            MODAL, modal.custom_id, user, one.channel_id, data, message=one.message, modal_sent=modal
        )

    async def close(self, modal: Modal) -> None:
        """Leave a modal without sending it; the app is not told."""
        modal.closed = True
        self.changed()

    def _submitted(self, one: Json, given: Json, resolved: Json) -> Json:
        out: Json = {"type": one["type"], "id": one.get("id", 0)}
        if one["type"] == ROW:
            return out | {
                "components": [self._submitted(each, given, resolved) for each in one["components"]]
            }
        if one["type"] == LABEL:
            return out | {"component": self._submitted(one["component"], given, resolved)}
        if one["type"] not in FIELDS:
            return out
        out["custom_id"] = one["custom_id"]
        value = given.pop(one["custom_id"], None)
        if one["type"] == INPUT:
            return out | {"value": _text(one, value)}
        if one["type"] == BOX:
            return out | {"value": bool(one.get("default") if value is None else value)}
        if one["type"] == RADIO:
            chosen = _defaults(one) if value is None else [_option(one, str(value))]
            assert chosen or not one.get("required", True), f"{one['custom_id']!r} is required"
            return out | {"value": chosen[0] if chosen else None}
        return out | {"values": self._listed(one, value, resolved)}

    def _listed(self, one: Json, value: Any, resolved: Json) -> list[str]:
        given = [value] if isinstance(value, str | File) else list(value or ())
        if value is None:
            given = _defaults(one)
        assert given or not one.get("required", True), f"{one['custom_id']!r} is required"
        if one["type"] == UPLOAD:
            for file in given:
                resolved.setdefault("attachments", {})[file.id] = self.world.file_json(file)
            return [file.id for file in given]
        if one["type"] == BOXES:
            return [_option(one, each) for each in given]
        return self._values(one, given, resolved) if given else []

    def _interact(
        self, kind: int, name: str, user: str, channel: str, data: Json, **more: Any
    ) -> Interaction:
        assert user in self.world.users, "nobody of that id"
        token = f"interaction:{uuid.uuid4().hex}"
        place = self.world.channels[channel]
        assert not place.deleted, "that channel is gone"
        assert self.world.sees(user, place), "this person does not see that channel"
        data = json.loads(json.dumps(data))
        return begin(
            self,
            Interaction(self.world.new_id(), token, kind, name, user, channel, data, self.clock(), **more),
        )


def _pressable(message: Message, button: str) -> Json:
    assert not message.deleted, "the message is gone"
    buttons = [one for one in walk(message.components) if one["type"] == BUTTON]
    for one in buttons:
        if button in (one.get("custom_id"), one.get("label")) and one["style"] != LINK:
            assert not one.get("disabled"), f"{button!r} is disabled"
            return one
    offered = [one.get("custom_id") for one in buttons]
    raise AssertionError(f"nothing to press: {button!r}; offered are {offered}")


def _option(one: Json, value: str) -> str:
    options = one.get("options") or []
    found = next((each["value"] for each in options if value in (each["value"], each["label"])), None)
    assert found is not None, (
        f"{one['custom_id']!r} offers {[each['value'] for each in options]}, not {value!r}"
    )
    return str(found)


def _defaults(one: Json) -> list[str]:
    """What a field holds before anybody touches it."""
    if one["type"] in (SELECT, RADIO, BOXES):
        return [each["value"] for each in one.get("options") or () if each.get("default")]
    return [str(each["id"]) for each in one.get("default_values") or ()]


def _text(one: Json, value: Any) -> str:
    text = str(one.get("value") or "") if value is None else str(value)
    required = one.get("required", True)
    assert text or not required, f"{one['custom_id']!r} is required"
    least, most = one.get("min_length") or 0, one.get("max_length") or 4000
    assert not text or least <= len(text) <= most, f"{one['custom_id']!r} takes {least} to {most} characters"
    return text

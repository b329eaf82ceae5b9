"""What people do in Slack: post, edit, click, command.

Each act changes the workspace and queues its event.

Texts are as Slack would send them: `&lt;` for a typed `<`, `<@U…>` for a mention.
"""

from __future__ import annotations

import uuid
from typing import Any

from .blocks import elements
from .delivery import Delivery
from .files import in_message
from .rich_text import rich_text
from .state import Ephemeral, File, State, View
from .world import Json, Message


class People(State):
    """The acts of the workspace's members."""

    async def post(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        *,
        blocks: list[Json] | None = None,
        files: list[File] | None = None,
        subtype: str | None = None,
    ) -> str:
        """Say something; returns its ts. A mention of the bot also gives `app_mention`, in random order."""
        message = self.world.post(
            channel,
            user,
            text,
            thread_ts=thread_ts,
            blocks=blocks or rich_text(text),
            files=[in_message(self, file) for file in files or ()],
            subtype=subtype or ("file_share" if files else None),
            client_msg_id=str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
        )
        for file in files or ():
            file.shares.append((channel, message.ts))
        return message.ts

    async def post_as_app(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Another app's bot says something."""
        return self.world.post(channel, "U0OTHERBOT", text, thread_ts=thread_ts, bot_id="B0OTHER").ts

    async def edit(self, channel: str, ts: str, text: str, *, user: str | None = None) -> None:
        message = self.world.message(channel, ts)
        blocks = rich_text(text) if message.blocks else []
        self.world.edit(message, user or message.user, text=text, blocks=blocks)

    async def delete(self, channel: str, ts: str) -> None:
        """Delete any message, the bot's too, as an admin can. A root with replies becomes a tombstone."""
        self.world.delete(self.world.message(channel, ts))

    async def unfurl(self, channel: str, ts: str) -> None:
        """A `message_changed` with the same text, as link previews give."""
        message = self.world.message(channel, ts)
        before = self.world.json(message)
        message.attachments = [
            {"fallback": "Example", "title": "Example", "from_url": "https://example.com/"}
        ]
        self.world.say_changed(message, before)

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        self.world.react(self.world.message(channel, ts), user, name)

    async def unreact(self, user: str, channel: str, ts: str, name: str) -> None:
        self.world.unreact(self.world.message(channel, ts), user, name)

    # Channels

    async def join(self, channel: str, user: str) -> None:
        """A `channel_join` message and `member_joined_channel`."""
        self.world.channels[channel].members.append(user)
        self.world.post(channel, user, f"<@{user}> has joined the channel", subtype="channel_join")
        self.emit_event({"type": "member_joined_channel", "user": user, "channel": channel})

    async def leave(self, channel: str, user: str) -> None:
        """`member_left_channel`; when it is the bot that is removed, `channel_left`."""
        self.world.channels[channel].members.remove(user)
        kind = self._kind(channel, "left") if user == self.bot_user_id else "member_left_channel"
        self.emit_event({"type": kind, "user": user, "channel": channel})

    async def archive(self, channel: str, user: str = "U0ADMIN") -> None:
        self.world.channels[channel].archived = True
        self.emit_event({"type": self._kind(channel, "archive"), "channel": channel, "user": user})

    async def unarchive(self, channel: str, user: str = "U0ADMIN") -> None:
        self.world.channels[channel].archived = False
        self.emit_event({"type": self._kind(channel, "unarchive"), "channel": channel, "user": user})

    async def delete_channel(self, channel: str) -> None:
        event = {"type": self._kind(channel, "deleted"), "channel": channel}
        del self.world.channels[channel]
        self.emit_event(event)

    def _kind(self, channel: str, what: str) -> str:
        return ("group_" if self.world.channels[channel].private else "channel_") + what

    def lock_thread(self, channel: str, root: str) -> None:
        self.world.channels[channel].locked.add(root)

    # Interactions

    async def click(
        self, user: str, channel: str, ts: str, action_id: str, value: str | None = None
    ) -> Delivery:
        """Press a button, or choose the option with `value`, on a message or an ephemeral one."""
        shown = self._shown(channel, ts)
        action = _action(shown.blocks, action_id, value)
        container: Json = {"type": "message", "message_ts": ts, "channel_id": channel}
        container["is_ephemeral"] = not isinstance(shown, Message)
        payload: Json = {"type": "block_actions", "container": container, "state": {"values": {}}}
        if isinstance(shown, Message):
            payload["message"] = self.world.json(shown)
        if shown.thread_ts:
            container["thread_ts"] = shown.thread_ts
        return self._interact(user, payload | {"actions": [self._stamped(action)]}, channel, ts)

    async def click_in_view(
        self, user: str, view_id: str, action_id: str, value: str | None = None
    ) -> Delivery:
        """Press a button in a modal or the Home tab."""
        view = self.view(view_id)
        action = self._stamped(_action(view.content["blocks"], action_id, value))
        container = {"type": "view", "view_id": view_id}
        return self._interact(
            user, {"type": "block_actions", "container": container, "view": view.json(), "actions": [action]}
        )

    async def submit(self, user: str, view_id: str, values: dict[str, Any] | None = None) -> Delivery:
        """Send a modal. `values` maps block_id or action_id to a text, an option's value, or a state."""
        view = self.view(view_id)
        shown = view.json()
        shown["state"] = {"values": _state(view.content["blocks"], values or {})}
        submission: Json = {"type": "view_submission", "view": shown, "response_urls": []}
        return self._interact(user, submission, accepts_response=True)

    async def close(self, view_id: str) -> None:
        """Leave a modal without sending it."""
        self.view(view_id).closed = True
        self.changed()

    def window(self, user: str) -> View | None:
        """The modal this person looks at: the newest that is open."""
        return next((view for view in reversed(self.views) if view.user == user and not view.closed), None)

    async def command(self, user: str, channel: str, command: str, text: str = "") -> Delivery:
        """A slash command in the channel; Slack has none inside threads."""
        where = {"channel_id": channel, "channel_name": self.world.channels[channel].name}
        who = {"user_id": user, "user_name": self.world.users[user].name, "team_id": self.team_id}
        what = {"command": command, "text": text, "api_app_id": self.app_id, "token": "fake-verification"}
        links = {"trigger_id": self.new_trigger(user), "response_url": self.new_response_url(user, channel)}
        payload = what | who | where | links | {"team_domain": "baton-fake", "is_enterprise_install": "false"}
        return self.gateway.send("slash_commands", self.world.new_id("Cmd"), payload, accepts_response=True)

    async def shortcut(
        self, user: str, callback_id: str, channel: str | None = None, ts: str | None = None
    ) -> Delivery:
        """A message shortcut when a message is given, else a global one."""
        payload: Json = {"callback_id": callback_id, "action_ts": self.world.event_ts()}
        if channel is None or ts is None:
            return self._interact(user, payload | {"type": "shortcut"})
        shown = self.world.json(self.world.message(channel, ts))
        return self._interact(
            user, payload | {"type": "message_action", "message_ts": ts, "message": shown}, channel, ts
        )

    async def open_home(self, user: str) -> Delivery:
        event: Json = {"type": "app_home_opened", "user": user, "channel": self.dm(user), "tab": "home"}
        if user in self.homes:
            event["view"] = self.homes[user].json()
        return self.emit_event(event)

    def _interact(
        self,
        user: str,
        payload: Json,
        channel: str | None = None,
        ts: str | None = None,
        *,
        accepts_response: bool = False,
    ) -> Delivery:
        person = self.world.users[user]
        who = {"id": user, "username": person.name, "name": person.name, "team_id": self.team_id}
        team = {"id": self.team_id, "domain": "baton-fake"}
        payload |= {"user": who, "team": team, "api_app_id": self.app_id, "token": "fake-verification"}
        payload |= {"enterprise": None, "is_enterprise_install": False, "trigger_id": self.new_trigger(user)}
        if channel is not None:
            payload["channel"] = {"id": channel, "name": self.world.channels[channel].name}
            payload["response_url"] = self.new_response_url(user, channel, ts)
        return self.gateway.send(
            "interactive", self.world.new_id("Act"), payload, accepts_response=accepts_response
        )

    def _shown(self, channel: str, ts: str) -> Message | Ephemeral:
        for ephemeral in self.ephemerals:
            if (ephemeral.channel, ephemeral.ts) == (channel, ts):
                return ephemeral
        return self.world.message(channel, ts)

    def _stamped(self, action: Json) -> Json:
        return {**action, "action_ts": self.world.event_ts()}

    def view(self, view_id: str) -> View:
        return next(v for v in (*self.views, *self.homes.values()) if v.id == view_id)


def _action(blocks: list[Json], action_id: str, value: str | None) -> Json:
    """The action that pressing this element gives; AssertionError if nobody could press it."""
    found = [(block, element) for block, element in elements(blocks) if element["action_id"] == action_id]
    for block, element in found:
        action = {"type": element["type"], "action_id": action_id, "block_id": block["block_id"]}
        if element["type"] == "button":
            if value in (None, element.get("value")):
                return action | {key: element[key] for key in ("text", "value", "style") if key in element}
        else:
            option = _option(element, value)
            if option is not None:
                key = (
                    "selected_options"
                    if element["type"] in ("checkboxes", "multi_static_select")
                    else "selected_option"
                )
                return action | {key: [option] if key == "selected_options" else option}
    offered = [element["action_id"] for _, element in elements(blocks)]
    raise AssertionError(f"nothing to press: {action_id!r} with value {value!r}; offered are {offered}")


def _option(element: Json, value: str | None) -> Json | None:
    options = list(element.get("options", ()))
    for group in element.get("option_groups", ()):
        options += group["options"]
    return next((option for option in options if option["value"] == value), None)


def _state(blocks: list[Json], values: dict[str, Any]) -> Json:
    """The `state.values` of a modal whose inputs were filled in like this."""
    state: Json = {}
    for block, element in elements(blocks):
        block_id, action_id = block["block_id"], element["action_id"]
        given = values.get(block_id, values.get(action_id))
        filled: Json = {"type": element["type"]}
        if isinstance(given, dict):
            filled |= given
        elif element["type"] == "multi_static_select":
            chosen = [_option(element, each) for each in given or ()]
            filled["selected_options"] = chosen if given is not None else element.get("initial_options", [])
        elif element["type"].endswith("_select") or element["type"] == "radio_buttons":
            filled["selected_option"] = _option(element, given) if given else element.get("initial_option")
        elif element["type"] == "checkboxes":
            filled["selected_options"] = [_option(element, each) for each in given or ()]
        elif block["type"] == "input":
            filled["value"] = given if given is not None else element.get("initial_value")
        else:
            continue
        state.setdefault(block_id, {})[action_id] = filled
    return state

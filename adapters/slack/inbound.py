"""Slack's events as commands. Pure: who the people are has been looked up before.

Only what people say and take back in threads is of interest, and a thread's root being deleted. Bots, our own posts,
link previews and reply counts are not; `app_mention` is not either, since the same message arrives as `message`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.directory import PLATFORM
from adapters.slack.formatting import addressed, emoji_in, mentioned, to_markdown
from adapters.slack.rendering import ACTION_PREFIX
from bot.commands import RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage, from_button
from bot.people import Actor
from bot.posts import Action, Heard, Place

SPOKEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})
_SLACKBOT = "USLACKBOT"

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A command, the thread it belongs to and its place in that thread's order."""

    lane: str
    order: str
    command: ThreadMessage | ThreadEdit | ThreadDelete | RootDeleted


@dataclass(frozen=True, slots=True)
class Click:
    """A button pressed: by whom, where to whisper an answer to (`root` empty: in the channel)."""

    action: str
    value: str
    user_id: str
    user_name: str
    channel: str
    root: str

    def command(self, actor: Actor) -> Any:
        """ValueError for a button that is not ours or carries nonsense."""
        name = self.action.removeprefix(ACTION_PREFIX).partition(":")[0]
        return from_button(Action(name), self.value, actor)


def people_in(event: Event) -> list[str]:
    """Whom to look up before `arrival`: the author and whom they mention; nobody if the event is of no interest."""
    message = _spoken(event)
    if message is None:
        return []
    return [str(message["user"]), *mentioned(str(message.get("text") or ""))]


def author_of(event: Event) -> str:
    """The user id of who wrote or changed what the event is about."""
    message = _spoken(event)
    return str(message["user"]) if message else ""


def arrival(event: Event, actors: Mapping[str, Actor], bot_user_id: str) -> Arrival | None:
    """The command behind a `message` event, if there is one."""
    subtype = event.get("subtype")
    if subtype == "message_deleted":
        return _deleted(event, bot_user_id)
    if subtype == "message_changed" and _is_tombstone(event):
        return _tombstone(event, bot_user_id)
    message = _spoken(event)
    if message is None or message["user"] == bot_user_id or message["user"] not in actors:
        return None
    channel, root, order = str(event["channel"]), str(message["thread_ts"]), _order(event)
    place, actor = Place(PLATFORM, channel, root), actors[message["user"]]
    if subtype == "message_changed":
        words = heard(message, actors, bot_user_id, edited_order=order)
        return Arrival(lane(channel, root), order, ThreadEdit(place, words, actor))
    return Arrival(
        lane(channel, root), order, ThreadMessage(place, heard(message, actors, bot_user_id), actor)
    )


def heard(
    message: Event, actors: Mapping[str, Actor], bot_user_id: str, edited_order: str | None = None
) -> Heard:
    """A person's message as the core takes it. Slack's `edited.ts` knows whole seconds only, so a live edit is given
    its event's own time instead, and two edits within a second stay two."""
    to, text = addressed(str(message.get("text") or ""), bot_user_id)

    def name_of(user_id: str) -> str:
        return actors[user_id].first_name if user_id in actors else "someone"

    if edited_order is None:
        edited_order = str((message.get("edited") or {}).get("ts") or "")
    ts = str(message["ts"])
    return Heard(
        id=ts,
        order=ts,
        author_id=str(message["user"]),
        text=to_markdown(text, name_of, emoji_in(message.get("blocks"))).strip(),
        at=float(ts),
        edited_order=edited_order,
        addressed=to,
        extra=_files(message),
    )


def is_spoken(message: Event) -> bool:
    """Whether a person said it: not a bot, not Slack itself, not a notice about the channel."""
    if message.get("bot_id") or message.get("subtype") not in SPOKEN:
        return False
    return bool(message.get("user")) and message["user"] != _SLACKBOT


def click(payload: Event) -> Click | None:
    """A `block_actions` payload of one of our buttons."""
    action = next((item for item in payload.get("actions", ()) if _is_ours(item)), None)
    container = payload.get("container") or {}
    channel = str((payload.get("channel") or {}).get("id") or container.get("channel_id") or "")
    user = payload.get("user") or {}
    if action is None or not channel or not user.get("id"):
        return None
    return Click(
        action=str(action["action_id"]),
        value=str(action.get("value") or ""),
        user_id=str(user["id"]),
        user_name=str(user.get("name") or user.get("username") or ""),
        channel=channel,
        root=_clicked_thread(container, payload.get("message") or {}),
    )


def lane(channel: str, root: str) -> str:
    """The source whose events have an order of their own: a thread."""
    return f"{PLATFORM}:{channel}:{root}"


def _is_ours(action: Event) -> bool:
    return str(action.get("action_id") or "").startswith(ACTION_PREFIX)


def _clicked_thread(container: Event, message: Event) -> str:
    """The thread a clicked reply stands in; empty for a root, whose clicker looks at the channel."""
    root = container.get("thread_ts") or message.get("thread_ts")
    clicked = container.get("message_ts") or message.get("ts")
    return str(root) if root and root != clicked else ""


def _spoken(event: Event) -> Event | None:
    """The person's message in a thread that the event says or changes."""
    if event.get("type") != "message":
        return None
    message = event
    if event.get("subtype") == "message_changed":
        message = event.get("message") or {}
        if not _text_changed(event):
            return None
    root = message.get("thread_ts")
    if not root or root == message.get("ts") or not is_spoken(message):
        return None
    return message


def _text_changed(event: Event) -> bool:
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    return bool(now.get("text") != before.get("text"))


def _is_tombstone(event: Event) -> bool:
    return bool((event.get("message") or {}).get("subtype") == "tombstone")


def _tombstone(event: Event, bot_user_id: str) -> Arrival | None:
    """A root with replies was deleted."""
    before = event.get("previous_message")
    if before and before.get("user") != bot_user_id:
        return None
    return _root_deleted(event, str(event["message"]["ts"]))


def _deleted(event: Event, bot_user_id: str) -> Arrival | None:
    before = event.get("previous_message") or {}
    ts, root = str(event.get("deleted_ts") or before.get("ts") or ""), before.get("thread_ts")
    ours = before.get("user") == bot_user_id
    if not root or root == ts:
        return _root_deleted(event, ts) if ours else None
    if ours or before.get("bot_id"):
        return None
    channel, order = str(event["channel"]), _order(event)
    place = Place(PLATFORM, channel, str(root))
    return Arrival(lane(channel, str(root)), order, ThreadDelete(place, ts, order))


def _root_deleted(event: Event, root: str) -> Arrival:
    channel = str(event["channel"])
    return Arrival(lane(channel, root), _order(event), RootDeleted(Place(PLATFORM, channel, root)))


def _order(event: Event) -> str:
    """When it happened at Slack; for a new message its own ts."""
    return str(event.get("ts") or event.get("event_ts") or "")


def _files(message: Event) -> dict[str, Any]:
    kept = ("id", "name", "mimetype", "size", "url_private_download")
    files = [
        {key: file[key] for key in kept if key in file}
        for file in message.get("files") or ()
        if file.get("mode") != "tombstone"
    ]
    return {"files": files} if files else {}

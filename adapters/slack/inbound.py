"""Slack's events as commands. Pure: who the people are has been looked up before.

Only what people say and take back in threads is of interest, and a thread's root being deleted. Bots, our own posts,
link previews and reply counts are not; `app_mention` is not either, since the same message arrives as `message`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.directory import PLATFORM
from adapters.slack.files import kept_of
from adapters.slack.formatting import markdown_of, mentioned_in
from adapters.slack.words import command_of
from bot.commands import RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage
from bot.people import Actor
from bot.posts import Heard, Place

SPOKEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})
WITHDRAWS = "octagonal_sign"
"""🛑: a held message must not leave."""
_SLACKBOT = "USLACKBOT"

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A command, the thread it belongs to and its place in that thread's order."""

    lane: str
    order: str
    command: ThreadMessage | ThreadEdit | ThreadDelete | RootDeleted


def people_in(event: Event) -> list[str]:
    """Whom to look up before `arrival`: the author and whom they mention; nobody if the event is of no interest."""
    message = _spoken(event)
    if message is None:
        return []
    return [str(message["user"]), *mentioned_in(message)]


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

    def name_of(user_id: str) -> str:
        return actors[user_id].first_name if user_id in actors else "someone"

    to, text = markdown_of(message, bot_user_id, name_of)
    if edited_order is None:
        edited_order = str((message.get("edited") or {}).get("ts") or "")
    ts = str(message["ts"])
    return Heard(
        id=ts,
        order=ts,
        author_id=str(message["user"]),
        text=text,
        at=float(ts),
        edited_order=edited_order,
        addressed=to,
        extra=_files(message) | command_of(message, bot_user_id, actors),
    )


def is_spoken(message: Event) -> bool:
    """Whether a person said it: not a bot, not Slack itself, not a notice about the channel."""
    if message.get("bot_id") or message.get("subtype") not in SPOKEN:
        return False
    return bool(message.get("user")) and message["user"] != _SLACKBOT


def withdraws(reaction: str) -> bool:
    """Whether that reaction is 🛑, in whatever colour of skin Slack appends."""
    return reaction.partition("::")[0] == WITHDRAWS


def withdrawn_by(message: Event) -> list[str]:
    """User ids of those who have put 🛑 on it, as a history shows."""
    stops = [one for one in message.get("reactions") or () if withdraws(str(one.get("name") or ""))]
    return list(dict.fromkeys(str(user) for one in stops for user in one.get("users") or ()))


def lane(channel: str, root: str) -> str:
    """The source whose events have an order of their own: a thread."""
    return f"{PLATFORM}:{channel}:{root}"


def _spoken(event: Event) -> Event | None:
    """The person's message in a thread that the event says or changes."""
    if event.get("type") != "message":
        return None
    message = event
    if event.get("subtype") == "message_changed":
        message = event.get("message") or {}
        if not _words_changed(event) and not _files_removed(event):
            return None
    root = message.get("thread_ts")
    if not root or root == message.get("ts") or not is_spoken(message):
        return None
    return message


def _words_changed(event: Event) -> bool:
    """Whether an edit changed what there is to read: link previews and reply counts change messages as well, and
    a word made bold changes no `text`."""
    now, before = event.get("message") or {}, event.get("previous_message")
    return not before or _words(now) != _words(before)


def _files_removed(event: Event) -> bool:
    """Whether a message has lost one of its files, which Slack then leaves out or shows as a tombstone."""
    before = {file["id"] for file in kept_of(event.get("previous_message") or {})}
    return not before <= {file["id"] for file in kept_of(event.get("message") or {})}


def _words(message: Event) -> tuple[str | None, str]:
    return markdown_of(message, "", lambda user_id: user_id)


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
    files = kept_of(message)
    return {"files": files} if files else {}

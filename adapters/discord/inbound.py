"""Discord's events as commands. Pure: who the people are, and which threads there are, has been looked up before.

Only what people say and take back in threads is of interest, and a card or a thread being deleted. Bots, webhooks, our
own posts, Discord's notices and link previews are not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.discord.api import snowflake_at, time_of
from adapters.discord.files import kept_of
from adapters.discord.formatting import command_of, markdown_of, mentioned_in
from adapters.discord.places import PLATFORM, Ourselves
from bot.commands import RootDeleted, ThreadDelete, ThreadEdit, ThreadMessage
from bot.people import Actor
from bot.posts import Heard, Place

SPOKEN = frozenset({0, 19})
"""The types of message that people write: one, or a reply to one."""
WITHDRAWS = "🛑"
"""A held message must not leave."""
DIGITS = 20
"""Discord's ids grow with time and become longer: filled up they compare as strings."""

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A command, the thread it belongs to and its place in that thread's order."""

    lane: str
    order: str
    command: ThreadMessage | ThreadEdit | ThreadDelete | RootDeleted


def is_spoken(message: Event) -> bool:
    """Whether a person said it: not a bot, not a webhook, not Discord itself."""
    author = message.get("author") or {}
    if message.get("webhook_id") or author.get("bot") or author.get("system"):
        return False
    return bool(author.get("id")) and message.get("type", 0) in SPOKEN


def is_blank(message: Event) -> bool:
    """Whether it shows nothing at all, which nobody can write: Discord hides it, or it is of a kind yet unknown."""
    said = ("content", "attachments", "embeds", "sticker_items", "poll", "message_snapshots", "components")
    return not any(message.get(one) for one in said)


def people_in(message: Event) -> list[str]:
    """Whom to look up before `said`: the author and whom they mention; nobody if it is of no interest."""
    return [str(message["author"]["id"]), *mentioned_in(message)] if is_spoken(message) else []


def said(message: Event, channel: str, actors: Mapping[str, Actor], us: Ourselves) -> Arrival | None:
    """A new message of a thread in `channel`."""
    if not is_spoken(message):
        return None
    place, words = _place(message, channel), heard(message, actors, us)
    return Arrival(lane(place), words.order, ThreadMessage(place, words, actors[words.author_id]))


def changed(message: Event, channel: str, actors: Mapping[str, Actor], us: Ourselves) -> Arrival | None:
    """A message reads differently, or has lost a file, which Discord counts as no edit. Link previews, pins and the
    like change messages as well, but nothing that is taken from them."""
    if not is_spoken(message) or not ("attachments" in message or message.get("edited_timestamp")):
        return None
    place, words = _place(message, channel), heard(message, actors, us)
    return Arrival(lane(place), words.edited_order, ThreadEdit(place, words, actors[words.author_id]))


def deleted(event: Event, channel: str, now: float) -> Iterator[Arrival]:
    """One message of a thread, or several. Discord does not say when: they come behind everything that has come."""
    place = Place(PLATFORM, channel, str(event["channel_id"]))
    order = order_at(now)
    for message_id in event.get("ids") or [event["id"]]:
        yield Arrival(lane(place), order, ThreadDelete(place, str(message_id), order))


def root_deleted(channel: str, root: str, now: float) -> Arrival:
    """A thread was deleted, or the message that it began with."""
    place = Place(PLATFORM, channel, root)
    return Arrival(lane(place), order_at(now), RootDeleted(place))


def heard(message: Event, actors: Mapping[str, Actor], us: Ourselves) -> Heard:
    """A person's message as the core takes it."""

    def name_of(user_id: str) -> str:
        return actors[user_id].first_name if user_id in actors else "someone"

    to, text = markdown_of(message, us.user_id, name_of, us.place_names, bot_role_id=us.role_id)
    edited = message.get("edited_timestamp")
    files = kept_of(message)
    return Heard(
        id=str(message["id"]),
        order=padded(str(message["id"])),
        author_id=str(message["author"]["id"]),
        text=text,
        at=time_of(str(message["id"])),
        edited_order=order_at(datetime.fromisoformat(str(edited)).timestamp()) if edited else "",
        addressed=to,
        extra=({"files": files} if files else {})
        | command_of(message, us.user_id, actors, bot_role_id=us.role_id),
    )


def padded(snowflake: str) -> str:
    """So that it compares as a string."""
    return snowflake.zfill(DIGITS)


def order_at(at: float) -> str:
    """For what has a time and no id: behind every message of that millisecond."""
    return padded(str(int(snowflake_at(at)) | (1 << 22) - 1))


def lane(place: Place) -> str:
    """The source whose events have an order of their own: a thread."""
    return f"{PLATFORM}:{place.channel}:{place.root}"


def _place(message: Event, channel: str) -> Place:
    return Place(PLATFORM, channel, str(message["channel_id"]))

"""How a conversation looks from outside: to a store's backend, to a shopper's window, to the console.

Everything a shopper or a store gets of a log passes through here, so that an entry for the team, or a text that
was taken back, has one place where it is held.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from bot import waiting
from bot.cards import name_of
from bot.conversation import Conversation, Stage
from bot.entries import Audience, Author, Entry, Kind, Reader
from bot.files import path_of, pending, ready, url_of
from bot.holds import NO_THREAD, Held
from bot.people import Presence
from bot.ports import UnitOfWork
from bot.posts import Receipt
from bot.settings import Timing


def iso(at: float | None) -> str | None:
    """Unix seconds as an ISO 8601 time in UTC, in milliseconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def place_in_queue(uow: UnitOfWork, conversation: Conversation) -> tuple[int | None, int | None]:
    """(position, estimated wait in seconds) while waiting, else (None, None)."""
    if conversation.stage is not Stage.WAITING:
        return None, None
    position = uow.conversations.waiting_before(conversation) + 1
    return position, waiting.estimate(position, uow.conversations.recent_waits(conversation.team))


def shopper_ids(uow: UnitOfWork, conversation: Conversation) -> tuple[str, ...]:
    """Whose conversation it is: its shopper and, where a guest began it and was named later, that guest. It is the
    same person in the same window."""
    shopper = uow.people.shopper(conversation.shopper_id)
    known = (shopper.external_id if shopper else None, conversation.guest_id)
    return tuple(one for one in known if one is not None)


def is_theirs(uow: UnitOfWork, conversation: Conversation, shopper_id: str) -> bool:
    """Whether a window's shopper may read and write this conversation."""
    return shopper_id in shopper_ids(uow, conversation)


def owner_name(uow: UnitOfWork, conversation: Conversation) -> str | None:
    """The owner's full name, for the team and the store."""
    operator = uow.people.operator(conversation.owner_id) if conversation.owner_id else None
    return operator.name if operator else None


# --- the store's backend --------------------------------------------------------------------------------------


def conversation_row(uow: UnitOfWork, conversation: Conversation) -> dict[str, Any]:
    """A conversation without its packet and log, as `GET /v1/conversations` lists it."""
    position, estimate = place_in_queue(uow, conversation)
    shopper = uow.people.shopper(conversation.shopper_id)
    return {
        "id": conversation.external_id,
        "number": conversation.number,
        "stage": str(conversation.stage),
        "owner": owner_name(uow, conversation),
        "team": conversation.team,
        "category": conversation.category,
        "priority": conversation.priority,
        "position": position,
        "estimated_wait_seconds": estimate,
        "awaiting": str(conversation.awaiting),
        "channel": conversation.channel,
        "shopper_id": shopper.external_id if shopper else None,
        "created_at": iso(conversation.created_at),
        "updated_at": iso(conversation.updated_at),
    }


def conversation_view(
    uow: UnitOfWork, conversation: Conversation, *, after: int = 0, limit: int = 200, internal: bool = False
) -> dict[str, Any]:
    """`GET /v1/conversations/{id}`: with entries for the shopper only, unless the store is told everything."""
    entries = uow.log.after(conversation.number, after, limit, shopper_only=not internal)
    seen = [store_entry(uow, entry, internal=internal) for entry in entries]
    return {
        **conversation_row(uow, conversation),
        "packet": conversation.packet or None,
        "entries": [entry for entry in seen if entry is not None],
        "next_after": entries[-1].seq if len(entries) == limit else None,
    }


def store_entry(uow: UnitOfWork, entry: Entry, *, internal: bool = False) -> dict[str, Any] | None:
    """An entry as `/v1` and webhooks give it; None if it is not for them."""
    if entry.audience is not Audience.SHOPPER and not internal:
        return None
    shown: dict[str, Any] = {
        "seq": entry.seq,
        "kind": str(entry.kind),
        "author": str(entry.author),
        "name": entry.name,
        "text": newest_text(uow, entry),
        "at": iso(entry.at),
        "id": entry.external_id,
        "source": entry.source or None,
        "late": entry.late,
    }
    if entry.kind is Kind.MESSAGE:
        shown |= {"edited": entry.edited, "deleted": entry.deleted}
    if files := _files_of(uow, entry):
        shown["files"] = [one | {"url": url_of(uow.settings, one["id"], uow.now)} for one in files]
    if entry.target is not None:
        shown["target"] = entry.target
    if entry.kind is Kind.NOTICE:
        shown["code"] = entry.data.get("code")
        shown["stage"] = entry.data.get("stage")
    if internal:
        shown |= {"audience": str(entry.audience), "data": _data_of(entry)}
    return shown


def newest_text(uow: UnitOfWork, entry: Entry) -> str:
    """A deleted text is never given again, an edited one only in its newest form, on replay either."""
    if entry.kind not in (Kind.EDITED, Kind.DELETED) or entry.target is None:
        return entry.text
    target = uow.log.entry(entry.conversation, entry.target)
    return target.text if target else ""


# --- the shopper's window -------------------------------------------------------------------------------------


def widget_entry(uow: UnitOfWork, entry: Entry) -> dict[str, Any] | None:
    """An entry as the stream gives it; None if it is not for shoppers."""
    if entry.audience is not Audience.SHOPPER:
        return None
    shown: dict[str, Any] = {"seq": entry.seq, "kind": str(entry.kind), "at": iso(entry.at)}
    if files := _files_of(uow, entry):
        shown["files"] = [one | {"url": path_of(uow.settings, one["id"], uow.now)} for one in files]
    if entry.kind is Kind.MESSAGE:
        return shown | {
            "author": str(entry.author),
            "name": entry.name,
            "text": entry.text,
            "id": entry.external_id,
            "edited": entry.edited,
            "deleted": entry.deleted,
        }
    if entry.kind is Kind.NOTICE:
        return shown | {"code": entry.data.get("code"), "text": entry.text}
    target = uow.log.entry(entry.conversation, entry.target) if entry.target is not None else None
    if target is None or target.deleted or entry.kind is Kind.DELETED:
        return shown | {"kind": str(Kind.DELETED), "target": entry.target}
    edited = {} if target.edited else {"edited": False}  # a file has come, the text is what it was
    return shown | {"target": entry.target, "text": target.text, **edited}


def _files_of(uow: UnitOfWork, entry: Entry) -> list[dict[str, Any]]:
    """The files of a message that are here and not taken back; of an edit's message likewise."""
    about: Entry | None = entry
    if entry.kind is Kind.EDITED and entry.target is not None:
        about = uow.log.entry(entry.conversation, entry.target)
    if about is None or about.deleted or about.kind is not Kind.MESSAGE:
        return []
    return [{key: one[key] for key in ("id", "name", "mime", "size")} for one in ready(about.data)]


def widget_state(uow: UnitOfWork, conversation: Conversation | None) -> dict[str, Any]:
    """Who is answering and how long it may take."""
    if conversation is None or not conversation.in_persons_hands:
        stage = conversation.stage if conversation else Stage.OPEN
        answering: dict[str, Any] = {"kind": "assistant", "name": None}
        return {"stage": str(stage), "answering": answering, "position": None, "estimated_wait_seconds": None}
    position, estimate = place_in_queue(uow, conversation)
    owner = uow.people.operator(conversation.owner_id) if conversation.owner_id else None
    return {
        "stage": str(conversation.stage),
        "answering": {"kind": "operator" if owner else "nobody", "name": owner.first_name if owner else None},
        "position": position,
        "estimated_wait_seconds": estimate,
    }


# --- the console ----------------------------------------------------------------------------------------------


def console_row(uow: UnitOfWork, conversation: Conversation) -> dict[str, Any]:
    """A case in the console's list. Times are Unix seconds."""
    shopper = uow.people.shopper(conversation.shopper_id)
    packet = conversation.packet or {}
    said = uow.log.last(conversation.number, 1) if not packet else ()
    return {
        "number": conversation.number,
        "stage": str(conversation.stage),
        "store": conversation.store,
        "team": conversation.team,
        "title": packet.get("issue") or (said[0].text[:140] if said else ""),
        "customer": name_of(shopper) if shopper else "",
        "tier": shopper.tier if shopper else None,
        "priority": conversation.priority,
        "category": conversation.category,
        "owner": owner_name(uow, conversation),
        "owner_id": _owner_account(uow, conversation),
        "waiting_since": conversation.waiting_since,
        "updated_at": conversation.updated_at,
        "awaiting": str(conversation.awaiting),
        "unread": conversation.last_shopper_seq > conversation.last_answer_seq,
        "position": place_in_queue(uow, conversation)[0],
    }


def _owner_account(uow: UnitOfWork, conversation: Conversation) -> dict[str, str] | None:
    """Two people may share a name; an account they do not."""
    owner = uow.people.operator(conversation.owner_id) if conversation.owner_id else None
    return {"platform": owner.platform, "id": owner.external_id} if owner else None


def console_case(uow: UnitOfWork, conversation: Conversation, limit: int = 1000) -> dict[str, Any]:
    """A case with everything the team knows of it: the newest `limit` entries."""
    number = conversation.number
    entries = uow.log.last(number, limit)
    tabs = uow.presence.tabs(number)
    undelivered = uow.lanes.undelivered(number)
    lane = uow.lanes.lane(number, Reader.THREAD)
    return {
        **console_row(uow, conversation),
        "packet": conversation.packet or None,
        "entries": [_team_entry(uow, entry) for entry in entries],
        "held": [_held(uow, held) for held in uow.held.of(number)],
        "links": [
            {"platform": binding.platform, "permalink": binding.permalink}
            for binding in uow.lanes.bindings(number)
            if binding.permalink
        ],
        "receipts": {
            str(entry.seq): str(receipt_of(entry, tabs, undelivered))
            for entry in entries
            if entry.kind is Kind.MESSAGE and entry.author is Author.OPERATOR
        },
        "actions": actions(conversation),
        "fault": lane.fault if lane else None,
        "shopper_here": is_here(tabs, uow.now, uow.settings.timing),
    }


def _held(uow: UnitOfWork, held: Held) -> dict[str, Any]:
    """A message that has not left. Only what was typed into the console can be taken back there: it has an `id`."""
    author = uow.people.operator(held.operator_id)
    return {
        "id": held.remote_id if held.binding_id == NO_THREAD else None,
        "name": author.first_name if author else "",
        "text": held.text,
        "at": held.at,
        "due_at": held.due_at,
    }


def _team_entry(uow: UnitOfWork, entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "kind": str(entry.kind),
        "audience": str(entry.audience),
        "author": str(entry.author),
        "name": entry.name,
        "text": newest_text(uow, entry),
        "at": entry.at,
        "id": entry.external_id,
        "source": entry.source,
        "target": entry.target,
        "edited": entry.edited,
        "deleted": entry.deleted,
        "late": entry.late,
        "data": _data_of(entry),
        "files": [one | {"url": path_of(uow.settings, one["id"], uow.now)} for one in _files_of(uow, entry)],
    }


def _data_of(entry: Entry) -> dict[str, Any]:
    """Without where a file was first; its address there is of no use to anybody else."""
    if "files" not in entry.data or not isinstance(entry.data["files"], list):
        return entry.data
    files = [{key: value for key, value in one.items() if key != "remote"} for one in entry.data["files"]]
    return {**entry.data, "files": files}


def actions(conversation: Conversation) -> list[str]:
    """What can be done with a case in its stage."""
    match conversation.stage:
        case Stage.ACTIVE:
            return ["reply", "release", "handback", "resolve"]
        case Stage.WAITING:
            return ["claim", "handback", "resolve"]
        case Stage.OPEN:
            return ["claim", "resolve"]
        case _:
            return ["claim"]


# --- receipts and presence ------------------------------------------------------------------------------------


def receipt_of(entry: Entry, tabs: Sequence[Presence], undelivered: Collection[int] = ()) -> Receipt:
    """The newest state of an operator's message, as any of the shopper's tabs confirmed it. `undelivered` are the
    entries that were given up on another way to the shopper, which matters only while no tab has them."""
    if entry.kind is Kind.ASIDE:
        return Receipt.INSIDE
    files = entry.data.get("files")
    if files and pending(entry.data):
        return Receipt.PENDING
    if files and not entry.text and not ready(entry.data):
        return Receipt.FAILED
    shown = entry.data.get("files_seq", entry.seq)  # where its files came, it is whole from there on
    if any(tab.seen >= shown for tab in tabs):
        return Receipt.SEEN
    if any(tab.delivered >= shown for tab in tabs):
        return Receipt.DELIVERED
    return Receipt.FAILED if entry.seq in undelivered else Receipt.PENDING


def is_here(tabs: Sequence[Presence], now: float, timing: Timing) -> bool:
    """Whether the shopper has the page open (DESIGN §2, presence)."""
    return any(
        now - tab.at < timing.presence_gone
        and not (tab.hidden_since is not None and now - tab.hidden_since > timing.hidden_gone)
        for tab in tabs
    )

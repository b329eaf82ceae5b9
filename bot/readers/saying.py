"""How an entry reads in a team's thread: a turn of the conversation, one quiet line, or an offer with buttons."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot import texts
from bot.conversation import Conversation
from bot.entries import Author, Entry, Kind
from bot.files import names_of, ready
from bot.lanes import Binding
from bot.packet import shorten
from bot.ports import UnitOfWork
from bot.posts import Action, Button, Post, PostKind, Turn
from bot.relay import without_marker

CLOSING = frozenset({Kind.HANDED_BACK, Kind.RESOLVED})
REOPENING = frozenset({Kind.REOPENED, Kind.CLAIMED, Kind.ASSIGNED})
LINES = frozenset({Kind.RELEASED, Kind.OUTCOME, Kind.DEAD_LETTER, Kind.MOVED, Kind.PRIORITISED, Kind.SNOOZED,
                   Kind.ALERTED})  # fmt: skip
ONCE = frozenset({Kind.ALERTED, Kind.SNOOZED, Kind.WOKEN})
"""What is not said again in a second thread of the same handoff."""
SAID_OTHERWISE = frozenset({"claim", "move"})
NOTE = "note"


def turn_of(uow: UnitOfWork, entry: Entry, *, late: bool = False) -> Turn:
    """An entry as a line of a transcript, in its newest form."""
    notes = []
    if entry.kind is Kind.ASIDE:
        notes.append("inside")
    if entry.deleted:
        notes.append("removed")
    elif entry.edited:
        notes.append("edited")
    if entry.late or late:
        notes.append("late")
    return Turn(entry.seq, entry.author, speaker_of(uow, entry), _said(entry), entry.at, ", ".join(notes))


def _said(entry: Entry) -> str:
    """The text, and the names of its files, which follow by themselves."""
    names = "" if entry.deleted else names_of(ready(entry.data))
    return "\n".join(filter(None, (entry.text, names)))


def speaker_of(uow: UnitOfWork, entry: Entry) -> str:
    """Whose name stands before the message."""
    if entry.author is Author.SHOPPER:
        conversation = uow.conversations.get(entry.conversation)
        shopper = uow.people.shopper(conversation.shopper_id) if conversation else None
        return (shopper.name if shopper else None) or texts.card.SPEAKERS["shopper"]
    return entry.name or texts.card.SPEAKERS[str(entry.author)]


def offer_of(entry: Entry, action: Action | None = None) -> Post:
    """The post with buttons beside an aside; `action` is what was offered when it was written, or what is now."""
    action = action or Action(entry.data["offer"])
    value = f"{entry.conversation}:{entry.seq}"
    labels = {
        Action.CLAIM_AND_SEND: texts.thread.BUTTON_CLAIM_AND_SEND,
        Action.SEND: texts.thread.BUTTON_SEND,
        Action.SEND_AS_ME: texts.thread.BUTTON_SEND_AS_ME,
        Action.REOPEN_AND_SEND: texts.thread.BUTTON_REOPEN_AND_SEND,
    }
    buttons = [Button(action, labels[action], value, "primary")]
    if action is Action.SEND_AS_ME:
        buttons.append(Button(Action.TAKE_OVER, texts.thread.BUTTON_TAKE_OVER, value))
    return Post(
        PostKind.OFFER,
        text=texts.thread.offer(str(action), shorten(_words_of(entry), 80)),
        buttons=tuple(buttons),
    )


def _words_of(entry: Entry) -> str:
    """What would leave: the text, or the names of the files where there is none."""
    return without_marker(entry.text) or ", ".join(f"📎 {one['name']}" for one in entry.data.get("files", ()))


def needs_line(entry: Entry) -> bool:
    """Kinds that are one quiet line in the thread. A first escalation is the card itself."""
    if entry.kind is Kind.ESCALATED:
        return bool(entry.data.get("again"))
    if entry.kind is Kind.WOKEN:
        return entry.data.get("why") not in SAID_OTHERWISE
    return entry.kind in CLOSING | REOPENING | LINES


def is_added_later(entry: Entry) -> bool:
    """What the team adds on purpose to a case that is closed."""
    return entry.kind is Kind.OUTCOME or (entry.kind is Kind.ASIDE and entry.source == NOTE)


def line_of(uow: UnitOfWork, binding: Binding, entry: Entry) -> Post | None:
    """The quiet line an event is in the thread, if it is one."""
    if not needs_line(entry):
        return None
    if entry.kind is Kind.DEAD_LETTER:
        return alert_of(uow, binding, entry)
    if entry.kind is Kind.MOVED:
        return moved_line(uow, binding, entry, None)
    if entry.kind is Kind.ALERTED:
        return _call_for(uow, binding, entry)
    mentions: tuple[str, ...] = ()
    if entry.kind in {Kind.CLAIMED, Kind.ASSIGNED}:
        mentions = _accounts(uow, binding, [_still_owner(uow, entry), entry.data.get("from_id")])
    elif entry.kind is Kind.WOKEN:
        mentions = _accounts(uow, binding, [_still_owner(uow, entry)])
    text = _line_text(uow, entry, mentioned=bool(mentions))
    return Post(PostKind.LINE, text=text, mentions=mentions)


def _line_text(uow: UnitOfWork, entry: Entry, *, mentioned: bool) -> str:
    """What the line says; the owner's mention stands before it, if they can be mentioned."""
    who, data = entry.name or texts.card.SPEAKERS["operator"], entry.data
    match entry.kind:
        case Kind.CLAIMED | Kind.ASSIGNED:
            return _owner_text(who, data, mentioned=mentioned)
        case Kind.RELEASED:
            return texts.thread.line_released(who)
        case Kind.HANDED_BACK:
            return texts.thread.line_handed_back(who)
        case Kind.RESOLVED:
            return texts.thread.line_resolved(who)
        case Kind.REOPENED:
            return texts.thread.line_reopened()
        case Kind.ESCALATED:
            reason = texts.card.REASONS.get(data.get("trigger", ""), data.get("trigger", ""))
            return texts.thread.line_escalated_again(reason, entry.text or None)
        case Kind.OUTCOME:
            line = texts.thread.line_outcome(data["kind"], data.get("amount"), data.get("currency"))
            return f"{line}: {data['note']}" if data.get("note") else line
        case Kind.PRIORITISED:
            return texts.thread.line_prioritised(who, data["to"], data["from"])
        case Kind.SNOOZED:
            return texts.thread.line_snoozed(who, texts.words.on_the_clock(data["until"], _zone(uow, entry)))
        case _:
            return texts.thread.line_woken(data["why"], entry.name)


def _owner_text(who: str, data: Mapping[str, Any], *, mentioned: bool) -> str:
    if data.get("from"):
        return texts.thread.line_taken_over(who, data["from"])
    shown, by = "" if mentioned else who, data.get("by")
    return texts.thread.line_assigned(shown, by) if by else texts.thread.line_claimed(shown)


def alert_of(uow: UnitOfWork, binding: Binding, entry: Entry) -> Post:
    """A delivery that was given up, as it stands now: for the owner to look at until it is settled."""
    data = entry.data
    state, about = data.get("state", "dead"), uow.log.entry(entry.conversation, data["seq"])
    conversation = uow.conversations.get(entry.conversation)
    team = uow.settings.team(conversation.team if conversation else "")
    at = datetime.fromtimestamp(data.get("at", entry.at), ZoneInfo(team.hours.zone))
    what = texts.thread.failed_what(str(about.kind) if about else "", speaker_of(uow, about) if about else "")
    text = texts.thread.alert_failed(
        state, what, texts.thread.failed_where(data.get("reader", "")), data["reason"], f"{at:%H:%M}"
    )
    if state not in {"dead", "trying"}:
        return Post(PostKind.LINE, text=text)
    owner = uow.people.operator(conversation.owner_id) if conversation and conversation.owner_id else None
    mentions = (owner.external_id,) if owner and owner.platform == binding.platform else ()
    retry = Button(Action.RETRY, texts.thread.BUTTON_RETRY, data["delivery"], "primary")
    return Post(PostKind.ALERT, text=text, mentions=mentions, buttons=(retry,) if state == "dead" else ())


def _call_for(uow: UnitOfWork, binding: Binding, entry: Entry) -> Post:
    """What somebody must look at. Who cannot be mentioned here is named."""
    data = entry.data
    wanted = [uow.people.operator(number) for number in data.get("mention") or ()]
    here = [one for one in wanted if one is not None and one.platform == binding.platform]
    elsewhere = [one.name for one in wanted if one is not None and one.platform != binding.platform]
    text = data.get("text") or texts.thread.alert(data.get("code") or "")
    accounts = [one.external_id for one in here] + list(data.get("mention_accounts") or ())
    named = f"{', '.join(elsewhere)}: " if elsewhere else ""
    return Post(PostKind.ALERT, text=named + text, mentions=tuple(dict.fromkeys(accounts)))


def moved_line(uow: UnitOfWork, binding: Binding, entry: Entry, before: Binding | None) -> Post:
    """In the thread where the case goes on: whose it was, and where its earlier thread is. Whoever had it and did not
    move it themselves must know, if this is the thread that they are in."""
    data, who = entry.data, entry.name or texts.card.SPEAKERS["operator"]
    permalink = before.permalink if before is not None else None
    mentions = () if before is not None else _former(uow, binding, entry)
    text = texts.thread.line_moved(who, data["from"], data["to"], permalink)
    return Post(PostKind.LINE, text=text, mentions=mentions)


def pointer_line(
    uow: UnitOfWork, old: Binding, new: Binding, conversation: Conversation, entry: Entry
) -> Post:
    """The last line of a thread that the case has left."""
    text = texts.thread.line_moved_to(conversation.team, new.permalink)
    return Post(PostKind.LINE, text=text, mentions=_former(uow, old, entry))


def _former(uow: UnitOfWork, binding: Binding, entry: Entry) -> tuple[str, ...]:
    owner = entry.data.get("owner")
    return _accounts(uow, binding, [owner]) if owner != entry.operator_id else ()


def _still_owner(uow: UnitOfWork, entry: Entry) -> int | None:
    """Whom the entry is about, unless somebody else has the case by now: a thread that is told again calls nobody
    for what is over."""
    conversation = uow.conversations.get(entry.conversation)
    is_owner = conversation is not None and conversation.owner_id == entry.operator_id
    return entry.operator_id if is_owner else None


def _accounts(uow: UnitOfWork, binding: Binding, operators: Sequence[int | None]) -> tuple[str, ...]:
    """Their accounts, so that their phones follow the thread; only on the platform they are on."""
    known = [uow.people.operator(number) for number in operators if number is not None]
    return tuple(one.external_id for one in known if one is not None and one.platform == binding.platform)


def _zone(uow: UnitOfWork, entry: Entry) -> str:
    conversation = uow.conversations.get(entry.conversation)
    assert conversation is not None, "an entry belongs to a conversation"
    return uow.settings.team(conversation.team).hours.zone

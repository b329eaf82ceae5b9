"""How an entry reads in a team's thread: a turn of the conversation, one quiet line, or an offer with buttons."""

from bot import texts
from bot.entries import Author, Entry, Kind
from bot.lanes import Binding
from bot.packet import shorten
from bot.ports import UnitOfWork
from bot.posts import Action, Button, Post, PostKind, Turn
from bot.relay import without_marker

CLOSING = frozenset({Kind.HANDED_BACK, Kind.RESOLVED})
REOPENING = frozenset({Kind.REOPENED, Kind.CLAIMED, Kind.ASSIGNED})


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
    return Turn(entry.seq, entry.author, speaker_of(uow, entry), entry.text, entry.at, ", ".join(notes))


def speaker_of(uow: UnitOfWork, entry: Entry) -> str:
    """Whose name stands before the message."""
    if entry.author is Author.SHOPPER:
        conversation = uow.conversations.get(entry.conversation)
        shopper = uow.people.shopper(conversation.shopper_id) if conversation else None
        return (shopper.name if shopper else None) or texts.SPEAKERS["shopper"]
    return entry.name or texts.SPEAKERS[str(entry.author)]


def offer_of(entry: Entry, action: Action | None = None) -> Post:
    """The post with buttons beside an aside; `action` is what was offered when it was written, or what is now."""
    action = action or Action(entry.data["offer"])
    value = f"{entry.conversation}:{entry.seq}"
    labels = {
        Action.CLAIM_AND_SEND: texts.BUTTON_CLAIM_AND_SEND,
        Action.SEND: texts.BUTTON_SEND,
        Action.SEND_AS_ME: texts.BUTTON_SEND_AS_ME,
        Action.REOPEN_AND_SEND: texts.BUTTON_REOPEN_AND_SEND,
    }
    buttons = [Button(action, labels[action], value, "primary")]
    if action is Action.SEND_AS_ME:
        buttons.append(Button(Action.TAKE_OVER, texts.BUTTON_TAKE_OVER, value))
    return Post(
        PostKind.OFFER,
        text=texts.offer(str(action), shorten(without_marker(entry.text), 80)),
        buttons=tuple(buttons),
    )


def needs_line(entry: Entry) -> bool:
    """Kinds that are one quiet line in the thread. A first escalation is the card itself."""
    if entry.kind is Kind.ESCALATED:
        return bool(entry.data.get("again"))
    return entry.kind in CLOSING | REOPENING | {Kind.RELEASED, Kind.OUTCOME, Kind.DEAD_LETTER}


def line_of(uow: UnitOfWork, binding: Binding, entry: Entry) -> Post | None:
    """The quiet line an event is in the thread, if it is one."""
    if not needs_line(entry):
        return None
    who, data = entry.name or texts.SPEAKERS["operator"], entry.data
    match entry.kind:
        case Kind.CLAIMED | Kind.ASSIGNED:
            by, mentions = data.get("by"), _mention(uow, binding, entry)
            shown = "" if mentions else who
            text = texts.line_assigned(shown, by) if by else texts.line_claimed(shown)
            return Post(PostKind.LINE, text=text, mentions=mentions)
        case Kind.RELEASED:
            text = texts.line_released(who)
        case Kind.HANDED_BACK:
            text = texts.line_handed_back(who)
        case Kind.RESOLVED:
            text = texts.line_resolved(who)
        case Kind.REOPENED:
            text = texts.line_reopened()
        case Kind.ESCALATED:
            reason = texts.REASONS.get(data.get("trigger", ""), data.get("trigger", ""))
            text = texts.line_escalated_again(reason, entry.text or None)
        case Kind.OUTCOME:
            text = texts.line_outcome(data["kind"], data.get("amount"), data.get("currency"))
        case _:
            text = texts.line_dead_letter(data["seq"], data["reason"], data["delivery"])
    return Post(PostKind.LINE, text=text)


def _mention(uow: UnitOfWork, binding: Binding, entry: Entry) -> tuple[str, ...]:
    """The new owner, so that their phone follows the thread; only on the platform they are on."""
    operator = uow.people.operator(entry.operator_id) if entry.operator_id else None
    return (operator.external_id,) if operator and operator.platform == binding.platform else ()

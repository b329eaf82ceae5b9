"""What a shopper's window asks. The token has fixed store, shopper and conversation; it is checked again here."""

from dataclasses import replace
from typing import Any

from bot import texts, views
from bot.commands import (
    Goodbye,
    KeepFile,
    Seen,
    ShopperAsksForPerson,
    ShopperHandsBack,
    ShopperWrites,
    Typing,
    Window,
)
from bot.conversation import Conversation, Move
from bot.entries import Author, Draft, Kind, Reader
from bot.errors import NotFound
from bot.handlers import files, handoff
from bot.handlers.intake import shopper_says
from bot.packet import Reason
from bot.people import Presence, Shopper
from bot.ports import UnitOfWork

WIDGET = "widget"


def _own(uow: UnitOfWork, window: Window) -> Conversation | None:
    """The window's conversation, if it has begun; refused if it is somebody else's."""
    conversation = uow.conversations.named(window.store, window.conversation_id)
    if conversation is not None:
        handoff.require_shopper(uow, conversation, window.shopper_id)
    return conversation


def _own_or_new(uow: UnitOfWork, window: Window) -> Conversation:
    conversation = _own(uow, window)
    if conversation is not None:
        return conversation
    shopper = uow.people.shopper_named(window.store, window.shopper_id)
    if shopper is None:
        shopper = uow.people.add_shopper(Shopper(0, window.store, window.shopper_id, uow.now, anonymous=True))
    return handoff.start(uow, window.store, window.conversation_id, "chat", shopper)


def _key(window: Window, what: str) -> str:
    return f"{WIDGET}:{window.store}:{window.conversation_id}:{what}"


def writes(uow: UnitOfWork, command: ShopperWrites) -> dict[str, Any]:
    """A message; the same id again gets the same answer."""
    conversation = _own(uow, command.window)
    key = _key(command.window, command.id)
    answered = uow.inbox.answer(key)
    if answered is not None:
        return answered
    attached = files.attached(uow, command.window.store, conversation, command.attachments, own=True)
    conversation = conversation or _own_or_new(uow, command.window)
    data = files.given(uow, conversation, attached)
    draft = Draft(
        Kind.MESSAGE, Author.SHOPPER, text=command.text, data=data, source=WIDGET, external_id=command.id
    )
    entry, _ = shopper_says(uow, conversation, draft)
    answer = {"seq": entry.seq, "id": command.id, "at": views.iso(entry.at)}
    uow.inbox.remember(key, answer)
    return answer


def keep_file(uow: UnitOfWork, command: KeepFile) -> None:
    """An upload. A window's belongs to its conversation from the beginning, so that no other one can name it."""
    file = command.file
    if command.window is not None:
        file = replace(file, conversation=-_own_or_new(uow, command.window).number)
    uow.files.add(file)


def asks_for_person(uow: UnitOfWork, command: ShopperAsksForPerson) -> dict[str, Any]:
    """The button. Pressed again while somebody is needed or engaged it changes nothing."""
    conversation = _own_or_new(uow, command.window)
    key = _key(command.window, f"escalate:{command.id}")
    if uow.inbox.answer(key) is None:
        if not conversation.in_persons_hands:
            handoff.begin(uow, conversation, Reason("button"), {}, Move.ESCALATE)
        uow.inbox.remember(key, {})
    return views.widget_state(uow, conversation)


def hands_back(uow: UnitOfWork, command: ShopperHandsBack) -> dict[str, Any]:
    """ "Continue with the assistant"; pressed again it changes nothing."""
    conversation = _own(uow, command.window)
    if conversation is None:
        raise NotFound("Nothing was said in this conversation yet.")
    if conversation.in_persons_hands:
        handoff.end(
            uow, conversation, Move.HAND_BACK, Kind.HANDED_BACK, texts.card.SPEAKERS["shopper"], "handed_back",
            texts.shopper.back_with_assistant(),
        )  # fmt: skip
    return views.widget_state(uow, conversation)


def seen(uow: UnitOfWork, command: Seen) -> None:
    """What a tab has received and shown, and that it is there."""
    conversation = _own(uow, command.window)
    if conversation is None:
        return
    number = conversation.number
    delivered, shown = min(command.delivered, conversation.head), min(command.seen, conversation.head)
    hidden_since = uow.now if command.hidden else None
    before = max((max(tab.delivered, tab.seen) for tab in uow.presence.tabs(number)), default=0)
    seen_before = max((tab.seen for tab in uow.presence.tabs(number)), default=0)
    tab = Presence(number, command.tab, uow.now, delivered, shown, command.hidden, hidden_since)
    uow.presence.note(tab)
    if delivered > before or shown > seen_before:
        uow.lanes.wake(number, Reader.RECEIPTS)


def goodbye(uow: UnitOfWork, command: Goodbye) -> None:
    """The tab is closed."""
    conversation = _own(uow, command.window)
    if conversation is not None:
        uow.presence.leave(conversation.number, command.tab)


def typing(uow: UnitOfWork, command: Typing) -> None:
    """Told to whoever watches, and forgotten."""
    conversation = _own(uow, command.window)
    if conversation is not None:
        uow.typed(conversation.number, str(Author.SHOPPER), None)

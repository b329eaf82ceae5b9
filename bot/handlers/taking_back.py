"""Second thoughts about a held message: edited, deleted, or stopped with 🛑 before it left (DESIGN §2, hold)."""

from collections.abc import Collection
from typing import Any

from bot import relay, texts
from bot.commands import TakeBack, Withdraw
from bot.conversation import Conversation
from bot.entries import Kind
from bot.errors import NotAllowed, Refused
from bot.handlers import cases, handoff, hold
from bot.handlers.cases import Done, done
from bot.holds import Held
from bot.lanes import Binding, Link
from bot.people import Actor, Role
from bot.ports import UnitOfWork
from bot.posts import Heard, Place

LEAD = "lead"


def edited(uow: UnitOfWork, conversation: Conversation, held: Held, heard: Heard) -> str | None:
    """The newest text will leave. One that says it stays inside does so at once, and is an aside from now on."""
    if heard.edited_order <= held.edited_order:
        return None  # an older edit
    held.text, held.edited_order = heard.text, heard.edited_order
    return _as_it_reads_now(uow, conversation, held, heard)


def without_files(uow: UnitOfWork, conversation: Conversation, held: Held, gone: Collection[str]) -> None:
    """These files were removed from it; one of which nothing is left cannot leave."""
    entry = held.data["entry"]
    kept = [one for one in entry["files"] if str((one.get("remote") or {}).get("id")) not in gone]
    held.data = {**held.data, "entry": {**entry, "files": kept}}
    if not kept and not held.text.strip():
        _stay_inside(uow, conversation, held)


def _as_it_reads_now(uow: UnitOfWork, conversation: Conversation, held: Held, heard: Heard) -> str | None:
    if heard.addressed == "bot":
        _stay_inside(uow, conversation, held, {"command": True})
        return texts.answers.command_by_edit()
    empty = not heard.text.strip() and not held.data["entry"].get("files")
    if heard.addressed is not None or empty or relay.is_marked_inside(heard.text):
        _stay_inside(uow, conversation, held)
    return None


def deleted(uow: UnitOfWork, held: Held) -> None:
    """Its author removed it. The shopper waits on."""
    hold.drop(uow, held)
    handoff.expect_shopper(uow, handoff.case(uow, held.conversation))


def withdraw(uow: UnitOfWork, command: Withdraw) -> Done | None:
    """🛑 by its author or a lead: it stays inside. What has left can only be deleted."""
    place, actor = command.place, command.actor
    if uow.lanes.binding_at(place.platform, place.channel, place.root) is None:
        return None
    link = uow.lanes.link(place.platform, place.channel, command.message_id)
    if link is None:  # its message comes after it
        key = _stop_key(place, command.message_id, LEAD if actor.role is Role.LEAD else actor.id)
        if uow.inbox.answer(key) is None:
            uow.inbox.remember(key, {})
        return None
    held = hold.held_behind(uow, link)
    if held is None:
        return _too_late(uow, link, actor)
    if not _may_stop(uow, held.operator_id, actor):
        return None
    conversation = handoff.case(uow, held.conversation)
    _stay_inside(uow, conversation, held)
    return done(uow, conversation, texts.answers.withdrawn())


def take_back(uow: UnitOfWork, command: TakeBack) -> Done:
    """The console's own 🛑: what was typed there, and is held, stays inside."""
    cases.require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    held = uow.held.get(command.source, str(command.number), command.id)
    if held is None:
        raise Refused(texts.answers.not_held_any_more())
    if not _may_stop(uow, held.operator_id, command.actor):
        raise NotAllowed(texts.answers.not_yours_to_take_back())
    _stay_inside(uow, conversation, held)
    return done(uow, conversation, texts.answers.withdrawn())


def _may_stop(uow: UnitOfWork, author_id: int | None, actor: Actor) -> bool:
    author = uow.people.operator(author_id) if author_id else None
    return actor.role is Role.LEAD or cases.is_actor(author, actor)


def _too_late(uow: UnitOfWork, link: Link, actor: Actor) -> Done | None:
    """Nothing was held. Who meant to stop a message that the shopper has is told what helps."""
    entry = uow.log.entry(link.conversation, link.last_seq)
    if link.ours or entry is None or entry.kind is not Kind.MESSAGE or entry.deleted:
        return None
    if not _may_stop(uow, entry.operator_id, actor):
        return None
    return done(uow, handoff.case(uow, link.conversation), texts.answers.too_late_to_withdraw())


def _stay_inside(
    uow: UnitOfWork, conversation: Conversation, held: Held, data: dict[str, Any] | None = None
) -> None:
    """A held message becomes an aside, which its owner may send later."""
    offer = {"offer": str(relay.offer_for(conversation, held.operator_id))}
    hold.become(uow, conversation, held, hold.aside(uow, held, offer if data is None else data))
    handoff.expect_shopper(uow, conversation)


def is_stopped(uow: UnitOfWork, binding: Binding, heard: Heard) -> bool:
    """Whether its 🛑 overtook it."""
    place = Place(binding.platform, binding.channel, binding.root)
    return any(
        uow.inbox.answer(_stop_key(place, heard.id, who)) is not None for who in (heard.author_id, LEAD)
    )


def _stop_key(place: Place, message_id: str, who: str) -> str:
    return f"{relay.event_key(place, message_id)}:stop:{who}"

"""A message of a thread is sent to the shopper after all, by whoever points at it.

The same as the button of an offer, for any aside of the thread and not only the newest: whose name it leaves under,
and what must happen before, follows from how the case stands and who asks.
"""

from bot import relay, texts
from bot.commands import SendAside, SendMessage
from bot.entries import Author, Entry, Kind
from bot.errors import NotFound, Refused
from bot.handlers import cases, handoff, hold
from bot.handlers.cases import Done, done
from bot.handlers.relay import send_aside
from bot.lanes import Link
from bot.ports import UnitOfWork


def send_message(uow: UnitOfWork, command: SendMessage) -> Done:
    """Refused outside of our threads, for what nobody of the team wrote there, and for commands."""
    place = command.place
    if uow.lanes.binding_at(place.platform, place.channel, place.root) is None:
        raise NotFound(texts.answers.not_our_thread())
    link = uow.lanes.link(place.platform, place.channel, command.message_id)
    if link is None:
        raise NotFound(texts.answers.not_seen_yet())
    if link.ours:
        raise Refused(texts.answers.not_to_send())
    cases.require_member(command.actor)
    if hold.held_behind(uow, link) is not None:
        raise Refused(texts.answers.leaves_by_itself())
    return _send(uow, command, link)


def _send(uow: UnitOfWork, command: SendMessage, link: Link) -> Done:
    conversation = handoff.case(uow, link.conversation)
    entry = uow.log.entry(link.conversation, link.last_seq)
    if entry is not None and _has_left(entry):
        return done(uow, conversation, texts.answers.sent_already())
    if entry is None or entry.kind is not Kind.ASIDE or entry.data.get("command"):
        raise Refused(texts.answers.not_to_send())
    operator = uow.people.operator_for(command.actor)
    action = relay.offer_for(conversation, operator.id)
    return send_aside(uow, SendAside(conversation.number, entry.seq, action, command.actor))


def _has_left(entry: Entry) -> bool:
    return entry.kind is Kind.MESSAGE and entry.author is Author.OPERATOR and not entry.deleted

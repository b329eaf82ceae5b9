"""Deliveries that were given up: said in the thread, tried again, and how that went (DESIGN §1, dead letter).

The first `DEAD_LETTER` entry is the alert; its data say how it stands now. Every later one has it as its target and
means only that the alert reads differently.
"""

from bot.entries import Author, Draft, Entry, Kind, Reader
from bot.handlers import handoff
from bot.lanes import Delivery
from bot.people import Actor
from bot.ports import UnitOfWork

ANNOUNCED = frozenset({Reader.THREAD, Reader.WEBHOOK, Reader.EMAIL})
DEAD, TRYING, DELIVERED, DROPPED = "dead", "trying", "delivered", "dropped"


def is_retried(delivery: Delivery) -> bool:
    """Whether it was given up before."""
    return delivery.settled_at is not None


def given_up(uow: UnitOfWork, delivery: Delivery, reason: str) -> None:
    """Say so in the thread. A failure to say that something failed is not announced again."""
    uow.lanes.wake(delivery.conversation, Reader.RECEIPTS)
    if _alert(uow, delivery) is not None:
        changed(uow, delivery, DEAD, reason)
        return
    entry = uow.log.entry(delivery.conversation, delivery.first_seq)
    if delivery.reader not in ANNOUNCED or (entry is not None and entry.kind is Kind.DEAD_LETTER):
        return
    data = {
        "delivery": delivery.id,
        "seq": delivery.first_seq,
        "reader": str(delivery.reader),
        "op": str(delivery.op),
        "reason": reason,
        "state": DEAD,
    }
    alert = uow.log.append(handoff.case(uow, delivery.conversation), Draft(Kind.DEAD_LETTER, data=data))
    uow.inbox.remember(_key(delivery), {"seq": alert.seq})


def changed(
    uow: UnitOfWork, delivery: Delivery, state: str, reason: str | None = None, actor: Actor | None = None
) -> None:
    """The alert says from now on that it is tried again, went through, was refused again, or is no longer wanted."""
    uow.lanes.wake(delivery.conversation, Reader.RECEIPTS)
    alert = _alert(uow, delivery)
    if alert is None:
        return  # it was never announced
    data = {**alert.data, "state": state, "at": uow.now, "reason": reason or alert.data["reason"]}
    uow.log.annotate(alert, data)
    by = uow.people.operator_for(actor) if actor is not None else None
    uow.log.append(
        handoff.case(uow, delivery.conversation),
        Draft(
            Kind.DEAD_LETTER,
            Author.OPERATOR if by else Author.BATON,
            data={"delivery": delivery.id, "state": state},
            operator_id=by.id if by else None,
            name=by.first_name if by else None,
            target=alert.seq,
        ),
    )


def _alert(uow: UnitOfWork, delivery: Delivery) -> Entry | None:
    known = uow.inbox.answer(_key(delivery))
    return uow.log.entry(delivery.conversation, known["seq"]) if known is not None else None


def _key(delivery: Delivery) -> str:
    return f"dead:{delivery.id}"

"""The tree of what can go wrong, drawn once.

BatonError
├── Refused                 a person or a program asked for what the rules do not allow; nothing was stored
│   ├── NotFound            no such conversation, message or operator
│   ├── NotAllowed          they may not do that
│   ├── Misread             a verb or one of its words is not understood
│   ├── IllegalTransition   the stage does not allow that move
│   ├── AlreadyClaimed      somebody else won the claim
│   ├── OtherShopper        the conversation belongs to another shopper
│   └── PersonInControl     the assistant must be silent: a person is needed or engaged
├── NotStored               the database refused it; nothing was stored
├── Busy                    the writer cannot take more at the moment; ask again after `retry_after` seconds
│   └── Unavailable         the database takes nothing at the moment, or cannot be asked
└── DeliveryFault           a call to a platform did not go through
    ├── PlaceFault          the place is at fault (network, 5xx, 429, credentials): wait, give nothing up
    │   └── RootGone        the thread's root was deleted: a new binding is needed
    ├── EntryFault          the content was refused: a dead letter, the lane goes on
    └── Unsure              nobody knows whether the platform did it: look before repeating
"""

from typing import Any


class BatonError(Exception):
    """Root of Baton's own errors."""


class Refused(BatonError):
    """The rules say no. `message` is a sentence for the person who asked; `field` names what to change."""

    code = "refused"
    status = 409

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None, **facts: Any):
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.facts = facts


class NotFound(Refused):
    """What was named does not exist for the one who asked."""

    code = "not_found"
    status = 404


class NotAllowed(Refused):
    """The one who asked may not do that."""

    code = "not_allowed"
    status = 403


class Misread(Refused):
    """What somebody typed is not understood; the message says what was meant, or how it is written."""

    code = "misread"
    status = 422


class IllegalTransition(Refused):
    """The conversation's stage has no such move (see `conversation.TRANSITIONS`)."""

    code = "illegal_transition"


class AlreadyClaimed(Refused):
    """Somebody else owns the case; `facts` say who and since when."""

    code = "already_claimed"


class OtherShopper(Refused):
    """The conversation belongs to the first shopper named."""

    code = "other_shopper"


class PersonInControl(Refused):
    """The assistant is silent while a person is needed or engaged."""

    code = "person_in_control"


class NotStored(BatonError):
    """The database refused a command. It names the kind of error only: its text may hold what a customer wrote."""


class Busy(BatonError):
    """The writer's queue is longer than it can serve in a second."""

    def __init__(self, retry_after: float):
        super().__init__(f"The writer is busy; try again in {retry_after:.0f} s.")
        self.retry_after = retry_after


class Unavailable(Busy):
    """The database is away, full or locked. Whether it was stored is unknown where a connection broke, so that asking
    again must be harmless, as it is after any timeout. `cure` is for whoever looks after Baton; `passing`: another
    attempt may well go through at once."""

    def __init__(self, cure: str, retry_after: float = 2.0, *, passing: bool = False):
        super().__init__(retry_after)
        self.args = (f"Nothing can be stored or looked up at the moment; try again in {retry_after:.0f} s.",)
        self.cure = cure
        self.passing = passing


class DeliveryFault(BatonError):
    """A call to a platform did not go through. `reason` is short, stable and free of customers' text."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class PlaceFault(DeliveryFault):
    """The place is at fault; the call was certainly not carried out. `retry_after` in seconds, if it said so."""

    def __init__(self, reason: str, retry_after: float | None = None):
        super().__init__(reason)
        self.retry_after = retry_after


class RootGone(PlaceFault):
    """The thread's root message is deleted."""


class EntryFault(DeliveryFault):
    """The platform refuses this content, and will again."""


class Unsure(DeliveryFault):
    """A timeout, a dropped connection or an ambiguous answer: it may have been carried out."""

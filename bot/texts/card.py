"""The card of a case, which is its thread's first post."""

SPEAKERS = {"shopper": "Shopper", "assistant": "Assistant", "operator": "Operator", "baton": "Baton"}
FIELD_CUSTOMER = "Customer"
FIELD_REASON = "Why"
FIELD_WANTS = "Wants"
FIELD_ORDERS = "Orders"
FIELD_COLLECTED = "Known"
FIELD_TRIED = "Tried"
FIELD_MOOD = "Mood"
FIELD_CART = "Cart"
FIELD_PAGE = "Page"
FIELD_EARLIER = "Earlier"
FIELD_REACHABLE = "Reachable"
BUTTON_CLAIM = "Claim"
BUTTON_RELEASE = "Release"
BUTTON_HAND_BACK = "Hand back"
BUTTON_RESOLVE = "Resolve"
REASONS = {
    "explicit_request": "Asked for a person",
    "button": "Pressed “Talk to a person”",
    "keyword": "Keyword",
    "claim": "An operator stepped in",
    "reopened": "Wrote again after it was resolved",
    "api": "The store's assistant asked for a person",
}


def status_waiting(former: str | None = None) -> str:
    """Nobody has it yet."""
    return f"Waiting for a person (before: {former})" if former else "Waiting for a person"


def status_active(owner: str) -> str:
    """Somebody has it."""
    return f"{owner} has it"


def status_open() -> str:
    """The assistant answers."""
    return "Back with the assistant"


def status_resolved(by: str | None) -> str:
    """Done, and by whom."""
    return f"Resolved by {by}" if by else "Resolved"


def status_continued() -> str:
    """An older thread's card."""
    return "Goes on in a newer thread"


FIELD_SNOOZED = "Snoozed"
FIELD_OUTCOME = "Outcome"


def status_moved(team: str) -> str:
    """The card of a thread that the case has left."""
    return f"Moved to {team}"


def snoozed_until(when: str) -> str:
    """On the card."""
    return f"until {when}"


def outcome_line(kind: str, amount: float | None, currency: str | None, note: str) -> str:
    """What came of it, on the card: "sale, 129.00 EUR: paid by card"."""
    what = kind + (f", {amount:,.2f} {currency or ''}".rstrip() if amount is not None else "")
    return f"{what}: {note}" if note else what

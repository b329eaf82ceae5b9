"""What the shopper reads."""

from datetime import datetime


def finding_person(why: str | None) -> str:
    """At once after an escalation. `why` is in the shopper's words, or None."""
    if why:
        stop = "" if why.endswith((".", "!", "?", "…")) else "."
        return f"We're getting a person to help you. You wrote: “{why}”{stop} They'll see the whole conversation."
    return "We're getting a person to help you. They'll see everything you've written here."


def outside_hours(opens: datetime, now: datetime) -> str:
    """When nobody is there: when somebody will be, in the team's own time zone."""
    clock = f"{opens:%H:%M} ({opens:%Z})"
    days = (opens.date() - now.date()).days
    if days == 0:
        when = f"today at {clock}"
    elif days == 1:
        when = f"tomorrow at {clock}"
    else:
        when = f"on {opens:%A} at {clock}"
    return (
        f"Our team is away right now and will be back {when}. Your message is kept and they'll answer here."
    )


def claimed(first_name: str) -> str:
    """The promise of DESIGN §2, word for word."""
    return f"{first_name} is here and has read your chat."


def released() -> str:
    """The owner gave the case back to the queue."""
    return "You're still in line: we're finding the next person for you."


def back_with_assistant() -> str:
    """Handed back, whoever did it."""
    return "You're back with the assistant. Ask for a person again whenever you like."


def resolved() -> str:
    """Closed. Writing again reopens it."""
    return "This conversation is marked as resolved. Just write if there is anything else."


def reopened() -> str:
    """The shopper wrote again."""
    return "We've reopened this and are letting the team know."

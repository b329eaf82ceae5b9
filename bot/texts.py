"""Every sentence a person reads, in one place, so that it can be changed and translated.

Functions, not constants, where a sentence has a blank. Texts for shoppers come first, then the team's.
"""

from datetime import datetime

# --- to the shopper -------------------------------------------------------------------------------------------


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


# --- to the team: the card ------------------------------------------------------------------------------------

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
BUTTON_CLAIM_AND_SEND = "Claim & send"
BUTTON_SEND = "Send"
BUTTON_SEND_AS_ME = "Send as me"
BUTTON_TAKE_OVER = "Take over & send"
BUTTON_REOPEN_AND_SEND = "Reopen & send"

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


# --- to the team: lines in the thread -------------------------------------------------------------------------


def line_claimed(owner: str) -> str:
    """After the owner's mention (then `owner` is empty), so that their phone follows the thread, or with the name."""
    rule = "What you write here goes to the shopper; begin with `//` or `note:` to stay inside."
    return f"{owner} claimed this. {rule}".strip()


def line_assigned(owner: str, by: str) -> str:
    """Given to somebody by somebody; `owner` is empty after their mention."""
    return f"{owner} has this now, from {by}. What you write here goes to the shopper.".strip()


def line_released(by: str) -> str:
    """Back in the queue."""
    return f"{by} released this. It is waiting again, at its old place."


def line_handed_back(by: str) -> str:
    """The handoff ended."""
    return f"{by} handed the shopper back to the assistant. This thread is closed."


def line_resolved(by: str) -> str:
    """The handoff ended."""
    return f"{by} resolved this."


def line_reopened() -> str:
    """The shopper wrote again."""
    return "The shopper wrote again: this is open once more and waiting for a person."


def line_escalated_again(reason: str, evidence: str | None) -> str:
    """A further reason while somebody is needed or engaged already."""
    return f"Another reason to help: {reason}" + (f" (“{evidence}”)" if evidence else "")


def line_outcome(kind: str, amount: float | None, currency: str | None) -> str:
    """What came of it."""
    return f"Outcome: {kind}" + (f", {amount:,.2f} {currency or ''}".rstrip() if amount is not None else "")


def line_dead_letter(seq: int, reason: str, delivery_id: str) -> str:
    """A message could not be shown here."""
    return (
        f"Message {seq} could not be posted here: the platform refused it ({reason}). "
        f"It is kept; replay it with `baton failed --retry {delivery_id}`."
    )


def line_correction(text: str) -> str:
    """An older post cannot be amended any more."""
    return f"Correction of an earlier message: {text}"


def line_withdrawn() -> str:
    """An older post cannot be removed any more."""
    return "An earlier message was taken back by its author."


def line_continues(permalink: str | None) -> str:
    """A new handoff's thread, linked back."""
    return (
        f"This case came back; what was said before is in [its earlier thread]({permalink})."
        if permalink
        else ("This case came back; what was said before is in its earlier thread.")
    )


def line_thread_lost() -> str:
    """The old root was deleted."""
    return "The earlier thread of this case was deleted, so it goes on here."


# --- to the team: offers and answers to clicks ----------------------------------------------------------------

OFFERS = {
    "claim_and_send": "Nobody has claimed this, so that message stayed inside.",
    "send": "That stayed inside.",
    "send_as_me": "Only the owner's messages go to the shopper, so that one stayed inside.",
    "reopen_and_send": "This is resolved, so that message stayed inside.",
}


def offer(action: str, words: str) -> str:
    """What would leave stands with it: the post is amended, and may be far from the message it is about."""
    return f"{OFFERS[action]}\n> {words}"


def claimed_by(owner: str, ago: str) -> str:
    """The loser of a claim race is told who won, and when."""
    return f"{owner} claimed this {ago}."


def already_yours() -> str:
    """A second click."""
    return "You have this one already."


def not_yours(owner: str) -> str:
    """Only the owner or a lead may."""
    return f"This is {owner}'s case. Ask them, or a lead."


def guests_may_not() -> str:
    """Guests and strangers."""
    return "Only members of this channel's team can do that. Ask a lead to add you."


def done_resolved(number: int) -> str:
    """Whispered after the click."""
    return f"#{number} is resolved."


def ago(seconds: float) -> str:
    """A rough, readable age."""
    if seconds < 5:
        return "just now"
    if seconds < 90:
        return f"{seconds:.0f} s ago"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.0f} h ago"


def kept_inside() -> str:
    """After a message to the bot that was no button."""
    return "Kept inside the team. Use the buttons on the case's card to claim, release, hand back or resolve."


def sent_already() -> str:
    """A second click on an offer."""
    return "That message was sent already."


def files_stay() -> str:
    """Files are not passed on yet, and whoever sent one must know."""
    return "The file stays here: this version passes text only. Write to the shopper what they need to know."


def nothing_to_send() -> str:
    """An offer whose message was taken back."""
    return "There is nothing left to send: that message was removed or is empty."


def only_leads_take_over(owner: str) -> str:
    """Taking over is a lead's to do, or the owner's to allow."""
    return (
        f"{owner} has this case. A lead can take it over; or ask {owner} to release it, or use “Send as me”."
    )


def nobody() -> str:
    """Who closed it when nobody did."""
    return "Baton (nobody answered)"


def anonymous() -> str:
    """A shopper whom the store has not named."""
    return "Anonymous shopper"


def status_continued() -> str:
    """An older thread's card."""
    return "Goes on in a newer thread"


# --- the terminal ---------------------------------------------------------------------------------------------

TAGLINE = "Passes a shopper from a store's AI assistant to a person in Slack or Discord, and back."


def serving(url: str) -> str:
    """Printed once `run` serves."""
    return f"Baton serves at {url}  (API: {url}/docs, console: {url}/console, health: {url}/readyz). Ctrl-C stops it."


def demo_ready(url: str, api_key: str, admin_token: str) -> str:
    """What to open and what to try."""
    return f"""
  Baton's demo is running. Nothing leaves this machine.

    The store, as a shopper     {url}/demo
    The console, as an operator {url}/console

  Try this:
    1. In the store, ask something ("where is my order?"), then write: can I talk to a person
    2. In the console, open the new case, press Claim, and answer. Look at the store again.
    3. Begin a line with // in the console: it stays inside the team.
    4. Press Resolve or Hand back; the assistant answers again.

    API docs   {url}/docs
    API key    {api_key}
    Admin      {admin_token}

  Ctrl-C stops it; starting again finds everything where it was (delete .demo to begin anew).
"""


def demo_stopping() -> str:
    """After Ctrl-C."""
    return "Stopping; everything is kept."

"""Every sentence a person reads, in one place, so that it can be changed and translated.

Functions, not constants, where a sentence has a blank. Texts for shoppers come first, then the team's.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

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


def sent_already() -> str:
    """A second click on an offer."""
    return "That message was sent already."


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


# --- to the team: windows, the Home tab, the slash command ----------------------------------------------------

BUTTON_CANCEL = "Cancel"
BUTTON_CLOSE = "Close"
BUTTON_AWAY = "I'm away"
BUTTON_BACK = "I'm back"
MENU_MORE = "More…"
MENU_LABELS = {
    "assign": "Assign…",
    "move": "Move to team…",
    "priority": "Priority…",
    "snooze": "Snooze…",
    "tag": "Tag…",
    "note": "Add note…",
    "saved_reply": "Saved reply…",
    "outcome": "Outcome…",
    "show": "Show everything",
    "release": "Release",
    "handback": "Hand back",
    "resolve": "Resolve",
    "claim": "Claim",
    "step_in": "Take over",
    "hand_over": "Back to the queue",
}
"""What stands behind "More…", by the button's action."""

WINDOW_WAIT = "One moment…"
WINDOW_SAYS = "Baton"
WINDOW_DONE = "Done."
HOME_VIEWS = {"mine": "Mine", "unclaimed": "Unclaimed", "teams": "My teams"}
HOME_NOTHING = {
    "mine": "You have no open cases.",
    "unclaimed": "Nobody is waiting to be claimed.",
    "teams": "Your teams have no open cases.",
}
HOME_AWAITING = {"": "Whoever's turn", "operator": "Our turn", "shopper": "Shopper's turn"}
HOME_ANY_TAG = "Every tag"
HOME_ANY_PRIORITY = "Every priority"
HOME_PREVIOUS = "‹ Previous"
HOME_NEXT = "Next ›"
SHORTCUT_SEND = "Send to shopper"
SHORTCUT_SEND_DESCRIPTION = "Sends this message of the thread to the shopper after all"
COMMAND_DESCRIPTION = "Your queue and your cases: queue, mine, find, show, claim …"
COMMAND_HINT = "queue | mine | find words | claim 1042 | help"


def home_nothing(view: str, filtered: bool) -> str:
    """An empty page, and how to get a full one."""
    if filtered:
        return "Nothing fits these filters. Set them to “Every …” to see more."
    return HOME_NOTHING.get(view, "Nothing here.")


def home_foot(page: int, pages: int, when: str) -> str:
    """Below the rows; `when` is the time of day."""
    return (f"Page {page} of {pages} · " if pages > 1 else "") + f"as of {when}"


def more_rows(count: int) -> str:
    """A listing that does not fit."""
    return f"… and {count} more. Narrow it down to see them."


def more_text() -> str:
    """An answer longer than a message may be."""
    return "… and more: the case's thread has the whole of it."


def takes_a_moment() -> str:
    """The answer is not there in time for the command's own line."""
    return "This takes a moment; the answer will appear here."


def busy_now() -> str:
    """Something is away or broken, and it may not have been done."""
    return "That did not work just now. Look at the case before you try again."


def home_unknown() -> str:
    """The queue cannot be read at the moment."""
    return "The queue cannot be shown at the moment. It comes back here by itself."


def window_not_opened() -> str:
    """Slack allows three seconds for it."""
    return "That took too long, and Slack did not open the window. Press it again."


def window_failed() -> str:
    """Something broke while a form was made or stored."""
    return "That did not work, and nothing was changed. Close this and try again in a moment."


def nothing_to_choose(label: str) -> str:
    """A choice without choices."""
    return f"{label}: there is nothing to choose from."


def choices_cut(shown: int) -> str:
    """More choices than a window can list."""
    return f"Only the first {shown} are listed; for the others mention Baton in the thread and write it out."


def too_long_for_a_window() -> str:
    """Slack's fields end at 3,000 characters, and nothing of a reply may be lost."""
    return "This text is too long for a window. Write it in the thread, where there is no such limit."


def not_our_thread() -> str:
    """A message shortcut outside of a case."""
    return "This is no message of one of Baton's threads, so there is no shopper to send it to."


def not_to_send() -> str:
    """A message shortcut on something nobody of the team wrote, or on a command."""
    return "Only what somebody of the team wrote can be sent to the shopper."


def leaves_by_itself() -> str:
    """A message shortcut on a message that is held."""
    return "This message is on its way to the shopper already."


def not_seen_yet() -> str:
    """A message shortcut on a message that has not arrived."""
    return "Baton has not taken this message yet. Try again in a moment."


# --- to the team: held messages and failures ------------------------------------------------------------------

BUTTON_RETRY = "Retry"

REFUSALS = {
    "msg_too_long": "it is too long",
    "msg_blocks_too_long": "it is too long",
    "no_text": "it is empty",
    "invalid_blocks": "its formatting was not understood",
    "invalid_blocks_format": "its formatting was not understood",
    "markdown_text_conflict": "its formatting was not understood",
    "too_many_attachments": "it has too many attachments",
    "cant_update_message": "that post can no longer be changed",
    "edit_window_closed": "that post can no longer be changed",
    "cant_delete_message": "that post can no longer be removed",
    "message_not_found": "the post it is about is gone",
}


def alert_failed(state: str, what: str, where: str, reason: str, clock: str) -> str:
    """A delivery that was given up, as it stands now. `what` and `where` are `failed_what` and `failed_where`; `clock`
    is the time of the last change in the team's zone."""
    why = REFUSALS.get(reason, f"the answer was “{reason}”")
    match state:
        case "trying":
            return f"⏳ {what} was refused {where}: {why}. Trying again…"
        case "delivered":
            return f"✅ {what} was refused {where} at first. Delivered after all, at {clock}."
        case "dropped":
            return f"{what} was refused {where}. It was taken back meanwhile, so nothing is left to deliver."
    return f"⚠️ {what} was refused {where}: {why}. It is kept; mend what is wrong, or send it again as it is."


def failed_what(kind: str, speaker: str) -> str:
    """What could not be delivered; its words stay out, since they may be why."""
    match kind:
        case "message":
            return f"A message of {speaker}"
        case "aside":
            return f"A note of {speaker}"
        case "edited":
            return f"{speaker}'s edit of a message"
        case "deleted":
            return f"Taking back a message of {speaker}"
    return "A line about this case"


def failed_where(reader: str) -> str:
    """By whom it was refused."""
    return {"webhook": "by the store's backend", "email": "by the mail server"}.get(reader, "here")


def retried_already(delivered: bool) -> str:
    """A second click on Retry."""
    return "That was delivered after all." if delivered else "That is being tried again already."


def withdrawn() -> str:
    """🛑 in time."""
    return "Stopped in time: that message stays inside the team."


def too_late_to_withdraw() -> str:
    """🛑 on a message that is not held any more."""
    return "That message has left already. Delete it here and it is taken back from the shopper, too."


def command_by_edit() -> str:
    """A held message that an edit turned into one for the bot."""
    return "That stays inside the team. I act on new messages only, so write it as a new one."


# --- to the team: verbs, listings, forms ----------------------------------------------------------------------


def plainly(words: str) -> str:
    """Somebody's words inside a sentence of ours, which is Markdown: on one line, and nothing in them is markup."""
    return re.sub(r"([\\`*_~\[\]()#>!-])", r"\\\1", " ".join(words.split()))


def _quoted(words: str) -> str:
    short = " ".join(words.split())
    return f"“{plainly(short[:40])}{'…' if len(short) > 40 else ''}”"


def verb_unknown(word: str, meant: str | None) -> str:
    """A verb that there is not; `meant` is the form of the nearest one."""
    hint = f"Did you mean `{meant}`?" if meant else "`help` lists them."
    return f"There is no verb {_quoted(word)}. {hint}"


def verb_wrong(verb: str, example: str) -> str:
    """Something is missing after the verb, or too much."""
    return f"`{verb}` is written like this: `{example}`"


def verb_takes_nothing(verb: str) -> str:
    """Words after a verb that stands alone."""
    return f"`{verb}` stands alone; nothing was done. `help` shows what can follow which verb."


def number_missing(verb: str, example: str) -> str:
    """Outside a thread nobody knows which case is meant."""
    return f"Which case should I {verb}? Write its number: `{example}`. `queue` and `mine` show the numbers."


def no_such_choice(what: str, word: str, known: Sequence[str], meant: str | None) -> str:
    """One of a few words was expected."""
    hint = f"Did you mean `{meant}`?" if meant else f"There is {', '.join(known)}."
    return f"{_quoted(word)} is no {what}. {hint}"


def no_such_person(word: str, team: str, known: Sequence[str], meant: str | None) -> str:
    """A name that nobody of the team has."""
    hint = (
        f"Did you mean {plainly(meant)}?"
        if meant
        else f"There is {', '.join(map(plainly, known)) or 'nobody'}."
    )
    return f"Nobody in {plainly(team)} is called {_quoted(word)}. {hint} Mentioning them with @ always works."


def several_people(word: str, names: Sequence[str]) -> str:
    """A name that several have."""
    return f"{_quoted(word)} may be {' or '.join(map(plainly, names))}. Mention the one you mean with @."


def no_amount(word: str) -> str:
    """An amount of money was expected."""
    return f"{_quoted(word)} is no amount; write it like 129 or 129.50."


def no_currency(word: str) -> str:
    """A currency was expected."""
    return f"{_quoted(word)} is no currency; write its three letters, like EUR."


def tag_too_long(word: str, longest: int) -> str:
    """A tag is a word or two."""
    return f"{_quoted(word)} is too long for a tag; at most {longest} characters."


TIME_EXAMPLES = "`30m`, `2h`, `14:00`, `tomorrow`, `tomorrow 9:00`, `monday`"


def time_not_understood(word: str) -> str:
    """A time was expected."""
    return f"{_quoted(word)} is no time that I understand. Write one like {TIME_EXAMPLES}."


def time_is_over(word: str) -> str:
    """A time was expected that is still to come."""
    return f"{_quoted(word)} is over already. Write a later time, like `tomorrow 9:00`."


def time_too_far(word: str) -> str:
    """A year is the most."""
    return f"{_quoted(word)} is too far away; a year is the most."


# what was done, whispered to whoever typed it


def did_claim(number: int) -> str:
    """Theirs now."""
    return f"#{number} is yours."


def lead_may_take_over() -> str:
    """To a lead whose claim came too late."""
    return "As a lead you can write `takeover`."


def did_assign(number: int, name: str) -> str:
    """Somebody's now."""
    return f"{plainly(name)} has #{number} now."


def did_release(number: int) -> str:
    """Nobody's now."""
    return f"#{number} is back in the queue, at its old place."


def did_hand_back(number: int) -> str:
    """The assistant's now."""
    return f"#{number} is back with the assistant."


def did_wake(number: int) -> str:
    """In sight."""
    return f"#{number} is awake."


def did_retry(number: int) -> str:
    """A dead letter is planned again."""
    return f"It is being sent again, in the thread of #{number}."


def did_send_reply(number: int) -> str:
    """A saved reply has left."""
    return f"Sent to the shopper of #{number}."


def reply_stayed_inside(number: int) -> str:
    """A saved reply of somebody who does not own the case."""
    return f"#{number} is not yours, so that stayed inside; the thread offers to send it."


def no_such_failure(word: str) -> str:
    """An id that no failed delivery has."""
    return f"Nothing that failed has the id {_quoted(word)}. `failed` lists them with their buttons."


def nothing_done() -> str:
    """A command that has no answer of its own."""
    return "Done."


# listings

BUTTON_SHOW = "Details"
BUTTON_REOPEN = "Reopen"


def confirm_step_in(owner: str) -> str:
    """Asked before a lead takes somebody's case."""
    return f"{owner} has this case. Take it over? The shopper is told that you are here now."


def lasted(seconds: float) -> str:
    """A rough duration: "40 s", "4 min", "3 h", "2 days"."""
    if seconds < 90:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def row_new(count: int) -> str:
    """Unread shopper messages."""
    return f"**{count} new**"


def row_waits(seconds: float) -> str:
    """For a person, since it was escalated."""
    return f"waits {lasted(seconds)}"


def row_unanswered(seconds: float) -> str:
    """The shopper's last message has no answer."""
    return f"unanswered for {lasted(seconds)}"


def row_snoozed(until: str) -> str:
    """Out of sight."""
    return f"sleeps until {until}"


def board_away(until: str | None) -> str:
    """Above the queue of somebody who is away."""
    return f"You are away until {until}." if until else "You are away until you say that you are back."


def listing(what: str, count: int, page: int, pages: int) -> str:
    """Over a listing."""
    where = f" (page {page + 1} of {pages})" if pages > 1 else ""
    return f"**{what}: {count}**{where}"


def queue_empty() -> str:
    """Nobody waits."""
    return "Nobody is waiting."


def mine_empty() -> str:
    """No open cases."""
    return "You have no open cases. `queue` shows who is waiting."


def found(words: str, count: int, limits: str, *, more: bool) -> str:
    """Over what was found."""
    many = f"More than {count} found" if more else f"{count} found"
    return f"**{many}** for {_quoted(words)}. {limits}".strip()


def found_nothing(words: str, limits: str) -> str:
    """Nothing was found, and where it was not looked."""
    return f"Nothing found for {_quoted(words)}. {limits}".strip()


def find_limits(shoppers: int, cases: int, deep: int) -> str:
    """How far a search goes where there is more than that."""
    return (
        f"Looked at the newest {shoppers:,} shoppers, the issues of the newest {cases:,} cases and the messages of "
        f"the newest {deep:,}."
    )


def failed_empty() -> str:
    """No dead letters."""
    return "Nothing has failed."


def failed_row(what: str, seq: int, reason: str, age: str) -> str:
    """One dead letter."""
    return f"{what}, message {seq}: refused {age} ({plainly(reason)})"


FAILED_TITLE = "Failed"
FAILED_WHERE = {"thread": "The team's thread", "card": "The card", "webhook": "The store's webhook",
                "email": "The mail", "receipts": "A receipt"}  # fmt: skip


STATS_TITLE = "Today"
STATS_NOBODY = "Nobody has worked on a case today."


def stats_lines(
    new: int, waiting: int, longest: float | None, resolved: int, reply: float | None
) -> tuple[str, ...]:
    """Today's numbers, a line each."""
    return (
        f"New: **{new}**",
        f"Waiting now: **{waiting}**"
        + (f", the longest for {lasted(longest)}" if longest is not None else ""),
        f"Resolved: **{resolved}**",
        f"First reply: {lasted(reply)} (median)" if reply is not None else "First reply: none yet",
    )


def stats_person(name: str, still_open: int, replies: int, reply: float | None) -> str:
    """One person's day."""
    first = f"first reply {lasted(reply)} ({replies})" if reply is not None else "no first reply"
    return f"• {plainly(name)}: {still_open} open, {first}"


HELP = """\
**Cases**
`queue` · `mine` · `show 1042`
`find sarah@example.com` (or words, or a number)
**A case** (in its thread leave the number out)
`claim 1042` · `release 1042` · `handback 1042`
`assign 1042 @operator` · `move 1042 billing`
`priority 1042 high` · `tag 1042 damaged, vip`
`snooze 1042 2h` · `snooze 1042 off`
`note 1042 …` stays in the team
`resolve 1042` · `resolve 1042 sale 129 EUR`
`outcome 1042 refund 20`
**You**
`away until 14:00` · `back`
**The team**
`stats` · `failed`"""


def case_line_stage(stage: str, owner: str | None, since: str) -> str:
    """Who has it."""
    match stage:
        case "waiting":
            return f"Waiting for a person since {since}"
        case "active":
            return f"{plainly(owner or 'An operator')} has it since {since}"
        case "resolved":
            return f"Resolved {since}" + (f", was {plainly(owner)}'s" if owner else "")
        case _:
            return "The assistant answers"


def no_such_case(number: int) -> str:
    """A number that is nobody's."""
    return f"There is no case #{number}. `find` looks for one by words, names and addresses."


# forms

FORM_TITLES = {"assign": "Assign", "move": "Move to a team", "priority": "Priority", "snooze": "Snooze", "tag": "Tags",
               "note": "Note for the team", "saved_reply": "Saved reply", "outcome": "Outcome"}  # fmt: skip
FORM_SUBMITS = {"assign": "Assign", "move": "Move", "priority": "Set", "snooze": "Snooze", "tag": "Save", "note": "Add",
                "saved_reply": "Choose", "outcome": "Record"}  # fmt: skip
FORM_SEND = "Send to shopper"
LABEL_OPERATOR = "Who"
LABEL_TEAM = "Team"
LABEL_PRIORITY = "Priority"
LABEL_UNTIL = "For how long"
LABEL_TIME = "Or until"
LABEL_TAGS = "Tags in use"
LABEL_NEW_TAGS = "New tags"
LABEL_NOTE = "Note"
LABEL_REPLY = "Reply"
LABEL_TEXT = "What the shopper will read"
LABEL_KIND = "What came of it"
LABEL_AMOUNT = "Amount"
LABEL_CURRENCY = "Currency"
HINT_TIME = "30m, 2h, 14:00, tomorrow 9:00, monday"
HINT_TAGS = "with commas between them"
HINT_NOTE = "Only the team sees it."
HINT_CURRENCY = "three letters, like EUR"
HINT_REPLY = "You can still change it before it is sent."
OUTCOME_LABELS = {
    "sale": "Sale",
    "refund": "Refund",
    "retention": "Kept a customer",
    "other": "Something else",
}
SNOOZE_LABELS = {"30m": "30 minutes", "1h": "1 hour", "2h": "2 hours"}
SNOOZE_OFF = "End the snooze now"


def form_open_cases(count: int) -> str:
    """An operator's load."""
    return f"{count} open"


def form_present(present: bool | None) -> str:
    """What the platform says of an operator."""
    return {True: "active", False: "not active", None: ""}[present]


def form_away(until: str | None) -> str:
    """What an operator said."""
    return f"away until {until}" if until else "away"


def form_tomorrow(opening: str) -> str:
    """At the team's opening."""
    return f"Tomorrow at {opening}"


def form_team(waiting: int, opens: str | None) -> str:
    """Another team's queue."""
    return f"{waiting} waiting, " + (f"back {opens}" if opens else "open now")


def no_other_team(team: str) -> str:
    """There is nowhere to move a case to."""
    return f"{plainly(team)} is the only team. Add another under [teams.…] in baton.toml."


def nobody_to_assign(team: str) -> str:
    """Nobody is known yet."""
    return f"Nobody is known to be in {plainly(team)} yet; invite them to its channel, or wait a minute."


def no_saved_replies(team: str) -> str:
    """replies.toml is missing or has none for that team."""
    return f"There is no saved reply for {plainly(team)}. Write some into replies.toml (see replies.example.toml)."


def reply_gone(name: str) -> str:
    """A saved reply was taken out while its form was open."""
    return f"There is no saved reply {_quoted(name)} any more; pick another."


def blanks_left(names: Sequence[str]) -> str:
    """A saved reply must not leave with its blanks."""
    shown = ", ".join(f"{{{name}}}" for name in names)
    return f"Nobody knows {shown} here. Write it yourself, or take it out, before it is sent."


def blanks_unknown(names: Sequence[str]) -> str:
    """Over a saved reply that is not whole."""
    shown = ", ".join(f"{{{name}}}" for name in names)
    return f"Fill in what is not known here: {plainly(shown)}"


def operator_gone() -> str:
    """Somebody left the team while a form was open."""
    return "They are not in the team any more; choose somebody else."


def no_such_form(name: str) -> str:
    """A button that asks nothing."""
    return f"“{name}” has no form. Mention Baton with `help` to see what there is."


def choose_something() -> str:
    """A form without a choice."""
    return "Choose one, or write your own below."


def write_something() -> str:
    """A form without a text."""
    return "Write something first."


# --- to the team: who must look, the morning, and repair ------------------------------------------------------


def alert_late(number: int, waited: float, owner: str | None) -> str:
    """To the lead: a first reply is overdue."""
    who = f"{owner} has it" if owner else "nobody has claimed it"
    return f"#{number} has waited {duration(waited)} for a first reply; {who}."


def alert_nobody_there(number: int, team: str, fallback: str | None) -> str:
    """To the lead: nobody of the team is present."""
    what = f"it goes to the team {fallback}" if fallback else "assign it, or ask somebody to come"
    return f"Nobody of the team {team} is there to take #{number}: {what}."


def alert_owner_away(number: int, owner: str) -> str:
    """To the team: the shopper wrote, and the owner is not there."""
    return f"The shopper of #{number} wrote, and {owner} is away. Who can answer?"


def owner_left(name: str) -> str:
    """Who released it, when the owner's account is gone from the team."""
    return f"Baton ({name} is no longer in the team)"


def duration(seconds: float) -> str:
    """A rough, readable length of time."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


BUTTON_SHARE_OUT = "Share them out"
BUTTON_ASSIGN_TO = "Assign…"


def brief_head(team: str, waiting: int, overnight: int, vips: int, longest: float) -> str:
    """The first lines of the day."""
    cases = "1 case waits" if waiting == 1 else f"{waiting} cases wait"
    parts = [f"{overnight} came overnight"] if overnight else []
    parts += ["1 is a VIP's" if vips == 1 else f"{vips} are VIPs'"] if vips else []
    more = f" ({', '.join(parts)})" if parts else ""
    return f"**Good morning, {team}.** {cases}{more}. The longest has waited {duration(longest)}."


def brief_row(number: int, customer: str, waited: float, issue: str, vip: bool) -> str:
    """One waiting case. Customer and issue are a store's words."""
    mark = "⭐ " if vip else ""
    return f"{mark}#{number} · {customer} · waits {duration(waited)}" + (f" · {issue}" if issue else "")


def brief_more(count: int) -> str:
    """Those that have no line of their own."""
    return "And 1 more is in the queue." if count == 1 else f"And {count} more are in the queue."


def shared_out(shares: list[tuple[int, str]]) -> str:
    """After the button: who got what."""
    return "Shared out: " + ", ".join(f"#{number} to {name}" for number, name in shares) + "."


def nothing_to_share_out() -> str:
    """A second click, or others were quicker."""
    return "None of these cases waits any more, so there is nothing to share out."


def nobody_to_share_out_to() -> str:
    """Nobody is present."""
    return "Nobody of the team is there to take them. Assign them one by one, or try again when somebody is."


def only_leads_share_out() -> str:
    """An operator pressed it."""
    return "Sharing out is for the team's leads. You can claim any of these cases yourself."


def place_trouble(team: str, problem: str) -> str:
    """To the lead, in a private message or another channel."""
    return (
        f"Baton cannot work in the team {team}'s channel at the moment: {problem} "
        "Its cases wait and nothing is lost; they follow in order once that is mended."
    )


def doctor_ends(problems: int) -> str:
    """The doctor's last line."""
    if not problems:
        return "Everything that could be tried works."
    return "1 thing is to be mended." if problems == 1 else f"{problems} things are to be mended."


def doctor_no_tokens(team: str) -> str:
    """A team in Slack, and Slack is not configured."""
    return f"teams.{team}.chat is slack, but SLACK_BOT_TOKEN is not set; copy the tokens into .env (docs/slack.md)."


def doctor_no_admin_token() -> str:
    """Nobody can sign in."""
    return "BATON_ADMIN_TOKEN: missing, so nobody can open the console; write a long random string."


def doctor_was_here() -> str:
    """The doctor's test message, gone a moment later."""
    return "Baton's doctor tries out posting; this message goes away by itself."


def doctor_cannot(step: str, reason: str) -> str:
    """A step of the test failed."""
    cures = {
        "missing_scope": "add the scopes that `python -m bot manifest` names and reinstall the app",
        "not_in_channel": "write /invite @Baton there",
        "is_archived": "unarchive it, or name another channel",
        "restricted_action": "ask an admin who may post in this channel",
    }
    return f"Baton cannot {step} there ({reason}); {cures.get(reason, 'mend that and check again')}."


def doctor_heard_nothing() -> str:
    """The event of our own message did not come."""
    return (
        "Slack did not tell us of our own message, so replies would not arrive; check that Event Subscriptions are on "
        "and name message.channels and message.groups, as `python -m bot manifest` does. If another Baton runs with "
        "these tokens, it got the event; stop it and try again."
    )


def doctor_baton_runs() -> str:
    """A running Baton gets the events."""
    return "Not tried: whether events come in. A Baton runs here and gets them; its /readyz says if it is connected."


def doctor_over_http() -> str:
    """Over HTTP only the server can hear."""
    return "Not tried: whether events come in. Slack sends them to Baton's address; write in a case's thread to see it."


def doctor_no_group(group: str, reason: str) -> str:
    """The policy names a user group that cannot be read."""
    if reason == "missing_scope":
        return f"The user group {group} cannot be read; add usergroups:read and reinstall. The channel counts so far."
    return (
        f"There is no user group {group} ({reason}); correct `group`. Until then the channel's people count."
    )


def doctor_no_people(reason: str) -> str:
    """Members are unknown."""
    return (
        f"Nobody can be looked up ({reason}), so nobody counts as operator; check users:read and the channel."
    )


def doctor_nobody(team: str, channel: str) -> str:
    """A team without people."""
    return f"Nobody is in the team {team}; let its people join {channel}, or name them in teams.{team}.operators."


def doctor_no_leads(team: str) -> str:
    """Nobody leads."""
    return f"Nobody leads the team; name somebody in teams.{team}.leads, or let a workspace admin join the channel."


def place_mended(team: str) -> str:
    """To the lead who was told of the trouble."""
    return f"The team {team}'s channel works again; what had waited follows now."


# --- to the team: what is done with a case --------------------------------------------------------------------

FIELD_SNOOZED = "Snoozed"
FIELD_OUTCOME = "Outcome"

DOING_MOVE = "move"
DOING_PRIORITY = "put in order"
DOING_SNOOZE = "snooze"
"""What can be done only with a case that waits or is somebody's."""


def on_the_clock(at: float, zone: str) -> str:
    """A time that is still right when it is read days later."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M} ({local:%Z})"


def _meant(meant: str | None) -> str:
    return f" Did you mean {meant}?" if meant else ""


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


def only_leads_step_in(owner: str) -> str:
    """A case is taken from somebody by a lead only."""
    return (
        f"{owner} has this case, and only a lead may take it over. Ask a lead, or ask {owner} to release it."
    )


def only_open_cases(number: int, stage: str, what: str) -> str:
    """What cannot be done with a case that no person is needed in."""
    state = "resolved" if stage == "resolved" else "with the assistant"
    return f"#{number} is {state}, so there is nothing to {what}. Claim it first."


def no_handoff_yet(number: int) -> str:
    """An outcome is a case's, and this never was one."""
    return f"#{number} was with the assistant all along, so it has no outcome. Claim it first."


def unknown_team(name: str, teams: Sequence[str], meant: str | None) -> str:
    """A team that there is not."""
    return f"There is no team {_quoted(name)}.{_meant(meant)} The teams are {', '.join(teams)}."


def unknown_priority(word: str, known: Sequence[str], meant: str | None) -> str:
    """A priority that there is not."""
    return f"{_quoted(word)} is no priority.{_meant(meant)} The priorities are {', '.join(known)}."


def unknown_outcome(word: str, known: Sequence[str], meant: str | None) -> str:
    """An outcome that there is not."""
    return f"{_quoted(word)} is no outcome.{_meant(meant)} The outcomes are {', '.join(known)}."


def wrong_amount() -> str:
    """Below zero, or beyond belief."""
    return "That is no amount. Write a number from 0 up, like 129 or 129.50."


def too_many_tags(count: int, most: int) -> str:
    """All of them."""
    return f"{count} tags are too many: {most} at most. Leave some out."


def wrong_snooze(days: int) -> str:
    """A time that is over, or too far away."""
    return f"A snooze ends in the future, {days} days ahead at most. Give a later or a nearer time."


def not_snoozed(number: int) -> str:
    """Nothing to end."""
    return f"#{number} is not snoozed."


def empty_note() -> str:
    """Nothing written."""
    return "The note is empty. Write something, or close the form."


def note_too_long(most: int) -> str:
    """One note."""
    return f"The note is too long: {most:,} characters at most. Write it in two."


def away_is_over() -> str:
    """A time in the past."""
    return "That time is over already. Give a later one, or none: then you are away until you say that you are back."


def already_there(number: int, team: str) -> str:
    """A move that changes nothing."""
    return f"#{number} is {team}'s already."


def already_priority(number: int, priority: str) -> str:
    """A priority that changes nothing."""
    return f"#{number} is {priority} already."


def done_moved(number: int, team: str) -> str:
    """Whispered."""
    return f"#{number} is {team}'s now and waits in their queue."


def done_priority(number: int, priority: str) -> str:
    """Whispered."""
    return f"#{number} is {priority} now."


def done_tags(number: int, tags: Sequence[str]) -> str:
    """Whispered."""
    return f"#{number} is tagged {', '.join(tags)}." if tags else f"#{number} has no tags."


def done_snoozed(number: int, when: str) -> str:
    """Whispered."""
    return f"#{number} is snoozed until {when}. A claim or the shopper ends it earlier."


def done_note(number: int) -> str:
    """Whispered."""
    return f"The note is kept with #{number}, for the team only."


def done_outcome(number: int) -> str:
    """Whispered."""
    return f"The outcome of #{number} is recorded."


def assigned_to_away(name: str) -> str:
    """Whispered to whoever assigned it."""
    return f"{name} has it now, but has said to be away. You may want to give it to somebody else."


def gone_away(when: str | None, open_cases: int) -> str:
    """Nothing new comes; what they have stays theirs."""
    until = f"until {when}" if when else "until you say that you are back"
    own = {0: "You have no open cases.", 1: "You still have one open case; hand it over if it cannot wait."}
    rest = own.get(open_cases, f"You still have {open_cases} open cases; hand over what cannot wait.")
    return f"You are away {until}: nothing new is offered to you. {rest}"


def come_back(open_cases: int) -> str:
    """There again."""
    own = {0: "", 1: " You have one open case."}
    return "Welcome back." + own.get(open_cases, f" You have {open_cases} open cases.")


def not_away() -> str:
    """Said twice."""
    return "You are not away."


def moved_on(team: str, permalink: str | None) -> str:
    """To whoever writes in a thread that its case has left."""
    where = f"[{team}'s thread]({permalink})" if permalink else f"{team}'s thread"
    return f"That stayed inside: this case has moved to {team}. Write in {where}."


def line_taken_over(owner: str, former: str) -> str:
    """A lead has it now; both are mentioned before it where the platform can."""
    return f"{owner} took this over from {former}. What {owner} writes here goes to the shopper."


def line_moved(by: str, former: str, team: str, permalink: str | None) -> str:
    """In the thread where it goes on; `permalink` is its earlier one's."""
    line = f"{by} moved this from {former} to {team}. It waits for somebody there."
    return f"{line} [Earlier thread]({permalink})" if permalink else line


def line_moved_to(team: str, permalink: str | None) -> str:
    """The last line of a thread that the case has left."""
    return f"Moved to {team}: [it goes on there]({permalink})" if permalink else f"Moved to {team}."


def line_prioritised(by: str, priority: str, before: str) -> str:
    """Somebody moved it up or down the queue."""
    return f"{by} set the priority to {priority} (before: {before})."


def line_snoozed(by: str, when: str) -> str:
    """Out of sight for a while."""
    return f"{by} snoozed this until {when}. A claim or the shopper ends it earlier."


def line_woken(why: str, by: str | None) -> str:
    """In sight again; after the owner's mention, if there is one."""
    if why == "operator":
        return f"{by or SPEAKERS['operator']} ended the snooze."
    return (
        "The snooze is over: the shopper wrote."
        if why == "shopper"
        else "The snooze is over: its time has come."
    )


def alert_idle(waited: float, allowed: float) -> str:
    """After the owner's mention."""
    return (
        f"The shopper has been waiting {lasted(waited)} for an answer. "
        f"After {lasted(allowed)} this goes back to the queue."
    )


def alert(code: str) -> str:
    """An alert that came without words."""
    return f"Please look at this case ({code.replace('_', ' ')})."


# --- to the team: files ----------------------------------------------------------------------------------------


def file_refused(name: str, reason: str) -> str:
    """To whoever sent it. `reason` is a sentence with its cure."""
    return f"“{name}” did not go to the shopper. {reason}"


def file_waits(name: str, cure: str) -> str:
    """It goes once somebody has done that."""
    return f"“{name}” is not with the shopper yet: {cure} It follows by itself then."


def file_is_gone() -> str:
    """Deleted, or kept somewhere else."""
    return "It is no longer there, or kept outside this chat; upload it here once more."


FILE_CURES = {
    "login_page": "Baton is shown a sign-in page instead of the file. Add the scope files:read to the app and "
    "reinstall it.",
    "missing_scope": "Baton may not read files. Add the scope files:read to the app and reinstall it.",
    "no_file_store": "Baton has no place for files. Set BATON_FILES_URL.",
    "store_unwritable": "Baton cannot write to its file store. Look at BATON_FILES_URL and the disk's free space.",
}


def line_file(name: str, size: str, url: str) -> str:
    """A file where the platform does not take it."""
    label = "".join(char for char in name if char not in "[]()*_~`\\")
    return f"📎 [{label}]({url}) ({size})"


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

"""Posts in the thread: what happened, offers, alerts, files."""

from bot.texts.answers import REFUSALS
from bot.texts.card import SPEAKERS
from bot.texts.words import duration, lasted

BUTTON_CLAIM_AND_SEND = "Claim & send"
BUTTON_SEND = "Send"
BUTTON_SEND_AS_ME = "Send as me"
BUTTON_TAKE_OVER = "Take over & send"
BUTTON_REOPEN_AND_SEND = "Reopen & send"


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


OFFERS = {
    "claim_and_send": "Nobody has claimed this, so that message stayed inside.",
    "send": "That stayed inside.",
    "send_as_me": "Only the owner's messages go to the shopper, so that one stayed inside.",
    "reopen_and_send": "This is resolved, so that message stayed inside.",
}


def offer(action: str, words: str) -> str:
    """What would leave stands with it: the post is amended, and may be far from the message it is about."""
    return f"{OFFERS[action]}\n> {words}"


BUTTON_RETRY = "Retry"


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


def place_trouble(team: str, problem: str) -> str:
    """To the lead, in a private message or another channel."""
    return (
        f"Baton cannot work in the team {team}'s channel at the moment: {problem} "
        "Its cases wait and nothing is lost; they follow in order once that is mended."
    )


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

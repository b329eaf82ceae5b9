"""What is whispered to whoever clicked or typed: refusals with their cure, and what was done."""

from collections.abc import Sequence

from bot.texts.words import did_you_mean, plainly, quoted


def claimed_by(owner: str, ago: str) -> str:
    """The loser of a claim race is told who won, and when."""
    return f"{owner} claimed this {ago}."


def already_yours() -> str:
    """A second click."""
    return "You have this one already."


def not_yours(owner: str) -> str:
    """Only the owner or a lead may."""
    return f"This is {owner}'s case. Ask them, or a lead."


def not_yours_any_more(number: int, owner: str | None) -> str:
    """An old button about one's own case, which is somebody else's by now."""
    return f"#{number} is not yours any more: {owner or 'nobody'} has it."


def offer_is_old(stage: str) -> str:
    """An old button beside an aside: it would reopen, or claim, what it says nothing of."""
    if stage == "resolved":
        return "This case was resolved meanwhile, so nothing was sent. “Reopen & send” does both."
    return "Nobody has this case any more, so nothing was sent. “Claim & send” does both."


def guests_may_not() -> str:
    """Guests and strangers."""
    return "Only members of this channel's team can do that. Ask a lead to add you."


def done_resolved(number: int) -> str:
    """Whispered after the click."""
    return f"#{number} is resolved."


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


def takes_a_moment() -> str:
    """The answer is not there in time for the command's own line."""
    return "This takes a moment; the answer will appear here."


def busy_now() -> str:
    """Something is away or broken, and it may not have been done."""
    return "That did not work just now. Look at the case before you try again."


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


def retried_already(delivered: bool) -> str:
    """A second click on Retry."""
    return "That was delivered after all." if delivered else "That is being tried again already."


def withdrawn() -> str:
    """🛑 in time."""
    return "Stopped in time: that message stays inside the team."


def too_late_to_withdraw() -> str:
    """🛑 on a message that is not held any more."""
    return "That message has left already. Delete it here and it is taken back from the shopper, too."


def not_held_any_more() -> str:
    """Too late to take back what was typed into the console."""
    return "That message is not held any more: it has left, or was taken back already."


def not_yours_to_take_back() -> str:
    """A colleague's held message."""
    return "Only whoever wrote it, or a lead, can take it back."


def command_by_edit() -> str:
    """A held message that an edit turned into one for the bot."""
    return "That stays inside the team. I act on new messages only, so write it as a new one."


def verb_unknown(word: str, meant: str | None) -> str:
    """A verb that there is not; `meant` is the form of the nearest one."""
    hint = f"Did you mean `{meant}`?" if meant else "`help` lists them."
    return f"There is no verb {quoted(word)}. {hint}"


def verb_wrong(verb: str, example: str) -> str:
    """Something is missing after the verb, or too much."""
    return f"`{verb}` is written like this: `{example}`"


def verb_takes_nothing(verb: str) -> str:
    """Words after a verb that stands alone."""
    return f"`{verb}` stands alone; nothing was done. `help` shows what can follow which verb."


def which_case(number: str, here: str, there: str) -> str:
    """In a thread: a number that may be another case's, or something else."""
    return f"Nothing was done: {number} is not this case. For this one write `{here}`; for case #{number}, `{there}`."


def number_missing(verb: str, example: str) -> str:
    """Outside a thread nobody knows which case is meant."""
    return f"Which case should I {verb}? Write its number: `{example}`. `queue` and `mine` show the numbers."


def reply_beside_thread(number: int) -> str:
    """Somebody replied to a card in the channel, where nothing is relayed."""
    return f"The shopper of #{number} does not see this. Write it in the case's thread."


def no_such_choice(what: str, word: str, known: Sequence[str], meant: str | None) -> str:
    """One of a few words was expected."""
    hint = f"Did you mean `{meant}`?" if meant else f"There is {', '.join(known)}."
    return f"{quoted(word)} is no {what}. {hint}"


def no_such_person(word: str, team: str, known: Sequence[str], meant: str | None) -> str:
    """A name that nobody of the team has."""
    hint = (
        f"Did you mean {plainly(meant)}?"
        if meant
        else f"There is {', '.join(map(plainly, known)) or 'nobody'}."
    )
    return f"Nobody in {plainly(team)} is called {quoted(word)}. {hint} Mentioning them with @ always works."


def no_such_colleague(name: str, team: str, known: Sequence[str]) -> str:
    """The console was given a name that the team's chat does not have; nobody can be mentioned there."""
    hint = f"There is {', '.join(map(plainly, known))}." if known else "Nobody of it is known yet."
    return f"Nobody in {plainly(team)} is called {quoted(name)}. {hint}"


def several_people(word: str, names: Sequence[str]) -> str:
    """A name that several have."""
    return f"{quoted(word)} may be {' or '.join(map(plainly, names))}. Mention the one you mean with @."


def no_amount(word: str) -> str:
    """An amount of money was expected."""
    return f"{quoted(word)} is no amount; write it like 129 or 129.50."


def no_currency(word: str) -> str:
    """A currency was expected."""
    return f"{quoted(word)} is no currency; write its three letters, like EUR."


def tag_too_long(word: str, longest: int) -> str:
    """A tag is a word or two."""
    return f"{quoted(word)} is too long for a tag; at most {longest} characters."


TIME_EXAMPLES = "`30m`, `2h`, `14:00`, `tomorrow`, `tomorrow 9:00`, `monday`"


def time_not_understood(word: str) -> str:
    """A time was expected."""
    return f"{quoted(word)} is no time that I understand. Write one like {TIME_EXAMPLES}."


def time_is_over(word: str) -> str:
    """A time was expected that is still to come."""
    return f"{quoted(word)} is over already. Write a later time, like `tomorrow 9:00`."


def time_too_far(word: str) -> str:
    """A year is the most."""
    return f"{quoted(word)} is too far away; a year is the most."


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
    return f"Nothing that failed has the id {quoted(word)}. `failed` lists them with their buttons."


DID = {
    "claim": "{case} is yours.",
    "step_in": "{case} is yours.",
    "release": "{case} is back in the queue, at its old place.",
    "hand_over": "{case} is back in the queue, at its old place.",
    "handback": "{case} is back with the assistant.",
    "resolve": "{case} is resolved.",
}


def did(action: str, case: str) -> str:
    """What a button has done, where nothing else says so. `case` is its number, as a link to its thread."""
    return DID[action].format(case=case) if action in DID else nothing_done()


def nothing_done() -> str:
    """A command that has no answer of its own."""
    return "Done."


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


DOING_MOVE = "move"
DOING_PRIORITY = "put in order"
DOING_SNOOZE = "snooze"
"""What can be done only with a case that waits or is somebody's."""


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
    return f"There is no team {quoted(name)}.{did_you_mean(meant)} The teams are {', '.join(teams)}."


def unknown_priority(word: str, known: Sequence[str], meant: str | None) -> str:
    """A priority that there is not."""
    return f"{quoted(word)} is no priority.{did_you_mean(meant)} The priorities are {', '.join(known)}."


def unknown_outcome(word: str, known: Sequence[str], meant: str | None) -> str:
    """An outcome that there is not."""
    return f"{quoted(word)} is no outcome.{did_you_mean(meant)} The outcomes are {', '.join(known)}."


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

"""Windows (modals) and menus: titles, labels, hints."""

from collections.abc import Sequence

from bot.texts.words import plainly, quoted

BUTTON_CANCEL = "Cancel"
BUTTON_CLOSE = "Close"
BUTTON_AWAY = "I'm away"
BUTTON_BACK = "I'm back"
MENU_MORE = "More…"
MENU_CASES = "More about a case…"
MENU_FILTER = "Show or filter…"
BUTTON_CHANGE = "Change it…"
BUTTON_AGAIN = "Open it again…"
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
SHORTCUT_SEND = "Send to shopper"
SHORTCUT_SEND_DESCRIPTION = "Sends this message of the thread to the shopper after all"
COMMAND_DESCRIPTION = "Your queue and your cases: queue, mine, find, show, claim …"
COMMAND_HINT = "queue | mine | find words | claim 1042 | help"


def window_not_opened() -> str:
    """A platform allows three seconds for it."""
    return "That took too long, and the window did not open. Press it again."


def form_not_opened() -> str:
    """A platform that opens a form at once or not at all, and it could not be made in time."""
    return "That took too long to open. Nothing was changed; choose it again."


def kept_for_you(why: str) -> str:
    """A form was refused where the platform can say nothing beside its fields."""
    return f"{why}\nNothing was changed, and what you wrote is kept below."


def read_over(number: int) -> str:
    """A saved reply before it leaves."""
    return f"**#{number}** · Read it over. Nothing is sent yet."


def nothing_changed() -> str:
    """A question was answered with no."""
    return "Nothing was changed."


def other_server() -> str:
    """Somebody asks from where this Baton has no teams."""
    return "Baton works for another server, so there is nothing for you here."


def window_failed() -> str:
    """Something broke while a form was made or stored."""
    return "That did not work, and nothing was changed. Close this and try again in a moment."


def nothing_to_choose(label: str) -> str:
    """A choice without choices."""
    return f"{label}: there is nothing to choose from."


def choices_cut(shown: int) -> str:
    """More choices than a window can list."""
    return f"Only the first {shown} are listed; for the others mention Baton in the thread and write it out."


def form_is_stale() -> str:
    """Something of it is not as Baton made it."""
    return "This form is out of date. Close it and open it again."


def choices_by_typing(shown: int, verb: str) -> str:
    """The same where the slash command finds them; in at most 100 characters."""
    return f"The first {shown} are listed; /handoff {verb} finds the others as you type.".replace("  ", " ")


def too_long_for_a_window() -> str:
    """A window's fields end at 3,000 characters, and nothing of a reply may be lost."""
    return "This text is too long for a window. Write it in the thread, where there is no such limit."


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
SUGGESTED_REPLY = "💡 Suggested reply"
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
    return f"There is no saved reply {quoted(name)} any more; pick another."


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


def button_unknown() -> str:
    """A button of another version of ours."""
    return "This button is from another version and does nothing any more. Mention Baton with `help` to see what does."


def choose_something() -> str:
    """A form without a choice."""
    return "Choose one, or write your own below."


def write_something() -> str:
    """A form without a text."""
    return "Write something first."

"""What stands beside the commands and their options while somebody types them; at most 100 characters each."""

from bot.texts.words import quoted

COMMANDS = {
    "queue": "Who waits in your teams, ten a page, with filters",
    "mine": "Your open cases",
    "find": "Find cases by number, name, address or words; resolved ones too",
    "show": "One case: customer, why, what is known, the last messages",
    "claim": "It is yours; also steps in while the assistant answers, and reopens a resolved case",
    "takeover": "It is yours although somebody has it (leads)",
    "assign": "Give a case to somebody",
    "release": "Back to the queue, at its old place",
    "handback": "Back to the assistant",
    "move": "Another team's from now on",
    "priority": "How urgent it is",
    "tag": "Add tags; -vip takes one away, none all of them",
    "snooze": "Out of the way until then, or until the shopper writes; off ends it",
    "note": "A note that only the team sees",
    "reply": "A saved reply: read it over, then send it",
    "resolve": "Done, with what came of it if you like",
    "outcome": "What came of it, now or later",
    "away": "Nothing new for you; your open cases are listed",
    "back": "You are there again",
    "stats": "Today in numbers",
    "failed": "What could not be delivered, with Retry",
    "help": "All of this, short",
}
OPTIONS = {
    "case": "The case's number; in its thread leave it out",
    "page": "Which page",
    "words": "What to look for",
    "person": "Whom; type a name, or me",
    "team": "Which team",
    "level": "How urgent",
    "tags": "With commas between them",
    "until": "30m, 2h, 14:00, tomorrow, tomorrow 9:00, monday, 3 days; off",
    "text": "What to write",
    "saved": "Its name",
    "kind": "What came of it",
    "amount": "How much, like 129 or 129.50 EUR",
    "remark": "Anything else about it",
    "retry": "The id of a delivery to try again",
    "verb": "Which one",
}
"""By the option's name."""
GROUP = "Your queue and your cases"


def no_case_called(words: str) -> str:
    """A case is a number, and this was none."""
    return f"{quoted(words)} is no case's number. Pick one that is suggested, or type its number."


def not_known_here() -> str:
    """A command that another version of ours has registered."""
    return "This command has just changed. Reload the app, and type it again."

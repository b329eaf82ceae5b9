"""Lists of cases: the queue, the Home tab, the morning brief, the numbers of the day."""

from bot.texts.words import duration, lasted, plainly, quoted

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


def home_nothing(view: str, filtered: bool) -> str:
    """An empty page, and how to get a full one."""
    if filtered:
        return "Nothing fits these filters. Set them to “Every …” to see more."
    return HOME_NOTHING.get(view, "Nothing here.")


def board_head(team: str, waiting: int, still_open: int) -> str:
    """Over the cases that wait, in a team's channel."""
    what = "Nobody is waiting" if not waiting else f"{waiting} waiting"
    return f"**{plainly(team)}: {what}** · {still_open} open in all"


def board_foot(more: int, when: str) -> str:
    """Below them; `when` is the time of the last change."""
    return (f"And {more} more: press Unclaimed. · " if more else "") + f"as of {when}"


def home_foot(page: int, pages: int, when: str) -> str:
    """Below the rows; `when` is the time of day."""
    return (f"Page {page} of {pages} · " if pages > 1 else "") + f"as of {when}"


def more_rows(count: int) -> str:
    """A listing that does not fit."""
    return f"… and {count} more. Narrow it down to see them."


def more_text() -> str:
    """An answer longer than a message may be."""
    return "… and more: the case's thread has the whole of it."


def home_unknown() -> str:
    """The queue cannot be read at the moment."""
    return "The queue cannot be shown at the moment. It comes back here by itself."


BUTTON_SHOW = "Details"
BUTTON_REOPEN = "Reopen"


def confirm_step_in(owner: str) -> str:
    """Asked before a lead takes somebody's case."""
    return f"{owner} has this case. Take it over? The shopper is told that you are here now."


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
    return f"**{many}** for {quoted(words)}. {limits}".strip()


def found_nothing(words: str, limits: str) -> str:
    """Nothing was found, and where it was not looked."""
    return f"Nothing found for {quoted(words)}. {limits}".strip()


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

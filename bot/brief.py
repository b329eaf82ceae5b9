"""The opening brief: what waits when a team's day begins, so that nobody has to scroll for it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot import hours, texts
from bot.cards import name_of
from bot.conversation import Conversation, Stage
from bot.hours import Hours
from bot.packet import shorten
from bot.people import Shopper
from bot.ports import UnitOfWork
from bot.posts import Action, Answer, Button, Row
from bot.settings import TeamPolicy

FIRST_HOUR = 3600.0
MOST_ROWS = 10
MOST_LOOKED_AT = 200
MOST_SHARED = 100
"""As many numbers as a button's value holds."""
VIP_TIERS = frozenset({"vip", "platinum", "gold"})
_MARKUP = str.maketrans(dict.fromkeys("*_~`[]|", " "))
_RANKS = {"urgent": 0, "high": 1}


def day_begun(when: Hours, now: float) -> str | None:
    """The local date, within the first hour after a team was away for at least as long; None otherwise."""
    if when.always or not hours.is_open(when, now) or hours.is_open(when, now - FIRST_HOUR):
        return None
    return datetime.fromtimestamp(now, ZoneInfo(when.zone)).date().isoformat()


def opening(uow: UnitOfWork, team: TeamPolicy) -> Answer | None:
    """What to post; None when nothing waits. VIPs first, then what is urgent, then who has waited longest."""
    queue = uow.conversations.queue(team.name, MOST_LOOKED_AT)
    found = [(one, uow.people.shopper(one.shopper_id)) for one in queue if one.stage is Stage.WAITING]
    if not found:
        return None
    waiting = sorted(found, key=lambda pair: _order(*pair))
    shown = waiting[:MOST_ROWS]
    numbers = ",".join(str(case.number) for case, _ in waiting[:MOST_SHARED])
    more = len(waiting) - len(shown)
    rows = [_row(case, shopper, uow.now) for case, shopper in shown]
    return Answer(
        "\n".join([_head(team, waiting, uow.now), *([texts.boards.brief_more(more)] if more else [])]),
        tuple(rows),
        (Button(Action.SHARE_OUT, texts.boards.BUTTON_SHARE_OUT, f"{team.name}:{numbers}"),),
    )


def is_vip(shopper: Shopper | None) -> bool:
    """Whether the store calls them one."""
    return shopper is not None and (shopper.tier or "").strip().lower() in VIP_TIERS


def _order(case: Conversation, shopper: Shopper | None) -> tuple[bool, int, float, int]:
    return (not is_vip(shopper), _RANKS.get(case.priority, 2), case.waiting_since or 0.0, case.number)


def _head(team: TeamPolicy, waiting: list[tuple[Conversation, Shopper | None]], now: float) -> str:
    since = [case.waiting_since or now for case, _ in waiting]
    overnight = sum(not hours.is_open(team.hours, at) for at in since)
    vips = sum(is_vip(shopper) for _, shopper in waiting)
    return texts.boards.brief_head(team.name, len(waiting), overnight, vips, now - min(since))


def _plain(text: str) -> str:
    """Without what our Markdown would take for formatting or a link: the words are a shopper's or a store's."""
    return " ".join(text.translate(_MARKUP).split())


def _row(case: Conversation, shopper: Shopper | None, now: float) -> Row:
    customer = _plain(shorten(name_of(shopper) if shopper else "", 60))
    issue = _plain(shorten(str(case.packet.get("issue") or ""), 120))
    text = texts.boards.brief_row(
        case.number, customer, now - (case.waiting_since or now), issue, vip=is_vip(shopper)
    )
    value = str(case.number)
    claim = Button(Action.CLAIM, texts.card.BUTTON_CLAIM, value, "primary")
    return Row(case.number, text, (claim, Button(Action.ASSIGN, texts.boards.BUTTON_ASSIGN_TO, value)))

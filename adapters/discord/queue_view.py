"""How the queue looks in Discord: as one person's window, and as the board in a team's channel. Pure: Discord's JSON.

Which part of the queue somebody looks at stands in the names of the buttons, so any replica can turn a page, also of a
window that is days old. One select holds all filters: more would leave no room for ten cases (40 components).
"""

from collections.abc import Sequence
from dataclasses import replace

from adapters.discord.answer_view import MOST_TEXT, listing
from adapters.discord.components import (
    CHOOSE,
    CUSTOM_ID,
    GREEN,
    GREY,
    LOOK,
    MOST_OPTIONS,
    PRESS,
    ROW,
    TEXT,
    Component,
    choose,
    option,
    press,
)
from adapters.discord.markup import date, fit, marked_up, subtext
from bot import texts
from bot.boards import Board, Look, View
from bot.commands import PRIORITIES
from bot.forms import Option
from bot.splitting import units

AWAY, BACK = "away", "back"
HEAD = 700
WHEN = "{when}"
NAME = 90
"""How long the name of a look may be: a button's holds 100 characters."""


def window(board: Board) -> list[Component]:
    """One page of somebody's queue, with its filters and the way to other pages."""
    look = board.look
    head = _head(board, texts.boards.HOME_VIEWS[look.view.value], board.counts.get(look.view, 0))
    found: list[Component] = [_text(head)]
    found += listing(board.rows, MOST_TEXT - units(head))
    found.append(_filters(board, f"{CHOOSE}filter:{name_of(look)}"))
    return [*found, _below([*_pages(board), _presence(board)])]


def team_board(board: Board, team: str, now: float, serial: int) -> list[Component]:
    """What stands in a team's channel for everybody: who waits, and the ways to one's own queue. `serial` changes with
    each use of its selects."""
    counts = {view.value: board.counts.get(view, 0) for view in View}
    head = marked_up(texts.boards.board_head(team, counts["unclaimed"], counts["teams"]))
    more = max(0, counts["unclaimed"] - len(board.rows))
    foot = subtext(texts.boards.board_foot(more, WHEN)).replace(WHEN, date(now, "t"))
    shown = listing(board.rows, MOST_TEXT - units(head) - units(foot), serial)
    views = [
        press(
            PRESS + name_of(Look(view)),
            texts.boards.HOME_VIEWS[view.value],
            GREEN if view is board.look.view else GREY,
        )
        for view in View
    ]
    filters = _filters(board, f"{CHOOSE}board:{team}:{serial}")
    return [_text(head), *shown, filters, _below(views), _text(foot)]


def without_time(components: Sequence[Component]) -> list[Component]:
    """What of a board matters when two are compared."""
    return list(components[:-1])


def _head(board: Board, what: str, count: int) -> str:
    look = board.look
    lines = [texts.boards.listing(what, count, look.page, board.pages)]
    chosen = [
        look.priority.capitalize(),
        texts.boards.HOME_AWAITING.get(look.awaiting, "") if look.awaiting else "",
        f"#{look.tag}" if look.tag else "",
    ]
    filters = " · ".join(texts.words.plainly(one) for one in chosen if one)
    lines += [one for one in (filters, board.away) if one]
    if not board.rows:
        lines.append(texts.boards.home_nothing(look.view.value, bool(filters)))
    return fit("\n".join(lines), HEAD, marked_up)


# --- where somebody looks -------------------------------------------------------------------------------------


def name_of(look: Look) -> str:
    """A look as the name of what leads to it. A tag that is too long filters nothing."""
    named = f"{LOOK}:{look.view.value}.{look.page}.{look.priority}.{look.awaiting}.{look.tag}"
    return named if len(named) <= NAME else name_of(replace(look, tag=""))


def look_of(value: str) -> Look:
    """The look that such a name leads to; ValueError if it is none."""
    view, page, priority, awaiting, tag = value.split(".", 4)
    return Look(View(view), tag, priority, awaiting, max(0, int(page)))


def _filters(board: Board, name: str) -> Component:
    """One select for view, priority, turn and tag: each entry changes one of them and begins at the first page."""
    look = replace(board.look, page=0)
    options = [*_views(board, look), *_priorities(look), *_turns(look), *_tags(board, look)]
    return _below([choose(name[:CUSTOM_ID], options[:MOST_OPTIONS], texts.windows.MENU_FILTER)])


def _entry(look: Look, label: str, hint: str = "") -> Component:
    return option(Option(PRESS + name_of(look), label, hint))


def _views(board: Board, look: Look) -> list[Component]:
    return [
        _entry(
            replace(look, view=view), f"{texts.boards.HOME_VIEWS[view.value]} ({board.counts.get(view, 0)})"
        )
        for view in View
        if view is not look.view
    ]


def _priorities(look: Look) -> list[Component]:
    named = [("", texts.boards.HOME_ANY_PRIORITY), *((one, one.capitalize()) for one in reversed(PRIORITIES))]
    return [_entry(replace(look, priority=one), label) for one, label in named if one != look.priority]


def _turns(look: Look) -> list[Component]:
    named = texts.boards.HOME_AWAITING.items()
    return [_entry(replace(look, awaiting=one), label) for one, label in named if one != look.awaiting]


def _tags(board: Board, look: Look) -> list[Component]:
    found = [_entry(replace(look, tag=""), texts.boards.HOME_ANY_TAG)] if look.tag else []
    for tag in board.tags:
        led = replace(look, tag=tag)
        if tag != look.tag and look_of(name_of(led).partition(":")[2]) == led:
            found.append(_entry(led, f"#{tag}"))
    return found


def _pages(board: Board) -> list[Component]:
    look, found = board.look, []
    if look.page > 0:
        found.append(press(PRESS + name_of(replace(look, page=look.page - 1)), texts.boards.HOME_PREVIOUS))
    if look.page + 1 < board.pages:
        found.append(press(PRESS + name_of(replace(look, page=look.page + 1)), texts.boards.HOME_NEXT))
    return found


def _presence(board: Board) -> Component:
    name, label = (BACK, texts.windows.BUTTON_BACK) if board.away else (AWAY, texts.windows.BUTTON_AWAY)
    return press(f"{PRESS}{name}:{name_of(board.look)}", label)


def _below(elements: list[Component]) -> Component:
    return {"type": ROW, "components": elements}


def _text(content: str) -> Component:
    return {"type": TEXT, "content": content or "…"}

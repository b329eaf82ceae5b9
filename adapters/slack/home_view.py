"""How the queue looks on the Home tab. Pure: the same board always gives the same tab.

It is read on a phone: whose cases and how many in one row of buttons, the filters below it, then a case each, with a
line between two: a row's buttons would stand as near to the next case as to their own.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from adapters.slack.blocks import (
    ACTION_PREFIX,
    MOST_OPTIONS,
    OPTION_VALUE,
    SECTION,
    Block,
    context,
    divider,
    fit,
    marked_up,
    option,
    press,
    section,
    select,
)
from adapters.slack.clicks import noted
from adapters.slack.mrkdwn import date
from adapters.slack.rendering import render_row
from bot import texts
from bot.boards import Board, Look, View
from bot.commands import PRIORITIES
from bot.splitting import units

MOST_ROWS = 10
MOST_BLOCKS = 100
EVERY = "*"
"""The option that filters nothing: Slack takes no empty value."""
FOOT = "foot"

LOOK_VIEW, LOOK_TAG, LOOK_PRIORITY, LOOK_AWAITING, LOOK_PAGE = (
    f"look:{name}" for name in ("view", "tag", "priority", "awaiting", "page")
)
AWAY, BACK = "away", "back"


def home_view(board: Board, now: float, said: str = "") -> dict[str, Any]:
    """The whole tab. `said` is the answer to what was pressed last."""
    look = board.look
    blocks = [section(fit(said, SECTION, marked_up))] if said else []
    if board.away:
        blocks.append(context(fit(board.away, SECTION, marked_up)))
    blocks += [_views(board), _filters(board), divider()]
    for index, row in enumerate(board.rows[:MOST_ROWS]):
        blocks += [*([divider()] if index else []), *render_row(row, index)]
    if not board.rows:
        filtered = bool(look.tag or look.priority or look.awaiting)
        blocks.append(section(texts.boards.home_nothing(look.view.value, filtered)))
    blocks += _pages(board)
    when = date(now, "{time}", datetime.fromtimestamp(now, UTC).strftime("%H:%M UTC"))
    blocks.append(context(texts.boards.home_foot(look.page + 1, board.pages, when), FOOT))
    return _home(blocks[:MOST_BLOCKS], look)


def refusal_view(why: str, look: Look) -> dict[str, Any]:
    """For somebody who has no queue, or while there is none to be had."""
    return _home([section(fit(why, SECTION, marked_up))], look)


def without_time(view: Mapping[str, Any]) -> Any:
    """What of it matters when two are compared."""
    return [block for block in view["blocks"] if block.get("block_id") != FOOT]


def look_of(view: Mapping[str, Any]) -> Look:
    """What the tab shows, from its private metadata."""
    note = noted(view)
    filters = {name: str(note.get(name) or "") for name in ("tag", "priority", "awaiting")}
    try:
        return Look(View(note["view"]), **filters, page=max(0, int(note.get("page") or 0)))
    except (KeyError, ValueError):
        return Look()


def changed(look: Look, name: str, value: str) -> Look:
    """What to show after that was pressed; another view or filter begins at its first page."""
    chosen = "" if value == EVERY else value
    if name.startswith(LOOK_VIEW):
        return replace(look, view=View(value), page=0)
    if name.startswith(LOOK_PAGE):
        return replace(look, page=max(0, int(value)))
    if name == LOOK_TAG:
        return replace(look, tag=chosen, page=0)
    if name == LOOK_PRIORITY:
        return replace(look, priority=chosen, page=0)
    return replace(look, awaiting=chosen, page=0)


def _home(blocks: list[Block], look: Look) -> dict[str, Any]:
    return {"type": "home", "private_metadata": json.dumps(asdict(look)), "blocks": blocks}


def _views(board: Board) -> Block:
    elements = [
        press(
            f"{ACTION_PREFIX}{LOOK_VIEW}:{view.value}",
            f"{texts.boards.HOME_VIEWS[view.value]} ({board.counts.get(view, 0)})",
            view.value,
            "primary" if view is board.look.view else None,
        )
        for view in View
    ]
    name, label = (BACK, texts.windows.BUTTON_BACK) if board.away else (AWAY, texts.windows.BUTTON_AWAY)
    return {"type": "actions", "elements": [*elements, press(ACTION_PREFIX + name, label, name)]}


def _filters(board: Board) -> Block:
    """Slack keeps what somebody chose for as long as the block has the same name, whatever we say: so its name
    follows from what it should show."""
    look = board.look
    chosen = hashlib.sha256(json.dumps(asdict(look)).encode()).hexdigest()[:12]
    priorities = [(one, one.capitalize()) for one in reversed(PRIORITIES)]
    turns = [(one, label) for one, label in texts.boards.HOME_AWAITING.items() if one]
    elements = [
        _filter(LOOK_PRIORITY, texts.boards.HOME_ANY_PRIORITY, priorities, look.priority),
        _filter(LOOK_AWAITING, texts.boards.HOME_AWAITING[""], turns, look.awaiting),
    ]
    tags = dict.fromkeys([*([look.tag] if look.tag else []), *board.tags])
    usable = [(tag, tag) for tag in tags if 0 < units(tag) <= OPTION_VALUE]
    if usable:
        elements.insert(0, _filter(LOOK_TAG, texts.boards.HOME_ANY_TAG, usable, look.tag))
    return {"type": "actions", "block_id": f"filters:{chosen}", "elements": elements}


def _filter(name: str, anything: str, choices: list[tuple[str, str]], chosen: str) -> Block:
    options = [option(EVERY, anything), *(option(value, label) for value, label in choices)]
    return select(ACTION_PREFIX + name, options[:MOST_OPTIONS], chosen or EVERY)


def _pages(board: Board) -> list[Block]:
    page, elements = board.look.page, []
    if page > 0:
        elements.append(
            press(f"{ACTION_PREFIX}{LOOK_PAGE}:before", texts.boards.HOME_PREVIOUS, str(page - 1))
        )
    if page + 1 < board.pages:
        elements.append(press(f"{ACTION_PREFIX}{LOOK_PAGE}:after", texts.boards.HOME_NEXT, str(page + 1)))
    return [{"type": "actions", "elements": elements}] if elements else []

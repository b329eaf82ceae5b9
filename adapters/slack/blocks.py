"""The parts of Block Kit that cards, answers, modals and the Home tab are made of, each within Slack's limits.

Whatever is shown may come from a shopper or a store, so it is escaped here, once. Limits: PLATFORMS.md.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from adapters.slack import mrkdwn
from bot import markdown, texts
from bot.posts import Action, Button
from bot.splitting import clip, split_markdown, units

Block = dict[str, Any]

SECTION = 2_900
ACTION_PREFIX = "baton:"
MENU, MORE = "menu", "more"
AGAIN = ":again:"
"""Behind it, in the name of a block, are the words that bring a listing anew."""
MOST_BUTTONS, MOST_IN_MENU, MOST_OPTIONS = 25, 5, 100
LABEL, OPTION_VALUE = 75, 150


# --- texts ----------------------------------------------------------------------------------------------------


def header(text: str) -> Block:
    """The largest line of a message."""
    return {"type": "header", "text": plain_text(" ".join(text.split()), 150)}


def section(text: str, block_id: str = "") -> Block:
    """A paragraph of mrkdwn that has been escaped already."""
    return _named({"type": "section", "text": marked(text), "expand": True}, block_id)


def context(text: str, block_id: str = "") -> Block:
    """A small grey line of mrkdwn that has been escaped already."""
    return _named({"type": "context", "elements": [marked(text)]}, block_id)


def divider() -> Block:
    """A thin line."""
    return {"type": "divider"}


def marked(text: str) -> Block:
    """`verbatim`: Slack must not turn plain `@here`, `#channel` or addresses into more than text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain_text(text: str, limit: int, emoji: bool = False) -> Block:
    """Plain text has no documented escape, so what could be read as markup is shown by a look-alike."""
    harmless = text.replace("<", "‹").replace(">", "›")
    return {"type": "plain_text", "text": clip(harmless, limit) or "…", "emoji": emoji}


def marked_up(text: str) -> str:
    """Markdown as mrkdwn, escaped."""
    return mrkdwn.written(markdown.parse(text))


def fit(text: str, limit: int, render: Callable[[str], str] = mrkdwn.inert) -> str:
    """As much of a text as fits when rendered; only where its whole stands elsewhere."""
    shown, most = render(clip(text, limit)), limit
    while units(shown) > limit and most > 1:
        most = most * 3 // 4
        shown = render(clip(text, most))
    return shown


def sections(text: str) -> list[str]:
    """Markdown as the texts of as few sections as hold the whole of it."""
    found = pieces(text, split_markdown, lambda piece: units(marked_up(piece)) < SECTION - 80, SECTION)
    return [piece for piece in (marked_up(piece).strip("\n") for piece in found) if piece.strip()]


def pieces(
    text: str, cut: Callable[[str, int], list[str]], fits: Callable[[str], bool], limit: int
) -> list[str]:
    """Cut into the largest pieces whose *rendered* form fits; escaping makes some texts five times longer."""
    if fits(text):
        return [text]
    while True:
        limit = limit * 3 // 4
        found = cut(text, limit)
        if limit < 100 or all(map(fits, found)):
            return found


# --- what can be pressed --------------------------------------------------------------------------------------


def actions(buttons: Sequence[Button], menu: Sequence[Button] = (), block_id: str = "") -> list[Block]:
    """Buttons, and behind them what is done less often. A menu's entries cannot ask first, nor can one of a menu's
    entries be about another case than the rest: such a one is a button."""
    silent = [one for one in menu if not one.confirm]
    kept = _holdable([one for one in silent if one.value == silent[0].value])
    elements = _buttons([*buttons, *(one for one in menu if one not in kept)])
    if kept:
        elements.append(_menu(kept))
    starts = range(0, len(elements), MOST_BUTTONS)
    return [
        _named({"type": "actions", "elements": elements[at : at + MOST_BUTTONS]}, _nth(block_id, at))
        for at in starts
    ]


def _buttons(buttons: Sequence[Button]) -> list[Block]:
    seen: Counter[str] = Counter()
    elements = []
    for one in buttons:
        name = ACTION_PREFIX + one.action.value
        seen[name] += 1
        elements.append(button(one, name if seen[name] == 1 else f"{name}:{seen[name]}"))
    return elements


def button(one: Button, action_id: str) -> Block:
    """One button; with `confirm` Slack asks before it tells us."""
    block = press(action_id, one.label, one.value, one.style)
    if one.confirm:
        block["confirm"] = {
            "title": plain_text(one.label, 100),
            "text": plain_text(one.confirm, 300),
            "confirm": plain_text(one.label, 30),
            "deny": plain_text(texts.windows.BUTTON_CANCEL, 30),
        }
    return block


def press(action_id: str, label: str, value: str, style: str | None = None) -> Block:
    """The element itself."""
    block: Block = {
        "type": "button",
        "action_id": action_id,
        "text": plain_text(label, LABEL, emoji=True),
        "value": value,
    }
    if style in ("primary", "danger"):
        block["style"] = style
    return block


def _menu(entries: Sequence[Button]) -> Block:
    """An overflow menu. It holds five options; of more entries the last ones stand behind "More…", which opens a
    window with a button each. A select would hold a hundred, but it shows what was chosen last as if it were a state,
    and choosing that again does nothing."""
    shown = len(entries) if len(entries) <= MOST_IN_MENU else MOST_IN_MENU - 1
    first, rest = entries[:shown], entries[shown:]
    options = [option(f"{one.action.value}|{one.value}", one.label) for one in first]
    if rest:
        options.append(option(_behind(rest), texts.windows.MENU_MORE))
    return {"type": "overflow", "action_id": ACTION_PREFIX + MENU, "options": options}


def _holdable(entries: list[Button]) -> list[Button]:
    """As many as a menu can name: what stands behind "More…" travels in that option's value."""
    while len(_behind(entries[MOST_IN_MENU - 1 :])) > OPTION_VALUE:
        entries = entries[:-1]
    return entries


def _behind(rest: Sequence[Button]) -> str:
    return f"{MORE}|{rest[0].value}|{','.join(one.action.value for one in rest)}" if rest else ""


def rest_of_menu(value: str) -> list[Button]:
    """The entries behind "More…", from its value."""
    number, _, names = value.partition("|")
    return [
        Button(Action(name), texts.windows.MENU_LABELS.get(name, name), number) for name in names.split(",")
    ]


def option(value: str, label: str, hint: str = "") -> Block:
    """One choice of a menu or a select."""
    shown: Block = {"text": plain_text(label, LABEL, emoji=True), "value": value}
    if hint:
        shown["description"] = plain_text(hint, LABEL)
    return shown


def select(action_id: str, options: Sequence[Block], chosen: str = "", placeholder: str = "") -> Block:
    """One of several; `chosen` is the value it shows at first."""
    element: Block = {"type": "static_select", "action_id": action_id, "options": list(options)}
    if placeholder:
        element["placeholder"] = plain_text(placeholder, 150)
    first = next((one for one in options if one["value"] == chosen), None)
    return element | {"initial_option": first} if first else element


def _named(block: Block, block_id: str) -> Block:
    return block | {"block_id": block_id} if block_id else block


def _nth(block_id: str, at: int) -> str:
    return f"{block_id}:{at}" if block_id and at else block_id

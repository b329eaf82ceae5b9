"""How answers look in Discord: a text, a listing with each row's first button beside it, and what else can be done with
the cases of the listing in one select below. Pure: Discord's JSON.

Everything here is a layout ("components v2"): 40 components and 4,000 characters a message, no content beside it.
A listing of more rows than one message holds goes on in a second one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from adapters.discord.components import (
    CHOOSE,
    MOST_OPTIONS,
    NOTHING,
    PRESS,
    ROW,
    SECTION,
    TEXT,
    Component,
    button,
    buttons,
    choose,
    menu_option,
    press,
    pressed,
    rows,
)
from adapters.discord.markup import fit, marked_up, pieces, subtext
from bot import texts
from bot.posts import Answer, Button, Row
from bot.splitting import units

LAYOUT, EPHEMERAL = 1 << 15, 1 << 6
"""Flags of a message."""
MOST_COMPONENTS, MOST_TEXT = 40, 3_900
ROWS_IN_ONE = 10
SAID = 900
"""How long what was said about a row may be."""


def layouts(answer: Answer) -> list[list[Component]]:
    """The answer as the components of as many messages as it takes; nearly always one."""
    parts = [answer.rows[at : at + ROWS_IN_ONE] for at in range(0, len(answer.rows), ROWS_IN_ONE)] or [()]
    last = len(parts) - 1
    return [
        _layout(answer.text if at == 0 else "", part, answer.buttons if at == last else (), at)
        for at, part in enumerate(parts)
    ]


def question(answer: Answer) -> list[Component]:
    """An answer whose button has to be asked about first: the question, then that button or nothing."""
    asked = next((one for one in answer.buttons if one.confirm), None)
    if asked is None:
        return layouts(answer)[0]
    sure = button(replace(asked, confirm=None, style="danger"))
    leave = press(f"{PRESS}{NOTHING}:{asked.value}", texts.windows.BUTTON_CANCEL)
    words = "\n".join(part for part in (answer.text, asked.confirm) if part)
    return [_text(_within(words, MOST_TEXT)), *rows([one for one in (sure, leave) if one])]


def says(words: str) -> list[Component]:
    """A short word."""
    return [_text(_within(words, MOST_TEXT) or texts.windows.WINDOW_DONE)]


def listing(given: Sequence[Row], room: int, serial: int = 0) -> list[Component]:
    """A case each, with its first button beside it; the others in a select. All texts within `room`."""
    each = max(80, room // max(1, len(given)))
    found = [_row(one, each) for one in given]
    options = list(_options(given))[:MOST_OPTIONS]
    if options:
        select = choose(f"{CHOOSE}rows:{serial}", options, texts.windows.MENU_CASES)
        found.append({"type": ROW, "components": [select]})
    return found


def _layout(text: str, given: Sequence[Row], below: Sequence[Button], serial: int) -> list[Component]:
    head = _within(text, MOST_TEXT if not given else MOST_TEXT // 2)
    found = [_text(head)] if head else []
    found += listing(given, MOST_TEXT - units(head), serial)
    found += buttons(below)
    return found or says("")


def _row(row: Row, room: int) -> Component:
    shown = _text(fit(row.text, room, marked_up) or f"#{row.number}")
    first = button(row.buttons[0]) if row.buttons else None
    return {"type": SECTION, "components": [shown], "accessory": first} if first else shown


def _options(given: Sequence[Row]) -> Iterator[Component]:
    for row in given:
        for one in row.buttons[1:]:
            entry = menu_option(one, f"#{row.number} · ")
            if entry is not None:
                yield entry


def _text(content: str) -> Component:
    return {"type": TEXT, "content": content or "…"}


def _within(text: str, room: int) -> str:
    """As much of a text as one message holds; the rest stands in the case's thread."""
    whole = marked_up(text)
    if units(whole) <= room:
        return whole
    more = subtext(texts.boards.more_text())
    first, *_ = pieces(text, literal=False, room=room - units(more) - 1)
    return f"{marked_up(first).rstrip()}\n{more}"


# --- after something was done with a row ----------------------------------------------------------------------


def lists_case(components: Sequence[Component], number: int) -> bool:
    """Whether a listing has a button of that case beside its row."""
    return any(_is_about(one.get("accessory") or {}, number) for one in components)


def dealt_with(components: Sequence[Component], number: int, said: str) -> list[Component]:
    """A listing after that: the case's row says what became of it, and nothing more can be done with it here."""
    found: list[Component] = []
    for one in components:
        if one.get("type") == SECTION and _is_about(one.get("accessory") or {}, number):
            word = subtext(fit(said or texts.windows.WINDOW_DONE, SAID, lambda words: words))
            found.append(_text(f"{one['components'][0]['content']}\n{word}"))
        elif one.get("type") == ROW:
            found += _without(one, number)
        else:
            found.append(_bare(one))
    return found if _size(found) <= MOST_TEXT + 100 else [_bare(one) for one in components]


def _without(row: Component, number: int) -> list[Component]:
    """A row of buttons, or of a select without that case's entries."""
    select = row["components"][0]
    if "options" not in select:
        return [_bare(row)]
    left = [one for one in select["options"] if not _is_about({"custom_id": one["value"]}, number)]
    if not left:
        return []
    fresh = choose(f"{select['custom_id']}'", left, select.get("placeholder") or "")
    return [{"type": ROW, "components": [fresh]}]


def _is_about(pressable: Component, number: int) -> bool:
    try:
        return pressed(str(pressable.get("custom_id") or "")).number == number
    except ValueError:
        return False


def _bare(component: Component) -> Component:
    """Without the numbers that Discord gave the components."""
    kept = {key: value for key, value in component.items() if key != "id"}
    for key in ("components", "options"):
        if isinstance(kept.get(key), list):
            kept[key] = [_bare(one) if isinstance(one, dict) else one for one in kept[key]]
    if isinstance(kept.get("accessory"), dict):
        kept["accessory"] = _bare(kept["accessory"])
    return kept


def _size(components: Sequence[Component]) -> int:
    inside = [one for each in components for one in (each, *(each.get("components") or ()))]
    return sum(units(str(one.get("content") or "")) for one in inside)

"""What people press in Discord: buttons and selects that work after a restart and on old messages, since all they mean
stands in their own names (`custom_id`, at most 100 characters). Pure: Discord's JSON.

Discord shows what was chosen in a select until its message changes, and choosing that again does nothing: so a select
gets another name each time it was used (`used`).
Limits (PLATFORMS.md): 5 buttons a row, 5 rows, 25 options, labels of 80 and options of 100 characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot import texts
from bot.forms import Option
from bot.posts import Action, Button, Card
from bot.splitting import clip

Component = dict[str, Any]

ROW, BUTTON, SELECT, INPUT, SECTION, TEXT, LABEL = 1, 2, 3, 4, 9, 10, 18
GREY, GREEN, RED = 2, 3, 4
PRESS, CHOOSE = "baton:", "choose:"
ASK, MENU, LOOK, NOTHING, CHANGE, SEND = "ask", "menu", "look", "nothing", "change", "sendnow"
"""Names of our own, beside the actions: ask first, a card's menu, a look at the queue, leave it be, and what can be
done with a text that is read over: change it, send it."""
CUSTOM_ID, BUTTON_LABEL, OPTION_LENGTH, PLACEHOLDER = 100, 80, 100, 150
MOST_IN_ROW, MOST_ROWS, MOST_OPTIONS = 5, 5, 25
EARLIER = "<"
"""For a brief's cases that a button has no room for: all that were there by then, so up to the newest number."""
_STYLES = {"primary": GREEN, "danger": RED}
_USED = "'"


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button, or an entry of a select. `name` is an action's or one of ours; `asks`: a question comes first;
    `select` is the name of the select it was chosen in."""

    name: str
    value: str
    asks: bool = False
    select: str = ""

    @property
    def number(self) -> int:
        """The case it is about; ValueError if its value says none."""
        return int(self.value.partition(":")[0])


def pressed(custom_id: str, select: str = "") -> Pressed:
    """What a button's or an option's own name says; ValueError if it is none of ours."""
    prefix, name, value = custom_id.split(":", 2)
    if f"{prefix}:" != PRESS:
        raise ValueError(prefix)
    if name != ASK:
        return Pressed(name, value, select=select)
    name, _, value = value.partition(":")
    return Pressed(name, value, asks=True, select=select)


# --- names ----------------------------------------------------------------------------------------------------


def name_of(one: Button) -> str | None:
    """What a button is called; None if it cannot say all it means in so few characters."""
    asks = f"{ASK}:" if one.confirm else ""
    value = _shared(one.value) if one.action is Action.SHARE_OUT else one.value
    name = f"{PRESS}{asks}{one.action.value}:{value}"
    return name if len(name) <= CUSTOM_ID else None


def _shared(value: str) -> str:
    """A brief's cases. Too many to be named: its team and the newest of them."""
    team, _, numbers = value.partition(":")
    if len(f"{PRESS}{Action.SHARE_OUT.value}:{value}") <= CUSTOM_ID:
        return value
    return f"{team}:{EARLIER}{max(int(one) for one in numbers.split(','))}"


def used(custom_id: str) -> str:
    """The name of a select that was chosen in: another one than before, so that nothing shows as chosen."""
    return custom_id.removesuffix(_USED) if custom_id.endswith(_USED) else custom_id + _USED


# --- buttons and selects --------------------------------------------------------------------------------------


def button(one: Button) -> Component | None:
    """One button; None if it cannot be made."""
    name = name_of(one)
    return press(name, one.label, _STYLES.get(one.style or "", GREY)) if name else None


def press(custom_id: str, label: str, style: int = GREY) -> Component:
    """A button by its name."""
    return {"type": BUTTON, "style": style, "label": clip(label, BUTTON_LABEL) or "…", "custom_id": custom_id}


def choose(custom_id: str, options: Sequence[Component], placeholder: str = "") -> Component:
    """One of at most 25."""
    element: Component = {"type": SELECT, "custom_id": custom_id, "options": list(options[:MOST_OPTIONS])}
    return element | {"placeholder": clip(placeholder, PLACEHOLDER)} if placeholder else element


def option(one: Option, *, chosen: bool = False) -> Component:
    """One choice of a select."""
    shown: Component = {"label": clip(one.label, OPTION_LENGTH) or "…", "value": one.value}
    if one.hint:
        shown["description"] = clip(one.hint, OPTION_LENGTH)
    return shown | {"default": True} if chosen else shown


def menu_option(one: Button, before: str = "") -> Component | None:
    """A button as an entry of a select; `before` says which case it is about."""
    name = name_of(one)
    return option(Option(name, before + one.label)) if name else None


# --- rows -----------------------------------------------------------------------------------------------------


def rows(elements: Sequence[Component]) -> list[Component]:
    """Buttons, five to a row."""
    starts = range(0, len(elements), MOST_IN_ROW)
    return [{"type": ROW, "components": list(elements[at : at + MOST_IN_ROW])} for at in starts]


def buttons(given: Sequence[Button]) -> list[Component]:
    """What can be pressed below a post or an answer. No two of a message may have the same name."""
    made = [one for one in map(button, given) if one is not None]
    return rows(list({one["custom_id"]: one for one in made}.values()))


def card_buttons(card: Card) -> list[Component]:
    """A card's buttons, and a select with what is done less often."""
    options = [shown for one in card.menu if (shown := menu_option(one)) is not None]
    found = buttons(card.buttons)[: MOST_ROWS - 1]
    if options:
        select = choose(f"{CHOOSE}{MENU}:{card.number}", options, texts.windows.MENU_MORE)
        found.append({"type": ROW, "components": [select]})
    return found

"""How forms look as Slack's windows, and what was filled in. Pure; limits: PLATFORMS.md.

What a window is about travels in its private metadata: Slack gives it back with every click and submission, to
whichever replica gets them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.slack.blocks import (
    ACTION_PREFIX,
    MOST_OPTIONS,
    OPTION_VALUE,
    SECTION,
    Block,
    actions,
    context,
    fit,
    marked_up,
    option,
    plain_text,
    section,
    sections,
    select,
)
from adapters.slack.clicks import Where, noted
from adapters.slack.rendering import is_of_row, render_answer
from bot import texts
from bot.errors import Refused
from bot.forms import FieldKind, Form, FormField
from bot.posts import Action, Answer, Button
from bot.splitting import units

View = dict[str, Any]

FORM = "baton:form"
SAYS = "baton:says"
FIELD = "field:"
NEXT = "next"
"""The choice that brings the next step at once. Its window has no button: a tap on one that changes its meaning in
that moment would send what nobody has read."""
MOST_BLOCKS = 100
LONGEST_INPUT = 3_000
FEW = 4
"""So many choices are shown at once; more stand behind a tap."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a filled-in window is to do."""

    action: Action
    number: int
    where: Where


# --- windows --------------------------------------------------------------------------------------------------


def form_view(form: Form, where: Where) -> View:
    """The form as a window. `Refused` if it would not hold the whole of a text."""
    blocks = [section(text) for text in sections(form.text)]
    for one in form.fields:
        blocks += _field(one)
    fillable = any(block["type"] == "input" for block in blocks)
    view = _window(FORM, form.title, blocks, where, action=form.action.value, number=form.number)
    return view | {"submit": plain_text(form.submit, 24)} if fillable or not form.fields else view


def field_of_choice(view: Mapping[str, Any]) -> str:
    """The name of the field whose choice brings the next step."""
    named = (
        str(block.get("block_id") or "") for block in view.get("blocks", ()) if block["type"] == "actions"
    )
    return next((name.removeprefix(FIELD) for name in named if name.startswith(FIELD)), "")


def wait_view(where: Where) -> View:
    """Shown at once: Slack gives three seconds to open a window, and the form may take longer."""
    return _window(SAYS, texts.windows.WINDOW_SAYS, [section(texts.windows.WINDOW_WAIT)], where)


def says_view(text: str, where: Where) -> View:
    """A short word: why not, or that it is done."""
    blocks = [section(piece) for piece in sections(text)] or [section(texts.windows.WINDOW_DONE)]
    return _window(SAYS, texts.windows.WINDOW_SAYS, blocks, where)


def answer_view(answer: Answer, where: Where) -> View:
    """An answer with its listing."""
    blocks = render_answer(answer, MOST_BLOCKS).blocks or [section(texts.windows.WINDOW_DONE)]
    return _window(SAYS, texts.windows.WINDOW_SAYS, blocks, where)


def menu_view(entries: Sequence[Button], where: Where) -> View:
    """What a menu had no room for, a button each."""
    title = f"#{entries[0].value}" if entries else texts.windows.WINDOW_SAYS
    return _window(SAYS, title, [block for one in entries for block in actions([one])], where)


def dealt_with(view: Mapping[str, Any], number: int, said: str, where: Where) -> View:
    """A window's listing without that case, and above it what became of it."""
    kept = [block for block in view.get("blocks", ()) if not is_of_row(block, number)]
    kept = [block for block in kept if block.get("block_id") != "said"]
    word = context(fit(said or texts.windows.WINDOW_DONE, SECTION, marked_up), "said")
    return _window(SAYS, texts.windows.WINDOW_SAYS, [word, *kept][:MOST_BLOCKS], where)


def lists_case(view: Mapping[str, Any], number: int) -> bool:
    """Whether the window shows a listing with that case."""
    return any(is_of_row(block, number) for block in view.get("blocks", ()))


def _window(callback: str, title: str, blocks: list[Block], where: Where, **task: Any) -> View:
    note = {"channel": where.channel, "root": where.root} | task
    if where.ephemeral:  # a listing that only its reader sees, which is to be shown anew
        note |= {"url": where.response_url, "again": where.again}
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, 24),
        "close": plain_text(
            texts.windows.BUTTON_CANCEL if callback == FORM else texts.windows.BUTTON_CLOSE, 24
        ),
        "private_metadata": json.dumps(
            {key: value for key, value in note.items() if value}, ensure_ascii=False
        ),
        "blocks": blocks[:MOST_BLOCKS],
    }


# --- fields ---------------------------------------------------------------------------------------------------


def _field(one: FormField) -> list[Block]:
    if one.kind in (FieldKind.ONE, FieldKind.MANY) and not _options(one):
        return [context(marked_up(texts.windows.nothing_to_choose(one.label)))]
    if one.at_once and one.kind is FieldKind.ONE:
        return [section(f"*{fit(one.label, 150)}*"), _choice(one)]
    block: Block = {
        "type": "input",
        "block_id": FIELD + one.name,
        "label": plain_text(one.label, 150),
        "element": _element(one),
        "optional": one.optional,
    }
    hint = texts.windows.choices_cut(MOST_OPTIONS) if len(one.options) > MOST_OPTIONS else one.hint
    return [block | {"hint": plain_text(hint, 500)} if hint else block]


def _choice(one: FormField) -> Block:
    element = _one(one) | {"action_id": ACTION_PREFIX + NEXT}
    return {"type": "actions", "block_id": FIELD + one.name, "elements": [element]}


def _element(one: FormField) -> Block:
    match one.kind:
        case FieldKind.ONE:
            return _one(one)
        case FieldKind.MANY:
            return _many(one)
        case _:
            return _input(one)


def _input(one: FormField) -> Block:
    longest = max(1, min(one.longest, LONGEST_INPUT))
    if units(one.value) > longest:
        raise Refused(texts.windows.too_long_for_a_window())
    element: Block = {
        "type": "plain_text_input",
        "action_id": one.name,
        "multiline": one.kind is FieldKind.TEXT,
        "max_length": longest,
    }
    return element | {"initial_value": one.value} if one.value else element


def _one(one: FormField) -> Block:
    options = _options(one)
    if len(options) > FEW or one.optional:  # what was chosen among radio buttons cannot be taken back
        return select(one.name, options, one.value)
    element: Block = {"type": "radio_buttons", "action_id": one.name, "options": options}
    first = next((each for each in options if each["value"] == one.value), None)
    return element | {"initial_option": first} if first else element


def _many(one: FormField) -> Block:
    options, chosen = _options(one), one.value.split(",")
    element: Block = {"type": "multi_static_select", "action_id": one.name, "options": options}
    first = [each for each in options if each["value"] in chosen]
    return element | {"initial_options": first} if first else element


def _options(one: FormField) -> list[Block]:
    usable = [each for each in one.options if each.value and units(each.value) <= OPTION_VALUE]
    return [option(each.value, each.label, each.hint) for each in usable[:MOST_OPTIONS]]


# --- what came back -------------------------------------------------------------------------------------------


def task_of(view: Mapping[str, Any], where: Where) -> Task | None:
    """What a submitted window is about; None if it is not one of ours."""
    note = noted(view)
    if view.get("callback_id") != FORM:
        return None
    try:
        return Task(Action(note["action"]), int(note["number"]), where)
    except (KeyError, ValueError):
        return None


def values_of(view: Mapping[str, Any]) -> dict[str, str]:
    """The fields by name, as plain strings; several choices joined by commas."""
    states = (view.get("state") or {}).get("values") or {}
    found = {}
    for block_id, elements in states.items():
        if block_id.startswith(FIELD):
            for state in elements.values():
                found[block_id.removeprefix(FIELD)] = _filled(state)
    return found


def _filled(state: Mapping[str, Any]) -> str:
    if "selected_options" in state:
        return ",".join(str(one["value"]) for one in state["selected_options"] or ())
    if "selected_option" in state:
        return str((state["selected_option"] or {}).get("value") or "")
    return str(state.get("value") or "")


def wrong_field(view: Mapping[str, Any], refused: Refused) -> dict[str, str] | None:
    """The refusal beside the field it names; None if the window has no such field."""
    block_id = f"{FIELD}{refused.field}"
    if not any(block.get("block_id") == block_id for block in view.get("blocks", ())):
        return None
    return {block_id: refused.message[:500]}

"""How forms look as Discord's modals, and what was filled in. Pure: Discord's JSON; limits: PLATFORMS.md.

Discord can say nothing beside a field, and closes a modal whatever we answer. So what was refused is shown to its
writer as a draft: why, all that they wrote, and a button that opens the form again with it. The draft itself holds
the words, so they outlive a restart; a saved reply is read over in the same way before it leaves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.discord.answer_view import EPHEMERAL
from adapters.discord.components import (
    CHANGE,
    GREEN,
    INPUT,
    LABEL,
    MOST_OPTIONS,
    OPTION_LENGTH,
    PRESS,
    SELECT,
    SEND,
    TEXT,
    Component,
    option,
    press,
    rows,
)
from adapters.discord.markup import fit, marked_up
from bot import texts
from bot.errors import Refused
from bot.forms import FieldKind, Form, FormField, Option
from bot.posts import Action
from bot.splitting import clip, units

FORM, AS_BEFORE = "form:", "="
TITLE, LABEL_LENGTH, HINT = 45, 45, 100
LONGEST_INPUT, LONGEST_DRAFT, LONGEST_LINE = 4_000, 4_096, 1_024
MOST_FIELDS = 5
TYPED = {Action.ASSIGN: "assign", Action.MOVE: "move", Action.TAG: "tag", Action.SAVED_REPLY: "reply"}
"""Where the slash command finds what a select has no room for."""

Values = Mapping[str, str]


# --- a form as a modal ----------------------------------------------------------------------------------------


def modal(form: Form, opened: str, values: Values | None = None) -> dict[str, Any]:
    """The form as a modal, filled with `values` if there are any. `opened` names this opening of it: the same form sent
    twice counts once. `Refused` if it would not hold the whole of a text, or nothing can be chosen."""
    parts: list[Component] = (
        [{"type": TEXT, "content": fit(form.text, 1_000, marked_up)}] if form.text else []
    )
    parts += [
        _field(replace(one, value=(values or {}).get(one.name, one.value)), form.action)
        for one in form.fields
    ]
    return {
        "custom_id": f"{FORM}{form.action.value}:{form.number}:{opened}",
        "title": clip(form.title, TITLE),
        "components": parts[:MOST_FIELDS],
    }


def _field(one: FormField, action: Action) -> Component:
    shown: Component = {"type": LABEL, "label": clip(one.label, LABEL_LENGTH), "component": _element(one)}
    hint = one.hint
    if len(one.options) > MOST_OPTIONS:
        hint = texts.windows.choices_by_typing(MOST_OPTIONS, TYPED.get(action, ""))
    return shown | {"description": clip(hint, HINT)} if hint else shown


def _element(one: FormField) -> Component:
    if one.kind in (FieldKind.ONE, FieldKind.MANY):
        return _select(one)
    longest = max(1, min(one.longest, LONGEST_INPUT))
    if units(one.value) > LONGEST_INPUT:
        raise Refused(texts.windows.too_long_for_a_window())
    element: Component = {
        "type": INPUT,
        "custom_id": one.name,
        "style": 2 if one.kind is FieldKind.TEXT else 1,
        "required": not one.optional,
        "max_length": max(longest, len(one.value)),
    }
    return element | {"value": one.value} if one.value else element


def _select(one: FormField) -> Component:
    """What is chosen stands among the first, however many choices there are."""
    chosen = _chosen(one)
    usable = [each for each in one.options if each.value and len(each.value) <= OPTION_LENGTH]
    order = (
        sorted(usable, key=lambda each: each.value not in chosen) if len(usable) > MOST_OPTIONS else usable
    )
    options = [option(each, chosen=each.value in chosen) for each in order[:MOST_OPTIONS]]
    if not options:
        raise Refused(texts.windows.nothing_to_choose(one.label))
    most = len(options) if one.kind is FieldKind.MANY else 1
    return {
        "type": SELECT,
        "custom_id": one.name,
        "options": options,
        "required": not one.optional,
        "min_values": 0 if one.optional else 1,
        "max_values": most,
    }


def _chosen(one: FormField) -> list[str]:
    given = one.value.split(",") if one.kind is FieldKind.MANY else [one.value]
    return [value.strip() for value in given if value.strip()]


# --- what came back -------------------------------------------------------------------------------------------


def task_of(custom_id: str) -> tuple[Action, int, str]:
    """Which form was filled in, about which case, and which opening of it; ValueError if it is none of ours."""
    prefix, action, number, opened = custom_id.split(":", 3)
    if f"{prefix}:" != FORM:
        raise ValueError(prefix)
    return Action(action), int(number), opened


def values_of(components: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The fields by name, as plain strings; several choices joined by commas."""
    found = {}
    for one in _filled(components):
        if "values" in one:
            found[str(one["custom_id"])] = ",".join(str(value) for value in one["values"] or ())
        elif "value" in one:
            found[str(one["custom_id"])] = str(one["value"] or "")
    return found


def _filled(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in components:
        if one.get("custom_id"):
            yield one
        inner = one.get("component")
        yield from _filled([*(one.get("components") or ()), *([inner] if inner else [])])


# --- what is kept for its writer ------------------------------------------------------------------------------


def draft(form: Form, values: Values, why: str, named: str = "") -> dict[str, Any]:
    """What was refused, for its writer only. What they chose is shown by its label, what they wrote as it is. `named`
    is the name that it was sent under, and will be again: nobody may know whether it was stored."""
    embed: dict[str, Any] = {}
    lines = []
    given = {_plain(name): value for name, value in values.items()}
    for one in form.fields:
        value = given.get(_plain(one.name), "")
        if value and one.kind is FieldKind.TEXT:
            embed["description"] = value[:LONGEST_DRAFT]
        elif value:
            lines.append({"name": one.label[:256], "value": _shown(one, value)[:LONGEST_LINE]})
    if lines:
        embed["fields"] = lines
    kept = ":".join(one for one in (named, _seen(values)) if one)
    name = f"{PRESS}{CHANGE}:{form.action.value}:{form.number}{f':{kept}' if kept else ''}"
    again = press(name, texts.windows.BUTTON_AGAIN)
    words = texts.windows.kept_for_you(why) if embed else why
    return _classic(words, [embed] if embed else [], [again])


def read_over(form: Form, why: str = "") -> dict[str, Any]:
    """A saved reply with its blanks filled, to be sent or changed. `form` is its second step."""
    text = next((one.value for one in form.fields if one.kind is FieldKind.TEXT), "")
    words = "\n".join(one for one in (texts.windows.read_over(form.number), form.text, why) if one)
    change = press(f"{PRESS}{CHANGE}:{form.action.value}:{form.number}", texts.windows.BUTTON_CHANGE)
    send = press(f"{PRESS}{SEND}:{form.number}", form.submit, GREEN)
    return _classic(words, [{"description": text[:LONGEST_DRAFT]}], [*([] if form.text else [send]), change])


def reply_form(number: int, text: str) -> Form:
    """A saved reply's second step again, with what it has become."""
    field = FormField("text", texts.windows.LABEL_TEXT, FieldKind.TEXT, value=text, longest=LONGEST_INPUT)
    title = f"{texts.windows.FORM_TITLES['saved_reply']} #{number}"
    return Form(
        Action.SAVED_REPLY,
        number,
        title,
        texts.windows.FORM_SEND,
        (replace(field, hint=texts.windows.HINT_REPLY),),
    )


def said(words: str) -> dict[str, Any]:
    """What a draft says once it is dealt with."""
    return _classic(marked_up(words)[:2000] or texts.windows.WINDOW_DONE, [], [], written=True)


def _plain(field: str) -> str:
    """A field's name without what it says of the moment at which it was shown (`bot.forms.TAGS`)."""
    return field.partition("@")[0]


def _seen(values: Values) -> str:
    """What a field's name says of that moment, for the button that opens the form again: what its writer chose was
    chosen then, and whatever a colleague changed since is none of it."""
    return next((name for name in values if "@" in name), "")


def kept_of(parts: Sequence[str]) -> tuple[str, str]:
    """What such a button says beside action and number: the name that the form was sent under, as an opening of it, and
    the field that tells when it was shown; each empty where it says nothing."""
    seen = next((one for one in parts if "@" in one), "")
    named = ":".join(one for one in parts if "@" not in one)
    return (f"{AS_BEFORE}{named}" if named else ""), seen


def named_of(opened: str) -> str:
    """The name that a form is sent under."""
    return opened.removeprefix(AS_BEFORE) if opened.startswith(AS_BEFORE) else f"form:{opened}"


def as_seen(form: Form, field: str) -> Form:
    """The form with the field that was called so then; `field` empty: none was."""
    if not field:
        return form
    fields = (replace(one, name=field) if _plain(one.name) == _plain(field) else one for one in form.fields)
    return replace(form, fields=tuple(fields))


def kept_text(embeds: Sequence[Mapping[str, Any]]) -> str:
    """The text that a draft holds."""
    return str(next((one.get("description") or "" for one in embeds), ""))


def kept_values(form: Form, embeds: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a draft of that form holds, by field."""
    lines = {one["name"]: one["value"] for embed in embeds for one in embed.get("fields") or ()}
    found = {}
    for one in form.fields:
        if one.kind is FieldKind.TEXT:
            found[one.name] = kept_text(embeds)
        else:
            found[one.name] = _meant(one, str(lines.get(one.label[:256], "")))
    return found


def _shown(one: FormField, value: str) -> str:
    labels = {each.value: each.label for each in one.options}
    return ", ".join(labels.get(each, each) for each in _parts(one, value))


def _meant(one: FormField, shown: str) -> str:
    options: dict[str, Option] = {each.label: each for each in one.options}
    return ",".join(options[each].value if each in options else each for each in _parts(one, shown))


def _parts(one: FormField, value: str) -> list[str]:
    if one.kind is not FieldKind.MANY:
        return [value] if value else []
    return [part.strip() for part in value.split(",") if part.strip()]


def _classic(
    words: str, embeds: list[dict[str, Any]], below: Sequence[Component], *, written: bool = False
) -> dict[str, Any]:
    return {
        "content": words if written else fit(words, 1_900, marked_up),
        "embeds": embeds,
        "components": rows(below),
        "flags": EPHEMERAL,
    }


def nameless(action: Action, number: int, values: Values) -> Form:
    """For a draft where the form itself cannot be had: its longest value is the text."""
    longest = max(values, key=lambda name: len(values[name]), default="")
    kinds = {name: FieldKind.TEXT if name == longest else FieldKind.LINE for name in values}
    fields = tuple(FormField(name, name, kinds[name]) for name in values)
    return Form(
        action,
        number,
        texts.windows.FORM_TITLES[action.value],
        texts.windows.FORM_SUBMITS[action.value],
        fields,
    )

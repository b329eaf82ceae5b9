"""Components and embeds: what Discord refuses in them, and how they look to a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import Json, Problems

ROW, BUTTON, SELECT, INPUT = 1, 2, 3, 4
PICKERS = (5, 6, 7, 8)
SELECTS = (SELECT, *PICKERS)
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
LABEL, UPLOAD, RADIO, BOXES, BOX = 18, 19, 21, 22, 23
FIELDS = (*SELECTS, INPUT, UPLOAD, RADIO, BOXES, BOX)
LINK, PREMIUM = 5, 6
TOP_OF_LAYOUT = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER)
IN_CONTAINER = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR)
MAX_COMPONENTS, MAX_TEXT, MAX_EMBEDS = 40, 4000, 6000


def inside(component: Json) -> list[tuple[str, Json]]:
    """What a component holds, each with the key it stands under."""
    found = [(f"components.{n}", one) for n, one in enumerate(component.get("components") or ())]
    for key in ("accessory", "component"):
        if component.get(key):
            found.append((key, component[key]))
    return found


def walk(components: list[Json]) -> Iterator[Json]:
    """Every component, in the order in which a person reads them."""
    for one in components:
        yield one
        yield from walk([each for _, each in inside(one)])


def with_ids(components: list[Json]) -> None:
    """Number those that have no id, as Discord does."""
    taken = {one.get("id") for one in walk(components)}
    number = 0
    for one in walk(components):
        if not one.get("id"):
            number += 1
            while number in taken:
                number += 1
            one["id"] = number


def shown_texts(components: list[Json]) -> list[str]:
    return [one["content"] for one in walk(components) if one.get("type") == TEXT]


# What Discord refuses


def check_components(problems: Problems, components: Any, *, layout: bool) -> None:
    """A message's components: action rows, or with the flag for it a whole layout."""
    if not isinstance(components, list):
        problems.add("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if not layout:
        problems.length("components", components, 0, 5)
    for number, one in enumerate(components):
        path = f"components.{number}"
        problems.choices(f"{path}.type", one.get("type"), TOP_OF_LAYOUT if layout else (ROW,))
        _check(problems, path, one)
    _check_unique(problems, components)
    everything = list(walk(components))
    if layout and len(everything) > MAX_COMPONENTS:
        problems.add(
            "components",
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            "The maximum of 40 components was exceeded",
        )
    if layout and sum(len(text) for text in shown_texts(components)) > MAX_TEXT:
        problems.add(
            "components",
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            "Displayable text exceeds 4000 characters",
        )


def _check(problems: Problems, path: str, one: Json) -> None:
    kind = one.get("type")
    if kind == ROW:
        _check_row(problems, path, one)
    elif kind == BUTTON:
        _check_button(problems, path, one)
    elif kind in SELECTS:
        _check_select(problems, path, one)
    elif kind == INPUT:
        _check_input(problems, path, one)
    elif kind == TEXT:
        problems.length(f"{path}.content", one.get("content"), 1, MAX_TEXT)
    elif kind == SECTION:
        problems.length(f"{path}.components", one.get("components"), 1, 3)
        if not one.get("accessory"):
            problems.required(f"{path}.accessory")
        for key, each in inside(one):
            problems.choices(
                f"{path}.{key}.type", each["type"], (BUTTON, THUMBNAIL) if key == "accessory" else (TEXT,)
            )
            _check(problems, f"{path}.{key}", each)
    elif kind == CONTAINER:
        for key, each in inside(one):
            problems.choices(f"{path}.{key}.type", each["type"], IN_CONTAINER)
            _check(problems, f"{path}.{key}", each)
    elif kind == LABEL:
        problems.length(f"{path}.label", one.get("label"), 1, 45)
        problems.longest(f"{path}.description", one.get("description"), 100)
        field_ = one.get("component") or {}
        problems.choices(f"{path}.component.type", field_.get("type"), FIELDS)
        _check(problems, f"{path}.component", field_)
    elif kind in (RADIO, BOXES):
        problems.length(f"{path}.custom_id", one.get("custom_id"), 1, 100)
        _check_options(problems, path, one, 2 if kind == RADIO else 1, 10)
    elif kind in (UPLOAD, BOX):
        problems.length(f"{path}.custom_id", one.get("custom_id"), 1, 100)
    elif kind == GALLERY:
        problems.length(f"{path}.items", one.get("items"), 1, 10)


def _check_row(problems: Problems, path: str, row: Json) -> None:
    children = row.get("components") or []
    problems.length(f"{path}.components", children, 1, 5)
    kinds = {one.get("type") for one in children}
    if len(children) > 1 and kinds != {BUTTON}:
        problems.add(
            f"{path}.components",
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        )
    for number, one in enumerate(children):
        problems.choices(f"{path}.components.{number}.type", one.get("type"), (BUTTON, INPUT, *SELECTS))
        _check(problems, f"{path}.components.{number}", one)


def _check_button(problems: Problems, path: str, one: Json) -> None:
    style = one.get("style")
    problems.choices(f"{path}.style", style, (1, 2, 3, 4, LINK, PREMIUM))
    problems.longest(f"{path}.label", one.get("label"), 80)
    if not one.get("label") and not one.get("emoji") and style != PREMIUM:
        problems.add(f"{path}.label", "BUTTON_COMPONENT_INVALID", "A button must have a label or emoji")
    if style == LINK:
        problems.length(f"{path}.url", one.get("url"), 1, 512)
        if one.get("custom_id"):
            problems.add(
                f"{path}.custom_id",
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "Use custom_id or url, not both",
            )
    elif style != PREMIUM:
        problems.length(f"{path}.custom_id", one.get("custom_id"), 1, 100)


def _check_select(problems: Problems, path: str, one: Json) -> None:
    problems.length(f"{path}.custom_id", one.get("custom_id"), 1, 100)
    problems.longest(f"{path}.placeholder", one.get("placeholder"), 150)
    least, most = one.get("min_values", 1), one.get("max_values", 1)
    if not 0 <= least <= 25:
        problems.add(f"{path}.min_values", "NUMBER_TYPE_MAX", "int value should be less than or equal to 25.")
    if not 1 <= most <= 25 or least > most:
        problems.add(f"{path}.max_values", "NUMBER_TYPE_MAX", "int value should be less than or equal to 25.")
    if one["type"] == SELECT:
        _check_options(problems, path, one, 1, 25)
        if most > len(one.get("options") or ()):
            problems.add(
                f"{path}.max_values", "SELECT_COMPONENT_INVALID_MAX", "max_values exceeds the options"
            )


def _check_options(problems: Problems, path: str, one: Json, least: int, most: int) -> None:
    options = one.get("options") or []
    problems.length(f"{path}.options", options, least, most)
    seen: set[str] = set()
    for number, option in enumerate(options):
        place = f"{path}.options.{number}"
        problems.length(f"{place}.label", option.get("label"), 1, 100)
        problems.length(f"{place}.value", option.get("value"), 1, 100)
        problems.longest(f"{place}.description", option.get("description"), 100)
        if option.get("value") in seen:
            problems.add(
                f"{place}.value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        seen.add(option.get("value"))


def _check_input(problems: Problems, path: str, one: Json) -> None:
    problems.length(f"{path}.custom_id", one.get("custom_id"), 1, 100)
    problems.choices(f"{path}.style", one.get("style"), (1, 2))
    problems.longest(f"{path}.label", one.get("label"), 45)
    problems.longest(f"{path}.placeholder", one.get("placeholder"), 100)
    problems.longest(f"{path}.value", one.get("value"), 4000)
    for key, least in (("min_length", 0), ("max_length", 1)):
        if one.get(key) is not None and not least <= one[key] <= 4000:
            problems.add(
                f"{path}.{key}", "NUMBER_TYPE_MAX", "int value should be less than or equal to 4000."
            )


def _check_unique(problems: Problems, components: list[Json]) -> None:
    seen: set[str] = set()

    def look(path: str, one: Json) -> None:
        custom_id = one.get("custom_id")
        if custom_id is not None and custom_id in seen:
            problems.add(
                f"{path}.custom_id",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        seen.update([custom_id] if custom_id else [])
        for key, each in inside(one):
            look(f"{path}.{key}", each)

    for number, one in enumerate(components):
        look(f"components.{number}", one)


def check_modal(problems: Problems, modal: Json) -> None:
    """A modal: a title, and up to five labels, texts or (the old way) rows with one text input."""
    problems.length("title", modal.get("title"), 1, 45)
    problems.length("custom_id", modal.get("custom_id"), 1, 100)
    components = modal.get("components") or []
    problems.length("components", components, 1, 5)
    for number, one in enumerate(components):
        path = f"components.{number}"
        problems.choices(f"{path}.type", one.get("type"), (ROW, TEXT, LABEL))
        _check(problems, path, one)
        for n, each in enumerate(one.get("components") or ()):
            problems.choices(f"{path}.components.{n}.type", each.get("type"), (INPUT, *SELECTS))
            if each.get("type") == INPUT and not each.get("label"):
                problems.required(f"{path}.components.{n}.label")
        if (one.get("component") or {}).get("type") == BUTTON:
            problems.add(f"{path}.component", "COMPONENT_TYPE_INVALID", "A modal has no buttons")
    _check_unique(problems, components)


def check_embeds(problems: Problems, embeds: list[Json]) -> None:
    problems.length("embeds", embeds, 0, 10)
    total = 0
    for number, embed in enumerate(embeds):
        path = f"embeds.{number}"
        texts = [("title", 256, embed.get("title")), ("description", 4096, embed.get("description"))]
        texts += [("footer.text", 2048, (embed.get("footer") or {}).get("text"))]
        texts += [("author.name", 256, (embed.get("author") or {}).get("name"))]
        fields = embed.get("fields") or []
        problems.length(f"{path}.fields", fields, 0, 25)
        for n, each in enumerate(fields):
            for key, limit in (("name", 256), ("value", 1024)):
                texts.append((f"fields.{n}.{key}", limit, each.get(key)))
                if not each.get(key):
                    problems.required(f"{path}.fields.{n}.{key}")
        for key, limit, text in texts:
            problems.longest(f"{path}.{key}", text, limit)
            total += len(text or "")
    if total > MAX_EMBEDS:
        problems.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


# How it looks


@dataclass(frozen=True)
class Button:
    label: str
    custom_id: str | None
    disabled: bool
    style: int
    url: str | None = None


@dataclass(frozen=True)
class Select:
    custom_id: str
    placeholder: str
    options: tuple[str, ...]
    values: tuple[str, ...]
    disabled: bool


@dataclass(frozen=True)
class Rendered:
    """A message as a person sees it: all its text in order, then what can be pressed."""

    text: str
    buttons: list[Button] = field(default_factory=list)
    selects: list[Select] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def button(self, name: str) -> Button:
        """By custom_id or label."""
        return next(one for one in self.buttons if name in (one.custom_id, one.label))

    @property
    def labels(self) -> list[str]:
        return [one.label for one in self.buttons]


def render(content: str, embeds: list[Json], components: list[Json], files: list[str]) -> Rendered:
    texts = [content]
    for embed in embeds:
        texts += [(embed.get("author") or {}).get("name"), embed.get("title"), embed.get("description")]
        texts += [f"{one['name']}\n{one['value']}" for one in embed.get("fields") or ()]
        texts.append((embed.get("footer") or {}).get("text"))
    buttons, selects = [], []
    for one in walk(components):
        if one["type"] == TEXT:
            texts.append(one["content"])
        elif one["type"] == BUTTON:
            buttons.append(_button(one))
        elif one["type"] in SELECTS:
            selects.append(_select(one))
    return Rendered("\n".join(text for text in texts if text), buttons, selects, files)


def _button(one: Json) -> Button:
    emoji = (one.get("emoji") or {}).get("name")
    label = " ".join(part for part in (emoji, one.get("label")) if part)
    return Button(label, one.get("custom_id"), bool(one.get("disabled")), one["style"], one.get("url"))


def _select(one: Json) -> Select:
    options = one.get("options") or []
    labels, values = tuple(o["label"] for o in options), tuple(o["value"] for o in options)
    return Select(one["custom_id"], one.get("placeholder") or "", labels, values, bool(one.get("disabled")))


def modal_texts(modal: Json) -> list[str]:
    """A modal's words, and what stands in its fields."""
    found = [modal["title"]]
    for one in walk(modal["components"]):
        found += [one.get(key) for key in ("label", "description", "content", "placeholder", "value")]
        found += [option["label"] for option in one.get("options") or ()]
    return [text for text in found if isinstance(text, str) and text]

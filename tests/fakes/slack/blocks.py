"""Block Kit as Slack checks it, so that a card which Slack would refuse fails a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]

MAX_BLOCKS, MAX_VIEW_BLOCKS = 50, 100
MAX_CHARACTERS = 13_000  # undocumented; "about 12-13 k" is what people report
_READABLE = {"text", "alt_text", "fallback", "pretext", "title"}
_PASSED_THROUGH = {"file", "video", "table", "call", "rich_text"}
_OPTION_TYPES = {
    "static_select": 100,
    "multi_static_select": 100,
    "overflow": 5,
    "radio_buttons": 10,
    "checkboxes": 10,
}
_INPUT_TYPES = {
    "plain_text_input",
    "users_select",
    "multi_users_select",
    "conversations_select",
    "channels_select",
    "external_select",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "number_input",
    "email_text_input",
    "url_text_input",
}


class _Problems:
    """Collects Slack's `errors`, each with a JSON pointer."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, message: str, path: str) -> None:
        self.found.append(f"{message} [json-pointer:{path}]")

    def string(self, owner: Json, key: str, limit: int, path: str, *, required: bool = False) -> None:
        value = owner.get(key)
        if value is None:
            if required:
                self.add(f"missing required field: {key}", path)
        elif not isinstance(value, str):
            self.add("must be a string", f"{path}/{key}")
        elif required and not value:
            self.add("must be more than 0 characters", f"{path}/{key}")
        elif len(value) > limit:
            self.add(f"must be less than {limit + 1} characters", f"{path}/{key}")

    def text(
        self, owner: Json, key: str, limit: int, path: str, *, plain: bool = False, required: bool = True
    ) -> None:
        value = owner.get(key)
        if value is None:
            if required:
                self.add(f"missing required field: {key}", path)
            return
        kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
        if not isinstance(value, dict) or value.get("type") not in kinds:
            self.add(f"unsupported type: must be {' or '.join(kinds)}", f"{path}/{key}")
            return
        self.string(value, "text", limit, f"{path}/{key}", required=True)

    def items(self, owner: Json, key: str, most: int, path: str) -> list[Any]:
        value = owner.get(key)
        if not isinstance(value, list) or not value:
            self.add(f"missing required field: {key}", path)
            return []
        if len(value) > most:
            self.add(f"no more than {most} items allowed", f"{path}/{key}")
        return value


_INPUTS_ONLY = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_NOT_IN_INPUTS = {"button", "overflow", "image"}
_ONE_OF, _ANY_OF = "initial_option", "initial_options"


def problems(blocks: Any, *, most: int = MAX_BLOCKS) -> list[str]:
    """What Slack would say is wrong with these blocks; empty when they are fine."""
    found = _Problems()
    if not isinstance(blocks, list):
        return ["must be an array [json-pointer:/blocks]"]
    if len(blocks) > most:
        found.add(f"no more than {most} items allowed", "/blocks")
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        path = f"/blocks/{number}"
        if not isinstance(block, dict):
            found.add("must be an object", path)
            continue
        _block(found, block, path)
        if block.get("block_id") in seen:
            found.add("block_id already exists", f"{path}/block_id")
        seen.add(block.get("block_id") or "")
        seen.discard("")
    return found.found


def _block(found: _Problems, block: Json, path: str) -> None:
    kind = str(block.get("type"))
    found.string(block, "block_id", 255, path)
    if kind in _CHECKS:
        _CHECKS[kind](found, block, path)
    elif kind not in _PASSED_THROUGH:
        found.add(f"unsupported type: {kind}", f"{path}/type")
    ids = [e["action_id"] for e in block.get("elements", ()) if isinstance(e, dict) and e.get("action_id")]
    if len(ids) != len(set(ids)):
        found.add("action_id already exists", f"{path}/elements")


def _section(found: _Problems, block: Json, path: str) -> None:
    if "fields" in block:
        for number, field in enumerate(found.items(block, "fields", 10, path)):
            found.text({"field": field}, "field", 2000, f"{path}/fields/{number}")
    found.text(block, "text", 3000, path, required="fields" not in block)
    if "accessory" in block:
        _element(found, block["accessory"], f"{path}/accessory")


def _header(found: _Problems, block: Json, path: str) -> None:
    found.text(block, "text", 150, path, plain=True)


def _context(found: _Problems, block: Json, path: str) -> None:
    for number, element in enumerate(found.items(block, "elements", 10, path)):
        where = f"{path}/elements/{number}"
        if isinstance(element, dict) and element.get("type") == "image":
            found.string(element, "alt_text", 2000, where, required=True)
        else:
            found.text({"element": element}, "element", 3000, where)


def _actions(found: _Problems, block: Json, path: str) -> None:
    for number, element in enumerate(found.items(block, "elements", 25, path)):
        _element(found, element, f"{path}/elements/{number}")
        if isinstance(element, dict) and element.get("type") in _INPUTS_ONLY:
            found.add(f"unsupported type: {element['type']}", f"{path}/elements/{number}/type")


def _image(found: _Problems, block: Json, path: str) -> None:
    found.string(block, "alt_text", 2000, path, required=True)
    found.text(block, "title", 2000, path, plain=True, required=False)
    if not ("image_url" in block or "slack_file" in block):
        found.add("missing required field: image_url", path)


def _input(found: _Problems, block: Json, path: str) -> None:
    found.text(block, "label", 2000, path, plain=True)
    found.text(block, "hint", 2000, path, plain=True, required=False)
    element = block.get("element")
    _element(found, element, f"{path}/element")
    if isinstance(element, dict) and element.get("type") in _NOT_IN_INPUTS:
        found.add(f"unsupported type: {element['type']}", f"{path}/element/type")


def _markdown(found: _Problems, block: Json, path: str) -> None:
    found.string(block, "text", 12_000, path, required=True)


def _divider(found: _Problems, block: Json, path: str) -> None:
    """A divider has nothing to check."""


_CHECKS: dict[str, Callable[[_Problems, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "divider": _divider,
}


def _element(found: _Problems, element: Any, path: str) -> None:
    if not isinstance(element, dict):
        found.add("missing required field: element", path)
        return
    kind = str(element.get("type"))
    found.string(element, "action_id", 255, path)
    if kind == "button":
        _button(found, element, path)
    elif kind in _OPTION_TYPES:
        _options(found, element, _OPTION_TYPES[kind], path)
    elif kind == "image":
        found.string(element, "alt_text", 2000, path, required=True)
    elif kind == "plain_text_input":
        _text_input(found, element, path)
    elif kind not in _INPUT_TYPES:
        found.add(f"unsupported type: {kind}", f"{path}/type")
    if "confirm" in element:
        _confirm(found, element["confirm"], f"{path}/confirm")


def _text_input(found: _Problems, element: Json, path: str) -> None:
    found.text(element, "placeholder", 150, path, plain=True, required=False)
    longest = element.get("max_length", 3000)
    if not 1 <= longest <= 3000:
        found.add("must be between 1 and 3000", f"{path}/max_length")
    found.string(element, "initial_value", longest, path)


def _confirm(found: _Problems, confirm: Any, path: str) -> None:
    if not isinstance(confirm, dict):
        found.add("must be an object", path)
        return
    found.text(confirm, "title", 100, path, plain=True)
    found.text(confirm, "text", 300, path)
    found.text(confirm, "confirm", 30, path, plain=True)
    found.text(confirm, "deny", 30, path, plain=True)


def _button(found: _Problems, button: Json, path: str) -> None:
    found.text(button, "text", 75, path, plain=True)
    found.string(button, "value", 2000, path)
    found.string(button, "url", 3000, path)
    if button.get("style") not in (None, "primary", "danger"):
        found.add("must be a valid enum value", f"{path}/style")


def _options(found: _Problems, element: Json, most: int, path: str) -> None:
    found.text(element, "placeholder", 150, path, plain=True, required=False)
    if element.get("option_groups"):
        return
    for number, option in enumerate(found.items(element, "options", most, path)):
        where = f"{path}/options/{number}"
        if not isinstance(option, dict):
            found.add("must be an object", where)
            continue
        plain = element.get("type") not in ("radio_buttons", "checkboxes")
        found.text(option, "text", 75, where, plain=plain)
        found.text(option, "description", 75, where, plain=plain, required=False)
        found.string(option, "value", 150, where, required=True)
    _initial(found, element, path)


def _initial(found: _Problems, element: Json, path: str) -> None:
    """What is chosen at first must be one of the options, exactly, and one at least."""
    options = element.get("options") or []
    if _ONE_OF in element and element[_ONE_OF] not in options:
        found.add("initial_option must be one of the options", f"{path}/{_ONE_OF}")
    if _ANY_OF in element and (not element[_ANY_OF] or any(one not in options for one in element[_ANY_OF])):
        found.add("initial_options must be among the options", f"{path}/{_ANY_OF}")


def view_problems(view: Any) -> list[str]:
    """What Slack would say is wrong with this modal or Home tab."""
    found = _Problems()
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return ["unsupported type [json-pointer:/view/type]"]
    if view["type"] == "modal":
        found.text(view, "title", 24, "/view", plain=True)
        found.text(view, "submit", 24, "/view", plain=True, required=False)
        found.text(view, "close", 24, "/view", plain=True, required=False)
        blocks = view.get("blocks") or []
        if "submit" not in view and any(b.get("type") == "input" for b in blocks if isinstance(b, dict)):
            found.add("`submit` is required in views with `input` blocks", "/view/submit")
    elif {"title", "submit", "close"} & set(view):
        found.add("only modals have a title, submit or close", "/view")
    found.string(view, "private_metadata", 3000, "/view")
    found.string(view, "callback_id", 255, "/view")
    if not view.get("blocks"):
        found.add("missing required field: blocks", "/view")
    return found.found + problems(view.get("blocks"), most=MAX_VIEW_BLOCKS)


def texts(part: Any) -> Iterator[str]:
    """Every human-readable string in blocks, views or attachments, in reading order."""
    if isinstance(part, list):
        for item in part:
            yield from texts(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            readable = key in _READABLE or (
                key == "url" and part.get("type") == "link" and "text" not in part
            )
            if readable and isinstance(value, str):
                yield value
            elif isinstance(value, (dict, list)) and key != "confirm":
                yield from texts(value)


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every interactive element with the block that holds it."""
    for block in blocks:
        inside = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        for element in inside:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def with_ids(blocks: list[Json], new_id: Callable[[], str]) -> list[Json]:
    """The blocks as Slack keeps them: it names every block and interactive element that has no name."""
    kept = []
    for block in blocks:
        copy = {"block_id": new_id(), **block}
        if isinstance(copy.get("elements"), list) and copy["type"] == "actions":
            copy["elements"] = [{"action_id": new_id(), **element} for element in copy["elements"]]
        for key in ("accessory", "element"):
            if isinstance(copy.get(key), dict) and copy[key].get("type") != "image":
                copy[key] = {"action_id": new_id(), **copy[key]}
        kept.append(copy)
    return kept

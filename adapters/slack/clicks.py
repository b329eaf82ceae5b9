"""What people press in Slack, as values: on a message, on a whisper, in a window, on the Home tab. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.slack.blocks import ACTION_PREFIX, AGAIN, MENU
from bot.commands import from_button
from bot.people import Actor
from bot.posts import Action

Payload = Mapping[str, Any]

HOME, MODAL = "home", "modal"


@dataclass(frozen=True, slots=True)
class Where:
    """Who did something and where they look for its answer: a thread (`root` empty: the channel), a window or Home.

    `trigger_id` opens a window within 3 s, once; `response_url` takes five answers in half an hour. `ephemeral`: it
    was done on something that only this person sees; `again` asks for that anew (see `Answer.again`).
    """

    user_id: str
    user_name: str = ""
    channel: str = ""
    root: str = ""
    trigger_id: str = ""
    response_url: str = ""
    ephemeral: bool = False
    again: str = ""
    view: Payload = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """ "modal", "home", or empty for a message."""
        return str(self.view.get("type") or "")

    @property
    def view_id(self) -> str:
        """The window it was done in."""
        return str(self.view.get("id") or "")


@dataclass(frozen=True, slots=True)
class Click:
    """A button, an option of a menu or of a select. `name` is an action's, or one of the adapter's own."""

    name: str
    value: str
    where: Where

    @property
    def number(self) -> int:
        """The case it is about; ValueError if its value says none."""
        return int(self.value.partition(":")[0].partition("|")[0])

    def command(self, actor: Actor) -> Any:
        """ValueError for a button that is not ours or carries nonsense."""
        return from_button(Action(self.name), self.value, actor)


def click(payload: Payload) -> Click | None:
    """A `block_actions` payload of one of our elements; None if it is not ours or nobody's."""
    action = next((item for item in payload.get("actions", ()) if _is_ours(item)), None)
    where = where_of(payload)
    if action is None or where is None or not (where.channel or where.view):
        return None
    again = str(action.get("block_id") or "").partition(AGAIN)[2]
    where = replace(where, again=again or where.again)
    name = str(action["action_id"]).removeprefix(ACTION_PREFIX)
    value = str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
    if name == MENU:
        chosen, _, rest = value.partition("|")
        return Click(chosen, rest, where)
    if not name.startswith("look"):
        name = name.partition(":")[0]  # of several buttons alike the second and later ones are numbered
    return Click(name, value, where)


def where_of(payload: Payload) -> Where | None:
    """Who acted, and where; None for a payload without a person."""
    user, view = payload.get("user") or {}, payload.get("view") or {}
    container, message = payload.get("container") or {}, payload.get("message") or {}
    if not user.get("id"):
        return None
    note = noted(view)
    return Where(
        user_id=str(user["id"]),
        user_name=str(user.get("name") or user.get("username") or ""),
        channel=str(
            (payload.get("channel") or {}).get("id")
            or container.get("channel_id")
            or note.get("channel")
            or ""
        ),
        root=_thread(container, message) or str(note.get("root") or ""),
        trigger_id=str(payload.get("trigger_id") or ""),
        response_url=str(payload.get("response_url") or note.get("url") or ""),
        ephemeral=bool(container.get("is_ephemeral") or note.get("url")),
        again=str(note.get("again") or ""),
        view=view,
    )


def noted(view: Payload) -> dict[str, Any]:
    """What we wrote into a window's or the Home tab's private metadata; empty if it is not ours."""
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_ours(action: Payload) -> bool:
    return str(action.get("action_id") or "").startswith(ACTION_PREFIX)


def _thread(container: Payload, message: Payload) -> str:
    """The thread a clicked reply stands in; empty for a root, whose clicker looks at the channel."""
    root = container.get("thread_ts") or message.get("thread_ts")
    clicked = container.get("message_ts") or message.get("ts")
    return str(root) if root and root != clicked else ""

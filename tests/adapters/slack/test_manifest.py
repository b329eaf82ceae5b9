"""The manifest asks for exactly what the code uses."""

import ast
from collections.abc import Iterator
from pathlib import Path

import adapters.slack
from adapters.slack.listeners import EVENT_LISTENERS
from adapters.slack.manifest import (
    COMMAND,
    EVENT_SCOPES,
    EVENTS,
    METHOD_SCOPES,
    SCOPES,
    SEND_SHORTCUT,
    manifest,
)

FOLDER = Path(adapters.slack.__file__).parent
FAMILIES = tuple(
    {name.split(".", maxsplit=1)[0] + "." for name in METHOD_SCOPES} | {"pins.", "bookmarks.", "team."}
)
SDK_CALLS = {"apps_connections_open": "apps.connections.open"}


def names_in(path: Path) -> Iterator[str]:
    """The methods of the Web API that a file names outside of documentation."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            for given in [*node.args, *(keyword.value for keyword in node.keywords)]:
                if (
                    isinstance(given, ast.Constant)
                    and isinstance(given.value, str)
                    and _is_method(given.value)
                ):
                    yield given.value
            if isinstance(node.func, ast.Attribute) and node.func.attr in SDK_CALLS:
                yield SDK_CALLS[node.func.attr]


def _is_method(text: str) -> bool:
    return text.startswith(FAMILIES) and text.replace(".", "").isalpha()


def called() -> set[str]:
    kept = [path for path in FOLDER.glob("*.py") if path.name not in ("manifest.py", "allowance.py")]
    return {name for path in kept for name in names_in(path)}


def test_exactly_the_methods_that_are_called_are_listed() -> None:
    assert called() == set(METHOD_SCOPES)


def test_the_scopes_are_those_of_what_is_called_heard_and_offered() -> None:
    by_methods = {scope for name in called() for scope in METHOD_SCOPES[name]}
    by_events = {EVENT_SCOPES[event] for event in EVENTS if event in EVENT_SCOPES}
    assert {scope for scope, _ in SCOPES} == by_methods | by_events | {"commands"}


def test_every_subscription_has_a_listener_and_every_listener_one() -> None:
    assert set(EVENTS.values()) == set(EVENT_LISTENERS)
    assert set(EVENT_SCOPES) <= set(EVENTS)


def test_the_manifest_offers_command_shortcut_and_home() -> None:
    features = manifest()["features"]
    (command,), (shortcut,) = features["slash_commands"], features["shortcuts"]
    assert (command["command"], command["should_escape"]) == (COMMAND, True)
    assert "url" not in command
    assert (shortcut["callback_id"], shortcut["type"]) == (SEND_SHORTCUT, "message")
    assert features["app_home"]["home_tab_enabled"]


def test_over_http_everything_goes_to_our_address() -> None:
    found = manifest(public_url="https://help.example/")
    url = "https://help.example/slack/events"
    assert found["features"]["slash_commands"][0]["url"] == url
    assert found["settings"]["interactivity"] == {"is_enabled": True, "request_url": url}
    assert found["settings"]["event_subscriptions"]["request_url"] == url


def test_what_slack_limits_in_a_manifest_fits() -> None:
    features = manifest()["features"]
    assert len(features["shortcuts"][0]["name"]) <= 24
    assert len(features["shortcuts"][0]["description"]) <= 150
    assert len(features["slash_commands"][0]["description"]) <= 2000
    assert len(features["slash_commands"][0]["usage_hint"]) <= 1000
    assert len(manifest()["display_information"]["description"]) <= 140


def test_scopes_and_events_are_said_once_each_in_order() -> None:
    names = [scope for scope, _ in SCOPES]
    assert names == sorted(set(names))
    assert list(EVENTS) == sorted(EVENTS)

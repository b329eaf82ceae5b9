"""The invitation asks for exactly what the code uses."""

import ast
import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import adapters.discord
from adapters.discord.client import HEARD, intents_for
from adapters.discord.manifest import (
    CALLS,
    INTENTS,
    PERMISSIONS,
    PLACEHOLDER,
    application_of,
    invite_link,
    manifest,
    permission_bits,
)
from adapters.discord.permissions import BITS
from bot.__main__ import main

FOLDER = Path(adapters.discord.__file__).parent
ROOTS = ("/channels/", "/guilds/", "/users/", "/webhooks/", "/interactions/", "/applications/", "/oauth2/")
BEHIND_INTENTS = {
    "PRESENCE_UPDATE": "presences",
    "GUILD_MEMBER_UPDATE": "members",
    "GUILD_MEMBER_REMOVE": "members",
}


def addresses() -> set[str]:
    """Every address of the API that stands in the code, outside of its own list."""
    return {
        one
        for path in FOLDER.glob("*.py")
        if path.name != "manifest.py"
        for one in _strings(ast.parse(path.read_text()))
        if one.startswith(ROOTS)
    }


def _strings(tree: ast.AST) -> Iterator[str]:
    return (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_exactly_the_addresses_that_are_called_are_listed() -> None:
    assert addresses() == set(CALLS)


def test_the_permissions_are_those_of_what_is_called() -> None:
    assert {one for names in CALLS.values() for one in names} == set(PERMISSIONS)


def test_the_link_carries_exactly_these_permissions() -> None:
    query = parse_qs(urlsplit(invite_link("1234567", "7654321")).query)
    asked = int(query["permissions"][0])
    assert {name for name, bit in BITS.items() if asked & bit} == set(PERMISSIONS)
    assert asked == permission_bits()
    assert query["scope"] == ["bot applications.commands"]
    assert query["client_id"] == ["1234567"]
    assert query["guild_id"] == ["7654321"]


def test_the_intents_are_those_of_what_is_heard_and_read() -> None:
    heard = {BEHIND_INTENTS[name] for name in HEARD if name in BEHIND_INTENTS}
    assert set(INTENTS) == heard | {"message_content"}
    on, off = intents_for(frozenset(INTENTS)), intents_for(frozenset())
    assert {name for name in INTENTS if getattr(on, name)} == set(INTENTS)
    assert not any(getattr(off, name) for name in INTENTS)


def test_every_permission_and_intent_is_said_with_its_reason() -> None:
    said = manifest("1234567")
    for name, why in (*PERMISSIONS.values(), *INTENTS.values()):
        assert f"  {name}: {why}" in said
    assert PLACEHOLDER not in said


@pytest.mark.parametrize("token", ["", "nonsense", "ÄÖÜ.x.y", "bm90IGFuIGlk.x.y"])
def test_without_a_token_the_link_says_what_to_fill_in(token: str) -> None:
    assert application_of(token) == ""
    assert PLACEHOLDER in manifest(application_of(token))


def test_the_command_line_prints_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", base64.b64encode(b"100000000000000001").decode().rstrip("=") + ".x.y")
    assert main(["manifest", "discord"]) == 0
    assert "client_id=100000000000000001&" in capsys.readouterr().out

"""Who may use the console, and as whom."""

import jwt
import pytest
from console_stub import ADMIN, SECRET, START, Console, Start

from adapters.console.access import LINK_AUDIENCE, SESSION_SECONDS, operator_actor
from bot import commands
from bot.errors import Refused
from bot.people import Actor, Role

CASES = "/console/api/conversations"


@pytest.mark.parametrize("token", [None, "", "wrong", ADMIN + "x", "ä"])
async def test_nothing_is_read_or_done_without_a_valid_token(console: Console, token: str | None) -> None:
    for method, path in [("GET", CASES), ("GET", f"{CASES}/1042"), ("POST", f"{CASES}/1042/claim")]:
        status, answer = await console.call(method, path, {"operator": "Maya"}, token)
        assert (status, answer["error"]["code"]) == (401, "not_signed_in")
    assert (await console.call("GET", "/console/api/stream", None, token))[0] == 401
    assert console.bus.asked == []


async def test_an_empty_admin_token_never_matches(start: Start) -> None:
    console = await start(admin_token="")
    for token in (None, ""):
        assert (await console.call("GET", CASES, None, token))[0] == 401
        assert (await console.call("POST", "/console/api/session", {"operator": "Maya"}, token))[0] == 401
    assert (await console.adapter.chat.check("console"))[0].startswith("BATON_ADMIN_TOKEN is empty")


async def test_with_the_admin_token_the_body_names_a_lead(console: Console) -> None:
    await console.call("POST", f"{CASES}/1042/claim", {"operator": " Maya  Rao "})
    assert console.bus.asked == [commands.Claim(1042, Actor("console", "maya-rao", "Maya Rao", Role.LEAD))]


async def test_with_the_admin_token_somebody_must_be_named(console: Console) -> None:
    status, answer = await console.call("POST", f"{CASES}/1042/claim", {})
    assert (status, answer["error"]["field"]) == (422, "operator")


async def test_a_session_fixes_who_acts(console: Console) -> None:
    token = await console.sign_in("Maya Rao")
    await console.call("POST", f"{CASES}/1042/claim", {"operator": "Somebody Else"}, token)
    assert console.bus.asked[0].actor == Actor("console", "maya-rao", "Maya Rao", Role.LEAD)


async def test_a_signed_link_makes_operators_not_leads(console: Console) -> None:
    link = console.adapter.link().partition("token=")[2]
    token = await console.sign_in("Ravi", link)
    _, who = await console.call("GET", "/console/api/session", None, token)
    assert who["operator"] == {"id": "ravi", "name": "Ravi", "role": "operator"}


async def test_a_link_is_not_a_session_and_a_session_is_not_a_link(console: Console) -> None:
    link = console.adapter.link().partition("token=")[2]
    session = await console.sign_in("Ravi", link)
    assert (await console.call("GET", CASES, None, link))[0] == 401
    assert (await console.call("POST", "/console/api/session", {"operator": "Maya"}, session))[0] == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "baton-widget", "exp": START + 60, "sub": "x", "name": "X", "role": "lead"},
        {"exp": START + 60, "sub": "x", "name": "X", "role": "lead"},
        {"aud": "baton-console", "exp": START - 1, "sub": "x", "name": "X", "role": "lead"},
        {"aud": LINK_AUDIENCE, "exp": START + 60, "sub": "x", "name": "X", "role": "lead"},
    ],
)
async def test_a_token_of_another_kind_or_time_is_refused(
    console: Console, claims: dict[str, object]
) -> None:
    assert (await console.call("GET", CASES, None, jwt.encode(claims, SECRET, "HS256")))[0] == 401


async def test_an_unsigned_or_foreign_token_is_refused(console: Console) -> None:
    claims = {"aud": "baton-console", "exp": START + 60, "sub": "x", "name": "X", "role": "lead"}
    for token in (jwt.encode(claims, "", "none"), jwt.encode(claims, "t" * 40, "HS256")):
        assert (await console.call("GET", CASES, None, token))[0] == 401


async def test_a_session_ends_after_twelve_hours(console: Console) -> None:
    token = await console.sign_in()
    console.world.now += SESSION_SECONDS - 1
    assert (await console.call("GET", CASES, None, token))[0] == 200
    console.world.now += 2
    assert (await console.call("GET", CASES, None, token))[0] == 401


async def test_the_demo_needs_a_name_only_and_only_here(start: Start) -> None:
    demo = await start(open_on_loopback=True)
    assert await demo.sign_in("Maya", None)
    rebound = await demo.call("POST", "/console/api/session", {"operator": "Eve"}, None, Host="evil.example")
    proxied = await demo.call(
        "POST", "/console/api/session", {"operator": "Eve"}, None, X_Forwarded_For="1.2.3.4"
    )
    assert (rebound[0], proxied[0]) == (401, 401)


async def test_another_sites_page_cannot_write(console: Console) -> None:
    paths = [("/console/api/session", {"operator": "Eve"})]
    paths += [
        (f"{CASES}/1042/{verb}", {"operator": "Eve"}) for verb in ("claim", "release", "handback", "resolve")
    ]
    paths += [(f"{CASES}/1042/messages", {"operator": "Eve", "text": "hi"})]
    for path, body in paths:
        for origin in ("https://evil.example", "null", "https://help.example.evil.example"):
            status, answer = await console.call("POST", path, body, Origin=origin)
            assert (status, answer["error"]["code"]) == (403, "foreign_origin")
    assert console.bus.asked == []


async def test_the_own_page_may_write_also_behind_a_proxy(console: Console) -> None:
    for origin in (console.url, "https://help.example"):
        status, _ = await console.call("POST", "/console/api/session", {"operator": "Maya"}, Origin=origin)
        assert status == 200


@pytest.mark.parametrize("name", ["", "   ", "!!!", "a" * 61, "Ma\x00ya", "Ma\u202eya"])
async def test_a_name_must_say_something(console: Console, name: str) -> None:
    status, answer = await console.call("POST", "/console/api/session", {"operator": name})
    assert (status, answer["error"]["field"]) == (422, "operator")


def test_names_of_any_script_make_operators() -> None:
    assert operator_actor("  Zoë O’Neil ", Role.LEAD) == Actor(
        "console", "zoë-o-neil", "Zoë O’Neil", Role.LEAD
    )
    assert operator_actor("小林 誠", Role.LEAD).id == "小林-誠"
    with pytest.raises(Refused):
        operator_actor("—", Role.LEAD)


async def test_the_page_is_behind_link_or_token(console: Console) -> None:
    link = console.adapter.link().removeprefix("https://help.example")
    expected = {"/console": 401, "/console?token=nonsense": 401, link: 200, f"/console?token={ADMIN}": 200}
    for path, status in expected.items():
        async with console.http.get(f"{console.url}{path}") as answer:
            assert answer.status == status, path
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            text = await answer.text()
            assert "token=" not in text
            assert ADMIN not in text


async def test_the_pages_files_are_served_and_cached_by_content(console: Console) -> None:
    for name, kind in {"console.js": "text/javascript", "console.css": "text/css"}.items():
        async with console.http.get(f"{console.url}/console/{name}") as first:
            assert (first.status, first.content_type) == (200, kind)
            etag = first.headers["ETag"]
        async with console.http.get(
            f"{console.url}/console/{name}", headers={"If-None-Match": etag}
        ) as again:
            assert again.status == 304

"""The shopper's side: the script, guests, origins, and what a window posts."""

import asyncio
import gzip
import json
import logging
from pathlib import Path

import pytest

from adapters import storefront
from adapters.storefront.limits import Limit
from adapters.storefront.origins import normal
from adapters.storefront.widget_routes import _accepts_gzip
from bot import commands
from bot.errors import IllegalTransition
from bot.settings import StorePolicy

from .stub import PAGE_ORIGIN

WINDOW = commands.Window("main", "s-1", "c-1")
SCRIPT = Path(storefront.__file__).with_name("widget.js")


# --- the script


async def test_the_script_is_served_plain_and_packed_with_a_strong_etag_each(shop):
    tags = []
    for accepts in ("identity", "gzip, br"):
        async with shop.session.get(
            f"{shop.url}/widget.js", headers={"Accept-Encoding": accepts}
        ) as response:
            body = await response.read()
            assert (gzip.decompress(body) if "gzip" in accepts else body) == SCRIPT.read_bytes()
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Vary"] == "Accept-Encoding"
            assert response.content_type == "text/javascript"
            assert "max-age" in response.headers["Cache-Control"]
            tags.append(response.headers["ETag"])
    assert tags[0] != tags[1]
    assert all(tag.startswith('"') for tag in tags)


async def test_a_known_script_is_304(shop):
    async with shop.session.get(f"{shop.url}/widget.js") as response:
        tag = response.headers["ETag"]
    async with shop.session.get(
        f"{shop.url}/widget.js", headers={"If-None-Match": f'"x", {tag}'}
    ) as response:
        assert (response.status, await response.read()) == (304, b"")
        assert response.headers["ETag"] == tag


def test_gzip_is_sent_only_where_it_is_taken():
    assert _accepts_gzip("br;q=1, gzip;q=0.5")
    assert not _accepts_gzip("gzip; q=0, identity")
    assert not _accepts_gzip("")


# --- guests


async def ask_guest(shop, body=None, origin=PAGE_ORIGIN):
    shop.core.answers["IssueToken"] = {"shopper_id": "anon-1", "conversation_id": "c-anon"}
    headers = {"Origin": origin} if origin else {}
    return await shop.call("POST", "/widget/v1/guest", json=body or {"store": "pk-main"}, headers=headers)


async def test_a_guest_gets_a_token_by_the_stores_public_key(shop):
    status, body, _ = await ask_guest(shop)
    assert (status, body["conversation_id"]) == (200, "c-anon")
    assert shop.core.submitted == [commands.IssueToken("main", commands.ShopperFacts())]
    assert shop.adapter.tokens.read(body["token"]) == commands.Window("main", "anon-1", "c-anon")


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "https://shop.example.evil.example", "http://shop.example",
     "https://other.example", "http://localhost:3000"],
)  # fmt: skip
async def test_a_guest_without_an_origin_of_the_store_is_403(shop, origin):
    status, body, _ = await ask_guest(shop, origin=origin)
    assert (status, body["error"]["code"]) == (403, "origin_not_allowed")
    assert shop.core.submitted == []


async def test_an_unknown_public_key_is_404(shop):
    status, body, _ = await ask_guest(shop, {"store": "pk-nobody"})
    assert (status, body["error"]["code"], body["error"]["field"]) == (404, "unknown_store", "store")


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1", "http://localhost:3000", 200),
        ("127.0.0.1", "http://127.0.0.1:8080", 200),
        ("127.0.0.1", "http://[::1]:80", 200),
        ("127.0.0.1", "https://evil.example", 403),
        ("127.0.0.1", "http://localhost.evil.example", 403),
        ("0.0.0.0", "http://localhost:3000", 403),
    ],
)
async def test_loopback_pages_may_try_a_store_without_origins_on_a_loopback_server(
    open_shop, host, origin, status
):
    shop = await open_shop(stores={"main": StorePolicy("main", "k", public_key="pk-main")}, host=host)
    assert (await ask_guest(shop, origin=origin))[0] == status


async def test_an_expired_guest_token_continues_the_same_shopper_and_conversation(shop):
    _, first, _ = await ask_guest(shop)
    shop.core.begin("c-anon", "anon-1")
    shop.core.now += 20 * 24 * 3600
    status, again, _ = await ask_guest(shop, {"store": "pk-main", "token": first["token"]})
    assert (status, again["conversation_id"]) == (200, "c-anon")
    assert shop.adapter.tokens.read(again["token"]).shopper_id == "anon-1"
    assert len(shop.core.submitted) == 1


async def test_a_guest_token_that_is_too_old_another_stores_or_forged_is_not_renewed(shop):
    token = shop.token("c-anon", "anon-1", guest=True)
    other = shop.token("c-anon", "anon-1", "other", guest=True)
    for given, code in ((other, "token_invalid"), ("a.b.c", "token_invalid"), (token, "token_expired")):
        if given == token:
            shop.core.now += 31 * 24 * 3600
        status, body, _ = await ask_guest(shop, {"store": "pk-main", "token": given})
        assert (status, body["error"]["code"]) == (401, code)


async def test_a_token_that_the_stores_backend_issued_is_not_renewed_as_a_guests(shop):
    status, body, _ = await ask_guest(shop, {"store": "pk-main", "token": shop.token()})
    assert (status, body["error"]["code"]) == (401, "token_invalid")


async def test_a_guest_token_whose_conversation_is_a_named_shoppers_now_is_not_renewed(shop):
    shop.core.begin("c-anon", "s-77")
    token = shop.token("c-anon", "anon-1", guest=True)
    assert (await ask_guest(shop, {"store": "pk-main", "token": token}))[0] == 401


async def test_too_many_guests_of_one_address_are_429(shop):
    found = [await ask_guest(shop) for _ in range(61)]
    assert [status for status, _, _ in found] == [200] * 60 + [429]
    assert int(found[-1][2]["Retry-After"]) >= 1


# --- what a window posts


async def test_a_message_is_submitted_for_the_tokens_window(shop):
    shop.core.answers["ShopperWrites"] = {"seq": 4, "id": "w1", "at": "…"}
    status, body, _ = await shop.widget("messages", {"id": "w1", "text": "hi"})
    assert (status, body["seq"]) == (200, 4)
    assert shop.core.submitted == [commands.ShopperWrites(WINDOW, "w1", "hi")]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("messages", {"text": "hi"}, "id"),
        ("messages", {"id": "w1", "text": ""}, "text"),
        ("messages", {"id": "w1", "text": ["hi"]}, "text"),
        ("escalate", {}, "id"),
        ("seen", {"delivered": "4", "seen": 0, "hidden": False, "tab": "t"}, "delivered"),
        ("seen", {"delivered": -1, "seen": 0, "hidden": False, "tab": "t"}, "delivered"),
        ("seen", {"delivered": 4, "seen": 0, "hidden": 0, "tab": "t"}, "hidden"),
    ],
)
async def test_a_wrong_body_of_a_window_is_422_and_submits_nothing(shop, path, body, field):
    status, answer, _ = await shop.widget(path, body)
    assert (status, answer["error"]["field"]) == (422, field)
    assert shop.core.submitted == []


async def test_the_other_buttons_and_reports_are_commands(shop):
    shop.core.answers["ShopperAsksForPerson"] = {"stage": "waiting"}
    assert (await shop.widget("escalate", {"id": "e1"}))[:2] == (200, {"stage": "waiting"})
    assert (await shop.widget("handback", {}))[0] == 204
    assert (await shop.widget("typing", {}))[0] == 204
    assert (await shop.widget("seen", {"delivered": 4, "seen": 3, "hidden": True, "tab": "t"}))[0] == 204
    assert shop.core.submitted == [
        commands.ShopperAsksForPerson(WINDOW, "e1"),
        commands.ShopperHandsBack(WINDOW),
        commands.Typing(WINDOW),
        commands.Seen(WINDOW, "t", 4, 3, True),
    ]


async def test_a_refused_move_is_told(shop):
    shop.core.answers["ShopperHandsBack"] = IllegalTransition("Nobody to hand back from.")
    status, body, _ = await shop.widget("handback", {})
    assert (status, body["error"]["code"]) == (409, "illegal_transition")


async def test_more_than_thirty_messages_at_once_are_429_and_another_shopper_is_not_held_back(shop):
    statuses = [(await shop.widget("messages", {"id": f"w{n}", "text": "hi"}))[0] for n in range(31)]
    assert statuses == [204] * 30 + [429]
    assert len(shop.core.submitted) == 30
    assert (await shop.widget("messages", {"id": "w", "text": "hi"}, token=shop.token("c-2", "s-2")))[
        0
    ] == 204
    shop.core.now += 1
    assert (await shop.widget("messages", {"id": "w", "text": "hi"}))[0] == 204


async def test_typing_too_often_is_dropped_without_a_word(shop):
    assert {(await shop.widget("typing", {}))[0] for _ in range(10)} == {204}
    assert len(shop.core.submitted) == 3


async def test_a_window_without_a_valid_token_is_401(shop):
    for token in ("", "a.b.c", shop.token()[:-4]):
        status, body, headers = await shop.call("POST", "/widget/v1/messages", json={"id": "w", "text": "x"},
                                                headers={"Authorization": f"Bearer {token}"})  # fmt: skip
        assert (status, body["error"]["code"]) == (401, "token_invalid")
        assert "WWW-Authenticate" in headers
    token = shop.token()
    shop.core.now += 3601
    status, body, _ = await shop.widget("messages", {"id": "w", "text": "x"}, token=token)
    assert (status, body["error"]["code"]) == (401, "token_expired")
    assert shop.core.submitted == []


async def test_a_window_takes_sixteen_kib(shop):
    status, body, _ = await shop.widget("messages", {"id": "w", "text": "x", "pad": "x" * 17_000})
    assert (status, body["error"]["code"]) == (413, "too_large")


async def test_goodbye_is_a_beacon_in_plain_text_with_its_token_in_the_body(shop):
    raw = json.dumps({"token": shop.token(), "tab": "t1"})
    headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": PAGE_ORIGIN}
    async with shop.session.post(f"{shop.url}/widget/v1/goodbye", data=raw, headers=headers) as response:
        assert response.status == 204
    assert shop.core.submitted == [commands.Goodbye(WINDOW, "t1")]


async def test_a_beacon_with_a_forged_token_or_from_another_page_says_nothing(shop):
    for token, origin, status in (("a.b.c", PAGE_ORIGIN, 401), (shop.token(), "https://evil.example", 403)):
        raw = json.dumps({"token": token, "tab": "t1"})
        found, _, _ = await shop.call("POST", "/widget/v1/goodbye", data=raw, headers={"Origin": origin})
        assert found == status
    assert shop.core.submitted == []


# --- origins and CORS


@pytest.mark.parametrize("path", ["messages", "escalate", "handback", "typing", "seen"])
async def test_a_write_from_another_stores_page_is_403_and_one_without_an_origin_is_taken(shop, path):
    body = {"id": "w", "text": "x", "delivered": 0, "seen": 0, "hidden": False, "tab": "t"}
    for origin in ("https://other.example", "https://evil.example", "null"):
        status, answer, _ = await shop.widget(path, body, headers={"Origin": origin})
        assert (status, answer["error"]["code"]) == (403, "origin_not_allowed")
    assert shop.core.submitted == []
    assert (await shop.widget(path, body, headers={"Origin": PAGE_ORIGIN}))[0] == 204
    assert (await shop.widget(path, body))[0] == 204


async def test_a_stores_page_may_read_answers_and_errors(shop):
    for token in (shop.token(), "a.b.c"):
        _, _, headers = await shop.widget("typing", {}, token=token, headers={"Origin": PAGE_ORIGIN})
        assert headers["Access-Control-Allow-Origin"] == PAGE_ORIGIN
        assert headers["Vary"] == "Origin"
        assert "Retry-After" in headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in headers
        assert "Set-Cookie" not in headers


async def test_a_preflight_is_answered_for_a_stores_page_only(shop):
    for origin, allowed in ((PAGE_ORIGIN, True), ("https://evil.example", False)):
        status, _, headers = await shop.call("OPTIONS", "/widget/v1/stream", headers={"Origin": origin})
        assert status == 204
        assert ("Access-Control-Allow-Origin" in headers) is allowed
        if allowed:
            names = headers["Access-Control-Allow-Headers"]
            assert {"authorization", "content-type", "last-event-id"} <= set(names.split(", "))


async def test_the_stores_api_is_not_opened_to_browsers(shop):
    _, _, headers = await shop.call("GET", "/v1/conversations", headers={"Origin": PAGE_ORIGIN})
    assert "Access-Control-Allow-Origin" not in headers


def test_origins_are_compared_without_case_and_default_port():
    assert normal("HTTPS://Shop.Example:443") == normal("https://shop.example/") == "https://shop.example"
    assert [
        normal(junk) for junk in ("null", "", "shop.example", "file:///x", "https://a:b", "https://a/b")
    ] == [None] * 6


# --- all of it


def test_full_buckets_are_forgotten():
    now = [0.0]
    limit = Limit("x", 2, 1.0, lambda: now[0])
    for n in range(10_000):
        limit.take(n)
    now[0] = 10.0
    limit.take("last")
    assert len(limit._full_at) == 1


async def test_logs_show_neither_tokens_nor_texts(shop, caplog):
    caplog.set_level(logging.DEBUG)
    token = shop.token()
    shop.core.answers["ShopperWrites"] = RuntimeError("card 4111")
    await shop.widget("messages", {"id": "w", "text": "card 4111"}, token=token)
    await asyncio.sleep(0)
    assert "4111" not in caplog.text
    assert token not in caplog.text

"""`/v1`: who may ask, what a wrong body is told, and what reaches the core."""

import json

import pytest

from bot import commands
from bot.conversation import Stage
from bot.entries import Audience, Kind
from bot.errors import Busy, OtherShopper, PersonInControl
from bot.people import Operator
from bot.settings import StorePolicy

from .stub import KEY, OTHER_KEY

ESCALATION = {
    "conversation_id": "c-1001",
    "shopper": {"id": "s-77", "name": "Sarah K.", "email": "sarah@example.com", "orders_count": 3},
    "reason": {"trigger": "keyword", "detail": "refund"},
    "summary": {"issue": "Refund for order #4521", "tried": ["Verified the order"]},
    "orders": [{"id": "4521", "total": 129.0}],
    "transcript": [
        {"id": "m1", "author": "shopper", "text": "I want a refund", "at": "2026-11-19T10:00:00Z"},
        {"id": "m2", "author": "assistant", "text": "Sure", "at": 1_790_000_000},
    ],
}  # fmt: skip


def changed(**parts):
    return {**ESCALATION, **parts}


async def test_an_escalation_becomes_a_command_and_answers_202_with_the_conversation(shop):
    shop.core.answers["Escalate"] = {"id": "c-1001", "stage": "waiting"}
    status, body, _ = await shop.call("POST", "/v1/escalations", json=ESCALATION)
    assert (status, body["stage"]) == (202, "waiting")
    (asked,) = shop.core.submitted
    assert isinstance(asked, commands.Escalate)
    assert (asked.store, asked.conversation_id, asked.shopper.name) == ("main", "c-1001", "Sarah K.")
    assert asked.transcript[0].at == 1795082400.0
    assert asked.body["summary"]["tried"] == ["Verified the order"]
    assert asked.body["orders"] == ESCALATION["orders"]
    assert "category" not in asked.body


async def test_the_same_body_has_the_same_fingerprint_and_another_one_another(shop):
    for body in (ESCALATION, dict(reversed(ESCALATION.items())), changed(category="refund")):
        await shop.call("POST", "/v1/escalations", json=body)
    first, again, other = (one.fingerprint for one in shop.core.submitted)
    assert first == again != other


async def test_turns_without_text_are_left_out_of_a_transcript(shop):
    await shop.call("POST", "/v1/escalations", json=changed(transcript=[{"author": "shopper", "text": "  "}]))
    assert shop.core.submitted[0].transcript == ()


WRONG = [
    ({"conversation_id": None}, "conversation_id"),
    ({"conversation_id": ""}, "conversation_id"),
    ({"conversation_id": "   "}, "conversation_id"),
    ({"conversation_id": "x" * 201}, "conversation_id"),
    ({"conversation_id": 17}, "conversation_id"),
    ({"conversation_id": "a\nb"}, "conversation_id"),
    ({"transcript": "hello"}, "transcript"),
    ({"transcript": [{"author": "shopper", "text": "a"}] * 2001}, "transcript"),
    ({"transcript": [*ESCALATION["transcript"], {"author": "shopper"}]}, "transcript.2.text"),
    ({"transcript": [{"author": "operator", "text": "hi"}]}, "transcript.0.author"),
    ({"transcript": [{"author": "shopper", "text": 5}]}, "transcript.0.text"),
    ({"transcript": [{"author": "shopper", "text": "x" * 20_001}]}, "transcript.0.text"),
    ({"transcript": [{"author": "shopper", "text": "a", "at": "2026-11-19T10:00:00"}]}, "transcript.0.at"),
    ({"transcript": [{"author": "shopper", "text": "a", "at": "yesterday"}]}, "transcript.0.at"),
    ({"transcript": [{"author": "shopper", "text": "a", "at": True}]}, "transcript.0.at"),
    ({"transcript": [{"author": "shopper", "text": "a", "at": 1_790_000_000_000}]}, "transcript.0.at"),
    ({"shopper": "Sarah"}, "shopper"),
    ({"shopper": {"orders_count": "3"}}, "shopper.orders_count"),
    ({"shopper": {"orders_count": -1}}, "shopper.orders_count"),
    ({"shopper": {"orders_count": 1.5}}, "shopper.orders_count"),
    ({"shopper": {"lifetime_value": "much"}}, "shopper.lifetime_value"),
    ({"shopper": {"email": "a b@example.com\r\nBcc: x"}}, "shopper.email"),
    ({"shopper": {"currency": "dollars"}}, "shopper.currency"),
    ({"priority": "asap"}, "priority"),
    ({"summary": {"tried": "everything"}}, "summary.tried"),
    ({"summary": []}, "summary"),
    ({"orders": {}}, "orders"),
    ({"orders": ["4521"]}, "orders.0"),
    ({"orders": [{"a": list(range(2500))}]}, "orders.0"),
    ({"cart": []}, "cart"),
    ({"cart": {"n": 10**400}}, "cart"),
    ({"collected": {"note": "x" * 5_001}}, "collected"),
    ({"page": 7}, "page"),
]


@pytest.mark.parametrize(("part", "field"), WRONG)
async def test_a_wrong_body_is_422_names_the_field_and_submits_nothing(shop, part, field):
    status, body, _ = await shop.call("POST", "/v1/escalations", json=changed(**part))
    assert (status, body["error"]["field"]) == (422, field)
    assert body["error"]["code"] == "invalid_body"
    assert ("; " in body["error"]["message"]) or ("add it" in body["error"]["message"])
    assert shop.core.submitted == []


async def test_a_wrong_value_is_not_repeated_in_the_answer(shop):
    _, body, _ = await shop.call("POST", "/v1/escalations", json=changed(shopper={"email": "my secret"}))
    assert "secret" not in json.dumps(body)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1,", b"\xff\xfe", b"[" * 5000, b'{"conversation_id": "\\ud800", "transcript": []}']
)
async def test_a_body_that_is_not_json_is_400(shop, raw):
    status, body, _ = await shop.call("POST", "/v1/escalations", data=raw)
    assert (status, body["error"]["code"]) == (400, "invalid_json")
    assert shop.core.submitted == []


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"text"', b"3"])
async def test_a_body_that_is_no_object_is_422(shop, raw):
    status, body, _ = await shop.call("POST", "/v1/escalations", data=raw)
    assert (status, body["error"]["field"]) == (422, "body")


async def test_unknown_fields_are_ignored_and_nuls_taken_out(shop):
    turn = {"author": "shopper", "text": "a\u0000b", "mood": 1}
    shop.core.answers["Escalate"] = {}
    status, _, _ = await shop.call("POST", "/v1/escalations", json=changed(later="x", transcript=[turn]))
    assert status == 202
    assert shop.core.submitted[0].transcript[0].text == "ab"


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_oversize_body_is_413(shop, chunked):
    raw = json.dumps(changed(later="x" * 300_000)).encode()

    async def pieces():
        yield raw

    status, body, _ = await shop.call("POST", "/v1/escalations", data=pieces() if chunked else raw)
    assert (status, body["error"]["code"]) == (413, "too_large")
    assert "256 KiB" in body["error"]["message"]
    assert shop.core.submitted == []


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x", "Bearer \xe9"]
)
async def test_a_wrong_key_is_401_and_says_how_to_authorize(shop, header):
    headers = {} if header is None else {"Authorization": header}
    async with shop.session.post(f"{shop.url}/v1/escalations", json=ESCALATION, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert (await response.json())["error"]["code"] == "unauthorized"
    assert shop.core.submitted == []


async def test_the_key_fixes_the_store(shop):
    await shop.call("POST", "/v1/escalations?store=main", json=changed(store="main"),
                    headers={"Authorization": f"Bearer {OTHER_KEY}"})  # fmt: skip
    assert shop.core.submitted[0].store == "other"


async def test_a_key_that_two_stores_share_opens_neither(open_shop):
    shop = await open_shop(stores={name: StorePolicy(name, KEY) for name in ("a", "b")})
    status, body, _ = await shop.call("POST", "/v1/escalations", json=ESCALATION)
    assert status == 401
    assert "BATON_API_KEY_" in body["error"]["message"]


async def test_an_empty_key_matches_nothing(open_shop):
    shop = await open_shop(stores={"main": StorePolicy("main", "")})
    status, _, _ = await shop.call(
        "POST", "/v1/escalations", json=ESCALATION, headers={"Authorization": "Bearer "}
    )
    assert status == 401


async def test_a_turn_is_logged_with_its_confidence(shop):
    answer = {"escalated": False, "trigger": None, "assistant_may_reply": True, "seq": 3}
    shop.core.answers["LogTurn"] = answer
    turn = {"id": "m1", "author": "assistant", "text": "Hello", "confidence": 0.4}
    status, body, _ = await shop.call("POST", "/v1/conversations/c%2F1/messages", json=turn)
    assert (status, body) == (200, answer)
    (asked,) = shop.core.submitted
    assert (asked.conversation_id, asked.turn.data, asked.turn.id) == ("c/1", {"confidence": 0.4}, "m1")


async def test_a_turn_needs_an_id_and_text(shop):
    for body, field in (
        ({"author": "shopper", "text": "a"}, "id"),
        ({"id": "1", "author": "shopper", "text": " "}, "text"),
    ):
        status, answer, _ = await shop.call("POST", "/v1/conversations/c/messages", json=body)
        assert (status, answer["error"]["field"]) == (422, field)
    assert shop.core.submitted == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PersonInControl("A person is in control."), 409, "person_in_control"),
        (OtherShopper("Not theirs.", field="shopper.id"), 409, "other_shopper"),
        (Busy(2.2), 503, "busy"),
    ],
)
async def test_a_refusal_of_the_core_keeps_its_status_and_code(shop, error, status, code):
    shop.core.answers["LogTurn"] = error
    turn = {"id": "m1", "author": "assistant", "text": "Hello"}
    found, body, headers = await shop.call("POST", "/v1/conversations/c/messages", json=turn)
    assert (found, body["error"]["code"]) == (status, code)
    assert headers.get("Retry-After") == ("3" if status == 503 else None)


async def test_an_unexpected_error_is_a_500_with_an_id_and_no_customers_text_in_the_log(shop, caplog):
    shop.core.answers["LogTurn"] = RuntimeError("INSERT … 'my card is 4111'")
    turn = {"id": "m1", "author": "shopper", "text": "my card is 4111"}
    status, body, _ = await shop.call("POST", "/v1/conversations/c/messages", json=turn)
    assert (status, body["error"]["code"]) == (500, "internal_error")
    error_id = body["error"]["message"].rsplit(" ", 1)[1].rstrip(".")
    assert error_id in caplog.text
    assert "RuntimeError" in caplog.text
    assert "4111" not in caplog.text + json.dumps(body)


async def test_edits_are_ordered_by_their_time_and_deletes_name_the_message(shop):
    shop.core.answers |= {"EditTurn": {"seq": 4}}
    path = "/v1/conversations/c/messages/m1"
    for at in (9, 1_790_000_000, None):
        await shop.call("PATCH", path, json={"text": "new", "at": at})
    orders = [one.order for one in shop.core.submitted]
    assert orders == sorted(orders)
    assert (await shop.call("DELETE", path))[0] == 204
    assert shop.core.submitted[-1] == commands.DeleteTurn("main", "c", "m1")


async def test_resolve_hand_back_and_outcomes_are_commands(shop):
    for name in ("resolve", "handback"):
        assert (await shop.call("POST", f"/v1/conversations/c/{name}"))[0] == 204
    outcome = {"kind": "sale", "amount": 12.5, "currency": "EUR", "id": "o-1"}
    await shop.call("POST", "/v1/conversations/c/outcomes", json=outcome)
    assert shop.core.submitted == [
        commands.ResolveByStore("main", "c"),
        commands.HandBackByStore("main", "c"),
        commands.RecordOutcome("main", "c", "sale", 12.5, "EUR", None, "o-1"),
    ]


@pytest.mark.parametrize(
    ("part", "field"),
    [({"kind": "gift"}, "kind"), ({"amount": "1"}, "amount"), ({"currency": "E"}, "currency")],
)
async def test_a_wrong_outcome_is_422(shop, part, field):
    body = {"kind": "sale", **part}
    status, answer, _ = await shop.call("POST", "/v1/conversations/c/outcomes", json=body)
    assert (status, answer["error"]["field"]) == (422, field)


async def test_not_a_number_is_not_stored(shop):
    raw = b'{"kind": "sale", "amount": NaN}'
    status, _, _ = await shop.call("POST", "/v1/conversations/c/outcomes", data=raw)
    assert status in (400, 422)
    raw = b'{"conversation_id": "c", "transcript": [], "cart": {"value": Infinity}}'
    status, _, _ = await shop.call("POST", "/v1/escalations", data=raw)
    assert status in (400, 422)
    assert shop.core.submitted == []


async def test_a_conversation_is_given_with_its_shoppers_entries_only(shop):
    number = shop.core.begin()
    shop.core.say(number, "hello")
    shop.core.say(number, "between us", kind=Kind.ASIDE, audience=Audience.TEAM)
    shop.core.say(number, "there")
    status, body, _ = await shop.call("GET", "/v1/conversations/c-1?after=1&limit=5")
    assert status == 200
    assert [entry["text"] for entry in body["entries"]] == ["there"]


async def test_another_stores_conversation_is_404(shop):
    shop.core.begin(store="other")
    status, body, _ = await shop.call("GET", "/v1/conversations/c-1")
    assert (status, body["error"]["code"]) == (404, "not_found")


async def test_the_list_goes_on_behind_its_cursor(shop):
    for name in ("c-1", "c-2", "c-3"):
        shop.core.begin(name)
    seen, cursor = [], ""
    while cursor is not None:
        _, body, _ = await shop.call("GET", f"/v1/conversations?limit=2&cursor={cursor}")
        seen += [one["id"] for one in body["conversations"]]
        cursor = body["cursor"]
    assert seen == ["c-3", "c-2", "c-1"]


async def test_the_list_knows_stage_and_owners_by_name(shop):
    first, second = shop.core.begin("c-1"), shop.core.begin("c-2")
    shop.core.operators[5] = Operator(5, "slack", "U5", "Maya Rao", "Maya")
    shop.core.all[first].stage, shop.core.all[first].owner_id = Stage.ACTIVE, 5
    shop.core.all[second].stage = Stage.WAITING
    for query, expected in (("owner=maya%20rao", ["c-1"]), ("owner=nobody", []), ("stage=waiting", ["c-2"])):
        _, body, _ = await shop.call("GET", f"/v1/conversations?{query}")
        assert [one["id"] for one in body["conversations"]] == expected


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=501", "stage=lost", "team=none", "cursor=%21%21", "cursor=AAAA"]
)
async def test_a_wrong_query_is_422_and_names_the_parameter(shop, query):
    status, body, _ = await shop.call("GET", f"/v1/conversations?{query}")
    assert (status, body["error"]["field"]) == (422, query.partition("=")[0])


async def test_a_widget_token_carries_what_the_core_said(shop):
    shop.core.answers["IssueToken"] = {"shopper_id": "s-77", "conversation_id": "c-9"}
    status, body, _ = await shop.call("POST", "/v1/widget-tokens", json={"shopper": {"id": "s-77"}})
    assert (status, body["conversation_id"]) == (200, "c-9")
    assert shop.adapter.tokens.read(body["token"]) == commands.Window("main", "s-77", "c-9")
    assert body["expires_at"] == "2027-01-15T09:00:00.000Z"


async def test_a_widget_token_needs_a_shopper(shop):
    status, body, _ = await shop.call("POST", "/v1/widget-tokens", json={})
    assert (status, body["error"]["field"]) == (422, "shopper")


@pytest.mark.parametrize("path", ["/v1/nothing", "/widget/v1/nothing", "/v1", "/nowhere"])
async def test_an_unknown_route_is_a_404_in_json(shop, path):
    status, body, _ = await shop.call("GET", path)
    assert (status, body["error"]["code"]) == (404, "not_found")


async def test_a_wrong_method_is_405_and_says_which_are_allowed(shop):
    status, body, headers = await shop.call("GET", "/v1/escalations")
    assert (status, body["error"]["code"], headers["Allow"]) == (405, "method_not_allowed", "POST")


async def test_an_overlong_id_in_the_path_is_422(shop):
    status, body, _ = await shop.call("POST", f"/v1/conversations/{'x' * 201}/resolve")
    assert (status, body["error"]["field"]) == (422, "id")

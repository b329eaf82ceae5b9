"""A request becomes a command, a view becomes an answer."""

import json
from dataclasses import replace
from typing import Any

import pytest
from console_stub import ADMIN, Console

from bot import commands
from bot.conversation import Stage
from bot.entries import Author, Kind
from bot.errors import AlreadyClaimed, Busy
from bot.people import Actor, Role
from bot.posts import Action
from bot.settings import TeamPolicy

CASES = "/console/api/conversations"
MAYA = Actor("console", "maya", "Maya", Role.LEAD)


@pytest.mark.parametrize(
    ("verb", "stage", "command"),
    [
        ("claim", Stage.WAITING, commands.Claim),
        ("release", Stage.ACTIVE, commands.Release),
        ("handback", Stage.ACTIVE, commands.HandBack),
        ("resolve", Stage.ACTIVE, commands.Resolve),
    ],
)
async def test_each_verb_is_its_command_and_answers_the_case(
    console: Console, verb: str, stage: Stage, command: Any
) -> None:
    console.world.add_case(7, stage)
    status, answer = await console.call("POST", f"{CASES}/7/{verb}", {"operator": "Maya"})
    assert status == 200
    assert console.bus.asked == [command(7, MAYA)]
    assert (answer["number"], answer["stage"]) == (7, str(console.world.cases[7].stage))


async def test_a_lost_claim_is_told_as_the_core_tells_it(console: Console) -> None:
    console.bus.refusal = AlreadyClaimed("Ravi claimed this just now.", owner="Ravi")
    status, answer = await console.call("POST", f"{CASES}/1042/claim", {"operator": "Maya"})
    assert (status, answer["error"]["code"]) == (409, "already_claimed")
    assert "Ravi" in answer["error"]["message"]


async def test_busy_is_passed_on(console: Console) -> None:
    console.bus.refusal = Busy(1)
    assert (await console.call("POST", f"{CASES}/1042/claim", {"operator": "Maya"}))[0] == 503


async def test_a_message_keeps_its_own_id_so_that_a_retry_counts_once(console: Console) -> None:
    await console.call("POST", f"{CASES}/1042/claim", {"operator": "Maya"})
    body = {"operator": "Maya", "text": "Hello", "id": "m-1"}
    for _ in range(2):
        status, answer = await console.call("POST", f"{CASES}/1042/messages", body)
        assert status == 200
    assert console.asked(commands.OperatorWrites) == [commands.OperatorWrites(1042, MAYA, "Hello", "m-1")] * 2
    assert [entry["id"] for entry in answer["entries"] if entry["text"] == "Hello"] == ["m-1"]


async def test_a_message_without_an_id_gets_one_of_its_own(console: Console) -> None:
    for _ in range(2):
        await console.call("POST", f"{CASES}/1042/messages", {"operator": "Maya", "text": "Hello"})
    assert len({command.id for command in console.asked(commands.OperatorWrites)}) == 2


async def test_an_offer_is_its_aside_and_action(console: Console) -> None:
    console.world.say(1042, Author.OPERATOR, "note: hm", Kind.ASIDE)
    body = {"operator": "Maya", "action": "claim_and_send"}
    await console.call("POST", f"{CASES}/1042/asides/1", body)
    assert console.bus.asked == [commands.SendAside(1042, 1, Action.CLAIM_AND_SEND, MAYA)]


@pytest.mark.parametrize("action", ["claim", "resolve", "nonsense", None])
async def test_only_actions_that_send_belong_to_an_aside(console: Console, action: str | None) -> None:
    status, answer = await console.call(
        "POST", f"{CASES}/1042/asides/1", {"operator": "Maya", "action": action}
    )
    assert (status, answer["error"]["field"]) == (422, "action")


async def test_a_case_is_assigned_to_a_colleague_of_its_team_by_name(console: Console) -> None:
    console.world.operator(Actor("slack", "U1", "Ravi Shah", Role.OPERATOR))
    await console.call("POST", f"{CASES}/1042/assign", {"operator": "Maya", "to": "ravi shah"})
    assert console.bus.asked == [
        commands.Assign(1042, MAYA, Actor("slack", "U1", "Ravi Shah", Role.OPERATOR, called="Ravi"))
    ]


async def test_a_case_is_assigned_to_oneself_or_to_a_newcomer(console: Console) -> None:
    await console.call("POST", f"{CASES}/1042/assign", {"operator": "Maya", "to": "maya"})
    await console.call("POST", f"{CASES}/1042/assign", {"operator": "Maya", "to": "Ana Lee"})
    newcomer = Actor("console", "ana-lee", "Ana Lee", Role.OPERATOR)
    assert [command.to for command in console.bus.asked] == [MAYA, newcomer]


async def test_a_case_of_a_team_elsewhere_is_given_to_nobody_whom_it_does_not_have(console: Console) -> None:
    """A name that nobody has would take the case away from everybody."""
    console.world.settings = replace(
        console.world.settings, teams={"support": TeamPolicy("support", "slack", "C1")}
    )
    console.world.operator(Actor("slack", "U1", "Ravi Shah", Role.OPERATOR))
    body = {"operator": "Maya", "to": "Ana Lee"}
    status, answer = await console.call("POST", f"{CASES}/1042/assign", body)
    assert (status, answer["error"]["field"]) == (404, "to")
    assert "There is Ravi Shah." in answer["error"]["message"]
    assert console.asked(commands.Assign) == []


async def test_what_is_held_is_taken_back_by_its_own_id(console: Console) -> None:
    await console.call("POST", f"{CASES}/1042/messages/m-1.2:3/withdraw", {"operator": "Maya"})
    assert console.bus.asked == [commands.TakeBack(1042, MAYA, "m-1.2:3")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "  \n "}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x", "id": "has space"}, "id"),
        ({"text": "x", "id": "i" * 65}, "id"),
        ({}, "text"),
        ([], None),
    ],
)
async def test_a_body_of_another_shape_is_refused_by_field(
    console: Console, body: Any, field: str | None
) -> None:
    given = {"operator": "Maya", **body} if isinstance(body, dict) else body
    status, answer = await console.call("POST", f"{CASES}/1042/messages", given)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (422, "invalid", field)
    assert console.bus.asked == []


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"not json", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b'{"operator": "Maya"}', "text/plain", 415),
        (b"operator=Maya", "application/x-www-form-urlencoded", 415),
        (json.dumps({"operator": "Maya", "x": "y" * 40_000}).encode(), "application/json", 413),
    ],
)
async def test_only_json_of_a_bearable_size_is_read(
    console: Console, data: bytes, kind: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind}
    async with console.http.post(f"{console.url}{CASES}/1042/claim", data=data, headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]["message"]


async def test_the_list_is_the_queue_in_its_order_then_the_newest_changes(console: Console) -> None:
    world = console.world
    world.add_case(1, Stage.RESOLVED, updated_at=world.now - 500)
    world.add_case(2, Stage.OPEN, updated_at=world.now - 10)
    world.add_case(3, waiting_since=world.now - 5)
    world.add_case(4, waiting_since=world.now - 1, priority="high")
    _, answer = await console.call("GET", CASES)
    assert [row["number"] for row in answer["conversations"]] == [4, 1042, 3, 2, 1]
    assert answer["counts"] == {"open": 1, "waiting": 3, "active": 0, "resolved": 1}
    assert answer["conversations"][0]["position"] == 1


async def test_the_list_can_be_narrowed_and_searched(console: Console) -> None:
    console.world.add_case(1, Stage.RESOLVED, name="Jonas Weber")

    async def numbers(query: str) -> list[int]:
        return [row["number"] for row in (await console.call("GET", f"{CASES}?{query}"))[1]["conversations"]]

    assert await numbers("stage=resolved") == [1]
    assert await numbers("team=nobody") == []
    assert await numbers("q=weber") == [1]
    assert await numbers("q=refund%20sarah") == [1042]
    assert await numbers("q=%231042") == [1042]
    assert await numbers("q=nothing") == []
    assert (await console.call("GET", f"{CASES}?stage=lost"))[0] == 422


async def test_older_cases_come_page_by_page_and_each_once(console: Console) -> None:
    for number in range(1, 121):
        console.world.add_case(number, Stage.RESOLVED, updated_at=console.world.now - 1000 + number)
    found: list[int] = []
    cursor = ""
    while True:
        _, answer = await console.call("GET", f"{CASES}?cursor={cursor}")
        found += [row["number"] for row in answer["conversations"]]
        cursor = answer["cursor"]
        if cursor is None:
            break
    assert sorted(found) == [*range(1, 121), 1042]
    assert (await console.call("GET", f"{CASES}?cursor=nonsense"))[0] == 422


async def test_a_case_shows_what_only_the_team_may_see(console: Console) -> None:
    console.world.say(1042, Author.SHOPPER, "Hi")
    console.world.say(1042, Author.OPERATOR, "note: careful", Kind.ASIDE, data={"offer": "send"})
    status, case = await console.call("GET", f"{CASES}/1042")
    assert status == 200
    assert [(entry["kind"], entry["audience"]) for entry in case["entries"]] == [
        ("message", "shopper"),
        ("aside", "team"),
    ]
    assert case["entries"][1]["data"] == {"offer": "send"}
    assert case["packet"] == {"issue": "Refund for #4521"}
    assert case["now"] == console.world.now


async def test_an_unknown_case_is_not_found(console: Console) -> None:
    status, answer = await console.call("GET", f"{CASES}/9")
    assert (status, answer["error"]["code"]) == (404, "not_found")


async def test_logs_hold_neither_tokens_nor_texts(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="adapters")
    token = await console.sign_in()
    await console.call("POST", f"{CASES}/1042/messages", {"text": "a secret of Sarah's"}, token)
    assert token not in caplog.text
    assert ADMIN not in caplog.text
    assert "secret of Sarah" not in caplog.text

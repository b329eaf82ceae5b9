"""What the doctor finds, against a Slack that has exactly that wrong."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.directory import Directory
from adapters.slack.doctor import Doctor, verify
from adapters.slack.manifest import SCOPES
from bot.__main__ import main
from bot.checkup import Finding, Grade
from bot.settings import Slack, TeamPolicy, Timing
from tests.adapters.slack.desk import Desk
from tests.fakes.slack import FakeSlack, Fault

TEAM = TeamPolicy("support", "slack", "#support")


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
def room(slack: FakeSlack) -> str:
    people = [
        slack.add_user("dana miller"),
        slack.add_user("lena lead", admin=True),
        slack.add_user("gus", guest=True),
    ]
    return slack.add_channel("support", people)


async def examined(slack: FakeSlack, team: TeamPolicy = TEAM, **changes: Any) -> list[Finding]:
    tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "signing_secret": ""}
    tokens |= {key: changes.pop(key) for key in list(changes) if key in tokens}
    settings = Slack(api_url=slack.api_url, limits=False, **tokens)
    patience = changes.pop("patience", 5.0)
    return await Doctor(settings, Timing(), [team], patience=patience, **changes).examine()


def said(findings: list[Finding], grade: Grade) -> str:
    return "\n".join(one.text for one in findings if one.grade is grade)


async def test_a_sound_set_up_has_no_problem_and_names_who_counts(slack: FakeSlack, room: str) -> None:
    findings = await examined(slack)
    assert said(findings, Grade.PROBLEM) == ""
    fine = said(findings, Grade.OK)
    assert "Leads: Lena Lead. Operators: Dana Miller." in fine
    assert "Posting, threading, reacting and deleting work." in fine
    assert "The round trip works" in fine


async def test_it_leaves_nothing_behind(slack: FakeSlack, room: str) -> None:
    await examined(slack)
    assert slack.messages(room) == []


@pytest.mark.parametrize("step", ["chat.postMessage", "reactions.add", "chat.delete"])
async def test_a_step_that_fails_is_named_with_the_cure(slack: FakeSlack, room: str, step: str) -> None:
    slack.faults.add(step, Fault.error("missing_scope"), times=1)
    problems = said(await examined(slack), Grade.PROBLEM)
    assert "missing_scope" in problems
    assert "reinstall" in problems
    assert slack.messages(room) == []


async def test_a_thread_that_cannot_be_written_in_is_named(slack: FakeSlack, room: str) -> None:
    slack.faults.add(
        "chat.postMessage", Fault.error("restricted_action"), when=lambda args: bool(args.get("thread_ts"))
    )
    assert "cannot write in a thread" in said(await examined(slack), Grade.PROBLEM)


@pytest.mark.parametrize(
    ("tokens", "variable"),
    [({"bot_token": "xoxb-wrong"}, "SLACK_BOT_TOKEN"), ({"app_token": "xapp-wrong"}, "SLACK_APP_TOKEN")],
)
async def test_a_refused_token_is_named_and_not_repeated(
    slack: FakeSlack, room: str, tokens: dict[str, str], variable: str
) -> None:
    problems = said(await examined(slack, **tokens), Grade.PROBLEM)
    assert variable in problems
    assert "wrong" not in problems


async def test_each_missing_scope_is_named_with_what_fails(
    slack: FakeSlack, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Directory.identity

    async def identity(self: Directory, fresh: bool = False) -> Any:
        return replace(await asked(self, fresh), scopes=frozenset({"chat:write"}))

    monkeypatch.setattr(Directory, "identity", identity)
    problems = said(await examined(slack), Grade.PROBLEM)
    for scope, what in SCOPES:
        assert (f"The scope {scope} is missing, so Baton cannot {what}" in problems) == (
            scope != "chat:write"
        )


async def test_an_absent_bot_an_archived_and_an_unknown_channel_are_named(slack: FakeSlack) -> None:
    room = slack.add_channel("support", bot=False)
    assert "/invite @Baton" in said(await examined(slack), Grade.PROBLEM)
    await slack.archive(room)
    assert "archived" in said(await examined(slack), Grade.PROBLEM)
    other = replace(TEAM, channel="#nowhere")
    assert "no channel #nowhere" in said(await examined(slack, other), Grade.PROBLEM)


async def test_events_that_do_not_come_are_noticed(slack: FakeSlack, room: str) -> None:
    slack.gateway.silent = True
    problems = said(await examined(slack, patience=1.0), Grade.PROBLEM)
    assert "replies would not arrive" in problems or "SLACK_APP_TOKEN" in problems


async def test_beside_a_running_baton_no_events_are_taken_from_it(slack: FakeSlack, room: str) -> None:
    findings = await examined(slack, running=True)
    assert slack.connections == 0
    assert said(findings, Grade.PROBLEM) == ""
    assert "A Baton runs here" in said(findings, Grade.UNKNOWN)


async def test_other_peoples_events_are_left_to_baton(slack: FakeSlack, room: str) -> None:
    """They are not acknowledged, so that Slack sends them again."""
    slack.faults.add("reactions.add", Fault.latency(0.3))
    person = next(one for one in slack.world.users.values() if one.name == "dana miller")
    slack.retry_delays = ()

    async def write() -> str:
        await slack.wait_for(lambda: slack.connections)
        return await slack.post(person.id, room, "hello")

    writing = asyncio.create_task(write())
    await examined(slack)
    delivery = slack.delivery_of(await writing)
    assert not delivery.acked


async def test_a_team_without_people_or_leads_is_named(slack: FakeSlack) -> None:
    slack.add_channel("support", [slack.add_user("gus", guest=True)])
    assert "Nobody is in the team support" in said(await examined(slack), Grade.PROBLEM)


async def test_nobody_who_leads_is_said(slack: FakeSlack) -> None:
    slack.add_channel("support", [slack.add_user("dana")])
    assert "Nobody leads the team" in said(await examined(slack), Grade.UNKNOWN)


async def test_a_user_group_that_is_not_there_is_named(slack: FakeSlack, room: str) -> None:
    team = replace(TEAM, group="@care")
    assert "no user group @care" in said(await examined(slack, team), Grade.PROBLEM)
    slack.add_usergroup("care", [next(iter(slack.world.channels[room].members[1:]))])
    findings = await examined(slack, team)
    assert said(findings, Grade.PROBLEM) == ""
    assert "Operators: Dana Miller." in said(findings, Grade.OK)


async def test_over_http_the_address_must_be_public_and_events_cannot_be_tried(
    slack: FakeSlack, room: str
) -> None:
    findings = await examined(slack, app_token="", signing_secret="s", public_url="http://127.0.0.1:1")
    assert "BATON_PUBLIC_URL" in said(findings, Grade.PROBLEM)
    assert "Slack sends them to Baton's address" in said(findings, Grade.UNKNOWN)


@pytest.mark.transport("http")
async def test_our_address_answers_as_slack_wants_it_to(desk: Desk) -> None:
    assert await verify(desk.url, desk.slack.signing_secret, 5.0) is None
    assert "another SLACK_SIGNING_SECRET" in str(await verify(desk.url, "another", 5.0))
    assert "something else than Baton" in str(
        await verify(desk.url.replace("/slack/events", "/healthz"), "s", 5.0)
    )
    assert "cannot be reached" in str(await verify("http://127.0.0.1:9/slack/events", "s", 5.0))


def test_the_command_line_says_all_of_it_and_fails_when_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in [one for one in os.environ if one.startswith(("SLACK_", "BATON_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.__main__.logs.configure", lambda _: None)  # the handlers would outlive this test
    monkeypatch.setenv("BATON_SECRET", "s" * 32)
    assert main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert {(one["about"], one["grade"]) for one in told["findings"]} >= {("console", "problem")}
    monkeypatch.setenv("BATON_API_KEY", "k")
    monkeypatch.setenv("BATON_ADMIN_TOKEN", "t")
    assert main(["doctor"]) == 0
    assert "Everything that could be tried works." in capsys.readouterr().out


async def test_an_entry_of_the_policy_that_means_nobody_is_named_with_the_id_that_may_be_meant(
    slack: FakeSlack, room: str
) -> None:
    dana = next(one for one in slack.world.users.values() if one.name == "dana miller")
    dana.display = "boss"
    team = replace(TEAM, leads=("@boss", "@lena lead"), operators=("@dana miller",))
    problems = said(await examined(slack, team), Grade.PROBLEM)
    assert (
        f"names @boss, which is nobody's id or handle there, so it counts for nothing; if {dana.id}"
        in problems
    )
    assert "@lena lead" not in problems
    assert "@dana miller" not in problems

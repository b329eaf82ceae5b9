"""What the doctor finds, against a Discord that has exactly that wrong."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.discord.doctor import THREAD, Doctor
from adapters.discord.manifest import WANTED
from adapters.discord.permissions import NEEDED
from bot.checkup import Finding, Grade
from bot.settings import Discord, TeamPolicy, Timing, load
from bot.wiring import examine
from tests.fakes.discord import FakeDiscord, Fault

TEAM = TeamPolicy("support", "discord", "#support")
FAST = Timing(call_timeout=2.0)


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as discord:
        yield discord


@pytest.fixture
def room(discord: FakeDiscord) -> str:
    people = [
        discord.add_user("dana", nick="Dana Miller"),
        discord.add_user("lena", nick="Lena Lead", lead=True),
    ]
    return discord.add_channel("support", people)


async def examined(discord: FakeDiscord, team: TeamPolicy = TEAM, **changes: Any) -> list[Finding]:
    patience = changes.pop("patience", 5.0)
    settings = Discord(discord.token, discord.guild_id, discord.api_url, discord.gateway_url)
    return await Doctor(replace(settings, **changes), FAST, [team], patience=patience).examine()


def said(findings: list[Finding], grade: Grade) -> str:
    return "\n".join(one.text for one in findings if one.grade is grade)


async def test_a_sound_set_up_has_no_problem_and_names_who_counts(discord: FakeDiscord, room: str) -> None:
    findings = await examined(discord)
    assert said(findings, Grade.PROBLEM) == ""
    fine = said(findings, Grade.OK)
    assert "Leads: Lena Lead. Operators: Dana Miller." in fine
    assert "Posting, threading, reacting, reading back and deleting work." in fine
    assert "The round trip works" in fine
    assert said(findings, Grade.UNKNOWN) == ""


async def test_nothing_of_the_trial_is_left(discord: FakeDiscord, room: str) -> None:
    await examined(discord)
    assert discord.messages(room) == []
    assert discord.threads(room) == []


async def test_without_manage_threads_the_trials_thread_is_archived_and_said(
    discord: FakeDiscord, room: str
) -> None:
    discord.revoke("manage_threads")
    findings = await examined(discord)
    assert "stays in the archive" in said(findings, Grade.OK)
    assert [(one.name, one.archived) for one in discord.threads(room)] == [(THREAD, True)]


async def test_a_refused_token_is_all_that_is_said(discord: FakeDiscord, room: str) -> None:
    findings = await examined(discord, token="no.such.token")
    assert len(findings) == 1
    assert "Discord refuses DISCORD_TOKEN" in findings[0].text


async def test_a_server_that_baton_is_not_in(discord: FakeDiscord, room: str) -> None:
    await discord.kick_bot()
    findings = await examined(discord)
    assert "Baton is not in the Discord server" in said(findings, Grade.PROBLEM)


@pytest.mark.parametrize(
    ("intent", "grade", "words"),
    [
        ("message_content", Grade.PROBLEM, "Message Content intent is off"),
        ("members", Grade.PROBLEM, "Server Members intent is off"),
        ("presences", Grade.UNKNOWN, "Presence Intent is off"),
    ],
)
async def test_an_intent_that_is_off(
    discord: FakeDiscord, room: str, intent: str, grade: Grade, words: str
) -> None:
    discord.privileged_intents = set(discord.privileged_intents) - {intent}
    assert words in said(await examined(discord), grade)


@pytest.mark.parametrize("permission", sorted(NEEDED))
async def test_each_permission_that_is_missing_is_named(
    discord: FakeDiscord, room: str, permission: str
) -> None:
    discord.revoke(permission, channel=room)
    problems = said(await examined(discord), Grade.PROBLEM)
    assert (NEEDED[permission][0] in problems) or (
        permission == "view_channel" and "can see no channel" in problems
    )


@pytest.mark.parametrize("permission", sorted(WANTED))
async def test_each_permission_that_would_be_good_is_said(
    discord: FakeDiscord, room: str, permission: str
) -> None:
    discord.revoke(permission, channel=room)
    findings = await examined(discord)
    assert said(findings, Grade.PROBLEM) == ""
    assert WANTED[permission][0] in said(findings, Grade.UNKNOWN)


async def test_a_gateway_that_cannot_be_reached(discord: FakeDiscord, room: str) -> None:
    findings = await examined(discord, gateway_url="ws://127.0.0.1:9/", patience=1.0)
    assert "gateway does not greet us" in said(findings, Grade.PROBLEM)
    assert "there is no gateway" in said(findings, Grade.UNKNOWN)


async def test_a_step_that_fails_is_named_and_the_rest_taken_back(discord: FakeDiscord, room: str) -> None:
    discord.faults.add("create_reaction", Fault.error("50013"))
    findings = await examined(discord)
    assert "Baton cannot react there" in said(findings, Grade.PROBLEM)
    assert discord.messages(room) == []


async def test_a_role_that_does_not_exist(discord: FakeDiscord, room: str) -> None:
    findings = await examined(discord, replace(TEAM, group="@nobody"))
    assert "There is no role @nobody" in said(findings, Grade.PROBLEM)


async def test_a_team_that_nobody_leads(discord: FakeDiscord) -> None:
    discord.add_channel("support", [discord.add_user("dana")], private=True)
    assert "Nobody leads the team" in said(await examined(discord), Grade.UNKNOWN)


async def test_doctor_of_everything_looks_at_discord_too(discord: FakeDiscord, room: str) -> None:
    settings = load({
        "BATON_SECRET": "s" * 32, "BATON_API_KEY": "k", "DISCORD_TOKEN": discord.token, "DISCORD_CHANNEL_ID": room,
        "DISCORD_GUILD_ID": discord.guild_id, "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
    })  # fmt: skip
    findings = await examine(settings)
    assert {one.about for one in findings} == {"discord", "discord:support", "console"}
    assert [one.about for one in findings if one.grade is Grade.PROBLEM] == ["console"]


async def test_a_team_in_discord_without_a_token_is_told_so() -> None:
    settings = load({"BATON_SECRET": "s" * 32, "BATON_API_KEY": "k"})
    teams = {"support": replace(settings.teams["support"], chat="discord")}
    findings = await examine(replace(settings, teams=teams))
    assert "DISCORD_TOKEN is not set" in said(findings, Grade.PROBLEM)


async def test_an_entry_that_means_nobody_is_named_with_whom_it_may_mean(
    discord: FakeDiscord, room: str
) -> None:
    named = replace(TEAM, operators=("@Dana Miller", "@lena"))
    problems = said(await examined(discord, named), Grade.PROBLEM)
    assert "@Dana Miller" in problems
    assert "@lena" not in problems

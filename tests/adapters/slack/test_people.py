"""Whom Slack's accounts are in which team."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.slack.outbound import SlackChat
from bot.errors import PlaceFault
from bot.people import Role
from bot.posts import Place
from bot.settings import Slack, TeamPolicy, Timing
from tests.fakes.slack import FakeSlack, Fault

SUPPORT, BILLING = TeamPolicy("support", "slack", "#support"), TeamPolicy("billing", "slack", "#billing")


class Workspace:
    """Dana in #support, Ben in #billing, Lena the admin in both, Gus a guest, Eve in no channel of ours."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.dana, self.ben = slack.add_user("dana"), slack.add_user("ben")
        self.lena, self.gus = slack.add_user("lena", admin=True), slack.add_user("gus", guest=True)
        self.eve = slack.add_user("eve")
        self.support = slack.add_channel("support", [self.dana, self.lena, self.gus])
        self.billing = slack.add_channel("billing", [self.ben, self.lena])
        self.chats: list[SlackChat] = []

    def chat(self, *teams: TeamPolicy) -> SlackChat:
        settings = Slack(self.slack.bot_token, self.slack.app_token, self.slack.api_url, limits=False)
        self.chats.append(SlackChat(settings, Timing(), teams=teams or (SUPPORT, BILLING)))
        return self.chats[-1]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with FakeSlack() as slack:
        workspace = Workspace(slack)
        yield workspace
        for chat in workspace.chats:
            await chat.close()


async def roles(chat: SlackChat, user: str) -> dict[str, str]:
    actor = await chat.directory.actor(user)
    assert actor.standings is not None
    return {one.team: str(one.role) for one in actor.standings}


async def test_everybody_is_in_the_teams_of_their_channels(workspace: Workspace) -> None:
    chat = workspace.chat()
    assert await roles(chat, workspace.dana) == {"support": "operator", "billing": "none"}
    assert await roles(chat, workspace.lena) == {"support": "lead", "billing": "lead"}
    assert await roles(chat, workspace.gus) == {"support": "none", "billing": "none"}
    assert await roles(chat, workspace.eve) == {"support": "none", "billing": "none"}


async def test_whoever_wrote_in_the_channel_is_in_it_although_the_list_is_older(workspace: Workspace) -> None:
    chat = workspace.chat()
    await chat.members("#support")
    workspace.slack.world.channels[workspace.support].members.append(workspace.eve)
    actors = await chat.directory.actors([workspace.eve, workspace.ben], workspace.support)
    assert actors[workspace.eve].in_team("support").role is Role.OPERATOR
    assert actors[workspace.ben].in_team("support").role is Role.NONE


async def test_who_is_asked_about_often_costs_few_calls(workspace: Workspace) -> None:
    chat = workspace.chat()
    for _ in range(20):
        await chat.directory.actors([workspace.ben], workspace.billing)
    assert len(workspace.slack.calls_to("conversations.members")) <= 2
    assert len(workspace.slack.calls_to("users.info")) == 1


async def test_a_team_has_its_group_and_whom_the_policy_names_wherever_they_are(workspace: Workspace) -> None:
    workspace.slack.add_usergroup("care", [workspace.ben])
    team = replace(SUPPORT, group="@care", leads=(workspace.eve,))
    members = await workspace.chat(team).members("#support", team)
    found = {one.actor.id: str(one.actor.role) for one in members if one.actor.role is not Role.NONE}
    assert found == {workspace.ben: "operator", workspace.eve: "lead"}


async def test_a_group_that_cannot_be_read_counts_as_the_channel(workspace: Workspace) -> None:
    workspace.slack.faults.add("usergroups.list", Fault.error("missing_scope"), times=None)
    team = replace(SUPPORT, group="@care")
    chat = workspace.chat(team)
    assert await roles(chat, workspace.dana) == {"support": "operator"}
    assert await roles(chat, workspace.gus) == {"support": "none"}


async def test_nobody_to_be_looked_up_is_not_nobody_there(workspace: Workspace) -> None:
    workspace.slack.faults.add("users.info", Fault.error("missing_scope"), times=None)
    with pytest.raises(PlaceFault):
        await workspace.chat().members("#support", SUPPORT)


async def test_a_click_from_outside_the_team_counts_for_nothing(workspace: Workspace) -> None:
    chat = workspace.chat()
    eve = await chat.directory.member(workspace.support, workspace.eve)
    assert eve.in_team("support").role is Role.NONE
    dana = await chat.directory.member(workspace.support, workspace.dana)
    assert dana.in_team("support").role is Role.OPERATOR


async def test_a_history_says_what_its_writers_are_in_each_team(workspace: Workspace) -> None:
    chat = workspace.chat()
    root = await workspace.slack.post(workspace.dana, workspace.support, "root")
    await workspace.slack.post(workspace.dana, workspace.support, "hello", root)
    (heard,) = await chat.history(Place("slack", workspace.support, root), "")
    assert [one.team for one in heard.extra["actor"]["standings"] if one.role is Role.OPERATOR] == ["support"]


async def test_a_display_name_makes_nobody_a_lead_or_an_operator(workspace: Workspace) -> None:
    """Anybody may call themselves what they like; the handle is the account's."""
    workspace.slack.world.users[workspace.dana].display = "boss"
    chat = workspace.chat(replace(SUPPORT, leads=("@boss",), operators=("@boss",)))
    assert await roles(chat, workspace.dana) == {"support": "none"}
    by_handle = workspace.chat(replace(SUPPORT, leads=("@dana",)))
    assert await roles(by_handle, workspace.dana) == {"support": "lead"}


async def test_entries_that_mean_nobody_are_known_with_who_is_merely_called_so(workspace: Workspace) -> None:
    workspace.slack.world.users[workspace.dana].display = "Boss"
    names = {"@lena": "Lee", "@nobody": "Nob"}
    team = replace(SUPPORT, leads=("@boss", "@lena"), operators=(workspace.ben, "@gus"), names=names)
    found = await workspace.chat(team).directory.unmatched(team)
    assert found == {"@boss": [workspace.dana], "@gus": [], "@nobody": []}


async def test_somebody_of_very_many_teams_is_known_before_slack_gives_up_on_the_click(
    workspace: Workspace,
) -> None:
    teams = [TeamPolicy(f"t{number}", "slack", f"#t{number}") for number in range(60)]
    for team in teams:
        workspace.slack.add_channel(team.name, [workspace.dana])
    workspace.slack.faults.add("conversations.members", Fault.latency(0.1), times=None)
    chat = workspace.chat(*teams)
    async with asyncio.timeout(2.5):
        found = await roles(chat, workspace.dana)
    assert list(found.values()) == ["operator"] * 60


async def test_teams_that_share_a_channel_cost_one_call(workspace: Workspace) -> None:
    chat = workspace.chat(*(replace(SUPPORT, name=f"t{number}") for number in range(8)))
    await roles(chat, workspace.eve)
    assert len(workspace.slack.calls_to("conversations.members")) == 1

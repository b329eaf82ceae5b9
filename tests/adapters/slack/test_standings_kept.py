"""What somebody is in each team is kept for a second: how long a role that was taken away still counts."""

import asyncio
from dataclasses import replace

import pytest

from adapters.slack import directory
from bot.people import Role
from tests.adapters.slack.test_people import BILLING, SUPPORT, Workspace, roles, workspace
from tests.fakes.slack import Fault
from tests.waiting import until

__all__ = ["workspace"]
NOBODY = {"support": "none", "billing": "none"}


def remove(workspace: Workspace, user: str, channel: str) -> None:
    workspace.slack.world.channels[channel].members.remove(user)


async def test_a_role_is_gone_as_soon_as_the_list_of_members_was_read_again(workspace: Workspace) -> None:
    chat = workspace.chat()
    assert (await roles(chat, workspace.dana))["support"] == "operator"
    remove(workspace, workspace.dana, workspace.support)
    await chat.members("#support")
    assert await roles(chat, workspace.dana) == NOBODY


async def test_a_role_by_a_group_is_gone_a_second_after_the_group_may_be_asked_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.slack.add_usergroup("care", [workspace.eve])
    team = replace(SUPPORT, group="@care")
    monkeypatch.setattr(directory, "MEMBERS_SECONDS", 0.0)
    monkeypatch.setattr(directory, "STANDING_SECONDS", 0.2)
    chat = workspace.chat(team)
    assert await roles(chat, workspace.eve) == {"support": "operator"}
    ((_, people),) = workspace.slack.usergroups.values()
    people.clear()
    assert await roles(chat, workspace.eve) == {"support": "operator"}  # kept

    async def is_gone() -> bool:
        return await roles(chat, workspace.eve) == {"support": "none"}

    await until(is_gone, timeout=2)


async def test_a_deactivated_account_is_nobody_once_it_was_asked_about_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = workspace.chat()
    await roles(chat, workspace.dana)
    workspace.slack.world.users[workspace.dana].deleted = True
    monkeypatch.setattr(directory, "PERSON_SECONDS", 0.0)
    monkeypatch.setattr(directory, "PERSON_PACE", 0.0)
    assert await roles(chat, workspace.dana) == NOBODY


async def test_what_was_found_while_the_list_was_read_anew_is_not_kept_longer_than_a_second_in_all(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at one team is done while another's list takes long; meanwhile the first list changes."""
    monkeypatch.setattr(directory, "STANDING_SECONDS", 0.3)
    chat = workspace.chat()
    await chat.members("#support")
    workspace.slack.faults.add("conversations.members", Fault.latency(0.4), times=1)
    slow = asyncio.create_task(roles(chat, workspace.dana))
    await until(lambda: len(workspace.slack.calls_to("conversations.members")) == 2)
    remove(workspace, workspace.dana, workspace.support)
    await chat.members("#support")
    await slow
    assert await roles(chat, workspace.dana) == NOBODY


async def test_a_group_that_two_teams_share_is_waited_for_by_both(workspace: Workspace) -> None:
    """While nobody knows who is in it, the channel's people are not taken for it."""
    workspace.slack.add_usergroup("care", [workspace.eve])
    workspace.slack.faults.add("usergroups.users.list", Fault.latency(0.1), times=None)
    chat = workspace.chat(
        replace(SUPPORT, group="@care"), replace(BILLING, group="@care", channel="#support")
    )
    found = await asyncio.gather(*(roles(chat, workspace.dana) for _ in range(3)))
    assert found == [NOBODY] * 3
    assert len(workspace.slack.calls_to("usergroups.users.list")) == 1


async def test_channels_are_listed_once_for_all_teams(workspace: Workspace) -> None:
    workspace.slack.faults.add("conversations.list", Fault.latency(0.05), times=None)
    chat = workspace.chat()
    actors = await asyncio.gather(*(chat.directory.actor(one) for one in (workspace.dana, workspace.ben)))
    assert [one.highest for one in actors] == [Role.OPERATOR, Role.OPERATOR]
    assert len(workspace.slack.calls_to("conversations.list")) == 1

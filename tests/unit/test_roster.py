"""Who belongs to a team, and as what."""

from typing import Any

import pytest

from bot import roster
from bot.commands import Assign, Claim
from bot.people import Actor, Operator, Role, Standing
from bot.roster import Account, role_of
from bot.settings import TeamPolicy

DANA = Account("U00000DANA", frozenset({"dana", "dana m."}))
LENA = Account("U00000LENA", frozenset({"lena"}), admin=True)
GUEST = Account("U0000GUEST", frozenset({"gus"}), full=False)


def team(**policy: Any) -> TeamPolicy:
    return TeamPolicy("support", "chat", "#support", **policy)


def role(policy: TeamPolicy, account: Account, *, channel: bool = True, group: bool = False) -> Role:
    return role_of(policy, account, in_channel=channel, in_group=group)


def test_without_a_policy_the_channels_full_members_are_operators() -> None:
    assert role(team(), DANA) is Role.OPERATOR
    assert role(team(), DANA, channel=False) is Role.NONE


def test_without_a_policy_the_workspaces_admins_in_the_channel_lead() -> None:
    assert role(team(), LENA) is Role.LEAD
    assert role(team(), LENA, channel=False) is Role.NONE


@pytest.mark.parametrize(
    "policy",
    [team(), team(operators=("@gus",)), team(leads=("U0000GUEST",)), team(group="@care")],
    ids=["channel", "operators", "leads", "group"],
)
def test_guests_and_those_who_left_are_never_operators(policy: TeamPolicy) -> None:
    assert role(policy, GUEST, group=True) is Role.NONE


def test_a_user_group_counts_instead_of_the_channel() -> None:
    assert role(team(group="@care"), DANA) is Role.NONE
    assert role(team(group="@care"), DANA, channel=False, group=True) is Role.OPERATOR


@pytest.mark.parametrize("name", ["U00000DANA", "@dana", "@Dana", "dana"])
def test_a_list_of_operators_counts_instead_of_the_channel(name: str) -> None:
    assert role(team(operators=(name,)), DANA) is Role.OPERATOR
    assert role(team(operators=("@bob",)), DANA) is Role.NONE


def test_with_both_a_list_and_a_group_either_counts() -> None:
    both = team(group="@care", operators=("@dana",))
    assert role(both, DANA) is Role.OPERATOR
    assert role(both, Account("U00000BOB0"), channel=False, group=True) is Role.OPERATOR


def test_named_leads_lead_and_admins_do_not_any_more() -> None:
    named = team(leads=("@dana",))
    assert role(named, DANA) is Role.LEAD
    assert role(named, LENA) is Role.OPERATOR


def test_a_name_that_anybody_can_give_themselves_counts_for_people_of_the_channel_only() -> None:
    assert role(team(leads=("@dana",)), DANA, channel=False) is Role.NONE
    assert role(team(leads=(DANA.id,)), DANA, channel=False) is Role.LEAD


def test_shoppers_read_the_first_name_or_the_policys() -> None:
    policy = team(names={"@dana": "Dee"})
    actor = Actor("chat", DANA.id, "Dana Miller")
    known = roster.with_standings(actor, [roster.standing(policy, DANA, in_channel=True, in_group=False)])
    assert actor.first_name == "Dana"
    assert known.in_team("support").first_name == "Dee"


def test_somebody_is_what_they_are_in_the_team_it_is_about() -> None:
    known = roster.with_standings(
        Actor("chat", "U1", "Dana"), [Standing("support", Role.OPERATOR), Standing("billing", Role.LEAD)]
    )
    assert known.role is Role.LEAD
    assert known.in_team("support").role is Role.OPERATOR
    assert known.in_team("elsewhere").role is Role.NONE


def test_where_the_platform_knows_no_teams_the_role_counts_everywhere() -> None:
    lead = Actor("console", "dana", "Dana", Role.LEAD)
    assert lead.in_team("support") == lead


def test_everybody_in_a_command_stands_as_in_that_team() -> None:
    known = roster.with_standings(Actor("chat", "U1", "Dana"), [Standing("billing", Role.LEAD)])
    assert roster.seen_in("support", Claim(1, known)).actor.role is Role.NONE
    assert roster.seen_in("billing", Assign(1, known, known)).to.role is Role.LEAD


def operator(number: int, name: str, role: Role = Role.OPERATOR) -> Operator:
    return Operator(number, "chat", f"U{number}", name, name, role)


def test_cases_are_shared_out_to_whoever_has_least() -> None:
    anna, ben = operator(1, "Anna"), operator(2, "Ben")
    shares = roster.shared_out([10, 11, 12, 13], [anna, ben], {1: 2})
    assert {number: one.name for number, one in shares.items()} == {
        10: "Ben", 11: "Ben", 12: "Anna", 13: "Ben"
    }  # fmt: skip


def test_a_lead_of_another_team_alone_is_not_called() -> None:
    mine, other = operator(1, "Lea", Role.LEAD), operator(2, "Max", Role.LEAD)
    assert roster.leads(team(leads=("U1",)), [mine, other]) == [mine]
    assert roster.leads(team(), [mine, other, operator(3, "Dana")]) == [mine, other]

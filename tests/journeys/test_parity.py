"""What a team can do is the same on every platform. Each test is a row of the table in docs/operators.md."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journeys.teams import Case, InDiscord, InSlack, Team
from tests.waiting import until

DOCS = Path(__file__).parents[2] / "docs" / "operators.md"


async def test_the_table_in_the_docs_names_every_journey_once() -> None:
    table = [line for line in DOCS.read_text().splitlines() if line.startswith("| ") and line.endswith("` |")]
    named = [line.rsplit("`", 2)[1] for line in table]
    made = [name for name in globals() if name.startswith("test_") and "_in_the_docs_" not in name]
    assert sorted(named) == sorted(name.removeprefix("test_") for name in made)


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["slack", "discord"])
async def team(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Team]:
    """One house for all these journeys: each has a case of its own."""
    folder: Path = tmp_path_factory.mktemp("parity")
    made: Team = (InSlack if request.param == "slack" else InDiscord)(f"sqlite:///{folder}/baton.db")
    await made.start()
    yield made
    await made.stop()


# The card


async def test_a_case_is_claimed_with_one_tap(team: Team) -> None:
    case = await team.case()
    await team.press(team.dana, case, "claim")
    await team.shows(case, "Dana Miller has it")


async def test_a_lost_claim_says_who_was_first(team: Team) -> None:
    case = await team.claimed()
    await team.command(team.bob, f"claim {case.number}")
    await team.told(team.bob, "Dana Miller claimed this")


async def test_a_case_is_released_to_the_queue(team: Team) -> None:
    case = await team.claimed()
    await team.press(team.dana, case, "release")
    await team.shows(case, "Waiting")
    assert (await team.stored(case))["owner"] is None


async def test_a_case_is_handed_back_to_the_assistant(team: Team) -> None:
    case = await team.claimed()
    await team.press(team.dana, case, "handback")
    await until(lambda: is_in(team, case.number, "open"))


async def test_a_case_is_resolved_with_one_tap(team: Team) -> None:
    case = await team.claimed()
    await team.press(team.dana, case, "resolve")
    await team.shows(case, "Resolved")


async def test_a_lead_takes_over_once_they_have_said_that_they_mean_it(team: Team) -> None:
    case = await team.claimed()
    await team.command(team.lena, f"claim {case.number}")
    await team.told(team.lena, "Dana Miller claimed this")
    await team.act(team.lena, "step_in", case)
    await team.shows(case, "Lena Lead has it")


# Forms


async def test_a_lead_assigns_somebody_from_a_list_with_loads(team: Team) -> None:
    case = await team.case()
    await team.form(team.lena, case, "assign", operator="Bob Ray")
    await team.shows(case, "Bob Ray has it")


async def test_a_case_is_moved_to_another_team(team: Team) -> None:
    case = await team.claimed()
    await team.form(team.dana, case, "move", team="billing")
    await team.shows(case, "billing")
    assert (await team.stored(case))["team"] == "billing"


async def test_a_priority_is_set(team: Team) -> None:
    case = await team.claimed(priority="normal")
    await team.form(team.dana, case, "priority", priority="Urgent")
    await team.shows(case, "urgent")


async def test_a_case_is_snoozed(team: Team) -> None:
    case = await team.claimed()
    await team.form(team.dana, case, "snooze", time="2h")
    await team.shows(case, "Snoozed")


async def test_a_wrong_time_is_said_and_changes_nothing(team: Team) -> None:
    case = await team.claimed()
    await team.form(team.dana, case, "snooze", time="whenever it suits")
    await team.told(team.dana, "whenever it suits")
    assert "Snoozed" not in team.card(case)


async def test_a_case_is_tagged(team: Team) -> None:
    case = await team.claimed()
    await team.form(team.dana, case, "tag", new="damaged, lamp")
    await team.shows(case, "#damaged")


async def test_a_note_stays_in_the_team(team: Team) -> None:
    case = await team.claimed()
    await team.form(team.dana, case, "note", text="She sent a photo by mail.")
    await team.says(case, "She sent a photo by mail.")
    assert all(
        one.get("audience") != "shopper"
        for one in (await team.stored(case))["entries"]
        if "photo" in str(one)
    )


async def test_an_outcome_is_recorded(team: Team) -> None:
    case = await team.claimed()
    await team.press(team.dana, case, "resolve")
    await team.shows(case, "Resolved")
    await team.form(team.dana, case, "outcome", kind="Sale", amount="129", currency="EUR")
    await team.shows(case, "129")


async def test_a_saved_reply_is_picked_read_over_and_sent(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    await team.reply(team.dana, case, "On its way", "Hi Sarah, it ships today.", "Hi Sarah, it ships today!")
    await live.shows("Hi Sarah, it ships today!")


# Relay


async def test_what_the_owner_writes_reaches_the_shopper_and_what_the_shopper_writes_the_thread(
    team: Team,
) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    await team.write(team.dana, case, "I'll look into it")
    await live.shows("I'll look into it")
    await team.shopper_writes(case, "thank you so much")
    await team.says(case, "thank you so much")


async def test_an_edit_and_a_delete_reach_the_shopper(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    message = await team.write(team.dana, case, "It ships on Mondey")
    first = await live.shows("It ships on Mondey")
    await team.edit(case, message, "It ships on Monday")
    await until(lambda: reads(team, case, first["seq"], "It ships on Monday"))
    await team.delete(case, message)
    await until(lambda: reads(team, case, first["seq"], None))


async def test_an_operator_sees_what_became_of_their_message(team: Team) -> None:
    case = await team.claimed()
    message = await team.write(team.dana, case, "Is it still broken?")
    await team.marked(case, message)


async def test_a_new_case_calls_those_who_are_there(team: Team) -> None:
    case = await team.case()
    assert team.mention(team.lena) in team.card(case)


async def test_what_the_platform_refused_is_tried_again_with_one_tap(team: Team) -> None:
    case = await team.claimed()
    team.refuse("a very long story")
    await team.shopper_writes(case, "a very long story")
    await team.offered(team.dana, case, "retry")
    await team.says(case, "a very long story")


async def test_an_offer_claims_and_sends(team: Team) -> None:
    case = await team.case()
    live = await team.stream(case)
    await team.write(team.dana, case, "It is on its way")
    await team.offered(team.dana, case, "claim_and_send")
    await live.shows("It is on its way")
    await team.shows(case, "Dana Miller has it")


async def test_an_offer_sends_a_colleagues_words_as_the_owner(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    await team.write(team.bob, case, "It ships on Monday")
    await team.offered(team.dana, case, "send_as_me")
    assert (await live.shows("It ships on Monday"))["name"] == "Dana"


async def test_an_offer_lets_the_owners_own_aside_leave(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    await team.write(team.dana, case, "// It ships on Tuesday")
    await team.offered(team.dana, case, "send")
    await live.shows("It ships on Tuesday")


async def test_an_offer_lets_a_lead_take_over_and_send(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    await team.write(team.lena, case, "I take care of this")
    await team.offered(team.lena, case, "take_over")
    await live.shows("I take care of this")


async def test_an_offer_reopens_and_sends(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    await team.press(team.dana, case, "resolve")
    await team.shows(case, "Resolved")
    await team.write(team.dana, case, "One more thing")
    await team.offered(team.dana, case, "reopen_and_send")
    await live.shows("One more thing")


async def test_a_message_is_sent_by_pointing_at_it_once(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    message = await team.write(team.dana, case, "// It ships on Friday")
    await team.send_to_shopper(team.dana, case, message)
    await live.shows("It ships on Friday")
    await team.send_to_shopper(team.dana, case, message)
    await team.told(team.dana, "already")
    assert live.said().count("It ships on Friday") == 1


# Verbs


async def test_a_verb_in_the_thread_needs_no_number(team: Team) -> None:
    case = await team.case()
    await team.verb(team.dana, case, "claim")
    await team.shows(case, "Dana Miller has it")
    await team.verb(team.dana, case, f"assign {team.mention(team.bob)}")
    await team.shows(case, "Bob Ray has it")


async def test_a_misspelt_verb_is_answered_with_what_was_meant_and_never_relayed(team: Team) -> None:
    case = await team.claimed()
    live = await team.stream(case)
    await team.verb(team.dana, case, "asign the refund to me please")
    await team.told(team.dana, "Did you mean")
    await team.write(team.dana, case, "Hello Sarah")
    await live.shows("Hello Sarah")
    assert live.said() == ["Hello Sarah"]


async def test_every_verb_works_as_a_command_with_its_number(team: Team) -> None:
    case = await team.case()
    for words, part in (
        (f"assign {case.number} {team.mention(team.bob)}", "Bob Ray has it"),
        (f"release {case.number}", "Waiting"),
        (f"claim {case.number}", "Lena Lead has it"),
        (f"priority {case.number} urgent", "urgent"),
        (f"tag {case.number} fragile", "#fragile"),
        (f"snooze {case.number} 2h", "Snoozed"),
        (f"resolve {case.number} sale", "Resolved by Lena Lead"),
    ):
        await team.command(team.lena, words)
        await team.shows(case, part)


async def test_a_lead_only_verb_is_refused_with_who_may(team: Team) -> None:
    case = await team.claimed()
    await team.command(team.bob, f"takeover {case.number}")
    await team.told(team.bob, "Dana Miller")
    assert "Dana Miller has it" in team.card(case)


# Listings


async def test_the_queue_lists_who_waits_and_a_row_is_claimed(team: Team) -> None:
    case = await team.case(priority="urgent")
    shown = await team.queue(team.dana)
    assert "Unclaimed" in shown
    await team.command(team.dana, f"find {case.number}")
    await team.told(team.dana, f"#{case.number}")
    await team.act(team.dana, "claim", case)
    await team.shows(case, "Dana Miller has it")


async def test_cases_are_found_and_shown(team: Team) -> None:
    case = await team.case()
    await team.command(team.bob, "find sarah@example.com")
    await team.told(team.bob, "found")
    await team.command(team.bob, f"show {case.number}")
    await team.told(team.bob, "The lamp from order #4521 came in two pieces")


async def test_the_days_numbers_and_failures_and_help_are_answered(team: Team) -> None:
    for words, part in (("stats", "Waiting now"), ("failed", "failed"), ("help", "snooze")):
        await team.command(team.bob, words)
        await team.told(team.bob, part)


async def test_who_goes_away_hands_a_case_over_with_one_tap(team: Team) -> None:
    case = await team.case()
    await team.command(team.bob, f"claim {case.number}")
    await team.shows(case, "Bob Ray has it")
    await team.command(team.bob, "away")
    await team.told(team.bob, f"#{case.number}")
    await team.act(team.bob, "hand_over", case)
    await team.shows(case, "Waiting")
    await team.command(team.bob, "back")


async def test_a_brief_s_cases_are_shared_out_by_a_lead_only(team: Team) -> None:
    case = await team.case(priority="urgent")
    await team.brief("2026-01-02")
    await team.share_out(team.dana)
    await team.told(team.dana, "lead")
    await team.share_out(team.lena)
    await until(lambda: is_in(team, case.number, "active"))


# Who may


async def test_a_guest_may_nothing_and_learns_nothing(team: Team) -> None:
    case = await team.case()
    guest = team.guest()
    await team.command(guest, f"claim {case.number}")
    assert "Only members" in await team.told(guest, "o")
    assert "Waiting" in team.card(case)


async def test_two_at_once_claim_once(team: Team) -> None:
    case = await team.case()
    await asyncio.gather(team.press(team.dana, case, "claim"), team.press(team.bob, case, "claim"))
    await team.shows(case, "has it")
    entries = (await team.stored(case))["entries"]
    assert [one["kind"] for one in entries].count("claimed") == 1


async def is_in(team: Team, number: int, stage: str) -> bool:
    _, found = await team.world.as_lead("GET", f"conversations/{number}")
    return bool(found["stage"] == stage)


async def reads(team: Team, case: Case, seq: int, text: str | None) -> bool:
    """Whether the shopper is given that text of an entry now; None: it is taken back."""
    entries = (await team.world.shop.conversation(case.conversation))["entries"]
    found = next(one for one in entries if one["seq"] == seq)
    return (found.get("text") or None) == text

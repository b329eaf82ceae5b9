"""A team without a chat works in the console: the same job, in two browsers."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.world import CONVERSATION, SAID

pytestmark = pytest.mark.usefixtures("chromium")


async def test_a_case_is_claimed_answered_and_resolved_in_the_console(begin) -> None:
    world = await begin(slack=False)
    desk = await world.desk()
    number = (await world.escalate())["number"]
    window = await world.window()
    await desk.open(number)
    await expect(desk.entry(SAID)).to_be_visible()
    await expect(desk.by("packet")).to_contain_text("Refund for order #4521")
    await desk.by("claim").click()
    await window.notices("Maya is here and has read your chat")

    await desk.write("Hi Sarah, it is **refunded**.")
    bubble = (await window.shows("it is refunded", "operator")).locator(".bubble strong")
    await expect(bubble).to_have_text("refunded")
    await window.say("Thank you, that was quick")
    await expect(desk.entry("Thank you, that was quick")).to_be_visible()
    await expect(desk.page.locator("[data-receipt=seen]")).to_be_visible()

    await desk.by("resolve").click()
    await window.notices("marked as resolved")
    await window.say("One more question: does it dim?")
    await window.notices("We've reopened this")
    await desk.by("claim").click()
    await window.notices("Maya is here", times=2)
    await expect(desk.by("handback")).to_be_enabled()
    await desk.by("handback").click()
    await window.notices("back with the assistant")
    assert (await world.shop.turn(CONVERSATION, "assistant", "a10", "It does dim."))[0] == 200
    await window.shows("It does dim.", "assistant")


@pytest.mark.one_way("the page's own doing")
async def test_a_note_in_the_console_stays_inside_until_it_is_sent(begin) -> None:
    world = await begin(slack=False)
    desk = await world.desk()
    await desk.open((await world.escalate())["number"])
    await desk.by("claim").click()
    window = await world.window()
    live = await world.stream()
    await expect(desk.by("composer")).to_be_enabled()
    await desk.write("note: he lies")
    await desk.write("// he cheats")
    await expect(desk.entry("he cheats", "aside")).to_be_visible()
    await desk.write("This one leaves")
    await window.shows("This one leaves")
    assert b"he lies" not in live.raw
    assert b"he cheats" not in live.raw
    await desk.by("offer").click()
    await window.shows("he cheats")
    await expect(desk.by("offer")).to_have_count(0)
    assert "he lies" not in await window.markup()


@pytest.mark.one_way("the page's own doing")
async def test_two_operators_claim_in_the_console_and_one_is_told_who_won(begin) -> None:
    world = await begin(slack=False)
    maya, ravi = await world.desk("Maya Lopez"), await world.desk("Ravi Rao")
    number = (await world.escalate())["number"]
    await maya.open(number)
    await ravi.open(number)
    await maya.by("claim").click()
    await expect(maya.page.locator("#case-line")).to_contain_text("You have this")
    status, refusal = await world.as_lead("POST", f"conversations/{number}/claim", {"operator": "Ravi Rao"})
    assert (status, refusal["error"]["code"]) == (409, "already_claimed")
    assert "Maya Lopez" in refusal["error"]["message"]
    await expect(ravi.page.locator("#case-line")).to_contain_text("Maya Lopez has this")
    await expect(ravi.by("composer")).to_be_disabled()


async def test_the_console_follows_a_case_that_is_worked_on_in_slack(begin) -> None:
    world = await begin()
    thread = await world.open_thread()
    desk = await world.desk()
    await desk.open((await world.case())["number"])
    await thread.claim(world.dana)
    await expect(desk.page.locator("#case-line")).to_contain_text("Dana Miller has this")
    ts = await thread.write(world.dana, "Hello from Slack")
    await thread.write(world.bob, "she is nice")
    await expect(desk.entry("Hello from Slack")).to_be_visible()
    await expect(desk.entry("she is nice", "aside")).to_be_visible()
    await thread.delete(ts)
    await expect(desk.entry("Hello from Slack")).to_have_count(0)
    await expect(desk.page.get_by_text("Dana removed a message")).to_be_visible()


@pytest.mark.one_way("the page's own doing")
async def test_a_lead_takes_over_in_the_console_from_an_operator_in_slack(begin) -> None:
    world = await begin()
    thread = await world.claimed_thread()
    window = await world.window()
    desk = await world.desk()
    await desk.by("tab-active").click()
    await desk.open((await world.case())["number"])
    await desk.by("takeover").click()
    await desk.page.locator("#ask-yes").click()
    await window.notices("Maya is here and has read your chat")
    await desk.write("I am Maya")
    await window.shows("I am Maya", "operator")
    await thread.says("*Maya*  I am Maya")
    await thread.write(world.dana, "he lies")
    await thread.offer("send_as_me")
    assert "he lies" not in await window.markup()


@pytest.mark.one_way("the page's own doing")
async def test_an_operators_half_written_reply_survives_a_reload(begin) -> None:
    world = await begin(slack=False)
    desk = await world.desk()
    await desk.open((await world.escalate())["number"])
    await desk.by("claim").click()
    await expect(desk.by("composer")).to_be_enabled()
    await desk.by("composer").fill("half a sen")
    await desk.page.reload()
    await expect(desk.by("composer")).to_have_value("half a sen")
    await expect(desk.by("me")).to_have_text("Maya Lopez")


@pytest.mark.one_way("the page's own doing")
async def test_hostile_text_of_a_shopper_and_a_store_is_text_in_the_console(begin) -> None:
    world = await begin(slack=False)
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    desk = await world.desk()
    answer = await world.escalate(
        shopper={"id": "s-77", "name": hostile, "tier": hostile, "email": "a@b.example", "locale": "en"},
        category="x",
        page="javascript:alert(3)",
        summary={"issue": hostile, "tried": [hostile], "sentiment": hostile, "suggested_reply": hostile},
        collected={hostile: hostile},
        orders=[{"id": hostile, "status": hostile, "total": 1}],
        transcript=[{"id": "h", "author": "shopper", "text": f"{hostile} [x](javascript:alert(4))"}],
    )
    await desk.open(answer["number"])
    await expect(desk.by("packet")).to_contain_text("<img src=x")
    await desk.by("claim").click()
    await expect(desk.by("composer")).to_be_enabled()
    await desk.write(hostile)
    await expect(desk.entry("alert(1)")).to_have_count(2)
    assert await desk.page.locator("#app img, #app script, #app a[href^=javascript]").count() == 0


@pytest.mark.one_way("the page's own doing")
async def test_a_click_while_a_message_is_on_its_way_is_not_lost(begin) -> None:
    world = await begin(slack=False)
    desk = await world.desk()
    await desk.open((await world.escalate())["number"])
    await desk.by("claim").click()
    window = await world.window()
    await expect(desk.by("composer")).to_be_enabled()
    await desk.write("// keep the old lamp")
    await expect(desk.entry("keep the old lamp", "aside")).to_be_visible()
    held = asyncio.Event()

    async def hold(route: Any) -> None:
        await held.wait()
        await route.continue_()

    await desk.page.route("**/messages", hold)
    await desk.write("It leaves today")
    await desk.by("offer").click()
    held.set()
    await window.shows("It leaves today")
    await window.shows("keep the old lamp")

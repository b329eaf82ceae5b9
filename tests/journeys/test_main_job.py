"""The main job: from the store's assistant to a person in Slack or Discord, to the shopper's screen, and back."""

import re

import pytest
from playwright.async_api import expect

from tests.journeys.world import CONVERSATION, SAID, World

pytestmark = [pytest.mark.usefixtures("chromium"), pytest.mark.everywhere]


async def test_a_shopper_is_passed_to_a_person_and_back(world: World) -> None:
    """The whole of it in one go; the tests below take its steps apart."""
    answer = await world.escalate()
    thread = await world.thread()
    window = await world.window()
    await window.shows(SAID, "shopper")

    await thread.press(world.dana, "claim")
    await window.notices("Dana is here and has read your chat")
    await expect(window.by("header-title")).to_have_text("Dana")

    await thread.write(world.dana, thread.RICH)
    bubble = (await window.shows("it is refunded", "operator")).locator(".bubble")
    await expect(bubble.locator("strong")).to_have_text("refunded")
    await expect(bubble.locator("a")).to_have_attribute("href", "https://shop.example/r")
    await expect(bubble).to_contain_text("🎉")

    await window.say("Thank you, that was quick")
    await thread.hears("Sarah K.", "Thank you, that was quick")

    await thread.press(world.dana, "resolve")
    await window.notices("marked as resolved")
    await window.say("One more question: does it dim?")
    await window.notices("We've reopened this")
    await thread.hears("Sarah K.", "One more question: does it dim?")
    assert len(world.threads()) == 1
    assert f"#{answer['number']}" in thread.card

    await thread.press(world.bob, "claim")
    await window.notices("Bob is here")
    status, refusal = await world.shop.turn(CONVERSATION, "assistant", "a9", "It does.")
    assert (status, refusal["error"]["code"]) == (409, "person_in_control")
    await thread.press(world.bob, "handback")
    await window.notices("back with the assistant")
    assert (await world.shop.turn(CONVERSATION, "assistant", "a10", "It does dim."))[0] == 200
    await window.shows("It does dim.", "assistant")


async def test_the_card_says_number_customer_issue_and_reason_and_can_be_claimed(world: World) -> None:
    answer = await world.escalate()
    thread = await world.thread()
    for words in (
        f"#{answer['number']}",
        "Refund for order #4521",
        "Sarah K.",
        "vip",
        "3 orders",
        "Keyword “refund”",
        "I want my money back",
        "Offered store credit",
        "frustrated",
        "I have approved your refund.",
        "Waiting for a person",
    ):
        assert words in thread.card
    assert thread.buttons()[0] == "claim"


async def test_a_transcript_of_sixty_long_messages_is_in_the_thread_in_order_and_whole(world: World) -> None:
    def text(n: int) -> str:
        return " ".join(f"w{word:05}" for word in range(200 * n, 200 * (n + 1)))

    authors = ("shopper", "assistant")
    turns = [{"id": f"t{n}", "author": authors[n % 2], "text": text(n)} for n in range(60)]
    thread = await world.open_thread(transcript=turns)
    await world.chat.wait_for(lambda: "w11999" in thread.ours)
    assert re.findall(r"w\d{5}", thread.ours) == [f"w{n:05}" for n in range(60 * 200)]


async def test_the_claim_is_seen_on_the_card_with_its_owner(world: World) -> None:
    thread = await world.claimed_thread()
    await world.chat.wait_for(lambda: "Dana Miller has it" in thread.card)
    assert "claim" not in thread.buttons()


async def test_what_a_shopper_writes_while_waiting_reaches_the_thread(world: World) -> None:
    thread = await world.open_thread()
    window = await world.window()
    await window.say("Are you *there*?")
    await thread.hears("Sarah K.", "Are you")
    await window.say("Hello?")
    await thread.hears("Sarah K.", "Hello?")
    assert thread.ours.index("Are you") < thread.ours.index("Hello?")


async def test_a_new_handoff_after_a_hand_back_opens_a_new_thread_with_only_what_is_new(world: World) -> None:
    first = await world.claimed_thread()
    await first.press(world.dana, "handback")
    await world.shop.turn(CONVERSATION, "shopper", "m4", "The lamp flickers as well")
    await world.escalate(transcript=[], summary={"issue": "A flickering lamp"})
    second = await world.thread(1)
    await second.says("The lamp flickers as well")
    assert SAID not in second.ours
    await first.write(world.bob, "an old thread takes notes only")
    await second.claim(world.bob)
    await second.write(world.bob, "Let me look at it")
    await (await world.stream()).shows("Let me look at it")


async def test_a_shoppers_own_words_escalate(world: World) -> None:
    """No escalation by the store: the widget's message matches a rule."""
    window = await world.window()
    await window.say("Can I talk to a real person?")
    await window.notices("We're getting a person to help you")
    thread = await world.thread()
    await thread.says("Can I talk to a real person?")
    assert "Asked for a person" in thread.card

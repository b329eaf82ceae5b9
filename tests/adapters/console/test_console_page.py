"""The page in a real browser: what an operator sees, types and is told."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest
from console_stub import Changed, Console, Start
from playwright.async_api import Browser, Page, async_playwright, expect

from bot import commands
from bot.conversation import Stage
from bot.entries import Author, Kind
from bot.errors import AlreadyClaimed, Busy
from bot.people import Actor, Role

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def demo(start: Start) -> Console:
    """A demo console with #1042 waiting."""
    console = await start(open_on_loopback=True)
    packet = {
        "issue": "Refund for #4521",
        "suggested_reply": "I have approved it.",
        "page": "javascript:alert(1)",
    }
    console.world.add_case(1042, name="Sarah K.", packet=packet)
    console.world.say(1042, Author.SHOPPER, "<img src=x onerror=alert(1)> **Hello** [x](javascript:alert(2))")
    return console


async def enter(browser: Browser, console: Console, name: str = "Maya Rao", width: int = 1280) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 800})
    page.wrong = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.wrong.append(str(error)))  # type: ignore[attr-defined]
    await page.goto(f"{console.url}/console")
    await page.get_by_test_id("operator-name").fill(name)
    await page.get_by_test_id("enter").click()
    await expect(page.get_by_test_id("queue")).to_be_visible()
    return page


async def open_case(page: Page, number: int = 1042) -> None:
    await page.locator(f'[data-testid=case-row][data-number="{number}"]').click()
    await expect(page.get_by_test_id("entry").first).to_be_visible()


async def test_a_case_is_claimed_and_answered_and_what_is_typed_is_text_only(
    browser: Browser, demo: Console
) -> None:
    page = await enter(browser, demo)
    await open_case(page)
    first = page.get_by_test_id("entry").first
    await expect(first).to_contain_text("<img src=x onerror=alert(1)> **Hello** [x]")
    assert await page.locator(".thread img, .thread a, .packet a").count() == 0
    await expect(page.get_by_test_id("composer")).to_be_disabled()

    await page.get_by_test_id("claim").click()
    await expect(page.get_by_test_id("release")).to_be_visible()
    await page.get_by_test_id("use").click()
    await expect(page.get_by_test_id("composer")).to_have_value("I have approved it.")
    await page.get_by_test_id("composer").press("Enter")
    reply = page.locator("[data-testid=entry][data-author=operator][data-kind=message]")
    await expect(reply).to_contain_text("I have approved it.")
    await page.get_by_test_id("composer").fill("// ask finance")
    await expect(page.get_by_test_id("send")).to_have_text("Keep inside")
    await page.get_by_test_id("send").click()
    await page.get_by_test_id("offer").click()
    await expect(page.get_by_test_id("offer")).to_have_count(0)

    maya = Actor("console", "maya-rao", "Maya Rao", Role.LEAD)
    assert commands.Claim(1042, maya) in demo.bus.asked
    assert [command.text for command in demo.asked(commands.OperatorWrites)] == [
        "I have approved it.",
        "// ask finance",
    ]
    assert len(demo.asked(commands.SendAside)) == 1
    assert page.wrong == []  # type: ignore[attr-defined]


async def test_live_changes_keep_what_is_typed_and_where_one_reads(browser: Browser, demo: Console) -> None:
    for number in range(60):
        demo.world.say(1042, Author.SHOPPER, f"line {number}")
    page = await enter(browser, demo)
    await open_case(page)
    await page.get_by_test_id("claim").click()
    await page.get_by_test_id("composer").press_sequentially("half a sen")
    await page.get_by_test_id("thread").evaluate("node => { node.scrollTop = 100; }")
    await asyncio.sleep(0.1)
    demo.world.say(1042, Author.SHOPPER, "the newest")
    demo.world.add_case(1050, name="New Person")
    demo.wakeup.tell(Changed(1042, 1050))
    await expect(page.get_by_text("the newest")).to_have_count(1)
    await expect(page.locator('[data-testid=case-row][data-number="1050"]')).to_be_visible()
    await expect(page).to_have_title("(1) Baton console")
    await expect(page.get_by_test_id("composer")).to_have_value("half a sen")
    await expect(page.get_by_test_id("composer")).to_be_focused()
    assert await page.get_by_test_id("thread").evaluate("node => node.scrollTop") == 100


async def test_a_lost_claim_is_a_toast_and_taken_back(browser: Browser, demo: Console) -> None:
    page = await enter(browser, demo)
    await open_case(page)
    demo.bus.refusal = AlreadyClaimed("Ravi claimed this just now.", owner="Ravi")
    await page.get_by_test_id("claim").click()
    await expect(page.get_by_test_id("toast")).to_contain_text("Ravi claimed this just now.")
    await expect(page.get_by_test_id("composer")).to_be_disabled()


async def test_a_retry_of_a_message_is_the_same_message(browser: Browser, demo: Console) -> None:
    page = await enter(browser, demo)
    await open_case(page)
    await page.get_by_test_id("claim").click()
    await expect(page.get_by_test_id("composer")).to_be_enabled()
    demo.bus.refusal = Busy(1)
    await page.get_by_test_id("composer").fill("once")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.locator("[data-testid=entry][data-author=operator]", has_text="once")).to_have_count(1)
    await expect(page.get_by_test_id("pending")).to_have_count(0)
    assert [command.id for command in demo.asked(commands.OperatorWrites)] == [
        demo.asked(commands.OperatorWrites)[0].id
    ] * 2


async def test_a_colleagues_case_takes_notes_only(browser: Browser, demo: Console) -> None:
    ravi = demo.world.operator(Actor("console", "ravi", "Ravi", Role.OPERATOR))
    demo.world.add_case(7, Stage.ACTIVE, owner_id=ravi.id)
    demo.world.say(7, Author.SHOPPER, "Hi")
    page = await enter(browser, demo)
    await page.get_by_test_id("tab-active").click()
    await open_case(page, 7)
    await expect(page.get_by_test_id("composer")).to_be_disabled()
    await page.get_by_test_id("note").click()
    await page.get_by_test_id("composer").press_sequentially("be kind")
    await page.get_by_test_id("composer").fill("without its marker")
    await expect(page.get_by_test_id("send")).to_be_disabled()
    await page.get_by_test_id("composer").fill("note: be kind")
    await page.get_by_test_id("send").click()
    await expect(page.locator("[data-kind=aside]")).to_contain_text("be kind")
    assert demo.world.entries[7][-1].kind is Kind.ASIDE


@pytest.mark.parametrize("width", [390, 360])
async def test_a_phone_shows_one_view_at_a_time(browser: Browser, demo: Console, width: int) -> None:
    page = await enter(browser, demo, width=width)
    await expect(page.get_by_test_id("thread")).to_be_hidden()
    await open_case(page)
    await expect(page.get_by_test_id("queue")).to_be_hidden()
    await page.get_by_test_id("details").click()
    await expect(page.get_by_test_id("packet")).to_contain_text("Refund for #4521")
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await page.go_back()
    await page.go_back()
    await expect(page.get_by_test_id("queue")).to_be_visible()


async def test_a_link_leaves_the_address_bar_and_its_session_survives_a_reload(
    browser: Browser, start: Start
) -> None:
    console = await start()
    page = await browser.new_page()
    await page.goto(console.adapter.link().replace("https://help.example", console.url))
    await expect(page.get_by_test_id("operator-name")).to_be_visible()
    assert "token" not in page.url
    await page.get_by_test_id("operator-name").fill("Ravi")
    await page.get_by_test_id("enter").click()
    await expect(page.get_by_test_id("me")).to_have_text("Ravi")
    await page.reload()
    await expect(page.get_by_test_id("me")).to_have_text("Ravi")

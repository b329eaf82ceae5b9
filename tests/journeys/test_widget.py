"""The shopper's browser: reloads, tabs, lost answers, restarts, no network, a small screen, a keyboard, bad people."""

import json
import re

import jwt
import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.journeys.world import CONVERSATION, SAID, World

pytestmark = pytest.mark.usefixtures("chromium")

SMALL = {"viewport": {"width": 320, "height": 568}}


@pytest.mark.one_way("the page's own doing")
async def test_a_reload_in_mid_conversation_keeps_everything_once(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    await window.say("before the reload")
    await thread.write(world.dana, "I see")
    await window.shows("I see")
    before = await window.texts()
    await window.by("composer").fill("half a sen")
    await window.page.reload()
    await expect(window.by("composer")).to_have_value("half a sen")
    await window.shows("I see")
    assert await window.texts() == before
    await window.say("after the reload")
    await thread.says("after the reload")
    assert len(await window.texts()) == len(before) + 1


@pytest.mark.one_way("the page's own doing")
async def test_a_second_tab_shows_the_same_and_both_stay_in_step(world: World) -> None:
    thread = await world.claimed_thread()
    first = await world.window()
    await first.say("from the first tab")
    second = await world.window(context=first.context)
    await second.shows("from the first tab")
    await second.say("from the second tab")
    await first.shows("from the second tab")
    await thread.write(world.dana, "Hello, both")
    await first.shows("Hello, both")
    await second.shows("Hello, both")
    assert await first.texts() == await second.texts()


@pytest.mark.parametrize("lost", [1, 3])
async def test_a_message_whose_answer_was_lost_is_there_once(world: World, lost: int) -> None:
    thread = await world.open_thread()
    window = await world.window()
    left = lost

    async def lose(route: Route) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await window.page.route("**/widget/v1/messages", lose)
    await window.say("only once")
    await window.say("then this")
    await thread.says("then this")
    await expect(window.page.locator("[data-testid=message][data-state=pending]")).to_have_count(0)
    assert (await window.texts())[-2:] == ["only once", "then this"]
    assert thread.ours.count("only once") == 1


@pytest.mark.one_way("the page's own doing")
async def test_a_message_written_just_before_a_reload_is_sent_after_it_once(world: World) -> None:
    thread = await world.open_thread()
    window = await world.window()
    await window.page.route("**/widget/v1/messages", lambda route: route.abort())
    await window.say("do not forget me")
    await window.shows("do not forget me")
    await window.page.unroute_all()
    await window.page.reload()
    await window.shows("do not forget me")
    await thread.says("do not forget me")


async def test_baton_restarted_under_an_open_page_loses_and_repeats_nothing(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    await window.say("before")
    await thread.says("before")
    port = world.baton.web.port
    await world.baton.stop()
    await window.say("while it was down")
    await thread.write(world.dana, "answered while it was down")
    await world.start_baton(port)
    await window.shows("answered while it was down")
    await thread.says("while it was down")
    await window.say("after")
    await thread.says("after")
    expected = ["before", "while it was down", "after"]
    own = await window.page.locator("[data-testid=message][data-author=shopper] .bubble").all_inner_texts()
    assert own[-3:] == expected
    assert re.findall(r"before|while it was down|after", thread.ours) == expected


async def test_offline_and_back_brings_what_was_missed_and_sends_what_was_written(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    await window.shows(SAID)
    await window.context.set_offline(True)
    await expect(window.by("status")).to_have_text("Reconnecting…")
    await window.say("from the tunnel")
    await thread.write(world.dana, "Where are you?")
    await world.slack.settled()
    await expect(window.message("Where are you?")).to_have_count(0)
    await window.context.set_offline(False)
    await window.shows("Where are you?")
    await thread.says("from the tunnel")
    await window.shows("from the tunnel")
    await expect(window.page.locator("[data-testid=message][data-state=pending]")).to_have_count(0)


@pytest.mark.one_way("the page's own doing")
async def test_on_the_smallest_phone_nothing_is_wider_than_the_screen(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window(**SMALL)
    await thread.write(world.dana, "https://shop.example/" + "long" * 60)
    await thread.write(world.dana, "```\n" + "wide " * 60 + "\n```")
    await window.say("W" * 300)
    await window.shows("WWW")
    await window.shows("wide wide")
    assert await window.page.evaluate("document.documentElement.scrollWidth") == 320
    for name in ("panel", "composer", "send", "continue-with-assistant"):
        box = await window.by(name).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert box["y"] + box["height"] <= 568
    log = await window.by("log").evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert log[0] == log[1]


@pytest.mark.one_way("the page's own doing")
async def test_the_whole_of_it_with_the_keyboard_alone(world: World) -> None:
    thread = await world.open_thread()
    window = await world.window()
    await window.page.keyboard.press("Escape")
    await expect(window.by("panel")).to_be_hidden()
    await window.page.reload()
    keyboard = window.page.keyboard
    await keyboard.press("Tab")
    await expect(window.by("launcher")).to_be_focused()
    await keyboard.press("Enter")
    await expect(window.by("composer")).to_be_focused()
    await keyboard.type("one")
    await keyboard.press("Shift+Enter")
    await keyboard.type("two")
    await keyboard.press("Enter")
    await thread.says("one\ntwo")
    await expect(window.by("composer")).to_be_focused()
    await keyboard.press("Shift+Tab")
    await expect(window.page.get_by_label("Attach a file")).to_be_focused()
    await keyboard.press("Shift+Tab")
    await expect(window.by("continue-with-assistant")).to_be_focused()
    await keyboard.press("Enter")
    await window.notices("back with the assistant")
    await keyboard.press("Escape")
    await expect(window.by("panel")).to_be_hidden()
    await expect(window.by("launcher")).to_be_focused()


@pytest.mark.one_way("the page's own doing")
async def test_hostile_markup_in_every_field_is_text_on_the_page(world: World) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>"
    operator = world.hire("<b>Eve</b><img src=x onerror=alert(4)>")
    thread = await world.open_thread(
        shopper={"id": "s-77", "name": hostile},
        reason={"trigger": "keyword", "rule": hostile, "detail": hostile},
        summary={"issue": hostile, "sentiment": hostile},
        transcript=[
            {"id": "h1", "author": "shopper", "text": hostile},
            {"id": "h2", "author": "assistant", "text": f"{hostile} [x](javascript:alert(5)) ![y](x)"},
        ],
    )
    await thread.claim(operator)
    window = await world.window()
    await window.say(hostile)
    await thread.write(
        operator, "&lt;img src=x onerror=alert(6)&gt; <javascript:alert(7)|click> &lt;script&gt;"
    )
    await window.shows("alert(6)")
    await window.shows("alert(1)", "shopper", times=2)
    made = window.page.locator(
        "baton-widget :is(img, script, svg[onload], b:not(.greeting b), iframe, a[href^=javascript])"
    )
    assert await made.count() == 0


@pytest.mark.one_way("the page's own doing")
async def test_one_shoppers_token_opens_no_other_conversation(world: World) -> None:
    """The stranger's token names a conversation which then begins as somebody else's."""
    early = await world.shop.token("c-2", "s-99")
    await world.escalate(conversation_id="c-2", shopper={"id": "s-88"})
    stranger = {"Authorization": f"Bearer {early}", "Origin": world.shop.url}
    for method, path, body in (
        ("GET", "stream", None),
        ("POST", "messages", {"id": "x", "text": "let me in"}),
        ("POST", "handback", {}),
        ("POST", "escalate", {"id": "x"}),
    ):
        status, answer = await world.shop.call(method, f"/widget/v1/{path}", body, **stranger)
        assert (status, answer["error"]["code"]) == (403 if method == "GET" else 409, "other_shopper")
    assert "let me in" not in json.dumps(await world.shop.conversation("c-2"))
    body = {"shopper": {"id": "s-99"}, "conversation_id": "c-2"}
    status, answer = await world.shop.call("POST", "/v1/widget-tokens", body)
    assert (status, answer["error"]["code"]) == (409, "other_shopper")


@pytest.mark.one_way("the page's own doing")
async def test_forged_and_expired_tokens_open_nothing(world: World) -> None:
    await world.escalate()
    token = await world.shop.token(CONVERSATION)
    claims = jwt.decode(token, options={"verify_signature": False})
    forged = [
        jwt.encode(claims, "another key that is long enough for HS256", "HS256"),
        jwt.encode(claims, None, "none"),
        jwt.encode(claims | {"sub": "s-1"}, "s" * 32, "HS256"),
        token[:-3],
    ]
    for bad in forged:
        status, answer = await world.shop.call("GET", "/widget/v1/stream", Authorization=f"Bearer {bad}")
        assert (status, answer["error"]["code"]) == (401, "token_invalid")


@pytest.mark.one_way("the page's own doing")
async def test_a_page_whose_only_token_is_refused_says_so_and_shows_nothing(world: World) -> None:
    await world.escalate()
    window = await world.window(f"with-token?token={(await world.shop.token(CONVERSATION))[:-3]}")
    await expect(
        window.page.get_by_text("This chat session has ended. Please reload the page.")
    ).to_be_visible()
    await expect(window.page.get_by_text("answers right away")).to_have_count(0)
    assert await window.texts() == []


@pytest.mark.one_way("the page's own doing")
async def test_talk_to_a_person_and_continue_with_the_assistant(world: World) -> None:
    await world.shop.turn(CONVERSATION, "shopper", "m1", "Where is my order?")
    await world.shop.turn(CONVERSATION, "assistant", "m2", "It comes on Thursday.")
    window = await world.window()
    await window.shows("It comes on Thursday.")
    await window.by("talk-to-person").click()
    await window.notices("We're getting a person to help you")
    thread = await world.thread()
    await thread.says("Where is my order?")
    await expect(window.by("status")).to_contain_text("You are next")
    await expect(window.by("talk-to-person")).to_be_hidden()
    await window.by("continue-with-assistant").click()
    await window.notices("back with the assistant")
    await world.slack.wait_for(lambda: "Back with the assistant" in thread.card)
    await expect(window.by("talk-to-person")).to_be_visible()
    assert (await world.shop.turn(CONVERSATION, "assistant", "m3", "Anything else?"))[0] == 200
    await window.shows("Anything else?")


async def test_a_guest_is_helped_keeps_their_conversation_and_shares_it_with_no_other_guest(
    world: World,
) -> None:
    window = await world.window("guest")
    await window.say("can I talk to a person")
    thread = await world.thread()
    await thread.claim(world.dana)
    await thread.write(world.dana, "Hello, stranger")
    await window.shows("Hello, stranger")
    await window.page.reload()
    await window.shows("Hello, stranger")
    other = await world.window("guest")
    await expect(other.page.get_by_text("Hi, how can we help?")).to_be_visible()
    assert await other.texts() == []


@pytest.mark.one_way("the page's own doing")
async def test_two_tabs_of_a_new_guest_begin_one_conversation(world: World) -> None:
    context: BrowserContext = await world.context()
    first, second = await world.window("guest", context), await world.window("guest", context)
    await first.say("from the first")
    await second.shows("from the first")
    await second.say("from the second")
    await first.shows("from the second")
    _, listed = await world.shop.call("GET", "/v1/conversations")
    assert len(listed["conversations"]) == 1


@pytest.mark.one_way("the page's own doing")
async def test_unread_answers_are_counted_on_the_closed_chat(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    await window.shows(SAID)
    await window.page.keyboard.press("Escape")
    await thread.write(world.dana, "one")
    await thread.write(world.dana, "two")
    await expect(window.by("unread")).to_have_text("2")
    await window.by("launcher").click()
    await expect(window.by("unread")).to_be_hidden()


@pytest.mark.one_way("the page's own doing")
async def test_a_shopper_who_writes_a_great_deal_is_told_and_nothing_is_cut(world: World) -> None:
    thread = await world.open_thread()
    window = await world.window()
    await window.say("x" * 4001)
    await expect(window.page.get_by_text("4,001 of 4,000 characters")).to_be_visible()
    words = " ".join(f"w{n:03}" for n in range(800))
    await window.say(words)
    await thread.says("w799")
    assert re.findall(r"w\d{3}", thread.ours) == words.split()


@pytest.mark.one_way("the page's own doing")
async def test_the_shopper_learns_their_place_in_the_line(world: World) -> None:
    thread = await world.open_thread(conversation_id="c-2", shopper={"id": "s-88"})
    await world.escalate()
    window = await world.window()
    await expect(window.by("status")).to_contain_text("You are number 2")
    await thread.claim(world.dana)
    await expect(window.by("status")).to_contain_text("You are next")


BELOW = "node => node.scrollHeight - node.scrollTop - node.clientHeight"


@pytest.mark.one_way("the page's own doing")
async def test_on_a_slow_phone_a_reader_at_the_end_stays_there_while_answers_pour_in(world: World) -> None:
    """Its scroll events come late, when more has been added already."""
    thread = await world.claimed_thread()
    window = await world.window()
    await expect(window.by("log")).to_have_attribute("aria-live", "polite")
    devtools = await window.context.new_cdp_session(window.page)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": 10})
    for n in range(20):
        await thread.write(world.dana, f"line {n:02}\n" + "of several\n" * 4)
        await world.slack.settled()
    await window.shows("line 19")
    await expect(window.page.get_by_role("button", name="New messages")).to_be_hidden()
    assert await window.by("log").evaluate(BELOW) < 48


@pytest.mark.one_way("the page's own doing")
async def test_a_reader_who_scrolled_back_is_left_there_and_told_of_new_messages(world: World) -> None:
    thread = await world.claimed_thread()
    await thread.write(world.dana, "long\n" * 60)
    window = await world.window()
    log, pill = window.by("log"), window.page.get_by_role("button", name="New messages")
    await expect(log).to_have_attribute("aria-live", "polite")
    await log.hover()
    await window.page.mouse.wheel(0, -900)
    await window.page.wait_for_function(f"node => ({BELOW})(node) > 500", arg=await log.element_handle())
    await thread.write(world.dana, "the newest")
    await window.shows("the newest")
    await expect(pill).to_be_visible()
    assert await log.evaluate(BELOW) > 500
    await pill.click()
    await expect(pill).to_be_hidden()
    assert await log.evaluate(BELOW) < 48

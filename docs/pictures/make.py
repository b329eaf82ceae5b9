"""Regenerates the pictures of the README and docs/slack.md: `.venv/bin/python -m docs.pictures.make`.

One handoff is played through a real Baton, the tests' Slack server and the widget in Chromium. The phone is a
screenshot; the Slack side is drawn here from the very blocks Baton sent, and is no photo of live Slack.
"""

import asyncio
import base64
import html
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from bot.settings import Timing, load
from bot.wiring import Baton
from tests.fakes.slack import FakeSlack, Message

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
KEY = "k" * 32
SENTENCE = "I'm so sorry, Sarah. A new lamp leaves today, and you needn't send the old one back."
NOTE = "// Halo base cracked in transit again, third one this week"
SHOPPER = {
    "id": "s-77", "name": "Sarah K.", "email": "sarah@example.com", "tier": "vip", "orders_count": 3,
    "lifetime_value": 840.5, "currency": "USD",
}  # fmt: skip
ESCALATION = {
    "conversation_id": "c-1",
    "shopper": SHOPPER,
    "reason": {"trigger": "api", "detail": "store credit declined"},
    "priority": "high",
    "summary": {
        "issue": "Halo lamp arrived broken",
        "tried": ["Verified the order", "Offered store credit"],
        "sentiment": "frustrated",
        "suggested_reply": "I'm sorry about the lamp, Sarah. Would you like a new one, or your money?",
    },
    "collected": {"order_id": "4521"},
    "orders": [{"id": "4521", "status": "delivered", "total": 129.0}],
    "transcript": [],
}


# --- the scene ------------------------------------------------------------------------------------------------


@dataclass
class Scene:
    """What was on the screens: the waiting card alone, then the thread with its people, and the phone."""

    waiting: Message
    card: Message
    replies: list[Message]
    people: dict[str, str]
    phone: bytes
    bubble: dict[str, float]


async def play(browser: Browser) -> Scene:
    """A shopper's broken lamp, from her first words to Dana's answer."""
    with tempfile.TemporaryDirectory() as folder:
        async with FakeSlack() as slack, aiohttp.ClientSession(raise_for_status=True) as http:
            dana, eli = slack.add_user("Dana Miller"), slack.add_user("Eli Ward")
            channel = slack.add_channel("support", members=[dana, eli])
            settings = load({
                "BATON_DATABASE_URL": f"sqlite:///{folder}/baton.db", "BATON_SECRET": KEY, "BATON_API_KEY": KEY,
                "BATON_PORT": "0", "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_LIMITS": "off", "SLACK_API_URL": slack.api_url, "SLACK_CHANNEL": "#support",
            })  # fmt: skip
            store = replace(settings.stores["main"], brand="Lumen & Oak")
            settings = replace(settings, stores={"main": store}, timing=Timing().scaled(0.05))
            baton = Baton(replace(settings, timing=replace(settings.timing, presence_gone=45.0)))
            await baton.start()
            url = f"http://127.0.0.1:{baton.web.port}"
            http.headers["Authorization"] = f"Bearer {KEY}"
            page = await _open_widget(browser, http, url)

            async def assistant(text: str) -> None:
                said = {"id": f"a{len(text)}", "author": "assistant", "text": text}
                await http.post(f"{url}/v1/conversations/c-1/messages", json=said)
                await page.get_by_test_id("message").filter(has_text=text[:20]).wait_for()

            await _say(page, "Hi, the lamp from order #4521 came in two pieces.")
            await assistant("I'm sorry to hear that! I can offer you store credit for it.")
            await _say(page, "Credit doesn't help me, I need a lamp.")
            await http.post(f"{url}/v1/escalations", json=ESCALATION)
            root = await slack.wait_for(lambda: next((m for m in slack.messages(channel) if m.bot_id), None))
            await slack.wait_for(lambda: slack.thread(channel, root.ts)[1:])
            waiting = replace(root)
            await slack.click(dana, channel, root.ts, "baton:claim")
            await page.get_by_test_id("notice").filter(has_text="Dana is here").wait_for()
            await slack.wait_for(lambda: "claimed this" in slack.text_of(slack.thread(channel, root.ts)[-1]))
            said = await slack.post(dana, channel, SENTENCE, thread_ts=root.ts)
            bubble = page.get_by_test_id("message").filter(has_text="A new lamp leaves today")
            await bubble.wait_for()
            await slack.post(dana, channel, NOTE, thread_ts=root.ts)
            await _say(page, "Oh wow, thank you Dana!")
            await slack.wait_for(
                lambda: "thank you Dana" in slack.text_of(slack.thread(channel, root.ts)[-1])
            )
            await slack.wait_for(lambda: "eyes" in slack.message(channel, said).reactions)
            await asyncio.sleep(1.5)
            box = await bubble.locator(".bubble").bounding_box()
            scene = Scene(
                waiting=waiting,
                card=slack.message(channel, root.ts),
                replies=slack.thread(channel, root.ts)[1:],
                people={dana: "Dana Miller", eli: "Eli Ward"},
                phone=await page.screenshot(),
                bubble=dict(box or {}),
            )
            await page.close()
            await baton.stop()
            return scene


async def _open_widget(browser: Browser, http: aiohttp.ClientSession, url: str) -> Page:
    asked = {"shopper": {"id": "s-77", "name": "Sarah K."}, "conversation_id": "c-1"}
    async with http.post(f"{url}/v1/widget-tokens", json=asked) as answer:
        token = (await answer.json())["token"]
    page = await browser.new_page(viewport={"width": 350, "height": 850}, device_scale_factor=2)
    shop = f'<script src="/widget.js" data-store="main" data-token="{token}"></script>'
    await page.route("**/shop", lambda route: route.fulfill(body=shop, content_type="text/html"))
    await page.goto(f"{url}/shop")
    await page.get_by_test_id("launcher").click()
    return page


async def _say(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.keyboard.press("Enter")
    await page.get_by_test_id("message").filter(has_text=text[:20]).wait_for()


# --- Slack's blocks as HTML -----------------------------------------------------------------------------------

REACTIONS = {"eyes": "👀", "white_check_mark": "✅", "lock": "🔒", "hourglass_flowing_sand": "⏳"}
_DATE = re.compile(r"<!date\^(\d+)\^[^|]*\|[^>]*>")
_MENTION = re.compile(r"<@(\w+)>")


def marked(text: str, people: dict[str, str]) -> str:
    """The parts of mrkdwn that Baton writes: mentions, times, bold, italic, code, quotes."""
    text = _MENTION.sub(lambda found: f"\x01@{people.get(found[1], found[1])}\x02", text)
    text = _DATE.sub(lambda found: _ago(float(found[1])), text)
    text = html.escape(html.unescape(text), quote=False)
    text = text.replace("\x01", '<span class="at">').replace("\x02", "</span>")
    text = re.sub(r"(?<!\w)\*(?=[^\s*\u200b])([^*\n]+)\*", r"<b>\1</b>", text)
    text = re.sub(r"(?<!\w)_(?=[^\s_\u200b])([^_\n]+)_(?!\w)", r"<i>\1</i>", text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    return "".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    quoted = re.match(r"^&gt; ?(.*)", line)
    return f"<blockquote>{quoted[1]}</blockquote>" if quoted else f"<div>{line or '&nbsp;'}</div>"


def _ago(at: float) -> str:
    minutes = int((time.time() - at) / 60)
    return f"{minutes} min ago" if minutes else "just now"


def block(one: dict[str, Any], people: dict[str, str]) -> str:
    """One block."""
    match one["type"]:
        case "header":
            return f"<h2>{html.escape(one['text']['text'])}</h2>"
        case "section":
            return f'<div class="section">{marked(one["text"]["text"], people)}</div>'
        case "context":
            return f'<div class="context">{"".join(marked(e["text"], people) for e in one["elements"])}</div>'
        case _:
            buttons = (
                f'<span class="button {e.get("style", "")}">{html.escape(e["text"]["text"])}</span>'
                for e in one["elements"]
            )
            return f'<div class="actions">{"".join(buttons)}</div>'


def message(one: Message, people: dict[str, str]) -> str:
    """A message as it stands in a channel or thread."""
    name = people.get(one.user)
    who = html.escape(name) if name else 'Baton <span class="app">APP</span>'
    face = f'<div class="face {"person" if name else ""}">{(name or "B")[0]}</div>'
    said = marked(one.text, people) if name else "".join(block(b, people) for b in one.blocks)
    hit = " hit" if name and "A new lamp leaves today" in one.text else ""
    marks = "".join(f'<span class="mark">{REACTIONS[m]} 1</span>' for m in one.reactions if one.reactions[m])
    at = time.strftime("%H:%M", time.gmtime(float(one.ts)))
    return (
        f'<div class="message">{face}<div class="what"><div class="who">{who} <time>{at}</time></div>'
        f'<div class="said{hit}">{said}</div><div class="marks">{marks}</div></div></div>'
    )


def thread(card: Message, replies: Iterable[Message], people: dict[str, str]) -> str:
    """A channel's window with one thread in it."""
    shown = [message(one, people) for one in replies if not one.deleted]
    count = f'<div class="count">{len(shown)} replies</div>' if shown else ""
    return (
        f'<div class="slack"><div class="bar"><b># support</b></div>{message(card, people)}{count}'
        f'<div class="replies">{"".join(shown)}</div></div>'
    )


STYLE = """
* { box-sizing: border-box; margin: 0; } body { width: max-content; background: #eceae4; padding: 26px;
  font: 14.5px/1.42 Lato, "Noto Sans", system-ui, sans-serif; color: #1d1c1d; }
.both { display: flex; gap: 40px; align-items: flex-start; position: relative; }
.label { font-weight: 700; font-size: 15px; margin: 0 0 9px 4px; color: #48443c; }
.slack { width: 620px; background: #fff; border-radius: 12px; padding-bottom: 6px; overflow: hidden;
  box-shadow: 0 1px 0 #0001, 0 10px 30px #0000001f; }
.bar { padding: 10px 18px; border-bottom: 1px solid #e4e2dd; font-size: 16px; margin-bottom: 8px; }
.message { display: flex; gap: 10px; padding: 5px 18px; } .what { flex: 1; min-width: 0; }
.face { width: 34px; height: 34px; border-radius: 8px; background: #1f2937; color: #fff; display: grid;
  place-items: center; font-weight: 800; flex: none; margin-top: 3px; } .face.person { background: #b4632c; }
.who { font-weight: 800; } time { font-weight: 400; font-size: 12px; color: #77736c; margin-left: 3px; }
.app { font-size: 10px; background: #e8e6e1; border-radius: 3px; padding: 1px 4px;
  color: #55514a; vertical-align: 1px; }
h2 { font-size: 17px; margin: 3px 0 4px; } .section { margin: 2px 0 6px; }
.context { font-size: 12.5px; color: #6b675f; margin: 2px 0; }
blockquote { border-left: 4px solid #d8d5ce; padding-left: 10px; color: #46433d; }
.at { background: #1264a31a; color: #1264a3; border-radius: 3px; padding: 0 2px; }
code { background: #f4f2ee; border: 1px solid #e0ddd6; border-radius: 3px; padding: 0 3px;
  color: #c0285b; font-size: 12.5px; }
.actions { display: flex; gap: 8px; margin: 7px 0 6px; }
.button { border: 1px solid #c8c5be; border-radius: 5px; padding: 3px 12px; font-weight: 700; font-size: 13.5px; }
.primary { background: #007a5a; border-color: #007a5a; color: #fff; } .danger { color: #c0285b; border-color: #c0285b; }
.count { font-size: 12.5px; color: #77736c; padding: 3px 18px; display: flex; align-items: center; gap: 10px; }
.count::after { content: ""; flex: 1; border-top: 1px solid #e4e2dd; }
.marks { display: flex; gap: 5px; }
.mark { background: #f1efeb; border-radius: 11px; padding: 1px 8px; font-size: 12px; margin: 3px 0 2px; }
.hit, .ring { background: #fff3c4; outline: 2.5px solid #e7a400; border-radius: 7px; }
.hit { padding: 4px 8px; margin: 3px 0 2px -8px; }
.phone { position: relative; border: 9px solid #16181d; border-radius: 34px; overflow: hidden;
  box-shadow: 0 10px 30px #00000033; }
.phone img { display: block; width: 350px; } .ring { position: absolute; background: none; border-radius: 14px; }
"""

JOIN = """() => {
  const box = selector => document.querySelector(selector).getBoundingClientRect();
  const whole = box(".both"), from = box(".hit"), to = box(".ring"), svg = document.querySelector("svg");
  const x1 = from.right - whole.left, y1 = from.top + from.height / 2 - whole.top;
  const x2 = to.left - whole.left, y2 = to.top + to.height / 2 - whole.top, half = (x1 + x2) / 2;
  svg.innerHTML = `<path d="M${x1} ${y1} C${half} ${y1} ${half} ${y2} ${x2} ${y2}" fill="none" stroke="#e7a400"
    stroke-width="2.5"/><circle cx="${x2}" cy="${y2}" r="5" fill="#e7a400"/>`;
}"""


async def shoot(browser: Browser, body: str, name: str, script: str | None = None) -> None:
    """Lay the page out and keep it as a PNG."""
    page = await browser.new_page(viewport={"width": 1100, "height": 100}, device_scale_factor=1.25)
    await page.set_content(f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{body}')
    if script:
        await page.evaluate(script)
    await page.locator("body").screenshot(path=HERE / name)
    await page.close()
    sys.stdout.write(f"{name}: {(HERE / name).stat().st_size // 1024} KiB\n")


async def main() -> None:
    """Play, then draw."""
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        scene = await play(browser)
        ring = "".join(
            f"{side}:{scene.bubble[key] + offset}px;"
            for side, key, offset in (
                ("left", "x", -2), ("top", "y", -2), ("width", "width", 4), ("height", "height", 4),
            )
        )  # fmt: skip
        phone = (
            f'<div class="phone"><img src="data:image/png;base64,{base64.b64encode(scene.phone).decode()}">'
            f'<div class="ring" style="{ring}"></div></div>'
        )
        left = thread(scene.card, scene.replies, scene.people)
        await shoot(
            browser,
            f'<div class="both"><div><div class="label">The team, in Slack</div>{left}</div>'
            f'<div><div class="label">The shopper, on her phone</div>{phone}</div>'
            '<svg style="position:absolute;inset:0;width:100%;height:100%;overflow:visible"></svg></div>',
            "one-sentence.png",
            JOIN,
        )
        await shoot(browser, thread(scene.waiting, (), scene.people), "waiting-card.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())

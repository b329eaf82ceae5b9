"""Draws the pictures of the README and the docs anew: `.venv/bin/python -m docs.pictures.make`.

The shopper's phone is a screenshot. Slack and Discord are drawn from the very messages Baton sent (`blocks.py`,
`discord_messages.py`), and are no photos of the live ones.
"""

import asyncio
import base64
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from docs.pictures import discord_messages, discord_scenes, scenes
from docs.pictures.blocks import (
    Reader,
    Said,
    channel_html,
    menu_html,
    page_html,
    thread_html,
    view_html,
)
from docs.pictures.palette import smaller
from tests.fakes.slack import Message

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PHONE = 390


def said(one: Message, people: dict[str, str], mark: str = "") -> Said:
    """A message of the tests' Slack, as the previewer takes it."""
    name, at = people.get(one.user), float(one.ts)
    if name is None:
        return Said("Baton", at, blocks=one.blocks, app=True)
    marks = [name for name in one.reactions if one.reactions[name]]
    return Said(name, at, one.text, reactions=marks, mark=mark)


# --- one sentence ---------------------------------------------------------------------------------------------

BESIDE = """
body { background: #eceae4; padding: 26px; }
.both { display: flex; gap: 40px; align-items: flex-start; position: relative; }
.label { font-weight: 700; font-size: 15px; margin: 0 0 9px 4px; color: #48443c; }
.slack { border-radius: 12px; border: 1px solid #d8d5cc; }
.hit, .ring { background: #fff3c4; outline: 2.5px solid #e7a400; border-radius: 7px; }
.hit { padding: 4px 8px; margin: 3px 0 2px -8px; }
.phone { position: relative; border: 9px solid #16181d; border-radius: 34px; overflow: hidden; }
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


def one_sentence(scene: scenes.Handoff) -> str:
    """The team's thread beside the shopper's phone, and the sentence that is on both."""
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
    replies = [said(one, scene.people, "hit" if one.text == scenes.SENTENCE else "") for one in scene.replies]
    root = said(scene.card, scene.people)
    slack = channel_html("support", root, replies, Reader(scene.now, scene.people))
    return page_html(
        f'<div class="both"><div><div class="label">The team, in Slack</div>{slack}</div>'
        f'<div><div class="label">The shopper, on her phone</div>{phone}</div>'
        '<svg style="position:absolute;inset:0;width:100%;height:100%;overflow:visible"></svg></div>',
        width=620,
        extra=BESIDE,
    )


# --- on an operator's phone -----------------------------------------------------------------------------------


def phone_pictures(scene: scenes.Morning) -> Iterable[tuple[str, str]]:
    """Each picture's name and page."""
    reader = Reader(scene.now, scene.people)
    then = Reader(float(scene.waiting.ts) + 70, scene.people)
    menu = next(
        one
        for block in scene.waiting.blocks
        for one in block.get("elements", ())
        if one["type"] == "overflow"
    )
    card = channel_html("support", said(scene.waiting, scene.people), (), then)
    yield (
        "phone-card.png",
        page_html(card, menu_html(menu, then), width=PHONE, extra="body{padding-bottom:14px}"),
    )
    replies = [said(one, scene.people) for one in scene.thread]
    yield "phone-thread.png", page_html(thread_html("support", replies, reader), width=PHONE)
    for name, view in (("home", scene.home), ("assign", scene.assign), ("saved-reply", scene.reply)):
        yield f"phone-{name}.png", page_html(view_html(view, reader), width=PHONE)


# --- Discord, on a desk and on a phone --------------------------------------------------------------------------

DESK = 720


def said_in_discord(one: Any, scene: discord_scenes.Morning, thread: str = "") -> discord_messages.Said:
    """A message of the tests' Discord, as the previewer takes it."""
    own, shopper = one.author == scene.bot, bool(one.webhook_id)
    return discord_messages.Said(
        "Baton" if own else one.username if shopper else scene.people[one.author],
        one.at, one.content, one.embeds, one.components, app=own or shopper, shopper=shopper,
        reactions=[name for name in one.reactions if one.reactions[name]], thread=thread,
    )  # fmt: skip


def discord_pictures(scene: discord_scenes.Morning) -> Iterable[tuple[str, str, float]]:
    """Each picture's name, page and scale."""
    draw, then = discord_messages, discord_messages.Reader(scene.asked + 70, scene.people)
    now = discord_messages.Reader(scene.now, scene.people)
    title = scene.card.content.partition("\n")[0].strip("🔴 *")
    card = said_in_discord(scene.waiting, scene, f"{title}  ·  1 message")
    thread = [said_in_discord(one, scene) for one in scene.thread]
    board = said_in_discord(scene.board, scene)
    menu = next(one for row in scene.waiting.components for one in row["components"] if one["type"] == 3)
    for kind, width, scale in (("desk", DESK, 1.5), ("phone", PHONE, 2.0)):
        sheet = [draw.menu_html(menu, then)] if kind == "phone" else []
        windows = {
            "card": [draw.window_html("support", [card], then), *sheet],
            "thread": [draw.window_html(title, thread, now, thread=True)],
            "board": [draw.window_html("support", [board], now)],
        }
        for name, shown in windows.items():
            yield f"discord-{kind}-{name}.png", draw.page_html(*shown, width=width), scale


# --- all of them ----------------------------------------------------------------------------------------------


async def shoot(browser: Browser, page: str, name: str, scale: float, script: str | None = None) -> None:
    """Lay the page out and keep it as a PNG."""
    window = await browser.new_page(viewport={"width": 1100, "height": 100}, device_scale_factor=scale)
    await window.set_content(page)
    if script:
        await window.evaluate(script)
    (HERE / name).write_bytes(await smaller(window, await window.locator("body").screenshot()))
    await window.close()
    sys.stdout.write(f"{name}: {(HERE / name).stat().st_size // 1024} KiB\n")


async def main() -> None:
    """Play, then draw."""
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        scene = await scenes.handoff(browser)
        await shoot(browser, one_sentence(scene), "one-sentence.png", 1.25, JOIN)
        for name, page in phone_pictures(await scenes.morning(browser)):
            await shoot(browser, page, name, 2)
        for name, page, scale in discord_pictures(await discord_scenes.morning()):
            await shoot(browser, page, name, scale)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())

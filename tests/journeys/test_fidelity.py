"""What is typed on one side is what is read on the other (issue 4, item 5)."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.journeys.hostile import VECTORS
from tests.journeys.world import World

MADE = {"A", "BLOCKQUOTE", "CODE", "DIV", "EM", "LI", "OL", "P", "PRE", "S", "SPAN", "STRONG", "UL"}
FOUND = """root => {
  const nodes = [...root.querySelectorAll(".bubble, .bubble *")];
  return {
    tags: [...new Set(nodes.map((node) => node.nodeName))],
    attributes: [...new Set(nodes.flatMap((node) => node.getAttributeNames()))],
    links: nodes.filter((node) => node.nodeName === "A").map((node) => node.protocol),
  };
}"""
WIDGET = "document.querySelector('baton-widget').shadowRoot"


def section(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(parts)}


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def rich(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": list(parts)}]


async def looks_harmless(page: Page, root: str) -> None:
    found = await page.evaluate(f"({FOUND})({root})")
    assert set(found["tags"]) <= MADE
    assert set(found["attributes"]) <= {"class", "dir", "href", "title", "target", "rel", "start", "tabindex"}
    assert set(found["links"]) <= {"https:", "http:", "mailto:"}


@pytest.mark.usefixtures("chromium")
@pytest.mark.one_way("rendering")
async def test_no_attack_does_anything_on_the_shoppers_page_or_in_the_console(world: World) -> None:
    """A dialog or an error of a script would fail the world itself."""
    assert len(VECTORS) >= 60
    turns = [{"id": f"x{at}", "author": "assistant", "text": vector} for at, vector in enumerate(VECTORS)]
    turns.append({"id": "all", "author": "shopper", "text": "\n".join(VECTORS)[:3_900]})
    answer = await world.escalate(transcript=turns)
    thread = await world.thread()
    desk = await world.desk()
    await desk.open(answer["number"])
    await thread.claim(world.dana)
    typed = "\n".join(VECTORS)
    await world.slack.post(world.dana, thread.channel, typed, thread.root, blocks=rich(section(text(typed))))
    window = await world.window()
    await window.shows("gte IE 4", "operator")
    await expect(window.by("message")).to_have_count(len(turns) + 1)
    shown = (await window.texts())[-1]
    assert "".join(shown.split()) == "".join(typed.replace("\x01", "").split())
    await looks_harmless(window.page, WIDGET)
    for link in await window.page.locator(".bubble a").all():
        await link.hover()
    await expect(desk.by("entry").filter(has_text="gte IE 4")).to_have_count(3)
    await looks_harmless(desk.page, "document")


@pytest.mark.usefixtures("chromium")
async def test_a_shopper_reads_what_the_operator_typed_as_they_typed_it(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    link = {"type": "link", "url": "https://a.example/x_y", "text": "this"}
    blocks = rich(
        section(text("Please", bold=True), text(" read "), link, text(" 2*3*4 snake_case_name "),
                {"type": "emoji", "name": "tada", "unicode": "1f389"}),
        {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [section(text("lamp"))]},
        {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [section(text("# warm", italic=True))]},
        {"type": "rich_text_quote", "elements": [text("gone", strike=True)]},
        {"type": "rich_text_preformatted", "elements": [text("<b>*x*</b>")]},
    )  # fmt: skip
    await world.slack.post(world.dana, thread.channel, "(see blocks)", thread.root, blocks=blocks)
    bubble = (await window.shows("Please read this", "operator")).locator(".bubble")
    await expect(bubble.locator("strong")).to_have_text("Please")
    await expect(bubble.locator("a")).to_have_attribute("href", "https://a.example/x_y")
    await expect(bubble.locator("p").first).to_have_text("Please read this 2*3*4 snake_case_name 🎉")
    await expect(bubble.locator("ul > li > ol > li em")).to_have_text("# warm")
    await expect(bubble.locator("blockquote s")).to_have_text("gone")
    await expect(bubble.locator("pre")).to_have_text("<b>*x*</b>")


@pytest.mark.usefixtures("chromium")
async def test_a_word_made_bold_is_made_bold_for_the_shopper(world: World) -> None:
    thread = await world.claimed_thread()
    window = await world.window()
    ts = await world.slack.post(
        world.dana, thread.channel, "today", thread.root, blocks=rich(section(text("today")))
    )
    bubble = (await window.shows("today", "operator")).locator(".bubble")
    message = world.slack.message(thread.channel, ts)
    world.slack.world.edit(message, world.dana, text="today", blocks=rich(section(text("today", bold=True))))
    await expect(bubble.locator("strong")).to_have_text("today")


@pytest.mark.one_way("rendering")
async def test_a_shoppers_marks_reach_the_thread_as_marks(world: World) -> None:
    thread = await world.claimed_thread()
    await world.shopper_writes(
        "<!here> <@U0000DANA> *so* :tada: <https://a.example|click> [x](https://a.example)"
    )
    await thread.says(
        "&lt;!here&gt; &lt;@U0000DANA&gt; *\u200bso* :\u200btada: &lt;https://a.example|click&gt;"
    )


async def test_what_is_no_message_is_not_relayed(world: World) -> None:
    thread = await world.claimed_thread()
    for subtype in ("channel_join", "huddle_thread", "reminder_add"):
        await world.slack.post(world.bob, thread.channel, f"a {subtype}", thread.root, subtype=subtype)
    await world.slack.post_as_app(thread.channel, "a workflow ran", thread.root)
    await thread.write(world.dana, "the only message")
    tap = await world.replay()
    await tap.shows("the only message")
    assert tap.said() == ["the only message"]

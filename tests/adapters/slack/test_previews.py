"""The previewer in docs/pictures knows whatever Baton shows in Slack, and draws nothing that is not ours."""

from html.parser import HTMLParser
from typing import Any

import pytest

from adapters.slack.home_view import home_view, refusal_view
from adapters.slack.modal_views import answer_view, form_view, menu_view, says_view, wait_view
from adapters.slack.rendering import render_answer, render_card, render_post, split_post
from bot.entries import Author
from bot.posts import Answer, Button, Post, PostKind, Turn
from docs.pictures.blocks import (
    Reader,
    Said,
    Unknown,
    block_html,
    channel_html,
    element_html,
    menu_html,
    mrkdwn_html,
    page_html,
    text_html,
    view_html,
)
from tests.adapters.slack.test_surfaces import BOARD, CARD, FORM, LONG, MENU, ROW, WHERE
from tests.fakes.slack.blocks import elements

NOW = 1_700_000_000.0
READER = Reader(NOW, {"U0000ANNA": "Anna Berg"})
HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> <javascript:alert(1)|x> \"'&amp;"


class Tags(HTMLParser):
    """What a browser would find in it: tags, links, words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


def shown(text: str) -> Tags:
    return Tags(mrkdwn_html(text, READER))


def draw(blocks: list[dict[str, Any]]) -> Tags:
    return Tags(channel_html("support", Said("Baton", NOW, blocks=blocks, app=True), (), READER))


def harmless(found: Tags) -> None:
    assert not found.tags & {"script", "img", "iframe", "style"}
    assert found.names <= {"class", "href"}
    assert all(one.startswith(("https://", "http://", "mailto:")) for one in found.links)


# Everything that Baton shows


def test_a_card() -> None:
    found = draw(render_card(CARD).blocks)
    harmless(found)
    assert "#1234567" in found.words


@pytest.mark.parametrize("author", list(Author))
def test_a_transcript(author: Author) -> None:
    turns = tuple(Turn(number, author, LONG, LONG, NOW, LONG) for number in range(1, 10))
    for part in split_post(Post(PostKind.TURNS, turns=turns, buttons=MENU[:3])):
        harmless(draw(render_post(part).blocks))


@pytest.mark.parametrize("kind", [PostKind.LINE, PostKind.OFFER, PostKind.ALERT])
def test_lines_offers_and_alerts(kind: PostKind) -> None:
    for mentions in ((), ("U0000ANNA",)):
        harmless(draw(render_post(Post(kind, text="Look", buttons=MENU, mentions=mentions)).blocks))


def test_an_answer() -> None:
    harmless(draw(render_answer(Answer(LONG, (ROW,) * 60, MENU[:3])).blocks))


@pytest.mark.parametrize(
    "view",
    [
        home_view(BOARD, NOW, LONG),
        refusal_view(LONG, BOARD.look),
        form_view(FORM, WHERE),
        wait_view(WHERE),
        says_view(LONG, WHERE),
        answer_view(Answer(LONG, (ROW,) * 60, MENU), WHERE),
        menu_view([Button(MENU[0].action, LONG, "7")], WHERE),
    ],
    ids=["home", "refusal", "form", "wait", "says", "answer", "menu"],
)
def test_windows_and_the_home_tab(view: dict[str, Any]) -> None:
    harmless(Tags(view_html(view, READER)))


def test_every_entry_of_an_open_menu_is_drawn() -> None:
    (menu,) = [one for _, one in elements(render_card(CARD).blocks) if one["type"] == "overflow"]
    assert menu_html(menu, READER).count("<div>") == len(menu["options"])


# What it does not know, it says


@pytest.mark.parametrize(
    "block",
    [{"type": "video"}, {"type": "rich_text"}, {"type": "actions", "elements": [{"type": "datepicker"}]}],
)
def test_a_block_without_a_picture_is_an_error(block: dict[str, Any]) -> None:
    with pytest.raises(Unknown):
        block_html(block, READER)


def test_a_date_without_a_picture_is_an_error() -> None:
    with pytest.raises(Unknown):
        shown("<!date^1700000000^{date_long_pretty}|x>")


# Slack's markup


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("*bold* _it_ ~no~", "<div><b>bold</b> <i>it</i> <s>no</s></div>"),
        ("2*3*4 snake_case", "<div>2*3*4 snake_case</div>"),
        ("\u200b*no* *\u200bno*", "<div><b>no</b> *no*</div>"),
        ("`a *b*`", "<div><code>a *b*</code></div>"),
        ("> one\n> two\nthree", "<blockquote><div>one</div><div>two</div></blockquote><div>three</div>"),
        ("```\na < b\n```", "<pre>a &lt; b</pre>"),
        ("a &lt; b &amp; c", "<div>a &lt; b &amp; c</div>"),
        (":tada: :no_such_thing: 14:00:30", "<div>🎉 :no_such_thing: 14:00:30</div>"),
        ("<https://a.test/?b=1&amp;c=2|more>", '<div><a href="https://a.test/?b=1&amp;c=2">more</a></div>'),
        ("<@U0000ANNA> <@U0STRANGER>",
         '<div><span class="at">@Anna Berg</span> <span class="at">@U0STRANGER</span></div>'),
        ("<!here> <!subteam^S123>", '<div><span class="at">@here</span> <span class="at">@subteam</span></div>'),
        ("<!date^1699999820^{ago}|x>", "<div>3 minutes ago</div>"),
        ("<!date^1700000000^{ago}|x>", "<div>just now</div>"),
        ("<!date^1699990000^{ago}|x>", "<div>2 hours ago</div>"),
        ("<!date^1700000000^{time}|x>", "<div>22:13</div>"),
    ],
)  # fmt: skip
def test_slacks_markup_is_read_as_slack_does(text: str, page: str) -> None:
    assert mrkdwn_html(text, READER) == page


def test_nothing_in_a_text_runs() -> None:
    for found in (shown(HOSTILE), Tags(text_html({"type": "plain_text", "text": HOSTILE}, READER))):
        harmless(found)
        assert "alert(1)" in found.words


def test_a_fields_value_is_shown_and_not_run() -> None:
    found = Tags(element_html({"type": "plain_text_input", "initial_value": HOSTILE}, READER))
    harmless(found)
    assert HOSTILE.replace("&amp;", "&") in found.words


def test_a_page_is_as_wide_as_it_is_told() -> None:
    assert "width: 390px" in page_html("<p>")
    assert "width: 620px" in page_html("<p>", width=620)

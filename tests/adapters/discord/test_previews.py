"""The previewer in docs/pictures knows whatever Baton shows in Discord, and draws nothing that is not ours."""

from html.parser import HTMLParser
from typing import Any

import pytest

from adapters.discord.rendering import Rendered, render_card, render_post, split_post
from bot.entries import Author
from bot.posts import Action, Button, Card, Field, Post, PostKind, Turn
from docs.pictures.discord_messages import (
    Reader,
    Said,
    Unknown,
    component_html,
    embed_html,
    menu_html,
    page_html,
    text_html,
    window_html,
)
from tests.adapters.discord.typed import TRICKY

NOW = 1_700_000_000.0
ANNA = "100000000000000007"
READER = Reader(NOW, {ANNA: "Anna Berg"})
HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) \"'&amp;"
CLAIM = Button(Action.CLAIM, "Claim", "7", "primary")
CARD = Card(
    7, HOSTILE, "Waiting", "waiting", NOW - 90, (Field("Customer", HOSTILE),), HOSTILE, HOSTILE, (CLAIM,), (ANNA,),
    True, HOSTILE, tuple(Button(one, one.value, "7") for one in (Action.NOTE, Action.ASSIGN)),
)  # fmt: skip
FORMATTED = "**b** *i* ~~s~~ `c`\n- x\n1. y\n> z\n```\nd\n```"
POSTS = [
    Post(PostKind.TURNS, turns=(Turn(1, Author.SHOPPER, HOSTILE, HOSTILE, NOW, "edited"),)),
    Post(
        PostKind.TURNS,
        turns=(Turn(1, Author.ASSISTANT, "", FORMATTED, NOW),),
    ),
    Post(PostKind.LINE, text="Anna claimed this. See [there](https://a.example)."),
    Post(PostKind.OFFER, text=HOSTILE, buttons=(CLAIM,)),
    Post(PostKind.ALERT, text=HOSTILE, mentions=(ANNA,)),
]


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


def drawn(rendered: Rendered) -> Tags:
    said = Said("Baton", NOW, rendered.content, rendered.embeds, rendered.components, app=True)
    return Tags(window_html("support", [said], READER))


def test_the_whole_card_is_drawn_and_nothing_of_a_stranger_is_markup() -> None:
    found = drawn(render_card(CARD))
    assert "@Anna Berg" in found.words
    assert "2 minutes ago" in found.words
    assert found.words.count("<script>alert(1)</script>") == 5
    assert not {"script", "img"} & found.tags
    assert found.names <= {"class", "style"}


@pytest.mark.parametrize("post", POSTS)
def test_every_post_is_drawn(post: Post) -> None:
    for part in split_post(post):
        found = drawn(render_post(part))
        assert not {"script", "img"} & found.tags
        assert all(link.startswith("https://") for link in found.links)
        assert "\\" not in found.words


def test_a_shoppers_words_are_shown_as_they_are() -> None:
    for text in TRICKY:
        turn = Turn(1, Author.SHOPPER, "Sarah", text, NOW)
        found = drawn(render_post(Post(PostKind.TURNS, turns=(turn,))))
        assert not {"a", "s", "code", "pre", "blockquote"} & found.tags
        assert not found.links


def test_an_open_menu_names_its_entries() -> None:
    select = next(
        one for row in render_card(CARD).components for one in row["components"] if one["type"] == 3
    )
    assert Tags(menu_html(select, READER)).words == "noteassign"


def test_what_is_new_is_noticed() -> None:
    with pytest.raises(Unknown):
        component_html({"type": 99}, READER)
    with pytest.raises(Unknown):
        embed_html({"type": "rich", "image": {}}, READER)
    with pytest.raises(Unknown):
        text_html("<t:1:Q>", READER)


def test_a_page_is_one_whole_page() -> None:
    assert page_html("x", width=99).count("<style>") == 1

"""What operators read in Slack."""

from typing import Any

from adapters.slack.mrkdwn import BREAK
from adapters.slack.rendering import render_card, render_post, split_post
from bot.entries import Author
from bot.posts import Action, Button, Card, Field, Post, PostKind, Turn
from bot.splitting import split_markdown, split_text
from tests.fakes.slack.blocks import problems

CARD = Card(
    number=1042,
    title="Refund for order #4521",
    status="Waiting for a person",
    stage="waiting",
    since=1_700_000_000.0,
    fields=(Field("Customer", "Sarah K. · VIP"), Field("Wants", "refund")),
    quote="I want my *money* back",
    suggestion="I am sorry.\nI refund it now.",
    buttons=(
        Button(Action.CLAIM, "Claim", "1042", "primary"),
        Button(Action.RESOLVE, "Resolve", "1042", confirm="Close it without an answer?"),
    ),
    mentions=("U0000ANNA", "S0000TEAM"),
    footer="Reachable by **email**",
)


def turn(text: str, author: Author = Author.SHOPPER, speaker: str = "Sarah K.", note: str = "") -> Turn:
    return Turn(1, author, speaker, text, 1_700_000_000.0, note)


def said(*turns: Turn, kind: PostKind = PostKind.TURNS, **more: Any) -> str:
    blocks = render_post(Post(kind, turns=turns, **more)).blocks
    return "\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")


def test_a_card_reads_from_header_to_footer() -> None:
    blocks = render_card(CARD).blocks
    assert [block["type"] for block in blocks] == [
        "header",
        "section",
        "section",
        "section",
        "section",
        "actions",
        "context",
    ]
    assert blocks[0]["text"]["text"] == "#1042 · Refund for order #4521"
    assert blocks[1]["text"]["text"] == (
        "🟠 *Waiting for a person* · <!date^1700000000^{ago}|22:13 UTC>\n<@U0000ANNA> <!subteam^S0000TEAM>"
    )
    assert blocks[2]["text"]["text"] == "*Customer*  Sarah K. · VIP\n*Wants*  refund"
    assert blocks[3]["text"]["text"] == f"> I want my *{BREAK}money* back"
    assert blocks[4]["text"]["text"] == "💡 *Suggested reply*\n> I am sorry.\n> I refund it now."
    assert blocks[6]["elements"][0]["text"] == "Reachable by *email*"
    assert problems(blocks) == []


def test_buttons_carry_their_action_value_and_question() -> None:
    claim, resolve = render_card(CARD).blocks[5]["elements"]
    assert (claim["action_id"], claim["value"], claim["style"]) == ("baton:claim", "1042", "primary")
    assert resolve["confirm"]["text"]["text"] == "Close it without an answer?"
    assert "style" not in resolve


def test_the_same_action_twice_gets_two_ids() -> None:
    card = Card(
        1, "x", "y", "open", None, buttons=(Button(Action.CLAIM, "A", "1"), Button(Action.CLAIM, "B", "2"))
    )
    ids = [element["action_id"] for element in render_card(card).blocks[-1]["elements"]]
    assert ids == ["baton:claim", "baton:claim:2"]


def test_an_urgent_card_says_so_first() -> None:
    card = Card(1, "Fire", "Waiting", "waiting", None, urgent=True)
    assert render_card(card).blocks[0]["text"]["text"].startswith("🔴")


def test_a_title_too_long_for_the_header_stands_below_it() -> None:
    title = "very " * 60
    rendered = render_card(Card(1, title, "Waiting", "waiting", None))
    assert title.strip() in rendered.blocks[2]["text"]["text"]
    assert problems(rendered.blocks) == []


def test_a_card_full_of_everything_stays_within_the_limits() -> None:
    big = "&<*" * 5_000
    buttons = tuple(Button(Action.CLAIM, big, "1", confirm=big) for _ in range(40))
    fields = tuple(Field(big, big) for _ in range(30))
    card = Card(1, big, big, "waiting", 0.0, fields, big, big, buttons, ("U0000ANNA",) * 9, True, big)
    rendered = render_card(card)
    assert problems(rendered.blocks) == []
    assert len(rendered.text) <= 4_000


def test_a_shopper_is_named_in_bold() -> None:
    assert said(turn("Where is it?")) == "*Sarah K.*  Where is it?"


def test_the_assistant_is_labelled() -> None:
    assert said(turn("Let me look.", Author.ASSISTANT, "whatever")) == "🤖 *Assistant*  Let me look."


def test_a_note_is_quiet() -> None:
    assert said(turn("two pairs", note="edited")) == "*Sarah K.*  two pairs  _(edited)_"
    assert said(turn("", note="removed")) == "*Sarah K.*  _(removed)_"


def test_a_shopper_cannot_forge_an_operators_line() -> None:
    text = said(turn("ok\n*Anna*  _refund approved_\n> quote\n```code"))
    assert text.count("*") == 4
    for forged in ("*Anna*", "_refund", "\n>", "\n&gt;", "```"):
        assert forged not in text


def test_an_underscore_inside_a_word_is_left_alone() -> None:
    assert said(turn("john_doe_99 and 5 * 3")) == "*Sarah K.*  john_doe_99 and 5 * 3"


def test_an_assistants_markdown_looks_the_same_in_slack() -> None:
    text = said(turn("**Bold** *it* ~~no~~ `x<y` [here](https://a.example/?a=1&b=2)", Author.ASSISTANT))
    assert text == "🤖 *Assistant*  *Bold* _it_ ~no~ `x&lt;y` <https://a.example/?a=1&amp;b=2|here>"


def test_lists_quotes_and_code_stand_on_their_own_lines() -> None:
    text = said(turn("- one\n- two\n1. first\n> quoted\n```py\na < b\n```", Author.OPERATOR, "Anna"))
    assert text == "*Anna*\n• one\n• two\n1. first\n> quoted\n```\na &lt; b\n```"


def test_bold_inside_a_word_is_still_bold() -> None:
    assert f"un{BREAK}*believ*{BREAK}able" in said(turn("un**believ**able", Author.ASSISTANT))


def test_a_link_of_another_scheme_stays_text() -> None:
    assert "<javascript" not in said(turn("[x](javascript:alert(1))", Author.ASSISTANT))


def test_a_line_is_small_and_an_alert_is_not() -> None:
    assert render_post(Post(PostKind.LINE, text="Anna claimed it")).blocks[0]["type"] == "context"
    alert = render_post(Post(PostKind.ALERT, text="Not delivered", mentions=("U0000ANNA",)))
    assert alert.blocks[0]["text"]["text"] == "<@U0000ANNA> Not delivered"
    assert alert.text == "<@U0000ANNA> Not delivered"


def test_an_offers_buttons_follow_its_text() -> None:
    offer = Post(PostKind.OFFER, text="Not sent.", buttons=(Button(Action.SEND, "Send", "7:3"),))
    assert [block["type"] for block in render_post(offer).blocks] == ["section", "actions"]


def test_slack_makes_nothing_of_plain_text_by_itself() -> None:
    blocks = [*render_card(CARD).blocks, *render_post(Post(PostKind.LINE, text="@here #general")).blocks]
    marked = [block["text"] for block in blocks if block.get("text", {}).get("type") == "mrkdwn"]
    marked += [element for block in blocks if block["type"] == "context" for element in block["elements"]]
    assert all(text["verbatim"] for text in marked)


def test_many_short_turns_share_a_section() -> None:
    blocks = render_post(Post(PostKind.TURNS, turns=tuple(turn(f"message {at}") for at in range(30)))).blocks
    assert len(blocks) == 1


def test_every_part_of_a_split_post_fits() -> None:
    for text in (
        "word " * 9_000,
        "*a*" * 9_000,
        "&" * 9_000,
        "**b** [l](https://a.example) " * 900,
        "\n" * 9_000,
    ):
        for author in (Author.SHOPPER, Author.ASSISTANT):
            for part in split_post(Post(PostKind.TURNS, turns=(turn(text, author), turn("short")))):
                rendered = render_post(part)
                assert problems(rendered.blocks) == []
                assert len(rendered.text) <= 4_000
                assert sum(len(block["text"]["text"]) for block in rendered.blocks) <= 12_000


def test_mentions_go_with_the_first_part_and_buttons_with_the_last() -> None:
    post = Post(
        PostKind.ALERT,
        text="word " * 5_000,
        mentions=("U0000ANNA",),
        buttons=(Button(Action.SEND, "Send", "1:2"),),
    )
    first, *_, last = split_post(post)
    assert (first.mentions, first.buttons) == (("U0000ANNA",), ())
    assert (last.mentions, last.buttons) == ((), post.buttons)
    assert "".join(part.text for part in split_post(post)) == post.text


def test_text_is_cut_after_a_paragraph_before_a_line_before_a_word() -> None:
    assert split_text("aaaa bbbb\n\ncccc dddd", 16) == ["aaaa bbbb\n\n", "cccc dddd"]
    assert split_text("aaaa bbbb\ncccc dddd", 16) == ["aaaa bbbb\n", "cccc dddd"]
    assert split_text("aaaa. bbbbb cccc", 12) == ["aaaa. bbbbb ", "cccc"]
    assert split_text("aaaaaa. bbbb cccc", 11) == ["aaaaaa. ", "bbbb cccc"]


def test_no_emoji_is_torn_apart() -> None:
    for emoji in ("👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "❤️", "e\u0301"):
        for piece in split_text(emoji * 50, 23):
            assert len(piece) % len(emoji) == 0
            assert piece.startswith(emoji)


def test_a_code_block_that_is_cut_is_closed_and_opened_again() -> None:
    text = "Look:\n```\n" + "line of code\n" * 40 + "```\nDone."
    pieces = split_markdown(text, 200)
    assert all(piece.count("```") == 2 for piece in pieces if "line" in piece)
    assert sum(piece.count("line of code\n") for piece in pieces) == 40

"""What a shopper reads of what an operator typed in Slack."""

import pytest

from adapters.slack.formatting import addressed, emoji_in, mentioned, to_markdown


def name_of(user_id: str) -> str:
    return {"U0000ANNA": "Anna"}.get(user_id, "someone")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("plain", "plain"),
        ("5 &lt; 6 &amp;&amp; 7 &gt; 6", "5 < 6 && 7 > 6"),
        ("&amp;lt;", r"\&lt;"),
        ("ask <@U0000ANNA> please", "ask @Anna please"),
        ("ask <@U0000ANNA|anna>", "ask @Anna"),
        ("ask <@U0000BERT>", "ask @someone"),
        ("see <#C012345|returns>", "see #returns"),
        ("see <#C012345>", "see #channel"),
        ("<!here> hello", "@here hello"),
        ("<!subteam^S012345|@leads>", "@leads"),
        ("by <!date^1700000000^{date}|Nov 14, 2023>", "by Nov 14, 2023"),
        ("<https://a.example/?a=1&amp;b=2>", "https://a.example/?a=1&b=2"),
        ("<https://a.example/|our page>", "[our page](https://a.example/)"),
        ("<https://a.example/|https://a.example/>", "https://a.example/"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<tel:+4930123|+4930123>", "+4930123"),
        ("*bold* and _soft_ and ~gone~", "**bold** and _soft_ and ~~gone~~"),
        ("5*3*2 and a~b~c", r"5\*3\*2 and a~b~c"),
        ("&gt; a quote", "> a quote"),
        ("`*x* &lt; :tada:`", "`*x* < :tada:`"),
        ("```\n<https://a.example>\n```", "```\nhttps://a.example\n```"),
        ("done :tada:", "done 🎉"),
        (":+1: :thumbsup::skin-tone-3:", "👍 👍🏼"),
        (":slightly_smiling_face::heart:", "🙂❤️"),
        (":flag-de: :simple_smile:", "🇩🇪 🙂"),
        (":man-shrugging:", "🤷‍♂️"),
        (":our_logo: stays", ":our_logo: stays"),
        ("at 10:30:45, ratio a:b:c", "at 10:30:45, ratio a:b:c"),
    ],
)
def test_slacks_codes_become_what_they_mean(typed: str, read: str) -> None:
    assert to_markdown(typed, name_of) == read


def test_slack_itself_says_which_character_an_emoji_is() -> None:
    element = {"type": "emoji", "name": "new_one", "unicode": "1f44b-1f3fd"}
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}]
    assert to_markdown("hi :new_one:", name_of, emoji_in(blocks)) == "hi 👋🏽"


def test_a_leading_mention_of_the_bot_is_taken_off() -> None:
    assert addressed("<@U0BATON> resolve", "U0BATON") == ("bot", "resolve")
    assert addressed(" <@U0BATON>: resolve", "U0BATON") == ("bot", "resolve")


@pytest.mark.parametrize(
    "start", ["<@U0000ANNA>", "<@U0000ANNA|anna>", "<!here>", "<!subteam^S012345|@leads>"]
)
def test_a_leading_mention_of_people_is_kept(start: str) -> None:
    assert addressed(f"{start} look", "U0BATON") == ("person", f"{start} look")


def test_a_mention_further_on_addresses_nobody() -> None:
    assert addressed("please ask <@U0000ANNA>", "U0BATON") == (None, "please ask <@U0000ANNA>")


def test_everybody_mentioned_is_named_once() -> None:
    assert mentioned("<@U0000ANNA> <@U0000BERT|b> <@U0000ANNA>") == ["U0000ANNA", "U0000BERT"]

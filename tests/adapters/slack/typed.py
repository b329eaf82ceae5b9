"""What people type in Slack, as strategies: texts full of marks, and whole `rich_text` blocks of them."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

TRICKY = [
    "*a*",
    "_b_",
    "~c~",
    "`d`",
    "**e**",
    "__f__",
    "~~g~~",
    "***h***",
    "```i```",
    "~~~",
    "2*3*4",
    "snake_case_name",
    "5*3",
    "a_b_c",
    "*_~`[]()!<>\\#+-.>|&:",
    "\\*",
    "\\\\",
    "\\`",
    "[x](https://a.example)",
    "![x](https://a.example/y)",
    "<b>bold</b>",
    "<@U0000ANNA>",
    "<!here>",
    "<!channel>",
    "<!subteam^S012345>",
    "<https://a.example|label>",
    "@here",
    "@channel",
    "&lt;",
    "&amp;amp;",
    "&#42;",
    ":tada:",
    ":+1:",
    "https://a.example/x_y_z",
    "http://a.example.",
    "mailto:a@b.example",
    "//",
    "note:",
    "#",
    ">",
    ">>>",
    "-",
    "+",
    "1.",
    "1)",
    "99.",
    "===",
    "---",
    "***",
    "•",
    "◦",
    "10:30:45",
    "👍🏽",
    "👩\u200d👩\u200d👧\u200d👦",
    "é",
    "é",
    "日本",
    "\u200b",
    "\u200d",
    "\u202e",
    "\xa0",
    "\ufeff",
]

_CHARACTERS = st.one_of(
    st.sampled_from("*_~`[]()!<>\\#+-.>|&: \n\tab1é😀@/"),
    st.characters(exclude_categories=("Cs",)),
)
_PIECES = st.one_of(
    st.sampled_from(TRICKY), st.sampled_from([" ", "\n", "\n\n", "    "]), st.text(_CHARACTERS, max_size=6)
)

texts = st.lists(_PIECES, max_size=12).map("".join)
"""Any text, rich in what means something somewhere."""

_STYLE = st.fixed_dictionaries(
    {}, optional={name: st.just(True) for name in ("bold", "italic", "strike", "code")}
)
_URLS = st.one_of(
    st.sampled_from(
        ["https://a.example", "https://a.example/x_y_z", "https://a.example/(x)", "http://a.example/?q=*a*&b=~c~",
         "https://a.example/a|b", "mailto:a@b.example", "tel:+49301234", "javascript:alert(1)", "https://",
         "https://user@bank.example/", "https://a.example:99999/", "https://日本.example/ü"]
    ),
    texts.map(lambda text: "https://a.example/" + text),
)  # fmt: skip


def _element(kind: str, **parts: Any) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"type": st.just(kind), **parts}, optional={"style": _STYLE})


elements = st.one_of(
    _element("text", text=texts),
    _element("text", text=texts),
    _element("text", text=texts),
    _element("link", url=_URLS),
    _element("link", url=_URLS, text=texts),
    _element("user", user_id=st.sampled_from(["U0000ANNA", "U0000BERT"])),
    _element("usergroup", usergroup_id=st.just("S012345")),
    _element("channel", channel_id=st.just("C012345")),
    _element("broadcast", range=st.sampled_from(["here", "channel", "everyone"])),
    _element("emoji", name=st.sampled_from(["tada", "party_parrot", "wave", "+1"])),
    _element("emoji", name=st.just("wave"), unicode=st.just("1f44b-1f3fd"), skin_tone=st.just(4)),
    _element(
        "date", timestamp=st.just(1_700_000_000), format=st.just("{date}"), fallback=st.just("Nov 14, 2023")
    ),
    _element("color", value=st.just("#FF0000")),
)
_INSIDE = st.lists(elements, max_size=6)


def _section(kind: str, inside: st.SearchStrategy[Any] = _INSIDE, **more: Any) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"type": st.just(kind), "elements": inside, **more})


_BORDER = st.sampled_from([0, 0, 0, 1])
_SECTIONS = st.one_of(
    _section("rich_text_section"),
    _section("rich_text_section"),
    _section("rich_text_quote"),
    _section("rich_text_preformatted", st.lists(_element("text", text=texts), max_size=2), border=_BORDER),
    _section(
        "rich_text_list",
        st.lists(_section("rich_text_section"), min_size=1, max_size=4),
        style=st.sampled_from(["bullet", "ordered"]),
        indent=st.integers(0, 5),
        offset=st.integers(0, 30),
        border=_BORDER,
    ),
)
blocks = st.lists(_SECTIONS, max_size=5).map(lambda parts: [{"type": "rich_text", "elements": parts}])
"""Whatever Slack's composer can make, and some that it cannot."""

"""What people type in Discord and shoppers elsewhere, as strategies: texts full of marks, and formatted documents."""

from hypothesis import strategies as st

from bot.markdown import Block, Span

MARKS = ("//", "// ", "note:", "Note : ", "internal: ")
CODES = [
    "<@100000000000000007>", "<@!100000000000000007>", "<@&100000000000000009>", "<#100000000000000004>",
    "<:party_parrot:100000000000000012>", "<a:wave:100000000000000013>", "<t:1700000000>", "<t:1700000000:R>",
    "<t:1700000000:D>", "</handoff claim:100000000000000014>", "<id:customize>", "<id:guide>", ":tada:",
]  # fmt: skip
TRICKY = [
    *CODES, "@everyone", "@here", "@Everyone", "*a*", "**b**", "***c***", "_d_", "__e__", "___f___", "~~g~~", "||h||",
    "`i`", "``j``", "```k```", "```py\nl\n```", "# m", "## n", "-# o", "> p", ">>> q", "- r", "* s", "+ t", "1. u",
    "2*3*4", "snake_case_name", "\\*", "\\\\", "\\<@100000000000000007>", "¯\\_(ツ)_/¯", "[v](https://a.example)",
    "[https://b.example](https://c.example)", "[w](<https://a.example>)", "<https://a.example/x>",
    "https://a.example/x_y_z", "http://a.example.", "discord.gg/abc", "https://discord.gg/abc",
    "discord.com/invite/abc",    "DISCORDAPP.com/invite/x",
    "<mailto:a@b.example>", "<a@b.example>", "<+4930123456>", "steam://run/1", "10:30:45", "1:100:2", ":smile:", "&lt;",
    "//", "note:", "#", ">", "-", "1.", "===", "•", "👍🏽", "👩\u200d👩\u200d👧", "é", "日本", "\u200b",
    "\u202e", "\xa0", "\ufeff",
    "Dana: hi", "\n**Dana**  done", "\n# Dana",
]  # fmt: skip

_CHARACTERS = st.one_of(
    st.sampled_from("*_~`|[]()!<>\\#+-.@&:/ \n\tab1é😀"),
    st.characters(exclude_categories=("Cs",)),
)
_PIECES = st.one_of(
    st.sampled_from(TRICKY), st.sampled_from([" ", "\n", "\n\n", "    "]), st.text(_CHARACTERS, max_size=6)
)
texts = st.lists(_PIECES, max_size=12).map("".join)
"""Any text, rich in what means something somewhere."""

_WORDS = st.one_of(
    st.sampled_from(
        [
            "on",
            "it",
            "a*b",
            "x_y",
            "~",
            "**",
            "||",
            "`",
            "1.",
            "#",
            "- ",
            "> ",
            "\\",
            "[z]",
            "@here",
            ":tada:",
        ]
    ),
    st.from_regex(r"[a-z]{1,6}", fullmatch=True),
)
_LINES = st.lists(_WORDS, min_size=1, max_size=4).map(" ".join)
_PLAIN = st.builds(Span, _LINES, bold=st.booleans(), italic=st.booleans(), strike=st.booleans())
_SPANS = st.lists(
    st.one_of(_PLAIN, _PLAIN, st.builds(Span, _LINES, code=st.just(True))), min_size=1, max_size=5
).map(tuple)
_KINDS = st.one_of(
    st.builds(Block, st.just("text"), _SPANS, quoted=st.booleans(), apart=st.booleans()),
    st.builds(Block, st.just("bullet"), _SPANS, level=st.just(0)),
    st.builds(Block, st.just("code"), st.lists(_LINES, min_size=1, max_size=3).map("\n".join).map(
        lambda text: (Span(text, code=True),)), quoted=st.booleans()),
)  # fmt: skip
documents = st.lists(_KINDS, min_size=1, max_size=5)
"""Formatted texts as blocks."""

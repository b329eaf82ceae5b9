"""What Discord shows for a message: a small reader of its rules, apart from the product's, as an oracle for tests.

Written after the rules that people found by trying and that Discord's open Android library has. Its programs differ: a
desktop minds backslashes inside bold and joins the lines of a quote, a phone does neither. A test asks both.
"""

import re
from dataclasses import dataclass, field

BREAK = "\u200b"

ESCAPED = re.compile(r"\\[^0-9A-Za-z\s]")
FENCE = re.compile(r"```(?:[\w+\-.#]+\n)?\n*(?=[^\n])(.+?)\n*```", re.S)
TICKED = re.compile(r"(`+)(?!`)(.*?[^`])\1(?!`)", re.S)
STYLES = {
    "bold": r"\*\*(%s+?)\*\*(?!\*)",
    "underline": r"__(%s+?)__(?!_)",
    "strike": r"~~(.+?)~~",
    "spoiler": r"\|\|(.+?)\|\|",
}
ITALIC = re.compile(
    r"\*(?=\S)((?:\\.|\*\*|\s+(?:[^\s*\\]|\\.|\*\*)|[^\s*\\])+?)(?<!\\)\*(?!\*)|_((?:__|\\.|[^\\_])+?)_(?!\w)",
    re.S,
)
LINK = re.compile(r"\[((?:\\.|\[[^\]]*\]|[^\[\]])+)\]\(\s*<?(https?://[^\s()<>]+)>?\s*\)")
BRACKETED = re.compile(r"<(https?://[^ <>\n]+|[^\s<>@]+@[^\s<>@]+|\+\d+)>")
BARE = re.compile(r"(?:https?|steam)://[^\s<]+")
TOKEN = re.compile(r"<(?:@[!&]?|#|a?:\w+:|t:-?|/[^<>:\n]+:|id:\w+)\d*(?::[a-zA-Z])?>")
NAMED = re.compile(r":(tada|100|smile|30|wave):")
LINES = {
    "quote": re.compile(r" *>(?:>>)? +([^\n]*)"),
    "heading": re.compile(r" *#{1,3}\s+([^\n]+)"),
    "small": re.compile(r" *-#\s+([^\n]+)"),
    "item": re.compile(r" *(?:[*+-]|\d+\.) +([^\n]+)"),
}
PINGS = re.compile(r"<@[!&]?\d+>|@(?:everyone|here)", re.I)
PREVIEWS = re.compile(r"(?<!<)https?://\S|discord(?:app)?\.(?:gg|com/invite|gift)\S*", re.I)


@dataclass
class Shown:
    """Each character with its styles; the links' labels and targets."""

    characters: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(one for one, _ in self.characters)

    @property
    def styles(self) -> set[str]:
        return {name for one, names in self.characters for name in names if one.strip()}


def pings(content: str) -> list[str]:
    """Whom the server would call, if nothing forbade it: it looks at the raw text."""
    return PINGS.findall(content)


def previews(content: str) -> list[str]:
    """What it would show a preview or an invitation for."""
    return PREVIEWS.findall(content)


def shown(content: str, phone: bool = False) -> Shown:
    """What people read."""
    out = Shown()
    _read(content, frozenset(), out, phone, [True])
    return out


def _read(text: str, style: frozenset[str], out: Shown, phone: bool, start: list[bool]) -> None:
    at = 0
    while at < len(text):
        at = _next(text, at, style, out, phone, start)


def _next(text: str, at: int, style: frozenset[str], out: Shown, phone: bool, start: list[bool]) -> int:
    def put(shown: str, more: str = "") -> None:
        out.characters += [(one, style | {more} if more else style) for one in shown]
        start[0] = shown.endswith("\n")

    if start[0]:
        for name, rule in LINES.items():
            if found := rule.match(text, at):
                _read(found[1], style | {name}, out, phone, [True])
                start[0] = False
                return found.end()
    if found := ESCAPED.match(text, at):
        put(found[0][1:])
        return found.end()
    if (found := FENCE.match(text, at)) and found[1].strip("`"):
        put(found[1], "code")
        return found.end()
    if found := TICKED.match(text, at):
        put(found[2], "code")
        return found.end()
    for name, found in _styled(text, at, phone):
        _read(found[1] or found[found.lastindex or 1], style | {name}, out, phone, start)
        return found.end()
    if (found := LINK.match(text, at)) and not re.search(r"https?://\S", found[1]):
        before = len(out.characters)
        _read(found[1], style | {"link"}, out, phone, [False])
        out.links.append(("".join(one for one, _ in out.characters[before:]), found[2]))
        start[0] = False
        return found.end()
    if found := BRACKETED.match(text, at) or BARE.match(text, at):
        address = found[1] if found.re is BRACKETED else found[0]
        put(address, "link")
        out.links.append((address, address))
        return found.end()
    if (
        found := TOKEN.match(text, at)
        or NAMED.match(text, at)
        or re.compile("@everyone|@here").match(text, at)
    ):
        out.tokens.append(found[0])
        put("\ufffc")
        return found.end()
    blank = text[at].isspace()
    began = start[0]
    put(text[at])
    start[0] = text[at] == "\n" or (began and blank)
    return at + 1


def _styled(text: str, at: int, phone: bool) -> list[tuple[str, re.Match[str]]]:
    """The style that begins here, if one does: on a phone the first that fits, else the longest."""
    inside = r"(?:.)" if phone else r"(?:\\.|[^\\])"
    found = [
        (name, match)
        for name, rule in STYLES.items()
        if (match := re.compile(rule % inside if "%s" in rule else rule, re.S).match(text, at))
    ]
    if match := ITALIC.match(text, at):
        found.append(("italic", match))
    return [found[0] if phone else max(found, key=lambda one: one[1].end())] if found else []

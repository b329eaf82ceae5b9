"""Discord's own markup, written so that only Baton formats and only Baton mentions.

What comes from a shopper or a store is escaped: a backslash before each character that could begin a style, a link, a
mention, an emoji, a list, a quote or a preview. Discord's backslash makes the character stand for itself, so the
message reads as it was written. Where a backslash is not enough (`@everyone`, marks inside code), a zero-width space
parts what must not be read together. That allowed mentions and suppressed embeds say the same again is outbound's.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from bot import markdown
from bot.markdown import SPACE, Block, Span, is_blank
from bot.markdown_writer import is_address
from bot.splitting import clip, split_markdown, split_text, units
from bot.typed import clean

MESSAGE = 2_000
"""Discord's limit for a message; counted in UTF-16 units, the strictest way to count characters."""
BREAK = "\u200b"
"""Zero-width space: Discord takes it for a character like any other, so it parts marks."""

_SPECIAL = re.compile(
    r"[\\*_~`|<\[]"
    r"|(?<=<)[@#:/+]|(?<=<id):|(?<=<t):"
    r"|:(?=//)|:(?=[^\s:]+:)"
    r"|(?<=discord)\.|(?<=discordapp)\.|(?<=discordmerch)\."
    r"|@(?=everyone|here)",
    re.IGNORECASE,
)
_LINE_START = re.compile(rf"(?P<before>[{SPACE}{BREAK}]*)(?:(?P<mark>[#>+-])|(?P<number>\d+)(?=\.))")
_EVERYBODY = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_PINGS = re.compile(rf"{_EVERYBODY.pattern}|<(?=[@#])", re.IGNORECASE)
_ADDRESS_LIKE = re.compile(r"//|\w\.\w{2,}|@\w", re.UNICODE)
_NOT_IN_ADDRESS = re.compile(rf"[\s\\*~`|<>\[\]()\"']|{_EVERYBODY.pattern}", re.IGNORECASE)
_STYLES = (("~~", "strike"), ("**", "bold"), ("*", "italic"))
_MARKS = frozenset("*_~`|\\")
_PERSON = re.compile(r"\d{5,25}")
_ROLE = re.compile(r"&(\d{5,25})")


# --- untrusted text -------------------------------------------------------------------------------------------


def inert(text: str) -> str:
    """Text that shows as it was written: no mention, no link, no formatting, wherever it stands."""
    return "\n".join(_line_start(escape(line)) for line in clean(text).split("\n"))


def escape(text: str) -> str:
    """The same for text inside a line."""
    return _SPECIAL.sub(_escaped, text)


def bold(text: str) -> str:
    """Untrusted text in bold, on one line; nothing for nothing."""
    return "".join(_written_line((Span(" ".join(clean(text).split()), bold=True),)))


def quoted(text: str) -> str:
    """Untrusted text as a quote."""
    return "\n".join(f"> {inert(line) or BREAK}" for line in clean(text).strip().split("\n"))


def subtext(text: str) -> str:
    """Markdown as one quiet line."""
    return "\n".join(f"-# {line}" for line in marked_up(text).split("\n") if not is_blank(line))


def date(at: float, style: str = "R") -> str:
    """A time that each reader sees in their own zone; `R` keeps counting by itself."""
    return f"<t:{int(at)}:{style}>"


def _escaped(found: re.Match[str]) -> str:
    """A backslash would leave `@everyone` together."""
    return f"@{BREAK}" if _EVERYBODY.match(found.string, found.start()) else f"\\{found[0]}"


def _line_start(line: str) -> str:
    """A line that is no heading, subtext, list or quote, whatever it begins with."""
    found = _LINE_START.match(line)
    if not found:
        return line
    at = found.end() if found["number"] else found.end("before")
    return f"{line[:at]}\\{line[at:]}"


# --- mentions -------------------------------------------------------------------------------------------------


def mention(person: str) -> str:
    """The ping of a person, a role (`&id`) or `here`; nothing for what is none of these."""
    if _PERSON.fullmatch(person):
        return f"<@{person}>"
    if role := _ROLE.fullmatch(person):
        return f"<@&{role[1]}>"
    return "@here" if person == "here" else ""


def mentions(people: Iterable[str]) -> str:
    """Several of them, with spaces between."""
    return " ".join(filter(None, map(mention, people)))


# --- Markdown -------------------------------------------------------------------------------------------------


def marked_up(text: str) -> str:
    """Markdown, as docs/connect-your-assistant.md has it, in Discord's."""
    return written(markdown.parse(clean(text)))


def written(blocks: Iterable[Block]) -> str:
    """Parsed Markdown as Discord's."""
    out, before = "", None
    blocks = list(blocks)
    counted = _counts_by_one(blocks)
    for block in blocks:
        text = _block(block, counted)
        if not text:
            continue
        if before is not None:
            ends_list = before.level or before.kind in ("bullet", "number")
            apart = block.apart or (ends_list and block.kind == "text" and not block.level)
            out += "\n\n" if apart else "\n"
        out += text
        before = block
    return out


def _counts_by_one(blocks: Sequence[Block]) -> bool:
    """Whether Discord, which counts by itself after a list's first number, would show the numbers there are."""
    last: dict[int, int] = {}
    for block in blocks:
        if block.kind == "number":
            if block.level in last and last[block.level] + 1 != block.number:
                return False
            last = {level: number for level, number in last.items() if level < block.level}
            last[block.level] = block.number
        elif block.level == 0:
            last.clear()
    return True


def _block(block: Block, counted: bool) -> str:
    if block.kind == "code":
        return _code_block(block)
    first = _bullet(block, counted)
    indent, hanging = "  " * block.level, "  " * (block.level + bool(first))
    lines = [
        f"{hanging if at else indent + first}{line}" for at, line in enumerate(_written_line(block.spans))
    ]
    if not any(line.strip(SPACE + BREAK) for line in lines):
        return ""
    return "\n".join(f"> {line or BREAK}" for line in lines) if block.quoted else "\n".join(lines)


def _bullet(block: Block, counted: bool) -> str:
    if block.kind == "number":
        return f"{block.number}. " if counted else f"{block.number}\\. "
    return "- " if block.kind == "bullet" else ""


def _code_block(block: Block) -> str:
    """Always at the left margin, where a fence is read everywhere. In a quote, which phones read line by line, each
    line is code of its own."""
    code = "".join(span.text for span in block.spans).strip("\n")
    if not code.strip(SPACE):
        return ""
    if block.quoted:
        return "\n".join(f"> {_code(line) if line.strip(SPACE) else BREAK}" for line in code.split("\n"))
    return f"```\n{_unpinged(code.replace('```', f'`{BREAK}`{BREAK}`'))}\n```"


def _written_line(spans: Iterable[Span]) -> Iterator[str]:
    """The lines of a paragraph."""
    for line in _lines(spans):
        out = ""
        for span in _joined(line):
            at_start = not out.strip(SPACE + BREAK + "*~")
            piece = _span(span, at_start=at_start)
            out += (BREAK if _touch(out, piece) else "") + piece
        yield out


def _lines(spans: Iterable[Span]) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for span in spans:
        if span.url:
            lines[-1].append(replace(span, text=" ".join(span.text.split("\n"))))
            continue
        first, *rest = span.text.split("\n")
        lines[-1].append(replace(span, text=first))
        lines.extend([replace(span, text=text)] for text in rest)
    return lines


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of one style are one."""
    last: Span | None = None
    for span in spans:
        if not span.text and not span.url:
            continue
        if last and not last.url and not span.url and last == replace(span, text=last.text):
            last = replace(last, text=last.text + span.text)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def _touch(before: str, after: str) -> bool:
    """Whether marks would run together and be read as others."""
    return bool(before) and bool(after) and before[-1] in _MARKS and after[0] in _MARKS


def _span(span: Span, *, at_start: bool) -> str:
    if span.url:
        return _styled(_link(span), span)
    if span.code:
        body = _code(span.text)
        return body if _MARKS & set(span.text) else _styled(body, span)
    core = span.text.strip(SPACE)
    if not core:
        return span.text
    lead, tail = span.text[: span.text.index(core)], span.text[span.text.index(core) + len(core) :]
    body = escape(core)
    return f"{lead}{_styled(_line_start(body) if at_start else body, span)}{tail}"


def _styled(body: str, span: Span) -> str:
    """Marks around it; they must not touch marks of its own."""
    marks = [mark for mark, name in _STYLES if getattr(span, name)]
    if not marks:
        return body
    padded = (BREAK if body[0] in _MARKS else "") + body + (BREAK if body[-1] in _MARKS else "")
    return "".join(marks) + padded + "".join(reversed(marks))


def _code(text: str) -> str:
    """Code in a line. Three backticks would begin a block, so none ever touch."""
    body = _unpinged(re.sub("`(?=`)", f"`{BREAK}", text))
    if "`" not in body:
        return f"`{body}`"
    return f"``{' ' if body[0] == '`' else ''}{body}{' ' if body[-1] == '`' else ''}``"


def _unpinged(code: str) -> str:
    """A backslash is one in code, so what could mention is parted."""
    return _PINGS.sub(lambda found: f"{found[0]}{BREAK}", code)


def _link(span: Span) -> str:
    """In angle brackets, so that there is no preview. A label that reads like an address stands before the true one."""
    url, label = span.url or "", span.text.strip(SPACE)
    if not url.startswith(("https://", "http://")) or not is_address(url):
        address = url.removeprefix("mailto:")
        return escape(label if address in label else f"{label} ({address})" if label else address)
    target = f"<{_NOT_IN_ADDRESS.sub(lambda found: quote(found[0], safe=''), url)}>"
    if not label or label == url:
        return target
    if _ADDRESS_LIKE.search(label) or "[" in label or "]" in label:
        return f"{escape(label)} ({target})"
    return f"[{escape(label)}]({target})"


# --- length ---------------------------------------------------------------------------------------------------


def fits(text: str, limit: int = MESSAGE) -> bool:
    """Whether Discord takes it."""
    return units(text) <= limit


def fit(text: str, limit: int, render: Callable[[str], str] = inert) -> str:
    """As much of a text as renders within the limit, with an ellipsis; only where its whole stands elsewhere."""
    shown, room = render(text), limit
    while units(shown) > limit and room > 1:
        room = room * 3 // 4
        shown = render(clip(text, room))
    return shown


def pieces(text: str, *, literal: bool, room: int = MESSAGE - 100) -> list[str]:
    """A text cut so that each piece renders within `room` units; put together they are the text. `literal`: a
    shopper's, else Markdown, where a code block that is cut is closed and opened again."""
    cut, render = (split_text, inert) if literal else (split_markdown, marked_up)
    limit, found = room, [text]
    while not all(fits(render(piece), room) for piece in found) and limit > 16:
        found = cut(text, limit)
        limit = limit * 3 // 4
    return found

"""What an operator typed in Discord, as the shopper should read it: Markdown, as docs/connect-your-assistant.md has it.

Discord reads styles first and blocks inside them, so a list may stand in bold; `_Reader` does the same and keeps lines.
Mentions, custom emoji, times and commands come as codes (`<@1>`, `<:name:1>`, `<t:1:R>`), which no shopper sees raw.
Ours has no underline, spoiler, heading or small print: an underlined or hidden text is plain, a heading bold.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from adapters.discord.words import numbered
from bot.markdown import Block, Span
from bot.people import Actor, Role
from bot.relay import is_marked_inside, marker_of
from bot.typed import clean, code_lines, linked, said

NameOf = Callable[[str], str]
"""From an id to the name to show."""

FORWARD = 1
"""The type of a message's reference that says it was forwarded."""
MOST_LEVELS = 12
"""How deep styles and blocks may stand in each other; deeper ones are text."""

_TEXT = re.compile(r"[^\\*_~|`<\[h:\n]+")
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_SHRUG = re.compile(r"¯\\_\(ツ\)_/¯")
_FENCED = re.compile(r"```(?:([\w+\-.#]+)[ \t]*\n)?\n*([^\n].*?)\n*```", re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)(.*?[^`])\1(?!`)", re.DOTALL)
_STYLES = (
    ("italic", re.compile(r"\*(?=\S)((?:\*\*|\\.|\s+(?:\\.|\*\*|[^\s*\\])|[^\s*\\])+?)\*(?!\*)", re.DOTALL)),
    ("italic", re.compile(r"_((?:__|\\.|[^\\_])+?)_(?!\w)", re.DOTALL)),
    ("bold", re.compile(r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", re.DOTALL)),
    ("", re.compile(r"__((?:\\.|[^\\])+?)__(?!_)", re.DOTALL)),
    ("strike", re.compile(r"~~(.+?)~~(?!_)", re.DOTALL)),
    ("", re.compile(r"\|\|(.+?)\|\|", re.DOTALL)),
)
_LINK = re.compile(
    r"\[((?:\\.|\[[^\[\]]*\]|[^\[\]\\])+)\]"
    r"\(\s*<?((?:https?://)(?:\\.|\([^\s()<>]*\)|[^\s()<>\\])+)>?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)"
)
_SHOWN_ADDRESS = re.compile(r"https?://\S")
_BRACKETED = re.compile(
    r"<((?:https?://|mailto:|tel:|sms:)[^\s<>]+|[^\s<>@:]+@[^\s<>@:]+\.\w+|\+[\d ()-]{4,20})>"
)
_BARE = re.compile(r"https?://[^\s<]+[^\s<.,:;\"'\]]")
_TOKEN = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|a?:(?P<emoji>\w+):\d+"
    r"|t:(?P<time>-?\d{1,17})(?::(?P<style>[tTdDfFsSR]))?|/(?P<command>[^<>:\n]+):\d+"
    r"|id:(?P<guide>[a-z-]+)(?::\d+)?)>"
)
_NAMED = re.compile(r"(?<!\w):([\w+-]+):")
_PIECES = (
    ("literal", _SHRUG),
    ("escaped", _ESCAPE),
    ("code", _CODE),
    ("link", _LINK),
    ("token", _TOKEN),
    ("address", _BRACKETED),
    ("emoji", _NAMED),
    ("literal", _TEXT),
)
_QUOTE_REST = re.compile(r" *>>> +(.*)\Z", re.DOTALL)
_QUOTE = re.compile(r"(?: *>(?!>>) [^\n]*(?:\n|\Z))(?: *>(?!>>)(?: [^\n]*)?(?:\n|\Z))*")
_QUOTE_MARK = re.compile(r"^ *> ?", re.MULTILINE)
_HEADING = re.compile(r" *#{1,3} +(?!#)([^\n]+)")
_SUBTEXT = re.compile(r" *-# +([^\n]+)")
_ITEM = re.compile(r"(?P<indent> *)(?:[*+-]|(?P<number>\d{1,9})\.) +(?P<text>[^\s][^\n]*)")
_HANGING = re.compile(r"\n {2,}(?! *(?:[*+-]|\d{1,9}\.) )(?P<text>[^\s][^\n]*)")
_UNSEEN = r"[\s*_~|>#\u200b\u200c\u200d\u2060\ufeff-]|\d{1,9}\. "
_BEGINNING = re.compile(rf"\A(?:{_UNSEEN}|`)*")
_LEADING = re.compile(
    rf"(?:{_UNSEEN})*(?P<mention><@!?(?P<user>\d+)>|<@&(?P<role>\d+)>|@everyone\b|@here\b)(?P<after>[\s,:;]*)"
)
_MENTION = re.compile(r"<@!?(\d+)>")


def markdown_of(
    message: Mapping[str, Any],
    bot_user_id: str,
    name_of: NameOf,
    place_names: NameOf = lambda _: "",
    *,
    bot_role_id: str = "",
) -> tuple[str | None, str]:
    """To whom a message is said when it begins with a mention ("bot" or "person"), and its words as Markdown; without
    the mention if it is the bot's. What marks a note stands at the beginning as it was typed. `place_names` gives the
    name of a role (`&id`) or a channel (`#id`)."""
    to, text = addressed(str(message.get("content") or ""), bot_user_id, bot_role_id)
    parts = [said(blocks_of(text, name_of, place_names))]
    parts += [said(blocks_of(one, name_of, place_names)) for one in _besides(message)]
    words = "\n\n".join(filter(None, parts))
    mark = marker_of(_BEGINNING.sub("", text))
    if mark and not is_marked_inside(words):
        words = f"{mark.strip()} {words}"  # in a style that was never closed: it is a note all the same
    return to, words


def mentioned_in(message: Mapping[str, Any]) -> list[str]:
    """The ids of the people a message mentions, so that their names can be looked up first."""
    texts = [str(message.get("content") or ""), *_besides(message)]
    return list(dict.fromkeys(one for text in texts for one in _MENTION.findall(text)))


def addressed(text: str, bot_user_id: str, bot_role_id: str = "") -> tuple[str | None, str]:
    """To whom a text is said when it begins with a mention ("bot" or "person"), however that is styled, and the text
    for that case: without the mention if it is the bot's. Discord gives each bot a role of its name, which people
    mention by mistake; it counts as the bot."""
    found = _LEADING.match(text)
    if not found:
        return None, text
    if found["user"] == bot_user_id or (found["role"] and found["role"] == bot_role_id):
        return "bot", text[: found.start("mention")] + text[found.end() :]
    return "person", text


def command_of(
    message: Mapping[str, Any], bot_user_id: str, actors: Mapping[str, Actor], *, bot_role_id: str = ""
) -> dict[str, Any]:
    """What a message that begins with the bot's mention asks for: its words, and the people in them. Empty for any
    other message."""
    text = str(message.get("content") or "")
    found = _LEADING.match(text)
    if not found or addressed(text, bot_user_id, bot_role_id)[0] != "bot":
        return {}
    words, ids = numbered(clean(text[found.end() :]))
    stranger = Actor("discord", "", "someone", Role.NONE)
    return {"command": words, "people": tuple(actors.get(one, stranger) for one in ids)}


def blocks_of(text: str, name_of: NameOf, place_names: NameOf = lambda _: "") -> list[Block]:
    """Discord's Markdown as blocks."""
    reader = _Reader(name_of, place_names)
    reader.read(clean(text), Span(""), 0)
    return reader.blocks()


def _besides(message: Mapping[str, Any]) -> Iterator[str]:
    """What a message says without words of its own: something forwarded, a sticker, a poll."""
    if (message.get("message_reference") or {}).get("type") == FORWARD:
        for one in message.get("message_snapshots") or ():
            yield str((one.get("message") or {}).get("content") or "")
    for sticker in message.get("sticker_items") or ():
        yield _literally(f"({_in_words(str(sticker.get('name') or 'sticker'))})")
    poll = message.get("poll") or {}
    if poll:
        yield _literally(str((poll.get("question") or {}).get("text") or ""))
        for answer in poll.get("answers") or ():
            yield "- " + _literally(str((answer.get("poll_media") or {}).get("text") or ""))


def _literally(text: str) -> str:
    return re.sub(r"([^0-9A-Za-z\s])", r"\\\1", clean(text))


# --- reading --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    """One line, and what it is part of. `goes_on`: of the item before it."""

    kind: str = "text"
    number: int = 0
    level: int = 0
    quoted: bool = False
    goes_on: bool = False
    spans: list[Span] = field(default_factory=list)

    def is_blank(self) -> bool:
        return not any(span.text.strip() or span.url for span in self.spans)


@dataclass(slots=True)
class _Reader:
    """Reads by Discord's rules; what fits none of them is text, so nothing is an error and nothing is lost."""

    name_of: NameOf
    place_names: NameOf
    lines: list[_Line] = field(default_factory=lambda: [_Line()])
    quoted: bool = False
    indents: list[int] = field(default_factory=list)

    def read(self, text: str, style: Span, depth: int) -> None:
        """All of it, in that style."""
        at = 0
        while at < len(text):
            if depth < MOST_LEVELS:
                end = self._block(text, at, style, depth) or self._styled(text, at, style, depth)
                if end:
                    at = end
                    continue
            at = self._piece(text, at, style)

    def blocks(self) -> list[Block]:
        """The lines, those that belong together as one block."""
        found: list[Block] = []
        for line in self.lines:
            last = found[-1] if found else None
            if line.kind == "code":
                found.append(Block("code", tuple(line.spans), quoted=line.quoted))
            elif line.kind == "text" and last is not None and self._continues(line, last):
                found[-1] = replace(last, spans=(*last.spans, Span("\n"), *line.spans))
            elif line.kind != "text" or line.spans:
                found.append(Block(line.kind, tuple(line.spans), line.number, line.level, line.quoted))
        return [block for block in found if block.kind == "code" or any(s.text or s.url for s in block.spans)]

    def _continues(self, line: _Line, last: Block) -> bool:
        if line.quoted != last.quoted or last.kind == "code":
            return False
        return last.kind == "text" or line.goes_on

    # --- lines and blocks -------------------------------------------------------------------------------------

    def _at_start(self) -> bool:
        return self.lines[-1].kind != "code" and self.lines[-1].is_blank()

    def _newline(self, kind: str = "text", **more: Any) -> None:
        self.lines.append(_Line(kind, quoted=self.quoted, **more))

    def _fresh(self) -> None:
        """A line to begin with: the present one, if nothing stands in it."""
        if self.lines[-1].kind != "text" or not self.lines[-1].is_blank() or self.lines[-1].goes_on:
            self._newline()
        self.lines[-1] = _Line(quoted=self.quoted)

    def _block(self, text: str, at: int, style: Span, depth: int) -> int:
        """A code block anywhere, the other blocks at the start of a line; the end of what was read."""
        if (fenced := _FENCED.match(text, at)) and fenced[2].strip("`"):
            return self._fence(fenced)
        if not self._at_start():
            return 0
        if not self.quoted and (found := _QUOTE_REST.match(text, at) or _QUOTE.match(text, at)):
            inside = found[1] if found.re is _QUOTE_REST else _QUOTE_MARK.sub("", found[0])
            self.quoted = True
            self._fresh()
            self.read(inside.removesuffix("\n"), style, depth + 1)
            self.quoted, self.indents = False, []
            self._newline()
            return found.end()
        if found := _HEADING.match(text, at):
            self.read(found[1], replace(style, bold=True), depth + 1)
            return found.end()
        if found := _SUBTEXT.match(text, at):
            self.read(found[1], style, depth + 1)
            return found.end()
        if found := _ITEM.match(text, at):
            return self._item(text, found, style, depth)
        return 0

    def _fence(self, found: re.Match[str]) -> int:
        self._fresh()
        self.lines[-1] = _Line("code", quoted=self.quoted, spans=[Span(found[2], code=True)])
        self._newline()
        end = found.end()
        return end + 1 if found.string[end : end + 1] == "\n" else end

    def _item(self, text: str, found: re.Match[str], style: Span, depth: int) -> int:
        indent = len(found["indent"])
        self.indents = [*(one for one in self.indents if one < indent), indent][-6:]
        kind = "number" if found["number"] else "bullet"
        self.lines[-1] = _Line(kind, int(found["number"] or 0), len(self.indents) - 1, self.quoted)
        self.read(found["text"], style, depth + 1)
        end = found.end()
        while more := _HANGING.match(text, end):
            self._newline(goes_on=True)
            self.read(more["text"], style, MOST_LEVELS - 1)
            end = more.end()
        return end

    # --- inside a line ----------------------------------------------------------------------------------------

    def _styled(self, text: str, at: int, style: Span, depth: int) -> int:
        """A style: of those that could begin here the longest."""
        if text[at] not in "*_~|":
            return 0
        matches = [(name, found) for name, rule in _STYLES if (found := rule.match(text, at))]
        if not matches:
            return 0
        name, found = max(matches, key=lambda one: one[1].end())
        self.read(found[1], replace(style, **{name: True}) if name else style, depth + 1)  # type: ignore[arg-type]
        return found.end()

    def _piece(self, text: str, at: int, style: Span) -> int:
        """Whatever else stands there; at least one character."""
        line = self.lines[-1]
        if text[at] == "\n":
            if line.kind == "text" and not line.spans and not line.goes_on:
                self.indents = []
            self._newline()
            return at + 1
        if found := _BARE.match(text, at):
            return self._bare(found, style)
        for name, rule in _PIECES:
            if (found := rule.match(text, at)) and (spans := self._spans(name, found, style)):
                self._put(spans)
                return found.end()
        self._put([replace(style, text=text[at])])
        return at + 1

    def _spans(self, name: str, found: re.Match[str], style: Span) -> list[Span]:
        """What such a piece shows; nothing if it is no such piece after all."""
        match name:
            case "escaped":
                return [replace(style, text=found[1])]
            case "code":
                return self._code(found, style)
            case "link":
                return self._link(found, style)
            case "token":
                return [replace(style, text=self._token(found))]
            case "address":
                return [linked(style, found[1])]
            case "emoji":
                return self._emoji(found, style)
            case _:
                return [replace(style, text=found[0])]

    def _put(self, spans: list[Span]) -> None:
        """Spans at the end; a line break in them begins a line."""
        for span in spans:
            if span.url:
                self.lines[-1].spans.append(span)
                continue
            first, *rest = span.text.split("\n")
            self.lines[-1].spans.append(replace(span, text=first))
            for text in rest:
                self._newline()
                self.lines[-1].spans.append(replace(span, text=text))

    def _code(self, found: re.Match[str], style: Span) -> list[Span]:
        inside = found[2]
        if inside.startswith(" `") or inside.endswith("` "):
            inside = re.sub(r"^ (?=`)|(?<=`) $", "", inside)
        return list(code_lines(replace(style, text=inside)))

    def _link(self, found: re.Match[str], style: Span) -> list[Span]:
        """Discord makes no link of a label that shows an address."""
        if _SHOWN_ADDRESS.search(found[1]):
            return []
        inner = _Reader(self.name_of, self.place_names)
        inner.read(" ".join(found[1].split()), Span(""), MOST_LEVELS - 3)
        label = "".join(span.text for line in inner.lines for span in line.spans)
        return (
            [linked(replace(style, text=label), re.sub(r"\\(.)", r"\1", found[2]))] if label.strip() else []
        )

    def _bare(self, found: re.Match[str], style: Span) -> int:
        """An address without the bracket that closes what it stands in."""
        url = found[0]
        while url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1].rstrip(".,:;\"'")
        self._put([linked(style, url)])
        return found.start() + len(url)

    def _emoji(self, found: re.Match[str], style: Span) -> list[Span]:
        import emoji

        shown = str(emoji.emojize(found[0], language="alias"))
        return [replace(style, text=shown)] if shown != found[0] else []

    def _token(self, found: re.Match[str]) -> str:
        if found["user"]:
            return f"@{self.name_of(found['user'])}"
        if found["role"]:
            return f"@{self.place_names('&' + found['role']) or 'team'}"
        if found["channel"]:
            return f"#{self.place_names('#' + found['channel']) or 'channel'}"
        if found["emoji"]:
            return f"({_in_words(found['emoji'])})"
        if found["time"]:
            return _time(int(found["time"]), found["style"] or "f")
        return f"/{found['command']}" if found["command"] else f"#{found['guide']}"


def _in_words(name: str) -> str:
    """A custom emoji's name: nobody reads `:party_parrot:` as one."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").strip() or name


def _time(at: int, style: str) -> str:
    """In UTC, since nobody knows the reader's zone. How long ago it was would be wrong a minute later."""
    try:
        when = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return str(at)
    clock = when.strftime("%H:%M:%S" if style in "TS" else "%H:%M") + " UTC"
    if style in "tT":
        return clock
    day = f"{when.day} {when.strftime('%B %Y')}"
    return day if style in "dD" else f"{when.strftime('%A, ') if style == 'F' else ''}{day}, {clock}"

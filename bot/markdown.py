"""The Markdown of Baton's texts, read into plain values.

Rendering from values instead of rewriting strings is what makes injection impossible: whatever is not recognised
here is text, and text is escaped or literal everywhere. The subset is described in docs/connect-your-assistant.md;
widget.js and console.js read it by the same rules, and tests/adapters/slack/test_properties.py holds them together.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

FENCE = "```"
SPACE = (
    "\t\n\v\f\r \u00a0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""White space as browsers see it: Python's own differs."""
MOST_LEVELS = 6
"""How deep quotes, lists and styles may stand in each other; deeper ones are text."""

LINK = (
    r"!?\[(?P<label>(?:\\[^\n]|[^\[\]\\\n]){1,2000})\]"
    rf"\((?P<url>(?:https?://|mailto:)(?:[^{SPACE}()<>\\]|\([^{SPACE}()<>\\]{{0,500}}\)){{1,4000}})\)"
)
CODE = r"(?P<ticks>`+)(?!`)(?:(?P<code>[^\n]{0,2000}?[^\n`])(?P=ticks)(?!`))?"
BARE = rf"https?://[^{SPACE}<>\[\]\"|\\^`{{}}]{{1,4000}}"
_INLINE = re.compile(rf"\\(?P<literal>[!-/:-@\[-`{{-~])|{CODE}|{LINK}|(?P<bare>{BARE})|(?P<marks>\*+|_+|~+)")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}(?!.*`)|~{3,})")
_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(
    rf" {{0,3}}(?:[-*+]|(?P<number>\d{{1,9}})(?P<after>[.)]))[{SPACE}]+(?=[^{SPACE}])", re.ASCII
)
_HEADING = re.compile(rf" {{0,3}}#{{1,6}}[{SPACE}]+(?=[^{SPACE}])")
_INDENTED = re.compile(rf"(?: {{2,}}|\t)[^{SPACE}]")
_DIGITS = frozenset("0123456789")
_STYLES = {("*", 1): "italic", ("_", 1): "italic", ("*", 2): "bold", ("_", 2): "bold", ("~", 2): "strike"}


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `url` makes it a link (`text` empty: the address itself)."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one kind: text, code, bullet or number. An item of a list is a block of its own; `level` is how many
    items it stands in. `apart`: there is an empty line before it."""

    kind: str
    spans: tuple[Span, ...]
    number: int = 0
    level: int = 0
    quoted: bool = False
    apart: bool = False


@dataclass(slots=True)
class _Piece:
    """A span while its styles are still being found; `depth` is how many stand in each other."""

    text: str
    url: str | None = None
    code: bool = False
    styles: frozenset[str] = frozenset()
    depth: int = 0


@dataclass(slots=True)
class _Opener:
    """Marks that may begin a style, and where in the pieces they stand."""

    at: int
    character: str
    length: int
    closes: bool
    left: int


def literal(text: str) -> list[Block]:
    """Text that is not Markdown at all: a shopper's."""
    return [Block("text", (Span(text),))] if text else []


def parse(text: str) -> list[Block]:
    """Markdown to blocks. Nothing is an error: what is not Markdown is text."""
    return list(_blocks(re.split(r"\r\n?|\n", text), Block("text", ())))


def plain(text: str) -> str:
    """The words without their markup."""
    return "\n".join("".join(span.text or span.url or "" for span in block.spans) for block in parse(text))


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space."""
    return not text.strip(SPACE)


# --- blocks ---------------------------------------------------------------------------------------------------


def _blocks(lines: list[str], within: Block, depth: int = 0) -> Iterator[Block]:
    """The blocks of these lines, which stand in a list or quote as `within` does. Takes the lines away."""
    if depth >= MOST_LEVELS:
        yield replace(within, spans=(Span("\n".join(lines)),))
        return
    apart = False
    while lines:
        if is_blank(lines[0]):
            lines.pop(0)
            apart = True
            continue
        for block in _next(lines, within, depth):
            yield replace(block, apart=apart) if apart else block
            apart = False


def _next(lines: list[str], within: Block, depth: int) -> Iterator[Block]:
    line = lines[0]
    if _is_text(line):
        yield replace(within, spans=tuple(inline("\n".join(_take(lines, _is_text)))))
    elif _ITEM.match(line):
        yield from _list(lines, within, depth)
    elif _QUOTE.match(line):
        quoted = [_QUOTE.sub("", one, count=1) for one in _take(lines, lambda one: bool(_QUOTE.match(one)))]
        yield from _blocks(quoted, replace(within, quoted=True), depth + 1)
    elif heading := _HEADING.match(lines.pop(0)):
        yield replace(within, spans=tuple(inline(line[heading.end() :], Span("", bold=True))))
    else:
        yield from _code(line, lines, within)


def _is_text(line: str) -> bool:
    return not is_blank(line) and not any(
        pattern.match(line) for pattern in (_FENCE, _QUOTE, _ITEM, _HEADING)
    )


def _take(lines: list[str], belongs: Callable[[str], bool]) -> list[str]:
    """The lines at the beginning that belong together, taken away."""
    end = next((at for at, line in enumerate(lines) if not belongs(line)), len(lines))
    taken = lines[:end]
    del lines[:end]
    return taken


def _list(lines: list[str], within: Block, depth: int) -> Iterator[Block]:
    """One item, with what is indented below it."""
    found = _ITEM.match(lines[0])
    assert found is not None, "the caller saw it"
    rest = [lines.pop(0)[found.end() :], *_outdented(_take(lines, lambda one: bool(_INDENTED.match(one))))]
    kind = replace(within, kind="number" if found["number"] else "bullet", number=int(found["number"] or 0))
    inner = replace(within, level=within.level + 1)
    first = True
    for block in _blocks(rest, inner, depth + 1):
        if first and block.kind == "text" and block.level == inner.level:
            yield replace(kind, spans=block.spans)
        else:
            yield block
        first = False


def _outdented(lines: list[str]) -> list[str]:
    if not lines:
        return []
    most = min(4, len(lines[0]) - len(lines[0].lstrip(" ")))
    return [re.sub(rf"^(?:\t| {{0,{most}}})", "", line) for line in lines]


def _code(opening: str, lines: list[str], within: Block) -> Iterator[Block]:
    found = _FENCE.match(opening)
    assert found is not None, "nothing else is left"
    fence = found["fence"]
    text = "\n".join(_take(lines, lambda line: not ends_code(line, fence)))
    del lines[:1]
    if text:
        yield replace(within, kind="code", spans=(Span(text, code=True),))


def ends_code(line: str, fence: str) -> bool:
    """Whether a line closes what `fence` opened: the same marks, at least as many, and nothing else."""
    bare = line.strip(SPACE)
    return bare.startswith(fence) and not bare.strip(fence[0])


def opens_code(line: str) -> str:
    """The fence that a line opens code with; empty if it opens none."""
    found = _FENCE.match(line)
    return found["fence"] if found else ""


# --- inside a paragraph ---------------------------------------------------------------------------------------


def inline(text: str, style: Span | None = None) -> Iterator[Span]:
    """The spans of one paragraph, in `style` and what they add to it."""
    pieces: list[_Piece] = []
    openers: list[_Opener] = []
    at = 0
    while found := _INLINE.search(text, at):
        if found.start() > at:
            pieces.append(_Piece(text[at : found.start()]))
        at = found.end()
        if found["bare"]:
            at = found.start() + len(trimmed(found["bare"]))
            pieces.append(_Piece("", url=text[found.start() : at]))
        elif found["marks"]:
            _mark(pieces, openers, found["marks"], text[found.start() - 1 : found.start()], text[at : at + 1])
        else:
            pieces.append(_piece(found))
    pieces.append(_Piece(text[at:]))
    return _merged(pieces, style or Span(""))


def trimmed(address: str) -> str:
    """A bare address without the punctuation of the sentence it stands in."""
    return address.rstrip(".,;:!?'*_~" if "(" in address else ".,;:!?'*_~)]")


def _piece(found: re.Match[str]) -> _Piece:
    if found["literal"]:
        return _Piece(found["literal"])
    if found["url"]:
        return _Piece(
            "".join(span.text or span.url or "" for span in inline(found["label"])), url=found["url"]
        )
    if found["code"]:
        return _Piece(code_inside(found["code"]), code=True)
    return _Piece(found[0])


def code_inside(text: str) -> str:
    """Code may be written with a space at both ends, so that it can begin or end with a backtick."""
    return text[1:-1] if text[0] == " " == text[-1] and text.strip(" ") else text


def _mark(pieces: list[_Piece], openers: list[_Opener], run: str, before: str, after: str) -> None:
    """Close the styles that these marks close, and keep the others: they may open one."""
    opens, closes = _flanks(run, before, after)
    character, left = run[0], len(run)
    at = len(openers) - 1
    while closes and left and at >= 0:
        opener = openers[at]
        either = opener.closes or opens
        if opener.character != character or (either and (opener.length + len(run)) % 3 == 0):
            at -= 1
            continue
        count = min(opener.left, left, 2)
        if not _style(pieces[opener.at + 1 :], _STYLES[character, count]):
            break
        del openers[at + 1 :]
        opener.left -= count
        left -= count
        pieces[opener.at].text = character * opener.left
        if not opener.left:
            openers.pop()
            at -= 1
    if left and opens:
        openers.append(_Opener(len(pieces), character, len(run), closes, left))
    if left:
        pieces.append(_Piece(character * left))


def _style(inside: list[_Piece], name: str) -> bool:
    """Give them the style, unless too many stand in each other."""
    depth = 1 + max((piece.depth for piece in inside), default=0)
    if depth > MOST_LEVELS:
        return False
    for piece in inside:
        piece.styles |= {name}
        piece.depth = depth
    return True


def _flanks(run: str, before: str, after: str) -> tuple[bool, bool]:
    """Whether marks between these two characters may open a style, and close one."""
    if len(run) > 3 or (run[0] == "~" and len(run) != 2):
        return False, False
    if run == "*" and before in _DIGITS and after in _DIGITS:
        return False, False  # a product of numbers
    opens, closes = not is_blank(after), not is_blank(before)
    if run[0] == "_":
        return opens and not is_word(before), closes and not is_word(after)
    return opens, closes


def is_word(character: str) -> bool:
    """Letters and digits; characters beyond 16 bits are none, as browsers see them by halves."""
    return character.isalnum() and ord(character) < 0x10000


def _merged(pieces: Iterable[_Piece], style: Span) -> Iterator[Span]:
    """The pieces as spans; neighbours of one style are one."""

    def likeness(piece: _Piece) -> tuple[object, ...]:
        alone = piece.url is not None or piece.code
        return (piece.styles, id(piece) if alone else None)

    for _, alike in groupby((piece for piece in pieces if piece.text or piece.url), likeness):
        first, *more = alike
        text = first.text + "".join(piece.text for piece in more)
        styles = dict.fromkeys(first.styles, True)
        yield replace(style, text=text, url=first.url, code=first.code, **styles)

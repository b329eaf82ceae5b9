"""Blocks written as Markdown, so that reading them gives the same words back.

What was typed is text: every character that would mean something in Markdown gets a backslash. A style that Markdown
cannot say at that place is left out; a word never is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote, urlsplit

from bot.markdown import BARE, SPACE, Block, Span, inline, is_blank, trimmed

STYLES = ("bold", "strike", "italic")
_ITEMS = ("bullet", "number")
_SPECIAL = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|\Z)"
    r"|(?<=https):(?=//)|(?<=http):(?=//)"
    r"|`|(?!(?<=\S )[*_] )(?:\*|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))"
    r"|^~|~\Z|~(?=~)|(?<=~)~"
    r"|\](?=[(\[:]|\Z)|!(?=\[|\Z)|<(?=[A-Za-z/!?]|\Z)|&(?=#?\w+;)"
)
_LINE_START = re.compile(
    rf"^(?P<indent>[{SPACE}]*)(?:(?P<mark>#{{1,6}}(?=[{SPACE}]|$)|>|[-+](?=[{SPACE}]|$)|~{{3}}|-{{3,}}$|=+$)"
    rf"|(?P<number>\d{{1,9}})(?=[.)](?:[{SPACE}]|$)))",
    re.ASCII,
)
_ADDRESS = re.compile(
    rf"(?:https?://[^{SPACE}/?#()<>\\\[\]@%|^`{{}}\"]+(?:[/?#][^{SPACE}]*)?|mailto:[^{SPACE}]+)"
)
_ENDS = re.compile(rf"[.,;:!?]{{0,2}}[{SPACE}]|\Z")
_SENTENCE = re.compile(r"[^\W\d_](?:(?:[^\W_]|[ .,;?'()%#/-]|:(?= ))*(?:[^\W_]|[.,;?)]))?")
"""A line in which nothing means anything in Markdown: most of what people write."""
_UNSAFE = re.compile(r"[()<>\\\"|^`{}\[\]]")


def written(blocks: Iterable[Block]) -> str:
    """Markdown that `markdown.parse` reads as these blocks."""
    blocks = list(blocks)
    if _is_sentence(blocks):
        return blocks[0].spans[0].text
    out, before, delimiter = "", None, "."
    for given in blocks:
        block = _within_reach(before, given)
        if before is not None and _starts_anew(before, block):
            delimiter = ")" if delimiter == "." else "."
        lines = list(_lines(block, delimiter))
        if not lines:
            continue
        if before is not None:
            out += "\n" if _follows(before, block) else "\n\n"
        prefix = "> " if block.quoted else ""
        out += "\n".join((prefix + line).rstrip() if is_blank(line) else prefix + line for line in lines)
        before = block
    return out


def _is_sentence(blocks: Sequence[Block]) -> bool:
    """Whether it is one plain line, which is written as it stands."""
    if len(blocks) != 1 or len(blocks[0].spans) != 1:
        return False
    text = blocks[0].spans[0].text
    return blocks[0] == Block("text", (Span(text),)) and _SENTENCE.fullmatch(text) is not None


def paragraph(spans: Iterable[Span]) -> str:
    """The spans as one paragraph; without the styles that would be read as others."""
    kept = list(_clean(spans))
    text = _styled(kept)
    if _same(inline(text), kept):
        return text
    bare = [replace(span, bold=False, strike=False, italic=False) for span in kept]
    text = _styled(bare)
    if _same(inline(text), bare):
        return text
    return escaped("".join(span.text or span.url or "" for span in kept))


def escaped(text: str) -> str:
    """Text without a meaning in Markdown, except at the start of a line."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], text)


def line_start(line: str) -> str:
    """A line of a paragraph that is no heading, list, quote, fence or rule, whatever it begins with."""
    found = _LINE_START.match(line)
    if not found:
        return line
    at = found.end() if found["number"] else found.end("indent")
    return f"{line[:at]}\\{line[at:]}"


def is_address(url: str) -> bool:
    """Whether every reader of ours would make a link of it."""
    try:
        parts = urlsplit(url)
        known = _ADDRESS.fullmatch(url) is not None and len(url) < 3000
        return known and (parts.scheme == "mailto" or (bool(parts.hostname) and (parts.port or 0) >= 0))
    except ValueError:
        return False


# --- blocks ---------------------------------------------------------------------------------------------------


def _follows(before: Block | None, block: Block) -> bool:
    """Whether a block goes on with the list before it."""
    return (
        before is not None
        and before.kind in _ITEMS
        and block.kind in _ITEMS
        and before.quoted == block.quoted
    )


def _within_reach(before: Block | None, block: Block) -> Block:
    """An item no deeper than the one before it allows: indented more, it would be no item."""
    if block.kind not in _ITEMS:
        return block
    most = before.level + 1 if before is not None and _follows(before, block) else 0
    return replace(block, level=min(block.level, most))


def _starts_anew(before: Block, block: Block) -> bool:
    """Whether a numbered list begins right behind another one; only the mark can say so."""
    neighbours = before.kind == block.kind == "number" and before.level == block.level
    return neighbours and before.quoted == block.quoted and block.number != before.number + 1


def _lines(block: Block, delimiter: str) -> Iterator[str]:
    indent = "    " * block.level
    if block.kind == "code":
        yield from (indent + line for line in _code(block.spans))
        return
    if block.kind in _ITEMS:
        mark = f"{block.number}{delimiter} " if block.kind == "number" else "- "
        lines = [line.lstrip(SPACE) for one in _paragraphs(block.spans) for line in one.split("\n")]
        yield from (f"{indent}{'    ' if at else mark}{line}" for at, line in enumerate(lines))
        return
    for at, text in enumerate(_paragraphs(block.spans)):
        if at:
            yield ""
        yield from (indent + line for line in text.split("\n"))


def _code(spans: Sequence[Span]) -> Iterator[str]:
    text = "".join(span.text for span in spans)
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    yield from (fence, *text.split("\n"), fence)


def _paragraphs(spans: Sequence[Span]) -> Iterator[str]:
    """Each paragraph, its lines safe at their start. Lines of nothing but white space part paragraphs."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        first, *rest = span.text.split("\n") if not span.url else [span.text]
        lines[-1].append(replace(span, text=first))
        lines.extend([replace(span, text=text)] for text in rest)
    gathered: list[Span] = []
    for line in [*lines, []]:
        if any(span.url or not is_blank(span.text) for span in line):
            gathered += [Span("\n"), *line] if gathered else line
        elif gathered:
            yield "\n".join(map(line_start, paragraph(gathered).split("\n")))
            gathered = []


# --- inside a paragraph ---------------------------------------------------------------------------------------


def _clean(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans of one style each, with white space in no style that does not go on behind it."""
    cut = list(_joined(piece for span in spans for piece in _pieces(span)))
    for at, span in enumerate(cut):
        if not _blank(span):
            yield span
            continue
        sides = [_solid(cut[:at][::-1]), _solid(cut[at + 1 :])]
        styles = {style: all(getattr(side, style) for side in sides) for style in STYLES}
        yield replace(span, **styles)  # type: ignore[arg-type]


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Code next to code of the same style is one: two would be read wrongly."""
    last: Span | None = None
    for span in spans:
        if last and last.code and span == replace(last, text=span.text):
            last = replace(last, text=last.text + span.text)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def _solid(spans: Iterable[Span]) -> Span:
    return next((span for span in spans if not _blank(span)), Span(""))


def _pieces(span: Span) -> Iterator[Span]:
    if span.url:
        label = " ".join(span.text.split("\n"))
        if is_address(span.url) and len(label) < 1500:
            yield replace(span, text=label, code=False)
            return
        span = replace(span, url=None, text=label or span.url)
    if span.code:
        if not span.text or len(span.text) > 1900:
            span = replace(span, code=False)
        else:
            yield span
            return
    core = span.text.strip(SPACE)
    if not core:
        if span.text:
            yield span
        return
    lead, tail = span.text[: span.text.index(core)], span.text[span.text.index(core) + len(core) :]
    yield from (replace(span, text=text) for text in (lead, core, tail) if text)


def _styled(spans: Sequence[Span], before: str = "", after: str = "") -> str:
    out, at = "", 0
    while at < len(spans):
        span = spans[at]
        runs = {
            style: _run(spans, at, style) for style in STYLES if getattr(span, style) and not _blank(span)
        }
        if runs:
            style = max(runs, key=lambda name: runs[name])
            end = at + runs[style]
        else:
            style, end = "", _text_end(spans, at)
        following = _beginning(spans, end) or after
        previous = out[-1:] or before
        if style:
            inner = [replace(one, **{style: False}) for one in spans[at:end]]  # type: ignore[arg-type]
            mark = _mark(style, previous, following)
            out += mark + _styled(inner, mark[0], mark[0]) + mark
        else:
            out += _atom(spans[at:end], following)
        at = end
    return out


def _blank(span: Span) -> bool:
    return not span.url and not span.code and is_blank(span.text)


def _run(spans: Sequence[Span], at: int, style: str) -> int:
    return next((n for n, span in enumerate(spans[at:]) if not getattr(span, style)), len(spans) - at)


def _text_end(spans: Sequence[Span], at: int) -> int:
    """Plain text next to plain text is one text."""
    end = at + 1
    if spans[at].url or spans[at].code:
        return end
    while end < len(spans) and (spans[end] == Span(spans[end].text) or _blank(spans[end])):
        end += 1
    return end


def _beginning(spans: Sequence[Span], at: int) -> str:
    """The first characters of what comes, as far as they matter."""
    if at >= len(spans):
        return ""
    span = spans[at]
    if span.url or span.code or (any(getattr(span, style) for style in STYLES) and not _blank(span)):
        return "*"
    return span.text[:4]


def _mark(style: str, before: str, after: str) -> str:
    if style != "italic":
        return {"bold": "**", "strike": "~~"}[style]
    return "*" if before.isalnum() or after[:1].isalnum() or "_" in (before, after[:1]) else "_"


def _atom(spans: Sequence[Span], after: str) -> str:
    span = spans[0]
    if span.url:
        return _link(span, after)
    if span.code:
        return _inline_code(span.text)
    return escaped("".join(one.text for one in spans))


def _link(span: Span, after: str) -> str:
    url = span.url or ""
    if span.text in ("", url) and _ENDS.match(after) and re.fullmatch(BARE, url) and trimmed(url) == url:
        return url
    label = re.sub(r"(?<!\\)((?:\\\\)*)([\[\]])", r"\1\\\2", escaped(span.text or url))
    return f"[{label}]({_UNSAFE.sub(lambda found: quote(found[0], safe=''), url)})"


def _inline_code(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    padded = text.startswith("`") or text.endswith("`") or (text[0] == " " == text[-1] and text.strip(" "))
    ticks, inside = "`" * (longest + 1), f" {text} " if padded else text
    return f"{ticks}{inside}{ticks}"


def _same(found: Iterable[Span], meant: Iterable[Span]) -> bool:
    found, meant = list(found), list(meant)
    if not any(_styles(span) for span in (*found, *meant)):  # most messages: their letters say it all
        return "".join(span.text for span in found) == "".join(span.text for span in meant)
    return _characters(found) == _characters(meant)


def _characters(spans: Iterable[Span]) -> list[tuple[str, ...]]:
    """Each character with its style; white space looks the same in all, and an address may be written differently."""
    return [
        (one,) if is_blank(one) and not span.code else (one, *styles)
        for span in spans
        for styles in [_styles(span)]
        for one in (span.text or span.url or "")
    ]


def _styles(span: Span) -> list[str]:
    return [style for style in (*STYLES, "code") if getattr(span, style)] + ["link"] * bool(span.url)

"""Cutting a text that is too long, without losing or damaging a character of it.

Slack refuses what is over its limits; the neighbours of Baton cut it. Here the pieces put together are the text.
"""

import re
import unicodedata

from adapters.slack.markdown import FENCE

_PLACES = tuple(re.compile(pattern) for pattern in (r"\n\n+", r"\n", r"[.!?…。！？][\"'”’)]{0,3}\s+", r"\s+"))
_JOINER = "\u200d"


def units(text: str) -> int:
    """Length in UTF-16 units, the strictest way a platform counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` units, cut after a paragraph, line, sentence or word where one ends in the second
    half of the piece, else between two characters as people see them."""
    pieces = []
    while units(text) > limit:
        cut = _cut(text, _reach(text, limit))
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text] if text or not pieces else pieces


def split_markdown(text: str, limit: int) -> list[str]:
    """The same for Markdown: a code block that is cut is closed and opened again."""
    pieces, opening = [], ""
    for piece in split_text(text, limit - 2 * len(FENCE) - 2):
        whole = opening + piece
        opening = FENCE + "\n" if _ends_inside_fence(whole) else ""
        pieces.append(whole + ("" if not opening else FENCE if whole.endswith("\n") else "\n" + FENCE))
    if opening:  # it was never closed: leave the end as it was written
        pieces[-1] = pieces[-1].removesuffix(FENCE).removesuffix("\n")
    return pieces


def clip(text: str, limit: int) -> str:
    """At most `limit` units, with an ellipsis; only for summaries whose whole text stands elsewhere."""
    if units(text) <= limit:
        return text
    return text[: _cut(text, _reach(text, limit - 1))].rstrip() + "…"


def _ends_inside_fence(text: str) -> bool:
    return sum(line.strip().startswith(FENCE) for line in text.split("\n")) % 2 == 1


def _reach(text: str, limit: int) -> int:
    """How many characters fit into `limit` units."""
    end = min(len(text), limit)
    while units(text[:end]) > limit:
        end -= max(1, (units(text[:end]) - limit) // 2)
    return end


def _cut(text: str, end: int) -> int:
    window = text[end // 2 : end]
    for place in _PLACES:
        ends = [found.end() for found in place.finditer(window)]
        if ends:
            return end // 2 + ends[-1]
    return _between_characters(text, end)


def _between_characters(text: str, end: int) -> int:
    for cut in range(end, max(end - 64, 1), -1):
        if not _inside_character(text, cut):
            return cut
    return max(end, 1)


def _inside_character(text: str, cut: int) -> bool:
    if cut >= len(text):
        return False
    before, after = text[cut - 1], text[cut]
    if _JOINER in (before, after) or before + after == "\r\n":
        return True
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or _is_modifier(after):
        return True
    return _is_flag(after) and _flags_before(text, cut) % 2 == 1


def _is_modifier(character: str) -> bool:
    """Skin tones, variation selectors and the tags of regional flags."""
    code = ord(character)
    return 0x1F3FB <= code <= 0x1F3FF or 0xFE00 <= code <= 0xFE0F or 0xE0020 <= code <= 0xE007F


def _is_flag(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _flags_before(text: str, cut: int) -> int:
    count = 0
    while count < cut and _is_flag(text[cut - 1 - count]):
        count += 1
    return count

"""Cutting a text that is too long, without losing or damaging a character of it.

A platform refuses what is over its limits; the neighbours of Baton cut it. Here the pieces put together are the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from bot.markdown import BARE, CODE, FENCE, LINK, ends_code, opens_code

_PLACES = tuple(re.compile(pattern) for pattern in (r"\n\n+", r"\n", r"[.!?…。！？][\"'”’)]{0,3}\s+", r"\s+"))
_WHOLE = re.compile(
    rf"\\[!-/:-@\[-`{{-~]|{CODE}|{LINK}|{BARE}|(?P<marks>\*{{1,3}}|~~|__?)(?=\S)[^\n]{{1,400}}?(?<=\S)(?P=marks)"
)
_JOINER = "\u200d"


def units(text: str) -> int:
    """Length in UTF-16 units, the strictest way a platform counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` units, cut after a paragraph, line, sentence or word where one ends in the second
    half of the piece, else between two characters as people see them."""
    return list(_split(text, limit, _cut))


def split_markdown(text: str, limit: int) -> list[str]:
    """The same for Markdown: a link, code or a style is kept whole where it fits into half a piece, and a code block
    that is cut is closed and opened again."""
    cuts = list(_split(text, limit - 2 * (_longest_fence(text) + 1), _cut_markdown))
    pieces, fence = [], ""
    for at, piece in enumerate(cuts, 1):
        opening = f"{fence}\n" if fence else ""
        fence = _open_fence(piece, fence)
        closing = "" if not fence or at == len(cuts) else fence if piece.endswith("\n") else f"\n{fence}"
        pieces.append(opening + piece + closing)
    return pieces


def clip(text: str, limit: int) -> str:
    """At most `limit` units, with an ellipsis; only for summaries whose whole text stands elsewhere."""
    if units(text) <= limit:
        return text
    return text[: _cut(text, _reach(text, limit - 1))].rstrip() + "…"


def _split(text: str, limit: int, cut_before: Callable[[str, int], int]) -> Iterator[str]:
    while units(text) > limit:
        cut = cut_before(text, _reach(text, limit))
        yield text[:cut]
        text = text[cut:]
    yield text


def _longest_fence(text: str) -> int:
    return max((len(opens_code(line)) for line in text.split("\n")), default=0) or len(FENCE)


def _open_fence(text: str, fence: str) -> str:
    """The fence still open at the end of a text that begins inside `fence`."""
    for line in text.split("\n"):
        if not fence:
            fence = opens_code(line)
        elif ends_code(line, fence):
            fence = ""
    return fence


def _cut_markdown(text: str, end: int) -> int:
    """Before a link, code or a style that would be torn apart, if that leaves half a piece."""
    cut = _cut(text, end)
    for found in _WHOLE.finditer(text, 0, end * 2):
        if found.start() < cut < found.end() and found.start() > end // 2:
            return found.start()
        if found.start() >= cut:
            break
    return cut


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

"""What somebody meant who wrote a word that is not known. Pure."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

LIKE_ENOUGH = 60.0


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like it; None if none is like it at all."""
    found = process.extractOne(word.strip().lower(), list(known), scorer=fuzz.ratio, score_cutoff=LIKE_ENOUGH)
    return str(found[0]) if found else None

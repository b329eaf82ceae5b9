"""When a person is needed, decided from what the shopper wrote. Pure.

Two rules stand here: the shopper asks for a person, also misspelt ("can i tlak to a reel persn"), and a store's
list of keywords. The full rule set joins behind the same function.
"""

import re
from collections.abc import Sequence

from rapidfuzz.distance import OSA

from bot.packet import Reason, shorten
from bot.settings import TriggerRule

_WORD = re.compile(r"[a-z0-9']+")
_ANY_WORD = re.compile(r"[^\W_']+(?:'[^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?\n;])\s*")

# What a shopper calls a person on the other side, and how they ask for one.
_PERSON = (
    "person", "human", "agent", "representative", "operator", "advisor", "adviser", "supervisor", "manager",
    "someone", "somebody", "rep", "executive", "specialist", "employee",
)  # fmt: skip
_STRONG = (
    "human",
    "agent",
    "representative",
    "operator",
    "supervisor",
    "manager",
    "advisor",
    "person",
    "executive",
)
_TALK = ("talk", "speak", "chat", "connect", "transfer", "escalate", "forward", "reach", "contact", "put")
_WANT = (
    "want",
    "need",
    "get",
    "give",
    "let",
    "can",
    "could",
    "may",
    "please",
    "pls",
    "plz",
    "wanna",
    "gimme",
)
_REAL = ("real", "reel", "actual", "live", "human", "proper")
_NOT = ("not", "don't", "dont", "never", "no", "without", "didn't", "didnt", "won't", "wont", "isn't", "isnt")
_PAST = ("talked", "spoke", "spoken", "chatted", "was", "were", "told", "said", "yesterday", "already", "had")
_LINKERS = frozenset({"to", "with", "through", "a", "an", "the", "me", "some", "any", "your", "us", "real", "actual",
                      "live", "human", "customer", "service", "support", "care", "someone", "on", "line", "in", "at",
                      "senior", "proper", "ur", "2", "wid", "directly", "over", "please", "of"})  # fmt: skip
_OTHER_WORDS = frozenset(
    {"manage", "managed", "manages", "personal", "persona", "agency", "agenda", "humane", "operate"}
)
_SHORT = 4  # words up to this long must match to the letter: "rep" is not "rip"


def _like(word: str, known: Sequence[str]) -> str | None:
    """The known word this one is, or is a likely misspelling of (Damerau: swapped letters count once)."""
    if word in known:
        return word
    if word in _OTHER_WORDS:
        return None
    if len(word) <= _SHORT:
        # short verbs are misspelt all the time, but only by swapping: "tlak", "caht"
        return next((one for one in known if len(one) == len(word) == _SHORT and sorted(one) == sorted(word)
                     and one[0] == word[0]), None)  # fmt: skip
    for one in known:
        allowed = 1 if len(one) < 8 else 2
        if (
            len(one) > _SHORT
            and one[0] == word[0]
            and OSA.distance(word, one, score_cutoff=allowed) <= allowed
        ):
            return one
    return None


def asks_for_person(text: str) -> str | None:
    """The words in which the shopper asks for a person, or None.

    A verb of talking with a person right behind it ("transfer me to your manager"); a wish with an unmistakable
    person ("i need a human"); or nothing but the person ("agent!!", "real person please"). A negation before it,
    or a story about the past, is not asking.
    """
    for sentence in _SENTENCE.split(text.replace("’", "'")):
        words = _WORD.findall(sentence.lower())
        if words and _asks(words):
            return shorten(sentence, 120)
    return None


def _asks(words: Sequence[str]) -> bool:
    for index, word in enumerate(words):
        person = _like(word, _PERSON)
        if person is None:
            continue
        start = _walk_back(words, index)
        before = words[max(0, start - 5) : start]
        if any(one in _NOT or one in _PAST for one in before):
            continue
        if start > 0 and _like(words[start - 1], _TALK):
            return not any(one in _NOT or one in _PAST for one in words[max(0, start - 6) : start - 1])
        if any(_like(one, _TALK) for one in words[index + 1 : index + 5]) and _offers(words, start, index):
            return True
        strong = person in _STRONG
        real = any(_like(one, _REAL) for one in words[start:index])
        if (strong or real) and _wishes(before) and _ends(words, index):
            return True
        if (strong or real) and start == 0 and index + 1 >= len(words) - 1 and len(words) <= 4:
            return True
    return False


def _offers(words: Sequence[str], start: int, index: int) -> bool:
    """ "Is there a real person I can talk to?" """
    return words[max(0, start - 2) : start] == ["is", "there"] and "i" in words[index + 1 : index + 3]


def _walk_back(words: Sequence[str], index: int) -> int:
    """The first of the little words that lead up to the person ("to a real …")."""
    while index > 0 and (words[index - 1] in _LINKERS or _like(words[index - 1], _REAL)):
        index -= 1
    return index


def _wishes(before: Sequence[str]) -> bool:
    return any(one in _WANT for one in before[-3:])


def _ends(words: Sequence[str], index: int) -> bool:
    """ "I need a manager" is asking; "I need a manager account" is not."""
    rest = [word for word in words[index + 1 :] if word not in _LINKERS]
    following = words[index + 1] if index + 1 < len(words) else ""
    return not rest or following in {"please", "pls", "plz", "now", "to", "who", "asap", "here", "right", "because",
                                     "not", "and", "immediately", "on", "for", "from", "this"}  # fmt: skip


def matches_keyword(text: str, words: Sequence[str]) -> str | None:
    """The first of the words or phrases that stands in the text as whole words."""
    plain = f" {_plain(text)} "
    return next((word for word in words if _plain(word) and f" {_plain(word)} " in plain), None)


def _plain(text: str) -> str:
    """Its words in any script, lower case, one space between."""
    return " ".join(_ANY_WORD.findall(text.lower().replace("’", "'")))


def evaluate(rules: Sequence[TriggerRule], text: str) -> Reason | None:
    """Why this message of a shopper's needs a person; None if it does not."""
    asked = asks_for_person(text)
    if asked is not None:
        return Reason("explicit_request", rule="explicit_request", evidence=asked)
    for rule in rules:
        found = matches_keyword(text, rule.words)
        if found is not None:
            return Reason("keyword", rule.name, shorten(text, 120), rule.category, rule.priority, rule.wants)
    return None

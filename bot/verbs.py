"""What people type: after the slash command, or after the bot's mention in a thread. Pure.

Whatever is not understood is a `Misread` that says what was meant, or shows the right form: a guess is never carried
out. A person stands in the text as the adapter put them there: `@1` is the first account that was mentioned.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot import texts
from bot.commands import OUTCOMES, PRIORITIES, Outcome, ThreadMessage
from bot.errors import Misread
from bot.meant import closest
from bot.people import Actor


class Act(StrEnum):
    """Every verb, as it is written."""

    QUEUE = "queue"
    MINE = "mine"
    FIND = "find"
    SHOW = "show"
    CLAIM = "claim"
    TAKE_OVER = "takeover"
    ASSIGN = "assign"
    RELEASE = "release"
    HAND_BACK = "handback"
    MOVE = "move"
    PRIORITY = "priority"
    TAG = "tag"
    SNOOZE = "snooze"
    NOTE = "note"
    RESOLVE = "resolve"
    OUTCOME = "outcome"
    AWAY = "away"
    BACK = "back"
    STATS = "stats"
    FAILED = "failed"
    HELP = "help"


EXAMPLES: dict[Act, str] = {
    Act.QUEUE: "queue",
    Act.MINE: "mine",
    Act.FIND: "find sarah@example.com",
    Act.SHOW: "show 1042",
    Act.CLAIM: "claim 1042",
    Act.TAKE_OVER: "takeover 1042",
    Act.ASSIGN: "assign 1042 @operator",
    Act.RELEASE: "release 1042",
    Act.HAND_BACK: "handback 1042",
    Act.MOVE: "move 1042 billing",
    Act.PRIORITY: "priority 1042 high",
    Act.TAG: "tag 1042 damaged, vip",
    Act.SNOOZE: "snooze 1042 2h",
    Act.NOTE: "note 1042 she sent a photo by mail",
    Act.RESOLVE: "resolve 1042 sale 129 EUR",
    Act.OUTCOME: "outcome 1042 refund 20",
    Act.AWAY: "away until 14:00",
    Act.BACK: "back",
    Act.STATS: "stats",
    Act.FAILED: "failed",
    Act.HELP: "help",
}

_SAME: dict[str, Act] = {
    "list": Act.QUEUE, "search": Act.FIND, "open": Act.SHOW, "take": Act.CLAIM, "reopen": Act.CLAIM,
    "take-over": Act.TAKE_OVER, "give": Act.ASSIGN, "unassign": Act.RELEASE, "unclaim": Act.RELEASE,
    "hand-back": Act.HAND_BACK, "transfer": Act.MOVE, "prio": Act.PRIORITY, "tags": Act.TAG, "close": Act.RESOLVE,
    "done": Act.RESOLVE, "?": Act.HELP,
}  # fmt: skip
_TWO_WORDS = {("hand", "back"): Act.HAND_BACK, ("take", "over"): Act.TAKE_OVER}

_PAGE = re.compile(r"(queue|mine|find|failed):(\d{1,4})(?::(.*))?", re.DOTALL)
_NUMBER = re.compile(r"#?(\d{1,9})(?=\s|$)")
_ANY_NUMBER = re.compile(r"(?<![\w#@])#?(\d{1,9})(?!\w)")
_MONEY = re.compile(r"([€$£¥₹]|[A-Z]{3})?(\d[\d.,]*)([€$£¥₹]|[A-Za-z]{3})?")
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?")
_SPAN = re.compile(r"\d{1,4}\s+(m|min(ute)?s?|h|(hou)?rs?|d|days?|w|weeks?)(?![a-z])", re.IGNORECASE)
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}
_USUAL = frozenset(
    {"EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "JPY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK"}
)
CLEARING = frozenset({"none", "off", "-"})
NOW = frozenset({"off", "now", "none", "end"})


@dataclass(frozen=True, slots=True)
class Verb:
    """One request. `number` None: the case of the thread. `words` are what is left: a search, a note, a team, a
    priority, a time, tags, a person (`@1`, "me", or a name), the id of a delivery. `page` counts from 0."""

    act: Act
    number: int | None = None
    words: str = ""
    outcome: Outcome | None = None
    page: int = 0

    @property
    def only_reads(self) -> bool:
        """Whether it changes nothing: `Desk.ask` answers it, no handler."""
        return self.act in _READING or (self.act is Act.FAILED and not self.words)


_READING = frozenset({Act.QUEUE, Act.MINE, Act.FIND, Act.SHOW, Act.STATS, Act.HELP})


def parse(text: str, *, in_thread: bool, case: int | None = None) -> Verb:
    """`in_thread`: the case's number may be left out. `case` is that number: there another one is refused unless it has
    its #, since "resolve 129" may mean a case or an amount. No words at all ask for help. What a page button carries
    (`page_value`) is understood as well."""
    turned = _PAGE.fullmatch(text.strip())
    if turned is not None:
        return Verb(Act(turned[1]), words=turned[3] or "", page=int(turned[2]))
    first, rest = _split(text)
    if not first:
        return Verb(Act.HELP)
    second, after = _split(rest)
    act = _TWO_WORDS.get((first.lower(), second.lower()))
    if act is not None:
        rest = after
    else:
        act = _act(first, in_thread)
    return _REST.get(act, _case_only)(_Request(act, rest, in_thread, case))


def page_value(act: Act, page: int, words: str = "") -> str:
    """What a button carries that shows another page of a listing."""
    return f"{act}:{page}" + (f":{words}" if words else "")


def only_reads(text: str, *, in_thread: bool = True) -> bool:
    """Whether that text is a verb for `Desk.ask` alone; also when it is not understood."""
    try:
        return parse(text, in_thread=in_thread).only_reads
    except Misread:
        return True


def asked_in(command: object) -> tuple[str, tuple[Actor, ...]] | None:
    """The words and people of a message to the bot that the desk answers, since no handler does; else None."""
    heard = command.heard if isinstance(command, ThreadMessage) else None
    if heard is None or heard.addressed != "bot":
        return None
    words = str(heard.extra.get("command") or "")
    return (words, tuple(heard.extra.get("people", ()))) if only_reads(words) else None


def numbers_in(text: str) -> set[int]:
    """The cases that a text may name, so that they are loaded (and locked) with the batch."""
    return {int(found) for found in _ANY_NUMBER.findall(text[:80])[:3]}


def example(act: Act, *, in_thread: bool) -> str:
    """How it is written."""
    return EXAMPLES[act].replace(" 1042", "") if in_thread else EXAMPLES[act]


@dataclass(frozen=True, slots=True)
class _Request:
    act: Act
    rest: str
    in_thread: bool
    case: int | None = None

    @property
    def example(self) -> str:
        return example(self.act, in_thread=self.in_thread)

    def wrong(self) -> Misread:
        return Misread(texts.answers.verb_wrong(str(self.act), self.example))

    def require_own(self, written: str, rest: str) -> None:
        """In a thread a bare number is its case's own, or what was meant is asked."""
        number = written.removeprefix("#")
        own = self.case is None or written != number or int(number) == self.case
        if own or self.act in _READING:
            return
        words = f" {rest}".replace("`", "").rstrip() or _words_needed(self.act)
        here = f"{self.act}{_without_number(self.act, number, words)}"
        there = "" if self.act is Act.RESOLVE and _is_currency(_split(rest)[0]) else words
        raise Misread(texts.answers.which_case(number, here, f"{self.act} #{number}{there}"))


def goes_away(text: str) -> bool:
    """Whether that text says that its author goes; what is not understood does not."""
    try:
        return parse(text, in_thread=True).act is Act.AWAY
    except Misread:
        return False


def _split(text: str) -> tuple[str, str]:
    parts = text.split(maxsplit=1)
    return (parts[0], parts[1].strip() if len(parts) > 1 else "") if parts else ("", "")


def _act(word: str, in_thread: bool) -> Act:
    bare = word.lower().strip("/.,:!`")
    if bare in _SAME:
        return _SAME[bare]
    try:
        return Act(bare)
    except ValueError:
        meant = closest(bare, [*(str(act) for act in Act), *_SAME])
        known = Act(_SAME.get(meant, meant)) if meant else None
        shown = example(known, in_thread=in_thread) if known else None
        raise Misread(texts.answers.verb_unknown(word, shown)) from None


def _number(request: _Request) -> tuple[int | None, str]:
    found = _NUMBER.match(request.rest)
    if found is not None:
        rest = request.rest[found.end() :].strip()
        request.require_own(found[0], rest)
        return int(found[1]), rest
    if not request.in_thread:
        raise Misread(texts.answers.number_missing(str(request.act), request.example))
    return None, request.rest


def _words_needed(act: Act) -> str:
    """What follows the number in the verb's example, where something must."""
    return EXAMPLES[act].partition(" 1042")[2] if _REST.get(act, _case_only) not in _NUMBER_SUFFICES else ""


def _without_number(act: Act, number: str, words: str) -> str:
    """The words after the verb for the thread's own case, whatever the number is then."""
    if act not in (Act.RESOLVE, Act.OUTCOME):
        return f" {number},{words}" if act is Act.TAG else words
    first, rest = _split(words)
    if _is_currency(first):
        return f" {OUTCOMES[0]} {number} {first} {rest}".rstrip()
    return f" {first or OUTCOMES[0]} {rest or number}"


def _alone(request: _Request) -> Verb:
    if request.rest:
        raise Misread(texts.answers.verb_takes_nothing(str(request.act)))
    return Verb(request.act)


def _listing(request: _Request) -> Verb:
    if re.fullmatch(r"[1-9]\d{0,3}", request.rest):
        return Verb(request.act, page=int(request.rest) - 1)
    return _alone(request)


def _case_only(request: _Request) -> Verb:
    number, rest = _number(request)
    if rest:
        raise request.wrong()
    return Verb(request.act, number)


def _case_and_words(request: _Request) -> Verb:
    number, rest = _number(request)
    words = re.sub(r"^to\s+", "", rest)
    if not words:
        raise request.wrong()
    return Verb(request.act, number, words)


def _priority(request: _Request) -> Verb:
    verb = _case_and_words(request)
    priority = verb.words.lower()
    if priority not in PRIORITIES:
        raise Misread(
            texts.answers.no_such_choice("priority", verb.words, PRIORITIES, closest(priority, PRIORITIES))
        )
    return replace(verb, words=priority)


def _tag(request: _Request) -> Verb:
    if request.in_thread and _NUMBER.fullmatch(request.rest):
        return Verb(request.act, None, request.rest)  # a tag that looks like a number
    number, rest = _number(request)
    if not rest:
        raise request.wrong()
    return Verb(request.act, number, rest)


def _snooze(request: _Request) -> Verb:
    """In a thread "3 days" is a time, and not the case #3."""
    if request.in_thread and _SPAN.match(request.rest):
        return Verb(request.act, None, request.rest)
    return _case_and_words(request)


def _note(request: _Request) -> Verb:
    """In a thread a note is about its case, whatever number it begins with: that may be an order's."""
    number, rest = (None, request.rest) if request.in_thread else _number(request)
    if not rest:
        raise request.wrong()
    return Verb(request.act, number, rest)


def _words(request: _Request) -> Verb:
    if not request.rest:
        raise request.wrong()
    return Verb(request.act, words=request.rest)


def _optional(request: _Request) -> Verb:
    return Verb(request.act, words=request.rest)


def _failed(request: _Request) -> Verb:
    word, rest = _split(request.rest)
    if not word:
        return Verb(request.act)
    if word.lower() != "retry" or not rest or len(rest.split()) > 1:
        raise Misread(texts.answers.verb_wrong("failed", "failed retry ID"))
    return Verb(request.act, words=rest)


def _resolve(request: _Request) -> Verb:
    number, rest = _number(request)
    return Verb(request.act, number, outcome=parse_outcome(rest) if rest else None)


def _outcome(request: _Request) -> Verb:
    number, rest = _number(request)
    if not rest:
        raise request.wrong()
    return Verb(request.act, number, outcome=parse_outcome(rest))


def parse_outcome(text: str) -> Outcome:
    """ "sale 129 EUR she took two": a kind, then, if there are any, an amount with its currency and a note."""
    word, rest = _split(text)
    kind = word.lower().rstrip(":,")
    if kind not in OUTCOMES:
        raise Misread(texts.answers.no_such_choice("outcome", word, OUTCOMES, closest(kind, OUTCOMES)))
    money, note = _split(rest)
    found = _MONEY.fullmatch(money.rstrip(".,:;"))
    if found is None or not all(_is_currency(one) for one in (found[1], found[3]) if one):
        return Outcome(kind, note=rest)
    digits, written = found[2], found[1] or found[3]
    if written is None:
        following, behind = _split(note)
        if _is_currency(following.rstrip(".,:;")):
            written, note = following.rstrip(".,:;"), behind
    return Outcome(kind, amount(digits), currency(written), note)


def amount(text: str) -> float:
    """ "129", "129.50", "129,50", "1,299.50" and "1.299,50". `Misread` for anything else."""
    digits = text.strip()
    if _THOUSANDS.fullmatch(digits) is None or len(digits) > 15:
        raise Misread(texts.answers.no_amount(text), field="amount")
    head, tail = digits, ""
    found = re.fullmatch(r"(.*)[.,](\d{1,2})", digits)
    if found is not None:
        head, tail = found[1], found[2]
    return float(f"{head.replace(',', '').replace('.', '')}.{tail or 0}")


def currency(text: str | None) -> str | None:
    """The code of a sign or a code; None for nothing. `Misread` if it is neither."""
    if not text:
        return None
    code = _SIGNS.get(text, text.upper())
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise Misread(texts.answers.no_currency(text), field="currency")
    return code


def _is_currency(word: str) -> bool:
    return word in _SIGNS or bool(re.fullmatch(r"[A-Z]{3}", word)) or word.upper() in _USUAL


def changed_tags(now: tuple[str, ...], words: str) -> tuple[str, ...]:
    """All the tags after "damaged, vip" (added), "-vip" (taken away) or "none" (all of them gone)."""
    if words.strip().lower() in CLEARING:
        return ()
    tags = list(now)
    for part in words.split(","):
        gone = part.strip().startswith("-")
        tag = _tidy(part.strip().lstrip("-"))
        if gone and tag in tags:
            tags.remove(tag)
        elif tag and not gone and tag not in tags:
            tags.append(tag)
    return tuple(tags)


def _tidy(tag: str) -> str:
    return " ".join(tag.lower().strip().lstrip("#").split())


_REST: dict[Act, Callable[[_Request], Verb]] = {
    Act.QUEUE: _listing,
    Act.MINE: _listing,
    Act.BACK: _alone,
    Act.STATS: _alone,
    Act.FIND: _words,
    Act.ASSIGN: _case_and_words,
    Act.MOVE: _case_and_words,
    Act.PRIORITY: _priority,
    Act.TAG: _tag,
    Act.SNOOZE: _snooze,
    Act.NOTE: _note,
    Act.RESOLVE: _resolve,
    Act.OUTCOME: _outcome,
    Act.AWAY: _optional,
    Act.FAILED: _failed,
    Act.HELP: _optional,
}
_NUMBER_SUFFICES = (_case_only, _resolve)

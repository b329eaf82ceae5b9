"""What the operator must not have to ask again (DESIGN §2), in one shape whatever it was built from. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.entries import Author, Entry
from bot.people import Shopper

ISSUE_LENGTH = 140
QUOTE_LENGTH = 200

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_ORDER = re.compile(r"(?:\border\b[^\d#\n]{0,15}|#)\s*(\d[\d-]{2,24}\d)", re.IGNORECASE)
_GREETING = re.compile(
    r"^\W*(hi|hello|hey|good (morning|evening|afternoon)|namaste|hallo|hola)\b\W*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a person is needed. `trigger` is a kind (keyword, explicit_request, button, api, …), `rule` the rule's
    name, `evidence` the words that made it so."""

    trigger: str
    rule: str | None = None
    evidence: str | None = None
    category: str | None = None
    priority: str | None = None
    wants: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The part of it that answers and the packet show."""
        return {"trigger": self.trigger, "rule": self.rule, "evidence": self.evidence}


def shorten(text: str, length: int) -> str:
    """One line of at most `length` characters, cut at a word, with an ellipsis where something is missing."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


def is_quoted(quotation: str, text: str) -> bool:
    """Whether those words were taken from that message, whole or shortened."""
    words = quotation.rstrip("…").strip()
    return bool(words) and words in " ".join(text.split())


def without(packet: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The packet without any quotation of that message."""
    kept = dict(packet)
    for name, inner in (("issue", None), ("sentiment", "quote"), ("reason", "evidence")):
        value = (kept.get(name) or {}).get(inner) if inner else kept.get(name)
        if isinstance(value, str) and is_quoted(value, text):
            kept[name] = {**kept[name], inner: None} if inner else ""
    return kept


def build(
    shopper: Shopper,
    said: Sequence[Entry],
    reason: Reason,
    body: Mapping[str, Any],
    earlier: Sequence[Mapping[str, Any]] = (),
    since: int = 0,
) -> dict[str, Any]:
    """The packet. `said` are the conversation's messages, `body` the optional parts of an escalation's body; what
    this handoff is about was said behind `since`, where the one before ended."""
    summary = body.get("summary") or {}
    shopper_said = [entry for entry in said if entry.author is Author.SHOPPER and entry.text]
    words = [entry.text for entry in shopper_said]
    new_words = [entry.text for entry in shopper_said if entry.seq > since] or words
    return {
        "customer": {
            "id": shopper.external_id,
            "name": shopper.name,
            "email": shopper.email,
            "tier": shopper.tier,
            "orders_count": shopper.orders_count,
            "lifetime_value": shopper.lifetime_value,
            "currency": shopper.currency,
            "locale": shopper.locale,
        },
        "issue": summary.get("issue") or _issue(new_words),
        "category": body.get("category") or reason.category,
        "wants": body.get("wants") or reason.wants,
        "reason": reason.as_dict(),
        "collected": collect(words, body.get("collected") or {}),
        "tried": list(summary.get("tried") or []),
        "sentiment": {
            "label": summary.get("sentiment"),
            "quote": shorten(words[-1], QUOTE_LENGTH) if words else None,
        },
        "orders": list(body.get("orders") or []),
        "cart": dict(body.get("cart") or {}),
        "page": body.get("page"),
        "earlier": list(earlier),
        "suggested_action": summary.get("suggested_action"),
        "suggested_reply": summary.get("suggested_reply"),
        "reachable": ["widget"],  # mail joins once Baton can send it
    }


def _issue(words: Sequence[str]) -> str:
    """Without a summary: the first thing the shopper said that is not a greeting."""
    for text in words:
        if not _GREETING.match(text):
            return shorten(text, ISSUE_LENGTH)
    return shorten(words[0], ISSUE_LENGTH) if words else "No message yet"


def collect(words: Iterable[str], given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Facts by name, each a list without repeats: what the store collected, then what the shopper wrote."""
    facts: dict[str, list[str]] = {}

    def add(name: str, value: object) -> None:
        text = str(value).strip()
        if text and text not in facts.setdefault(name, []):
            facts[name].append(text)

    for name, value in given.items():
        for item in value if isinstance(value, list) else [value]:
            add(name, item)
    for text in words:
        for found in _ORDER.findall(text):
            add("order_id", found)
        for found in _EMAIL.findall(text):
            add("email", found)
    return {name: values for name, values in facts.items() if values}

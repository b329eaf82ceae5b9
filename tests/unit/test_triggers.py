"""When a shopper's words ask for a person, and when they hold a keyword."""

import pytest

from bot.settings import DEFAULT_TRIGGERS, TriggerRule
from bot.triggers import asks_for_person, evaluate, matches_keyword

ASKING = [
    "Can I talk to a human?",
    "can i tlak to a reel persn",
    "I want to speak with a real person please",
    "connect me to an agent",
    "conect me with an agnet pls",
    "please transfer me to your manager",
    "transfr me to a representitive",
    "agent!!",
    "Human please",
    "real person",
    "representative",
    "I need a human",
    "i need a humna now",
    "let me speak to your supervisor",
    "Could I chat with someone from support?",
    "This is useless. Get me a manager.",
    "put me through to an operator",
    "Is there a real person I can talk to?",
    "i wanna talk to somebody",
    "can someone real please help? I want to speak to a person",
    "I'd like to speek to an adviser",
    "give me a live agent",
    "escalate to a manager please",
    "I would rather talk to a live person",
    "speak to customer service representative",
    "hello, can you connect me to a human being's agent",
    "Let me talk to a specialist",
    "want to caht with an agent",
    "operator",
    "may i speak to a person about my order",
]

NOT_ASKING = [
    "I don't want to talk to a human",
    "I don’t want to talk to a human",
    "Please do not transfer me to an agent",
    "I already spoke to an agent yesterday",
    "I talked to a person at the store",
    "The agent told me to wait",
    "My estate agent needs the invoice",
    "Does the lamp come with an operator manual?",
    "Is this jacket for men or for any person?",
    "I need a manager account for my team",
    "How do I manage my subscription?",
    "What is your personal data policy?",
    "The human body lotion is out of stock",
    "Where is my parcel?",
    "Can I change my address?",
    "I want a refund",
    "Do you sell cleaning agent?",
    "someone stole my parcel",
    "I was told by a representative that it ships today",
    "no human can lift this sofa, is it that heavy?",
    "The delivery person left it outside",
    "My manager bought the wrong size",
    "is the model in the picture a real person",
    "thanks, you are great",
    "Which agency delivers it?",
    "I never asked for an agent",
    "I need a persona for my costume",
    "one size per person?",
]


@pytest.mark.parametrize("text", ASKING)
def test_asking_for_a_person_is_understood(text: str) -> None:
    assert asks_for_person(text) is not None


@pytest.mark.parametrize("text", NOT_ASKING)
def test_what_asks_for_nobody_is_left_to_the_assistant(text: str) -> None:
    assert asks_for_person(text) is None


def test_the_evidence_is_the_sentence_that_asks() -> None:
    assert asks_for_person("My lamp broke. I need a human. Thanks!") == "I need a human."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I want a REFUND!", "refund"),
        ("refund", "refund"),
        ("my money-back guarantee", "money back"),
        ("non-refundable?", None),
        ("refunded", None),
        ("money is back", None),
        ("", None),
        ("!!!", None),
    ],
)
def test_keywords_match_whole_words_only(text: str, found: str | None) -> None:
    assert matches_keyword(text, ("refund", "money back")) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("верните деньги", None),
        ("нужен возврат!", "возврат"),
        ("RÜCKERSTATTUNG bitte", "rückerstattung"),
        ("привет", None),
    ],
)
def test_keywords_may_be_written_in_any_script(text: str, found: str | None) -> None:
    assert matches_keyword(text, ("возврат", "rückerstattung")) == found


def test_a_keyword_without_a_word_matches_nothing() -> None:
    assert matches_keyword("привет !!!", ("!!!", "")) is None


def test_asking_for_a_person_comes_before_keywords() -> None:
    reason = evaluate(DEFAULT_TRIGGERS, "I want a refund, let me talk to a human")
    assert reason is not None
    assert reason.trigger == "explicit_request"


def test_the_first_rule_that_matches_gives_category_priority_and_wish() -> None:
    rules = (TriggerRule("a", ("lamp",), "lights", "high", "repair"), TriggerRule("b", ("lamp",)))
    reason = evaluate(rules, "My lamp broke")
    assert reason is not None
    assert (reason.rule, reason.category, reason.priority, reason.wants) == ("a", "lights", "high", "repair")
    assert reason.evidence == "My lamp broke"


def test_nothing_in_it_is_no_reason() -> None:
    assert evaluate(DEFAULT_TRIGGERS, "Where is my parcel?") is None

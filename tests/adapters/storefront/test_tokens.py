"""Widget tokens: what is believed and what is not."""

import base64
import json

import jwt
import pytest

from adapters.storefront.refusals import Unauthorized
from adapters.storefront.tokens import ALGORITHM, Tokens
from bot.commands import Window


class Clock:
    now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(clock):
    return Tokens("s3cret", ["main"], 3600, clock)


def code_of(tokens, token, **more):
    with pytest.raises(Unauthorized) as caught:
        tokens.read(token, **more)
    assert caught.value.status == 401
    return caught.value.code


def test_a_token_says_store_shopper_and_conversation(tokens):
    token, expires = tokens.issue("main", "s-1", "c-1")
    assert tokens.read(token) == Window("main", "s-1", "c-1")
    assert expires == 1_800_003_600.0
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {"store": "main", "sub": "s-1", "conversation_id": "c-1", "iat": 1_800_000_000,
                      "exp": 1_800_003_600, "aud": "baton-widget"}  # fmt: skip


def test_an_expired_token_is_refused_and_may_be_read_for_a_while_where_allowed(tokens, clock):
    token, _ = tokens.issue("main", "s-1", "c-1")
    clock.now += 3600
    assert code_of(tokens, token) == "token_expired"
    assert tokens.read(token, allow_expired_seconds=60).shopper_id == "s-1"
    clock.now += 60
    assert code_of(tokens, token, allow_expired_seconds=60) == "token_expired"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_token_that_was_tampered_with_is_refused(tokens, index):
    parts = tokens.issue("main", "s-1", "c-1")[0].split(".")
    parts[index] = ("A" if parts[index][3] != "A" else "B").join((parts[index][:3], parts[index][4:]))
    assert code_of(tokens, ".".join(parts)) == "token_invalid"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "RS256"])
def test_another_algorithm_is_refused(tokens, algorithm):
    _, claims, signature = tokens.issue("main", "s-1", "c-1")[0].split(".")
    header = (
        base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode().rstrip("=")
    )
    for signed in (f"{header}.{claims}.", f"{header}.{claims}.{signature}"):
        assert code_of(tokens, signed) == "token_invalid"


def test_a_token_signed_with_another_secret_is_refused(tokens, clock):
    assert (
        code_of(tokens, Tokens("other", ["main"], 3600, clock).issue("main", "s", "c")[0]) == "token_invalid"
    )


def test_a_token_of_a_store_that_is_not_here_is_refused(tokens, clock):
    assert code_of(tokens, Tokens("s3cret", ["x"], 3600, clock).issue("x", "s", "c")[0]) == "token_invalid"


@pytest.mark.parametrize(
    "wrong",
    [{"aud": "other"}, {"aud": None}, {"store": None}, {"sub": None}, {"sub": ""}, {"sub": 5},
     {"conversation_id": None}, {"conversation_id": ["c"]}, {"exp": None}, {"exp": "soon"},
     {"exp": True}, {"iat": None}],
)  # fmt: skip
def test_a_token_without_a_claim_or_with_a_wrong_one_is_refused(tokens, wrong):
    claims = {
        "store": "main",
        "sub": "s",
        "conversation_id": "c",
        "iat": 1,
        "exp": 9e9,
        "aud": "baton-widget",
    } | wrong
    claims = {name: value for name, value in claims.items() if value is not None}
    signed = jwt.encode(claims, tokens._key, algorithm=ALGORITHM) if claims.get("sub") != 5 else "x.y.z"
    assert code_of(tokens, signed) == "token_invalid"


@pytest.mark.parametrize("junk", ["", ".", "a.b.c", "\x00", "é.é.é", "x" * 5000])
def test_junk_is_refused(tokens, junk):
    assert code_of(tokens, junk) == "token_invalid"


def test_an_empty_secret_signs_nothing(clock):
    with pytest.raises(ValueError, match="BATON_SECRET"):
        Tokens("", ["main"], 3600, clock)

"""The kinds of value bodies consist of, with their bounds, and the sentence for each way to get one wrong.

A sentence names cause and cure and never repeats the value: it may be a customer's.
"""

import math
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from adapters.storefront.refusals import InvalidBody, InvalidJson

ID_LIMIT = 200
TEXT_LIMIT = 20_000
LATEST = 4_102_444_800.0  # 2100-01-01: later is a clock in milliseconds
SAFE_INTEGER = 2**53


class Model(BaseModel):
    """A body: no type is guessed, unknown fields are ignored, errors do not show values."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class Query(BaseModel):
    """A query string: everything arrives as text, so numbers are read from it."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


def _identifier(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("is blank or has control characters; send a readable id")
    return value


def _without_nul(value: str) -> str:
    return value.replace("\x00", "")  # PostgreSQL stores no NUL


def said(value: str) -> str:
    """Something, not nothing."""
    if not value.strip():
        raise ValueError("is empty; send what was said")
    return value


def _email(value: str) -> str:
    name, at, host = value.rpartition("@")
    if not (name and at and host) or any(sign.isspace() or not sign.isprintable() for sign in value):
        raise ValueError("is not an email address; send one like sarah@example.com or leave it out")
    return value


def _moment(value: Any) -> float:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("is not a time; send ISO 8601 like 2026-11-19T10:00:00Z") from None
        if moment.tzinfo is None:
            raise ValueError("has no time zone; add Z or an offset like +01:00")
        value = moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("is not a time; send ISO 8601 like 2026-11-19T10:00:00Z, or Unix seconds")
    if not 0 <= value < LATEST:
        raise ValueError("is not between 1970 and 2100; Unix times are in seconds, not milliseconds")
    return float(value)


def bounded(value: Any) -> Any:
    """JSON that can be kept: 2,000 values, 12 levels, strings of 5,000 characters; NULs taken out."""
    left = [2_000]
    return _bounded(value, 12, left)


def _bounded(value: Any, levels: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("holds more than 2,000 values; send what an operator needs")
    if levels == 0:
        raise ValueError("is nested more than 12 levels deep; flatten it")
    if isinstance(value, str):
        if len(value) > 5_000:
            raise ValueError("holds a string of more than 5,000 characters; shorten it")
        return _without_nul(value)
    if isinstance(value, list):
        return [_bounded(item, levels - 1, left) for item in value]
    if isinstance(value, dict):
        return {_bounded(key, levels, left): _bounded(item, levels - 1, left) for key, item in value.items()}
    if isinstance(value, int | float) and not abs(value) <= SAFE_INTEGER:  # NaN too
        raise ValueError("holds a number that JSON cannot carry exactly; send it as a string")
    return value


Id = Annotated[str, StringConstraints(min_length=1, max_length=ID_LIMIT), AfterValidator(_identifier)]
Short = Annotated[str, StringConstraints(max_length=ID_LIMIT), AfterValidator(_without_nul)]
Paragraph = Annotated[str, StringConstraints(max_length=5_000), AfterValidator(_without_nul)]
Address = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_without_nul)]
Text = Annotated[str, StringConstraints(max_length=TEXT_LIMIT), AfterValidator(_without_nul)]
Said = Annotated[Text, AfterValidator(said)]
Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(_email)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$")]
Count = Annotated[int, Field(ge=0, le=SAFE_INTEGER)]
Amount = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Json = Annotated[dict[str, Any], AfterValidator(bounded)]
Moment = Annotated[
    float,
    BeforeValidator(_moment),
    WithJsonSchema({
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
        "description": "ISO 8601 with a time zone, or Unix seconds.",
    }),
]  # fmt: skip

M = TypeVar("M", bound=BaseModel)


def read_body(model: type[M], body: bytes) -> M:
    """The body as that model. 400 `invalid_json`, 422 `invalid_body` with the field's dotted path."""
    if not body.strip():
        raise InvalidJson("The body is empty; send a JSON object.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise refusal(error) from None


def read_query(model: type[M], query: dict[str, str]) -> M:
    """The query as that model. 422 `invalid_body` with the parameter's name."""
    try:
        return model.model_validate(query)
    except ValidationError as error:
        raise refusal(error) from None


def read_id(value: str, field: str) -> str:
    """An id out of the path."""
    if len(value) > ID_LIMIT or not value.strip() or not value.isprintable():
        raise InvalidBody(f"{field} must be a readable id of 1 to {ID_LIMIT} characters.", field=field)
    return value


def refusal(error: ValidationError) -> InvalidJson | InvalidBody:
    """The first thing that is wrong, as a sentence."""
    found = error.errors(include_url=False, include_input=False)
    first = found[0]
    if first["type"] == "json_invalid":
        return InvalidJson("The body is not valid JSON (UTF-8); send a JSON object.")
    field = ".".join(str(part) for part in first["loc"] if part != "[key]")
    more = f" ({len(found) - 1} more like it.)" if len(found) > 1 else ""
    return InvalidBody(f"{field or 'The body'} {_sentence(first)}.{more}", field=field or "body")


def _sentence(error: ErrorDetails) -> str:
    kind, facts = error["type"], error.get("ctx", {})
    match kind:
        case "missing":
            return "is missing; add it"
        case "value_error":
            return str(facts.get("error", "is not valid"))
        case "string_too_short":
            return "is empty; it needs at least one character"
        case "string_too_long":
            return f"is longer than {facts['max_length']:,} characters; shorten it"
        case "too_long":
            return f"has more than {facts['max_length']:,} items; send the newest ones"
        case "literal_error":
            return f"is not one of the known values; send {facts['expected']}"
        case "greater_than_equal":
            return f"is too small; send {facts['ge']:g} or more"
        case "less_than_equal":
            return f"is too large; send {facts['le']:g} or less"
        case "string_pattern_mismatch":
            return "has the wrong form; send a three-letter currency code like USD"
    wanted = next((name for prefix, name in WANTED.items() if kind.startswith(prefix)), None)
    return f"has the wrong type; send {wanted}" if wanted else "is not valid; see /docs"


WANTED = {
    "string": "a string",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "model": "a JSON object",
}

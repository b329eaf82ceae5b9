"""What the console's API takes, checked before anything is asked of the core."""

from typing import Annotated, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, StringConstraints, ValidationError

from adapters.console.access import refusal
from bot.posts import Action

BODY_LIMIT = 32 * 1024

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
SendAction = Literal[
    Action.CLAIM_AND_SEND, Action.SEND, Action.SEND_AS_ME, Action.TAKE_OVER, Action.REOPEN_AND_SEND
]


class SignIn(BaseModel):
    """A person's display name."""

    operator: Name


class Acting(BaseModel):
    """Who acts; a session says so by itself."""

    operator: Name | None = None


class AssignTo(Acting):
    """Whom the case is given to, by name."""

    to: Name


class Message(Acting):
    """A reply. `id` is the page's own, so that a retry counts once."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
    id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")] | None = None


class Aside(Acting):
    """The button of an offer."""

    action: SendAction


B = TypeVar("B", bound=BaseModel)
A = TypeVar("A", bound=Acting)


async def read(request: web.Request, shape: type[B]) -> B:
    """The request's body. 415 if it is not JSON, 413 beyond 32 KiB, 422 if it has another shape."""
    if request.content_type != "application/json":
        raise refusal(415, "not_json", "Send JSON, with Content-Type: application/json.")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            raise refusal(413, "too_large", "A body may have 32 KiB at most.")
    try:
        return shape.model_validate_json(bytes(raw))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or None
        raise refusal(422, "invalid", f"{field or 'body'}: {first['msg']}.", field) from None

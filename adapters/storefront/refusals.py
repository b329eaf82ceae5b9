"""Refusals that only HTTP knows, with their status. The web server turns every `Refused` into JSON."""

from bot.errors import Refused


class InvalidJson(Refused):
    """The body is not JSON at all."""

    code = "invalid_json"
    status = 400


class InvalidBody(Refused):
    """A field of the body, the path or the query is missing or wrong; `field` is its dotted path."""

    code = "invalid_body"
    status = 422


class Unauthorized(Refused):
    """No key or token, or one that does not count here."""

    code = "unauthorized"
    status = 401


class TooMany(Refused):
    """More at once than one shopper or one address may ask for. `facts["retry_after"]` in seconds."""

    code = "too_many_requests"
    status = 429

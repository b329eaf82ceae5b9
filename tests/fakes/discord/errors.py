"""What Discord answers when it refuses: a status, a code, a message, and for a bad form the tree of what is wrong."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ERRORS: dict[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20028: (429, "The write action you are performing on the channel has hit the write rate limit."),
    30007: (400, "Maximum number of webhooks reached (15)"),
    30010: (400, "Maximum number of reactions reached (20)"),
    30015: (400, "Maximum number of attachments in a message reached (10)"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50016: (
        400,
        "Provided too few or too many messages to delete. Must provide at least 2 and at most 100 messages.",
    ),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50034: (400, "You can only bulk delete messages that are under 14 days old."),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    130000: (503, "API resource is currently overloaded. Try again a little later"),
    160002: (400, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
    160005: (400, "Thread is locked"),
}


class DiscordError(Exception):
    """A call that Discord refuses with this code."""

    def __init__(self, code: int, errors: Json | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.message = ERRORS.get(code, (400, f"Error {code}"))
        self.errors = errors

    @property
    def body(self) -> Json:
        found: Json = {"message": self.message, "code": self.code}
        return found | ({"errors": self.errors} if self.errors else {})


class Problems:
    """What is wrong with a form, each at its place: `content`, `embeds.0.title`, `components.1.components.0.label`."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def add(self, path: str, code: str, message: str) -> None:
        self.found.append((path, code, message))

    def longest(self, path: str, value: Any, limit: int) -> None:
        if value is not None and len(str(value)) > limit:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

    def length(self, path: str, value: Any, least: int, most: int) -> None:
        if value is None and least:
            self.required(path)
        elif value is not None and not least <= len(value) <= most:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def required(self, path: str) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def choices(self, path: str, value: Any, allowed: Any) -> None:
        if value not in allowed:
            shown = ", ".join(str(one) for one in allowed)
            self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of ({shown}).")

    def refuse(self) -> None:
        """Raise what was found, as the tree that Discord sends."""
        if not self.found:
            return
        tree: Json = {}
        for path, code, message in self.found:
            place = tree
            for part in path.split("."):
                place = place.setdefault(part, {})
            place.setdefault("_errors", []).append({"code": code, "message": message})
        raise DiscordError(50035, tree)


def refuse(path: str, code: str, message: str) -> None:
    """Raise one problem of a form."""
    problems = Problems()
    problems.add(path, code, message)
    problems.refuse()

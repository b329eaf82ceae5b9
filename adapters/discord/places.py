"""What both directions call things by."""

from collections.abc import Callable
from dataclasses import dataclass

PLATFORM = "discord"


@dataclass(frozen=True, slots=True)
class Ourselves:
    """What a text is read with: our account, the role that Discord gave it, and the names of roles (`&id`) and channels
    (`#id`)."""

    user_id: str
    role_id: str = ""
    place_names: Callable[[str], str] = lambda _: ""

"""What a call to Discord is known by, on both sides of it: it does not bear its delivery's id."""

import hashlib
from typing import Any


def key_of(body: dict[str, Any]) -> str:
    """Of a body that is posted for a delivery: its nonce, or, where a webhook speaks, what it says. Else empty."""
    if "nonce" in body:
        return str(body["nonce"])
    return hashlib.sha256(str(body["content"]).encode()).hexdigest() if "username" in body else ""

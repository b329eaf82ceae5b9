"""Signatures as the Standard Webhooks specification has them (standardwebhooks.com): pure."""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`. `secret` is `whsec_` and base64, or any string (its bytes are the key)."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(
            "WEBHOOK_SECRET begins with whsec_ but the rest is not base64; copy it whole."
        ) from error

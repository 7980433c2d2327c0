"""Signing as Standard Webhooks do, so that receivers verify with a library that exists for their language."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

_PREFIX: Final = "whsec_"


def secret_problem(secret: str) -> str:
    """Why nothing can be signed with this secret, with the cure; empty where it is fine."""
    text = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    return "" if key else "is no signing secret: write whsec_ and base64, such as `openssl rand -base64 32` prints"


def signed(delivery_id: str, payload: bytes, *, at: datetime, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one try: the id stays over tries, the time is now; one signature for each secret."""
    headers = {"webhook-id": delivery_id, "webhook-timestamp": str(int(at.timestamp()))}
    if secrets:
        text = payload.decode()
        headers["webhook-signature"] = " ".join(Webhook(secret).sign(delivery_id, at, text) for secret in secrets)
    return headers

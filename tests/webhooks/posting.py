"""Raw requests to the webhook: any bytes, signed in any way."""

import hashlib
import hmac
import json
import time
from typing import Any

from werkzeug.test import TestResponse

from tests.stage import WEBHOOK_SECRET, Stage
from tests.webhooks.telling import Event, invented

HOOK = "/webhooks/stripe"


def post(stage: Stage, body: bytes, signature: str | None, **options: Any) -> TestResponse:
    """Post this body under this signature header, or under none."""
    headers = options.pop("headers", {})
    if signature is not None:
        headers = headers | {"Stripe-Signature": signature}
    return stage.browser().post(HOOK, data=body, headers=headers, **options)


def mac(body: bytes, secret: str = WEBHOOK_SECRET, at: int | None = None) -> str:
    """The signature of bytes that need not be text."""
    stamp = int(time.time()) if at is None else at
    signed = hmac.new(secret.encode(), b"%d." % stamp + body, hashlib.sha256)
    return f"t={stamp},v1={signed.hexdigest()}"


def post_signed(stage: Stage, body: bytes, **options: Any) -> TestResponse:
    """Post this body as Stripe would."""
    return post(stage, body, mac(body), **options)


def body_of(event: Event) -> bytes:
    """An event as it goes over the wire."""
    return json.dumps(event).encode()


def is_untouched(stage: Stage) -> bool:
    """Whether nothing at all was stored."""
    return (stage.events(), stage.orders()) == ([], [])


GOOD = body_of(invented("ping.unknown"))
NOW = int(time.time())

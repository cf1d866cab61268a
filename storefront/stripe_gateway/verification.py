"""Whether a webhook request is a signed event of Stripe's: judged on its raw bytes."""

from __future__ import annotations

import json
import time
from typing import Any

import stripe
from flask import current_app

from storefront.errors import InvalidInput

TOLERANCE_SECONDS = 300
MAX_SIGNATURE_HEADER = 2000
WebhookSignature = stripe.WebhookSignature  # looked up once: `stripe` finds its names by a search


class BadEvent(InvalidInput):
    """A webhook request that is not a signed event of Stripe's."""


def verify_event(payload: bytes, header: str) -> dict[str, Any]:
    """The event inside a webhook request, verified on its raw bytes with each configured secret.

    Raises BadEvent for anything that is not a well-formed, freshly signed snapshot event; stamps
    from the future are refused like old ones, which the SDK alone would let pass.
    """
    try:
        body = payload.decode("utf-8")
        _verify_signature(body, header)
        event: Any = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadEvent("the body is not JSON") from error
    if not is_event(event):
        raise BadEvent("the body is not an event")
    told: dict[str, Any] = event
    return told


def _verify_signature(body: str, header: str) -> None:
    if not header.isascii() or len(header) > MAX_SIGNATURE_HEADER:
        raise BadEvent("there is no signature")
    stamps = [part[2:] for part in header.split(",") if part.startswith("t=")]
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise BadEvent("the signature has no time stamp")
    seconds_off = int(time.time()) - int(stamps[0])
    if not any(
        _fits(body, header, secret) for secret in current_app.config["STRIPE_WEBHOOK_SECRET"]
    ):
        raise BadEvent("no configured secret fits the signature")
    if abs(seconds_off) > TOLERANCE_SECONDS:
        # Whoever signed it knows our secret: most likely it is our clock that is wrong.
        raise BadEvent(
            f"clock skew: it is signed by Stripe, {abs(seconds_off)} seconds"
            f" {'before' if seconds_off > 0 else 'after'} this server's clock, which may be wrong"
        )


def _fits(body: str, header: str, secret: str) -> bool:
    """Whether the signature was made with this secret, whenever that was."""
    try:
        WebhookSignature.verify_header(body, header, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def is_event(event: Any) -> bool:
    """Whether this is a well-formed snapshot event."""
    if not isinstance(event, dict) or event.get("object") != "event":
        return False
    data = event.get("data")
    return (
        _is_name(event.get("id"), 255)
        and _is_name(event.get("type"), 100)
        and isinstance(event.get("livemode"), bool)
        and isinstance(data, dict)
        and isinstance(data.get("object"), dict)
    )


def _is_name(value: Any, most: int) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= most:
        return False
    return value.isascii() and value.isprintable()

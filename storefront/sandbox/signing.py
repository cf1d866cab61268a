"""Signatures of deliveries: right, as while a secret is rolled, or wrong on order."""

import time
from collections.abc import Sequence

import stripe

WRONG = "whsec_of_somebody_else"
MODES = ("right", "two", "wrong_secret", "old", "none")
LONG_AGO = 3600  # seconds; beyond every tolerance


def sign(body: bytes, secrets: Sequence[str], mode: str) -> dict[str, str]:
    """Return the header that signs a body with every one of the secrets, in the mode ordered."""
    if mode == "none":
        return {}
    moment = int(time.time()) - (LONG_AGO if mode == "old" else 0)
    signers = {"wrong_secret": [WRONG], "two": [WRONG, *secrets]}.get(mode, [*secrets])
    headers = [
        stripe.WebhookSignature.generate_signature_header(body.decode(), secret, moment)
        for secret in signers
    ]
    values = [header.split(",", 1)[1] for header in headers]
    return {"Stripe-Signature": ",".join([f"t={moment}", *values])}

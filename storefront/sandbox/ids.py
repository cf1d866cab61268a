"""Ids that look like Stripe's: a prefix that tells the kind and a random tail."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
TAIL_LENGTHS = {"cs_test": 58, "evt": 24, "req": 14, "whsec": 32}


def new_id(prefix: str) -> str:
    """Return a fresh id, unguessable and unique for all purposes."""
    length = TAIL_LENGTHS.get(prefix, 24)
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(length))


def client_secret(id: str) -> str:
    """Return the secret a browser would use to act on one PaymentIntent."""
    return f"{id}_secret_{new_id('x')[2:]}"

"""Switches for how the sandbox behaves, kept in its database so that all processes agree.

twins: every event is written twice, under two ids. redirect_first: the buyer is back at the shop
before it hears of his session. webhook_first: a call is answered only after its events were
delivered. signature and api_version: how deliveries are signed, and in which version they are told.
after_last_retry: what becomes of a subscription whose invoice nobody pays.
"""

import json
from typing import Any

from storefront.sandbox import signing, versions
from storefront.sandbox.errors import invalid
from storefront.sandbox.store import Tx

STRIPE_JS = ("ok", "absent", "throws", "never", "error", "missing")
DEFAULTS: dict[str, Any] = {
    "stripe_js": "ok",
    "paused": False,
    "duplicate": False,
    "reverse": False,
    "drop": 0,
    "hold": [],
    "twins": False,
    "redirect_first": False,
    "webhook_first": False,
    "signature": "right",
    "api_version": "",
    "after_last_retry": "canceled",
}
CHOICES: dict[str, tuple[str, ...]] = {
    "stripe_js": STRIPE_JS,
    "signature": signing.MODES,
    "api_version": ("", *versions.KNOWN),
    "after_last_retry": ("canceled", "unpaid", "past_due"),
}


def read(tx: Tx) -> dict[str, Any]:
    """Return the position of every switch."""
    rows = tx.connection.execute("SELECT name, value FROM switches").fetchall()
    return DEFAULTS | {name: json.loads(value) for name, value in rows}


def write(tx: Tx, **changes: Any) -> None:
    """Move the named switches; raise ApiError for an unknown one or a position it does not have."""
    for name, value in changes.items():
        _check(name, value)
        tx.connection.execute(
            "INSERT INTO switches (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )


def take_drop(tx: Tx) -> bool:
    """Use up one of the deliveries that are to be lost; say whether there was one."""
    dropped = tx.connection.execute(
        "UPDATE switches SET value = CAST(value AS INTEGER) - 1"
        " WHERE name = 'drop' AND CAST(value AS INTEGER) > 0"
    )
    return dropped.rowcount == 1


def _check(name: str, value: Any) -> None:
    if name not in DEFAULTS:
        raise invalid(f"There is no switch '{name}'", name)
    if type(value) is not type(DEFAULTS[name]):
        raise invalid(f"The switch '{name}' cannot be set to {value!r}", name)
    if name in CHOICES and value not in CHOICES[name]:
        raise invalid(f"{name} is one of {', '.join(filter(None, CHOICES[name]))}", name)

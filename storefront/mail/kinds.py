"""Every kind of mail in one table: who gets it, why, and when it is no longer true.

A kind is found by its name: its words lie in templates/emails/<name>/{subject.txt,body.txt,
body.html}.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app

from storefront.models import Order


def _always(_order: Order | None) -> str:
    return ""


@dataclass(frozen=True)
class Kind:
    """`stale` says in words why it must not be sent any more, or nothing while it is true."""

    why: str
    to_buyer: bool
    stale: Callable[[Order | None], str] = _always


def _unless_short(order: Order | None) -> str:
    is_short = order is not None and order.stock == "short"
    return "the goods were gone, and the buyer is told so" if is_short else ""


def _while(state: str) -> Callable[[Order | None], str]:
    def stale(order: Order | None) -> str:
        moved_on = order is not None and order.state != state
        return f"the order is {order.state} by now" if order and moved_on else ""

    return stale


KINDS: dict[str, Kind] = {
    "order_confirmation": Kind("The order is paid.", True, _unless_short),
    "payment_processing": Kind(
        "The buyer is done and the bank is not.", True, _while("processing")
    ),
    "payment_failed": Kind("The bank has refused after all.", True, _while("failed")),
    "refunded": Kind("Money was given back.", True),
    "oversold": Kind("Paid too late: the goods are gone, the money comes back.", True),
    "new_order": Kind("There is something to send.", False, _unless_short),
    "needs_a_hand": Kind("A human must look.", False),
    "mail_test": Kind("The merchant tries whether mail arrives.", False),
}


def register(app: Flask, name: str, kind: Kind) -> None:
    """Let an extension add a kind of mail. Raises ValueError for a name that is taken."""
    added: dict[str, Kind] = app.extensions.setdefault("mail_kinds", {})
    if name in KINDS or name in added:
        raise ValueError(f"there is a kind of mail named {name!r} already")
    added[name] = kind


def get_kind(name: str) -> Kind:
    """The kind of this name. Raises LookupError when its extension is not there any more."""
    kind = KINDS.get(name) or current_app.extensions.get("mail_kinds", {}).get(name)
    if kind is None:
        raise LookupError(f"no kind of mail is named {name!r}")
    found: Kind = kind
    return found

"""A shop that looks right and is not, in three places: the judges of these tests must see it.

It settles without asking what state the order has left, it looks at the stock before the
transaction that takes it, and it remembers an event before the work is done. It is mortal, too.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update

from storefront import database
from storefront.errors import SoldOut
from storefront.extensions import db
from storefront.models import Order, Variant
from storefront.payments import opening
from storefront.services import inbox, orders, settlement, stock
from storefront.webhooks import handlers
from tests.faults.crashing import app

careful_place, careful_fetch, careful_claim = opening._place, handlers.fetch, inbox.claim
seen = threading.local()


def move(order: Any, to: str, cause: str, *, lines: Iterable[Any] = (), **facts: Any) -> bool:
    """Take the step as if nobody could have taken it before."""
    for guard in ("note", "seen", "only_if"):
        facts.pop(guard, None)
    facts["stock"] = orders._stock_after("open", to)
    db.session.execute(update(Order).where(Order.id == order.id).values(state=to, **facts))
    orders._move_stock(order.id, "open", to, lines)
    orders.add_step(order.id, cause, "open", to)
    return True


def bring_to(target: str, order: Any, lines: Any, session: Any, cause: str) -> bool:
    """Settle without a look at what has become of the order."""
    if target == "paid":
        return settlement._pay(order, lines, session, cause)
    return orders.move(order, target, cause, lines=lines, checkout_session=session["id"])


def place(purchase: Any) -> Order:
    """Look at the shelf, think about it for a while, and only then take something from it."""
    wanted = select(Variant.id, Variant.on_hand, Variant.held).where(Variant.sku == purchase.sku)
    seen.row = db.session.execute(wanted).one()
    time.sleep(0.5)  # makes the bad build reliably bad
    return careful_place(purchase)


def reserve(lines: Iterable[Any]) -> None:
    """Write down what was true some time ago."""
    (line,) = lines
    if seen.row.on_hand - seen.row.held < line.quantity:
        raise SoldOut("")
    held = seen.row.held + line.quantity
    db.session.execute(update(Variant).where(Variant.id == seen.row.id).values(held=held))


def fetch(event: dict[str, Any]) -> Any:
    """Remember the event for good before any work is done for it."""
    with database.writing():
        seen.is_new = careful_claim(event, json.dumps(event).encode())
    return careful_fetch(event)


orders.move, settlement._bring_to, stock.reserve = move, bring_to, reserve  # type: ignore[assignment]
opening._place, handlers.fetch = place, fetch
inbox.claim = lambda _event, _payload: seen.is_new

__all__ = ["app"]

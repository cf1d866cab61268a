"""Shops that look right and are not: one mistake each, and everything else as it is served.

`CARELESS` names the mistake. The court must convict every one of them; each waits a moment where it
is wrong, so that a few runs are enough to be caught in the act.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import func, select, update

from storefront import create_app, database, refunding
from storefront.errors import SoldOut
from storefront.extensions import db
from storefront.models import Order, Variant
from storefront.models.order import FIRST_NUMBER
from storefront.payments import opening
from storefront.services import (
    inbox,
    mailer,
    orders,
    refund_shares,
    refunds,
    settlement,
    stock,
)
from storefront.webhooks import handlers

WINDOW = 0.04  # seconds
seen = threading.local()


def move_unseen(
    order: Any, to: str, cause: str, *, lines: Iterable[Any] = (), **facts: Any
) -> bool:
    """Take the step as if nobody could have taken it before."""
    for guard in ("note", "seen", "only_if"):
        facts.pop(guard, None)
    facts["stock"] = orders._stock_after("open", to)
    db.session.execute(update(Order).where(Order.id == order.id).values(state=to, **facts))
    orders._move_stock(order.id, "open", to, lines)
    orders.add_step(order.id, cause, "open", to)
    for kind in orders.MAILS.get(to, ()):
        mailer.put(kind, f"order-{order.id + FIRST_NUMBER - 1}", order_id=order.id)
    return True


def look_then_write() -> None:
    """Look whether the order has been settled, and settle it in a transaction that began later."""
    careful_fetch, careful_find = handlers.fetch, settlement._find

    def fetch(event: dict[str, Any], *by: Any) -> Any:
        seen.is_new, seen.rows = not inbox.is_settled(event["id"]), None
        if event["type"].startswith("checkout.session."):
            seen.rows = careful_find(event["data"]["object"])
        time.sleep(WINDOW)
        return careful_fetch(event, *by)

    def find(session: Any) -> Any:
        rows, seen.rows = getattr(seen, "rows", None), None
        return rows or careful_find(session)

    careful_claim = inbox.claim
    handlers.fetch, settlement._find = fetch, find  # type: ignore[assignment]
    inbox.claim = lambda event, payload, *by: careful_claim(event, payload, *by) or seen.is_new
    orders.move = move_unseen


def remember_events_only() -> None:
    """Trust that each event comes once, so that the order's state need not be looked at."""

    def bring_to(target: str, order: Any, lines: Any, session: Any, cause: str) -> bool:
        if target == "paid":
            return settlement._pay(order, lines, session, cause)
        return orders.move(order, target, cause, lines=lines, checkout_session=session["id"])

    settlement._bring_to, orders.move = bring_to, move_unseen


def work_in_a_second_transaction() -> None:
    """Remember the event for good before any work is done for it."""
    careful_fetch, careful_claim = handlers.fetch, inbox.claim

    def fetch(event: dict[str, Any], *by: Any) -> Any:
        with database.writing():
            seen.is_new = careful_claim(event, json.dumps(event).encode())
        time.sleep(WINDOW)
        return careful_fetch(event, *by)

    handlers.fetch = fetch  # type: ignore[assignment]
    inbox.claim = lambda _event, _payload, *_by: seen.is_new


def release_whatever_was_left() -> None:
    """Give the goods of an ended session back without asking whether they were given back."""
    careful = settlement._bring_to

    def bring_to(target: str, order: Any, lines: Any, session: Any, cause: str) -> bool:
        if target == "expired" and order.state == "expired":
            for line in lines:
                less = func.coalesce(Variant.held, 0) - line.quantity
                given_back = update(Variant).where(Variant.id == line.variant_id, less >= 0)
                db.session.execute(given_back.values(held=less))
        return careful(target, order, lines, session, cause)

    settlement._bring_to = bring_to


def read_then_write_stock() -> None:
    """Look at the shelf, think about it for a while, and write down what was true before."""
    careful_place = opening._place

    def place(purchase: Any) -> Order:
        wanted = select(Variant.id, Variant.on_hand, Variant.held).where(
            Variant.sku == purchase.sku
        )
        seen.row = db.session.execute(wanted).one()
        time.sleep(WINDOW)
        return careful_place(purchase)

    def reserve(lines: Iterable[Any]) -> None:
        (line,) = lines
        if seen.row.on_hand - seen.row.held < line.quantity:
            raise SoldOut("")
        held = seen.row.held + line.quantity
        db.session.execute(update(Variant).where(Variant.id == seen.row.id).values(held=held))

    opening._place, stock.reserve = place, reserve


def ask_for_refunds_unclaimed() -> None:
    """Look at what has been given back, and ask Stripe for more, as if nobody else did so now."""
    careful_send = refunding.send

    def claim(order_id: int, amount: int) -> bool:
        asked = update(Order).where(Order.id == order_id)
        db.session.execute(asked.values(amount_refunding=Order.amount_refunding + amount))
        return True

    def send(refund_id: int, cause: str) -> Any:
        time.sleep(WINDOW)
        return careful_send(refund_id, cause)

    refund_shares.left_of = lambda order: order.amount_total - order.amount_refunded
    refunds._claim, refunding.send = claim, send


MISTAKES: dict[str, Callable[[], None]] = {
    "looks, then writes": look_then_write,
    "remembers events only": remember_events_only,
    "works in a second transaction": work_in_a_second_transaction,
    "releases whatever was left": release_whatever_was_left,
    "reads stock, then writes it": read_then_write_stock,
    "asks for refunds unclaimed": ask_for_refunds_unclaimed,
}


def make_mistake() -> None:
    """Make the mistake that the environment names, if it names one."""
    mistake = os.environ.get("CARELESS")
    if mistake:
        MISTAKES[mistake]()


if "CARELESS" in os.environ:  # for gunicorn, which looks for the app here
    make_mistake()
    app = create_app()

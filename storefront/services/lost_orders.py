"""Orders that Stripe knows and we do not, as after an old backup was brought back: made anew."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select

from storefront.database import insert_for_conflict
from storefront.extensions import db
from storefront.models import Order, OrderLine, StripeCustomer, Variant
from storefront.services import orders, payments

Told = dict[str, Any]


def place(session: Told, line_items: list[Told], cause: str) -> None:
    """Make the order that this Checkout Session of ours names, still without its payment.

    It holds no stock: its payment is then settled like any late one. A second call writes nothing.
    `line_items` come with price and product in full; goods that left the catalog since then are
    still lines of the order.
    """
    reference = session["metadata"]["order"]
    add = insert_for_conflict(Order).values(
        reference=reference,
        token=orders.new_token(),
        state="expired",
        stock="released",
        checkout_session=session["id"],
        mode=session["mode"],
        currency=session["currency"],
        amount_subtotal=session["amount_subtotal"],
        amount_total=session["amount_total"],
        livemode=session["livemode"],
        created_at=_moment(session["created"]),
        expires_at=_moment(session["expires_at"]),
        **_buyer(session),
    )
    order_id = db.session.execute(add.on_conflict_do_nothing().returning(Order.id)).scalar()
    if order_id is None:
        return
    for position, item in enumerate(line_items):
        db.session.add(OrderLine(order_id=order_id, position=position, **_line(item)))
    db.session.flush()
    orders.add_step(order_id, cause, None, "expired", "made anew from what Stripe knows of it")


def _buyer(session: Told) -> dict[str, Any]:
    owner = select(StripeCustomer.user_id).where(
        StripeCustomer.stripe_id == payments.id_of(session["customer"]),
        StripeCustomer.livemode == session["livemode"],
    )
    user_id = db.session.scalar(owner)
    # Nobody's browser is known by this name: a guest comes to his order by the link in his mail.
    nobody = f"lost:{hashlib.sha256(session['id'].encode()).hexdigest()[:40]}"
    return {
        "user_id": user_id,
        "buyer": f"user:{user_id}" if user_id else nobody,
        "purchase_key": nobody,
    }


def _line(item: Told) -> dict[str, Any]:
    price, recurring = item["price"], item["price"]["recurring"] or {}
    sku = str((price["product"]["metadata"] or {}).get("sku", ""))[:64]
    variant = _find_variant(sku)
    return {
        "variant_id": variant.id if variant else None,
        "sku": sku,
        "name": str(item["description"])[:200],
        "quantity": item["quantity"],
        "unit_amount": price["unit_amount"],
        "amount_total": item["amount_total"],
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count") or 1,
    }


def _find_variant(sku: str) -> Row[Any] | None:
    found: Any = db.session.execute(select(Variant.id).where(Variant.sku == sku)).one_or_none()
    return found


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

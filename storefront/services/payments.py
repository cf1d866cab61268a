"""Whose a payment at Stripe is: an order's, a renewal's, or none of ours."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import bindparam, func, or_, select, update

from storefront.extensions import db
from storefront.models import Dispute, Order, Refund, Subscription, SubscriptionInvoice
from storefront.models.refund import GIVEN_BACK

Told = dict[str, Any]

# Whether refunds or disputes of a payment have not found their order yet.
IS_ASTRAY = or_(
    *(
        select(model.id)
        .where(model.payment_intent == bindparam("payment"), model.order_id.is_(None))
        .exists()
        for model in (Refund, Dispute)
    )
)


def id_of(payment: Any) -> str | None:
    """The id of a payment that Stripe sends as an id or, expanded, as the object."""
    found: str | None = payment["id"] if isinstance(payment, dict) else payment
    return found


def is_ours(told: Told) -> bool:
    """Whether this refund or dispute is of a payment of ours: one we know, or one that says so."""
    payment = told["payment_intent"]
    if isinstance(payment, dict) and bears_our_mark(payment["metadata"]):
        return True
    payment_id = id_of(payment)
    return payment_id is not None and is_known(payment_id)


def bears_our_mark(metadata: dict[str, Any] | None) -> bool:
    """Whether these metadata are what this shop marks its payments with."""
    marks = metadata or {}
    return bool(marks.get("order")) and marks.get("shop") == current_app.config["SHOP_URL"]


def is_known(payment: str) -> bool:
    """Whether anything in our books was paid by this payment."""
    models = (Order, SubscriptionInvoice, Refund, Dispute)
    known = [select(model.id).where(model.payment_intent == payment).exists() for model in models]
    return bool(db.session.scalar(select(or_(*known))))


def find_order(payment: str) -> int | None:
    """The order that this payment paid."""
    paid = select(Order.id).where(Order.payment_intent == payment, Order.state == "paid")
    return db.session.scalar(paid.order_by(Order.id).limit(1))


def find_buyers_order(payment: str) -> int | None:
    """The order by which the subscription was bought that this payment renewed."""
    return db.session.scalar(
        select(Subscription.order_id)
        .join(
            SubscriptionInvoice, SubscriptionInvoice.stripe_subscription == Subscription.stripe_id
        )
        .where(SubscriptionInvoice.payment_intent == payment)
        .limit(1)
    )


def lock(payment: str | None) -> int | None:
    """Wait for whoever changes what this payment paid, before anything of it is written.

    Returns the order that it paid, if that is there. On PostgreSQL all who write about a payment
    lock in this order, and so never wait for each other in a circle: the order, its invoice,
    refunds and disputes, goods. An order that is paid a moment later is not locked, and so not to
    be touched: `work` brings together what belongs together.
    """
    if payment is None:
        return None
    order_id = find_order(payment)
    own_order = select(Order.id).where(Order.id == order_id)
    own_invoice = select(SubscriptionInvoice.id).where(
        SubscriptionInvoice.payment_intent == payment
    )
    for own in (own_order, own_invoice):
        db.session.execute(own.with_for_update(key_share=True))
    return order_id


def recount_invoice(payment: str) -> None:
    """Let the invoice that this payment paid say what its refunds sum up to.

    Its row is locked first: the statement that adds up then sees what others have just committed.
    """
    own = SubscriptionInvoice.payment_intent == payment
    db.session.execute(select(SubscriptionInvoice.id).where(own).with_for_update(key_share=True))
    given = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.payment_intent == payment,
        Refund.currency == SubscriptionInvoice.currency,
        Refund.state.in_(GIVEN_BACK),
    )
    counted = given.correlate(SubscriptionInvoice).scalar_subquery()
    db.session.connection().execute(
        update(SubscriptionInvoice).where(own).values(amount_refunded=counted)
    )


def list_astray() -> list[str]:
    """Payments with refunds or disputes that have not found their order, though it is here."""
    waiting = [
        select(model.payment_intent).where(
            model.order_id.is_(None),
            select(Order.id)
            .where(Order.payment_intent == model.payment_intent, Order.state == "paid")
            .exists(),
        )
        for model in (Refund, Dispute)
    ]
    return [payment for query in waiting for payment in db.session.scalars(query).all() if payment]

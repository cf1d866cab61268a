"""What the books hold, put together for people: all about one order, all that an event touches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from storefront.extensions import db
from storefront.models import (
    Dispute,
    Order,
    OrderLine,
    OrderStep,
    OutgoingMail,
    Refund,
    StripeEvent,
    Subscription,
    SubscriptionInvoice,
)
from storefront.services import orders

MOST_IDS = 300
ID = re.compile(r"[a-z]+_[A-Za-z0-9_]+")
# When somebody last asked is no part of the books.
NO_PART = {"asked_at", "fetched_at"}


@dataclass(frozen=True)
class Evidence:
    """An order and everything that happened around it."""

    order: Order
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    subscription: Subscription | None
    invoices: Sequence[SubscriptionInvoice]
    mails: Sequence[OutgoingMail]
    events: Sequence[StripeEvent]


def find(number: int) -> Evidence | None:
    """Everything about the order with this number."""
    order = orders.find(number)
    if order is None:
        return None
    plan = order.stripe_subscription
    invoices = _all(SubscriptionInvoice, SubscriptionInvoice.stripe_subscription == plan)
    payments = {order.payment_intent, *(invoice.payment_intent for invoice in invoices)} - {None}
    refunds = _all(Refund, or_(Refund.order_id == order.id, Refund.payment_intent.in_(payments)))
    disputes = _all(
        Dispute, or_(Dispute.order_id == order.id, Dispute.payment_intent.in_(payments))
    )
    about = {order.checkout_session, plan, *payments}
    about |= {row.stripe_id for row in (*refunds, *disputes, *invoices)}
    return Evidence(
        order,
        refunds,
        disputes,
        db.session.scalars(
            select(Subscription).where(Subscription.stripe_id == plan)
        ).one_or_none(),
        invoices,
        _all(OutgoingMail, OutgoingMail.order_id == order.id),
        db.session.scalars(
            select(StripeEvent)
            .where(StripeEvent.object_id.in_(about - {None}))
            .order_by(StripeEvent.received_at)
        ).all(),
    )


def _all(model: type[Any], condition: Any) -> Sequence[Any]:
    return db.session.scalars(select(model).where(condition).order_by(model.id)).all()


def books_of(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every row that this event may touch, by a name for people, with its columns."""
    ids = list(dict.fromkeys(_ids_in(event["data"]["object"])))[:MOST_IDS]
    found = db.session.scalars(
        select(Order.id).where(
            or_(
                Order.reference.in_(ids),
                Order.checkout_session.in_(ids),
                Order.payment_intent.in_(ids),
                Order.stripe_subscription.in_(ids),
            )
        )
    )
    places = list(found)
    rows: dict[str, dict[str, Any]] = {}
    for model, condition in (
        (Order, Order.id.in_(places)),
        (OrderLine, OrderLine.order_id.in_(places)),
        (Refund, or_(Refund.order_id.in_(places), Refund.payment_intent.in_(ids))),
        (Dispute, or_(Dispute.order_id.in_(places), Dispute.stripe_id.in_(ids))),
        (Subscription, Subscription.stripe_id.in_(ids)),
        (SubscriptionInvoice, SubscriptionInvoice.stripe_id.in_(ids)),
        (OutgoingMail, OutgoingMail.order_id.in_(places)),
    ):
        rows |= _rows(model, condition)
    steps = select(func.count()).where(OrderStep.order_id.in_(places))
    rows["steps"] = {"count": db.session.scalar(steps)}
    return rows


def _rows(model: type[Any], condition: Any) -> dict[str, dict[str, Any]]:
    table = model.__table__
    found = db.session.execute(select(table).where(condition)).mappings()
    name = str(table.name).replace("_", " ")
    return {
        f"{name} {row['id']}": {key: row[key] for key in row if key not in NO_PART} for row in found
    }


def _ids_in(told: Any) -> Iterator[str]:
    """Everything in an object of Stripe's that may be the id of something."""
    if isinstance(told, dict):
        for value in told.values():
            yield from _ids_in(value)
    elif isinstance(told, list):
        for value in told:
            yield from _ids_in(value)
    elif isinstance(told, str) and len(told) <= 255 and ID.fullmatch(told):
        yield told

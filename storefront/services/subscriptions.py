"""Subscriptions as Stripe has them: remembered at purchase, then copied from its newest state."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Row, exists, or_, select, update
from sqlalchemy.orm import aliased

from storefront import database, signals
from storefront.extensions import db
from storefront.models import Order, OrderLine, Product, Subscription, SubscriptionInvoice, Variant
from storefront.models.columns import TOO_LONG, is_older, now
from storefront.models.subscription import LIVE_STATUSES
from storefront.services import disputes, payments, refunds

FIRST = "subscription_create"  # why the first invoice of a subscription was made
ASK_AGAIN_AFTER = timedelta(hours=1)


def remember(stripe_id: str, **facts: Any) -> None:
    """Note a subscription that was just bought; nothing when it is known already."""
    add = database.insert_for_conflict(Subscription).values(stripe_id=stripe_id, **facts)
    owner = {
        name: db.func.coalesce(getattr(Subscription, name), getattr(add.excluded, name))
        for name in ("order_id", "user_id", "variant_id")
    }
    db.session.execute(add.on_conflict_do_update(index_elements=["stripe_id"], set_=owner))


def mirror(told: dict[str, Any], fetched_at: int) -> bool:
    """Make our copy equal to what Stripe said when asked at `fetched_at` (nanoseconds since 1970).

    False when it is not ours, or when a later answer is already here: the order in which events and
    answers arrive never takes us back.
    """
    order = _order_of(told)
    if order is None and not is_known(told["id"]):
        return False
    state = state_of(told) | {"fetched_at": fetched_at}
    owner = {}
    if order is not None:
        owner = {"order_id": order.id, "user_id": order.user_id, "variant_id": order.variant_id}
    add = database.insert_for_conflict(Subscription).values(
        stripe_id=told["id"], livemode=told["livemode"], **state, **owner
    )
    merged = add.on_conflict_do_update(
        index_elements=["stripe_id"],
        set_=state | owner,
        where=is_older(Subscription.fetched_at, fetched_at),
    )
    changed = db.session.execute(merged.returning(Subscription.id)).scalar()
    if changed is None:
        return False
    database.after_commit(
        signals.subscription_changed,
        subscription_id=changed,
        stripe_id=told["id"],
        status=told["status"],
    )
    return True


def state_of(told: dict[str, Any]) -> dict[str, Any]:
    """What we keep of a subscription as Stripe tells it, by our columns."""
    items = told["items"]["data"]
    ends = [item["current_period_end"] for item in items if item.get("current_period_end")]
    return {
        "status": told["status"],
        "current_period_end": _moment(min(ends)) if ends else None,
        "trial_end": _moment(told["trial_end"]),
        "cancel_at_period_end": bool(told["cancel_at_period_end"] or told["cancel_at"]),
        "stripe_customer": told["customer"],
    }


def is_of_our_order(told: dict[str, Any]) -> bool:
    """Whether Stripe says that it was bought by an order of ours."""
    return _order_of(told) is not None


def is_known(stripe_id: str) -> bool:
    """Whether this subscription was bought here."""
    return bool(db.session.scalar(select(exists().where(Subscription.stripe_id == stripe_id))))


def _order_of(told: dict[str, Any]) -> Row[Any] | None:
    reference = (told.get("metadata") or {}).get("order")
    found: Any = db.session.execute(
        select(Order.id, Order.user_id, OrderLine.variant_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.reference == str(reference), Order.livemode == told["livemode"])
        .order_by(OrderLine.position)
        .limit(1)
    ).one_or_none()
    return found


def record_invoice(invoice: dict[str, Any]) -> bool:
    """Keep what a subscription was charged and by which payment, or that charging failed.

    One row an invoice, however often it is told; one that is paid never becomes unpaid again.
    `invoice` comes with its payments. False when it is not ours.
    """
    if not is_our_invoice(invoice):
        return False
    facts = {
        "status": invoice["status"],
        "amount_paid": invoice["amount_paid"],
        "attempt_count": invoice["attempt_count"],
        "payment_intent": _payment_of(invoice),
    }
    subscription: str = _billed(invoice)["subscription"]
    if invoice["billing_reason"] == FIRST:  # its order does not know the payment yet
        bought = select(Order.id).where(Order.stripe_subscription == subscription)
        db.session.execute(bought.with_for_update(key_share=True))
    payments.lock(facts["payment_intent"])
    add = database.insert_for_conflict(SubscriptionInvoice).values(
        stripe_id=invoice["id"],
        livemode=invoice["livemode"],
        stripe_subscription=subscription,
        billing_reason=invoice["billing_reason"],
        currency=invoice["currency"],
        **facts,
    )
    db.session.execute(
        add.on_conflict_do_update(
            index_elements=["stripe_id"], set_=facts, where=SubscriptionInvoice.status != "paid"
        )
    )
    if invoice["billing_reason"] == FIRST and facts["payment_intent"]:
        _note_first_payment(subscription, facts["payment_intent"])
    if facts["payment_intent"]:  # what was told of before its invoice is counted now
        payments.recount_invoice(facts["payment_intent"])
        refunds.adopt(facts["payment_intent"], invoice["id"])
        disputes.adopt(facts["payment_intent"], invoice["id"])
    return True


def is_our_invoice(invoice: dict[str, Any]) -> bool:
    """Whether it bills a subscription that was bought here."""
    billed = _billed(invoice)
    subscription = billed.get("subscription")
    if isinstance(subscription, str) and is_known(subscription):
        return True
    return _is_our_order((billed.get("metadata") or {}).get("order"))


def _billed(invoice: dict[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = (invoice["parent"] or {}).get("subscription_details") or {}
    return details


def _payment_of(invoice: dict[str, Any]) -> str | None:
    """The PaymentIntent that paid the invoice, or is to pay it."""
    payments = invoice["payments"]["data"]
    for payment in sorted(payments, key=lambda payment: payment["status"] != "paid"):
        intent = payment["payment"].get("payment_intent")
        if intent and payment["status"] != "canceled":
            return intent["id"] if isinstance(intent, dict) else str(intent)
    return None


def find_first_payment(stripe_id: str) -> str | None:
    """The PaymentIntent of a subscription's first invoice, if we were told of it already."""
    return db.session.scalar(
        select(SubscriptionInvoice.payment_intent).where(
            SubscriptionInvoice.stripe_subscription == stripe_id,
            SubscriptionInvoice.billing_reason == FIRST,
            SubscriptionInvoice.payment_intent.is_not(None),
        )
    )


def _note_first_payment(stripe_id: str, payment_intent: str) -> None:
    """Give the order of a new subscription its payment, which its session does not tell."""
    noted = (
        update(Order)
        .where(Order.stripe_subscription == stripe_id, Order.payment_intent.is_(None))
        .values(payment_intent=payment_intent)
        .execution_options(synchronize_session=False)
    )
    db.session.connection().execute(noted)


def _is_our_order(reference: Any) -> bool:
    if not isinstance(reference, str):
        return False
    return bool(db.session.scalar(select(exists().where(Order.reference == reference))))


def list_unheard(since: timedelta, most: int) -> list[Row[Any]]:
    """Living subscriptions of which nothing was heard for so long, longest unasked first."""
    heard = time.time_ns() - int(since.total_seconds()) * 10**9
    return list(
        db.session.execute(
            select(Subscription.id, Subscription.stripe_id, Subscription.asked_at)
            .where(
                Subscription.status.in_(LIVE_STATUSES),
                or_(
                    Subscription.fetched_at < heard,
                    Subscription.fetched_at > time.time_ns() + TOO_LONG,
                ),
                Subscription.asked_at < now() - ASK_AGAIN_AFTER,
            )
            .order_by(Subscription.asked_at)
            .limit(most)
        )
    )


def claim_asking(row: Row[Any]) -> bool:
    """Win the right to ask Stripe about this subscription now."""
    claimed = (
        update(Subscription)
        .where(Subscription.id == row.id, Subscription.asked_at == row.asked_at)
        .values(asked_at=now())
        .execution_options(synchronize_session=False)
    )
    result = db.session.connection().execute(claimed)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def has_plan(user_id: int, variant_id: int) -> bool:
    """Whether the user has a living subscription to this variant's product, at any price."""
    wanted = aliased(Variant)
    return bool(
        db.session.scalar(
            select(
                exists()
                .where(Subscription.user_id == user_id)
                .where(Subscription.status.in_(LIVE_STATUSES))
                .where(Subscription.variant_id == Variant.id)
                .where(Variant.product_id == wanted.product_id)
                .where(wanted.id == variant_id)
            )
        )
    )


def list_of_user(user_id: int) -> list[Row[Any]]:
    """A customer's subscriptions with the product's name and the price they were bought at."""
    return list(
        db.session.execute(
            select(
                Subscription.id,
                Subscription.status,
                Subscription.current_period_end,
                Subscription.trial_end,
                Subscription.cancel_at_period_end,
                Product.name,
                Variant.label,
                OrderLine.unit_amount,
                Order.currency,
                OrderLine.interval,
                OrderLine.interval_count,
            )
            .join(Order, Order.id == Subscription.order_id)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .join(Variant, Variant.id == Subscription.variant_id)
            .join(Product, Product.id == Variant.product_id)
            .where(Subscription.user_id == user_id, OrderLine.variant_id == Variant.id)
            .order_by(Subscription.id.desc())
        )
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

"""Subscriptions as Stripe has them: remembered at purchase, then copied from its newest state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import aliased

from storefront import database, signals
from storefront.extensions import db
from storefront.models import Order, OrderLine, Product, Subscription, SubscriptionInvoice, Variant
from storefront.models.subscription import LIVE_STATUSES


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
    items = told["items"]["data"]
    ends = [item["current_period_end"] for item in items if item.get("current_period_end")]
    state = {
        "status": told["status"],
        "current_period_end": _moment(min(ends)) if ends else None,
        "trial_end": _moment(told["trial_end"]),
        "cancel_at_period_end": bool(told["cancel_at_period_end"] or told["cancel_at"]),
        "stripe_customer": told["customer"],
        "fetched_at": fetched_at,
    }
    owner = {}
    if order is not None:
        owner = {"order_id": order.id, "user_id": order.user_id, "variant_id": order.variant_id}
    add = database.insert_for_conflict(Subscription).values(
        stripe_id=told["id"], livemode=told["livemode"], **state, **owner
    )
    merged = add.on_conflict_do_update(
        index_elements=["stripe_id"],
        set_=state | owner,
        where=Subscription.fetched_at < fetched_at,
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
    """Keep what a subscription was charged, or that charging failed; False when it is not ours.

    One row an invoice, however often it is told; one that is paid never becomes unpaid again.
    """
    parent = invoice["parent"] or {}
    details = parent.get("subscription_details") or {}
    subscription = details.get("subscription")
    reference = (details.get("metadata") or {}).get("order")
    known = isinstance(subscription, str) and is_known(subscription)
    if not known and not _is_our_order(reference):
        return False
    facts = {
        "status": invoice["status"],
        "amount_paid": invoice["amount_paid"],
        "attempt_count": invoice["attempt_count"],
    }
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
    return True


def _is_our_order(reference: Any) -> bool:
    if not isinstance(reference, str):
        return False
    return bool(db.session.scalar(select(exists().where(Order.reference == reference))))


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

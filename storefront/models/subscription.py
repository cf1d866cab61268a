"""Subscriptions as Stripe last told us, and each invoice they were charged by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.models.columns import StripeId, UtcDateTime, now

LIVE_STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")


class Subscription(db.Model):
    """A copy of Stripe's newest state. `fetched_at` (nanoseconds since 1970) says when Stripe was
    asked for it: an answer asked for earlier never overwrites a later one. `asked_at` is when
    `work` last tried to ask by itself."""

    __tablename__ = "subscription"
    __table_args__ = (Index(None, "user_id", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    stripe_id: Mapped[str] = mapped_column(StripeId, unique=True)
    livemode: Mapped[bool]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), index=True)
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variant.id"))
    stripe_customer: Mapped[str | None] = mapped_column(StripeId)
    status: Mapped[str] = mapped_column(String(20))
    current_period_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    trial_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    fetched_at: Mapped[int] = mapped_column(BigInteger, default=0)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class SubscriptionInvoice(db.Model):
    """One invoice of a subscription: paid, or failing with the number of tries so far."""

    __tablename__ = "subscription_invoice"

    id: Mapped[int] = mapped_column(primary_key=True)
    stripe_id: Mapped[str] = mapped_column(StripeId, unique=True)
    livemode: Mapped[bool]
    stripe_subscription: Mapped[str | None] = mapped_column(StripeId, index=True)
    status: Mapped[str] = mapped_column(String(20))
    billing_reason: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    amount_paid: Mapped[int]
    amount_refunded: Mapped[int] = mapped_column(default=0)
    payment_intent: Mapped[str | None] = mapped_column(StripeId, index=True)
    attempt_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

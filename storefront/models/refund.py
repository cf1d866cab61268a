"""Refunds: one row for each, whoever asked for it first, followed to its end at the bank."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db
from storefront.models.columns import StripeId, UtcDateTime, now

# In the order in which a refund may pass through them: news of an earlier one never takes us back.
STATES = ("asked", "pending", "requires_action", "succeeded", "failed", "canceled")
GIVEN_BACK = ("pending", "requires_action", "succeeded")  # what Stripe counts as refunded
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
ORIGINS = ("shop", "oversold", "stripe")


class Refund(db.Model):
    """Money given back, or about to be: minor units of `currency`.

    `asked` is our intent, committed before Stripe is asked; from `stripe_id` on Stripe knows it.
    One that was made at Stripe has no `idempotency_key`. `payment_intent` names the payment;
    `order_id` is empty while that payment's order has not appeared yet, and for a renewal's
    payment. `restock` asks for the goods of `lines` to go back on the shelf; `restocked_at` says
    that they did.
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint(f"origin IN {ORIGINS}", name="origin"),
        CheckConstraint(f"reason IS NULL OR reason IN {REASONS}", name="reason"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("(state = 'asked') <= (idempotency_key IS NOT NULL)", name="key"),
        Index(
            "ix_refund_unfinished",
            "asked_at",
            sqlite_where=db.text("state IN ('asked', 'pending', 'requires_action')"),
            postgresql_where=db.text("state IN ('asked', 'pending', 'requires_action')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), index=True)
    stripe_id: Mapped[str | None] = mapped_column(StripeId, unique=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    attempt: Mapped[int] = mapped_column(default=1)
    payment_intent: Mapped[str] = mapped_column(StripeId, index=True)
    livemode: Mapped[bool]
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="asked")
    reason: Mapped[str | None] = mapped_column(String(30))
    failure_reason: Mapped[str | None] = mapped_column(String(60))
    origin: Mapped[str] = mapped_column(String(10), default="shop")
    note: Mapped[str] = mapped_column(Text, default="")
    restock: Mapped[bool] = mapped_column(default=False)
    restocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    lines: Mapped[list[RefundLine]] = relationship(order_by="RefundLine.id")


class RefundLine(db.Model):
    """Which goods a refund is for: a line of the order and how many of it."""

    __tablename__ = "refund_line"
    __table_args__ = (
        UniqueConstraint("refund_id", "order_line_id"),
        CheckConstraint("quantity >= 1", name="quantity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    refund_id: Mapped[int] = mapped_column(ForeignKey("refund.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    quantity: Mapped[int]

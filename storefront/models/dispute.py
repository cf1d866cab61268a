"""Disputes: a buyer asked his bank for the money back. A row, never a move of stock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.models.columns import StripeId, UtcDateTime, now

CLOSED = ("won", "lost", "warning_closed", "prevented")


class Dispute(db.Model):
    """A copy of Stripe's newest state of a dispute or inquiry; amounts in minor units.

    `fetched_at` (nanoseconds since 1970) says when Stripe was asked: an answer asked for earlier
    never overwrites a later one. `due_by` is until when evidence is taken. `order_id` is empty
    while the payment's order has not appeared yet, and for a renewal's payment.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("length(currency) = 3", name="currency"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stripe_id: Mapped[str] = mapped_column(StripeId, unique=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), index=True)
    payment_intent: Mapped[str | None] = mapped_column(StripeId, index=True)
    livemode: Mapped[bool]
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int]
    reason: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(40), index=True)
    due_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fetched_at: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

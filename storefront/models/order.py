"""Orders: their lines as copies, their states and the table of moves between them, and each step.

Payment, fulfillment and stock are separate axes. `attention` says why a human must look, else null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db
from storefront.models.columns import StripeId, UtcDateTime, now

STATES = ("open", "paid", "processing", "expired", "cancelled", "failed")
FULFILLMENTS = ("unfulfilled", "partial", "fulfilled", "returned")
ATTENTIONS = ("oversold", "amount_mismatch", "duplicate", "disputed")
STOCK = ("held", "sold", "released", "short")

# Which state may follow which. A late payment brings back what was given up; nothing leaves `paid`.
TRANSITIONS = {
    "paid": ("open", "processing", "expired", "cancelled", "failed"),
    "processing": ("open",),
    "failed": ("processing",),
    "expired": ("open",),
    "cancelled": ("open",),
}

FIRST_NUMBER = 1001
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Order(db.Model):
    """One purchase. Amounts are minor units of `currency`: as asked at first, as charged once paid.

    `reference` is what Stripe is told; `token` opens the guest's page and is told to nobody else.
    `purchase_key` names buyer and contents: at most one open order has it. `stock` says where the
    goods are: held for it, sold by it, released, or short (paid, but there were none left).
    `amount_refunded` is what Stripe counts as given back; `amount_refunding` is asked for, and not
    answered yet.
    """

    __tablename__ = "order"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint(f"fulfillment IN {FULFILLMENTS}", name="fulfillment"),
        CheckConstraint(f"attention IS NULL OR attention IN {ATTENTIONS}", name="attention"),
        CheckConstraint(f"stock IN {STOCK}", name="stock"),
        CheckConstraint("(stock = 'held') = (state IN ('open', 'processing'))", name="hold"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("amount_subtotal >= 0 AND amount_total >= 0", name="amounts"),
        CheckConstraint("amount_refunded >= 0 AND amount_refunding >= 0", name="refunds"),
        Index(
            "uq_order_open_purchase",
            "purchase_key",
            unique=True,
            sqlite_where=db.text("state = 'open'"),
            postgresql_where=db.text("state = 'open'"),
        ),
        Index(
            "ix_order_unsettled",
            "asked_at",
            sqlite_where=db.text("state IN ('open', 'processing')"),
            postgresql_where=db.text("state IN ('open', 'processing')"),
        ),
        Index(None, "user_id", "id"),
        Index(None, "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(12), default="open")
    fulfillment: Mapped[str] = mapped_column(String(12), default="unfulfilled")
    attention: Mapped[str | None] = mapped_column(String(20))
    stock: Mapped[str] = mapped_column(String(10), default="held")

    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    buyer: Mapped[str] = mapped_column(String(64), index=True)
    purchase_key: Mapped[str] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))
    shipping: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    mode: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    amount_subtotal: Mapped[int]
    amount_shipping: Mapped[int] = mapped_column(default=0)
    amount_tax: Mapped[int] = mapped_column(default=0)
    amount_discount: Mapped[int] = mapped_column(default=0)
    amount_total: Mapped[int]
    amount_refunded: Mapped[int] = mapped_column(default=0)
    amount_refunding: Mapped[int] = mapped_column(default=0)

    livemode: Mapped[bool]
    attempt: Mapped[int] = mapped_column(default=1)
    checkout_session: Mapped[str | None] = mapped_column(StripeId, unique=True)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    payment_intent: Mapped[str | None] = mapped_column(StripeId, index=True)
    stripe_subscription: Mapped[str | None] = mapped_column(StripeId, index=True)
    stripe_customer: Mapped[str | None] = mapped_column(StripeId)

    return_path: Mapped[str] = mapped_column(String(255), default="/")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=NEVER)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    lines: Mapped[list[OrderLine]] = relationship(
        back_populates="order", order_by="OrderLine.position"
    )
    steps: Mapped[list[OrderStep]] = relationship(order_by="OrderStep.id")

    @property
    def number(self) -> int:
        """What people call the order. Not a secret, and no key to anything."""
        return self.id + FIRST_NUMBER - 1


class OrderLine(db.Model):
    """A copy of what was bought, true for ever whatever becomes of the variant.

    `restocked` of the `quantity` came back and are on the shelf again.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("restocked BETWEEN 0 AND quantity", name="restocked"),
        CheckConstraint("unit_amount >= 0 AND amount_total >= 0", name="amounts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"))
    position: Mapped[int]
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variant.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    label: Mapped[str] = mapped_column(String(120), default="")
    quantity: Mapped[int]
    restocked: Mapped[int] = mapped_column(default=0)
    unit_amount: Mapped[int]
    amount_total: Mapped[int]
    interval: Mapped[str | None] = mapped_column(String(5))
    interval_count: Mapped[int] = mapped_column(default=1)
    trial_days: Mapped[int | None]

    order: Mapped[Order] = relationship(back_populates="lines")


class OrderStep(db.Model):
    """One line of an order's evidence: when, what caused it, what it changed. Only ever added."""

    __tablename__ = "order_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    cause: Mapped[str] = mapped_column(String(255))
    before: Mapped[str | None] = mapped_column(String(12))
    after: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text, default="")

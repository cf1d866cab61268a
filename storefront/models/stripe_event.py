"""Everything Stripe told us: one row an event, for ever, with what became of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.models.columns import StripeId, UtcDateTime, now

EVENT_STATES = ("applied", "ignored", "failed")


class StripeEvent(db.Model):
    """`applied`: it did its work; `ignored`: not ours or of no meaning to us, and `note` says why;
    `failed`: its work was rolled back, and the next delivery tries again, or `work` when
    `next_try_at` has come. `brought_by` is empty where Stripe itself delivered it."""

    __tablename__ = "stripe_event"
    __table_args__ = (
        CheckConstraint(f"state IN {EVENT_STATES}", name="state"),
        Index(None, "state", "received_at"),
        Index(
            "ix_stripe_event_failed",
            "next_try_at",
            sqlite_where=db.text("state = 'failed'"),
            postgresql_where=db.text("state = 'failed'"),
        ),
    )

    id: Mapped[str] = mapped_column(StripeId, primary_key=True)
    type: Mapped[str] = mapped_column(String(100))
    object_id: Mapped[str | None] = mapped_column(StripeId, index=True)
    livemode: Mapped[bool]
    api_version: Mapped[str | None] = mapped_column(String(60))
    payload: Mapped[str] = mapped_column(Text)
    brought_by: Mapped[str] = mapped_column(String(60), default="")
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    state: Mapped[str] = mapped_column(String(8), default="applied")
    note: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=1)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

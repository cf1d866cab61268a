"""The outbox: each mail is written in the transaction of its cause, and sent later."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.models.columns import UtcDateTime, now

STATES = ("waiting", "sent", "dropped", "failed")


class OutgoingMail(db.Model):
    """One mail of one kind about one thing, once: `key` names both and is unique.

    `recipient` is empty for the merchant's own mails: who that is, is looked up when it is sent. It
    is sent at least once: `next_try_at` is also the end of the lease of whoever is sending it now.
    `dropped` was no longer true when its turn came; `failed` was given up, with `last_error` why.
    """

    __tablename__ = "outgoing_mail"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index(
            "ix_outgoing_mail_waiting",
            "next_try_at",
            sqlite_where=db.text("state = 'waiting'"),
            postgresql_where=db.text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), index=True)
    recipient: Mapped[str | None] = mapped_column(String(254))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    last_error: Mapped[str] = mapped_column(Text, default="")
    subject: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

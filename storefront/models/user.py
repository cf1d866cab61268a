"""People with an account: customers, staff, owners; and who they are at Stripe."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.models.columns import StripeId, UtcDateTime, now

ROLES = ("customer", "staff", "owner")


class User(db.Model):
    """`email` is unique in its normal form; `stamp` is in each session and ends it when changed."""

    __tablename__ = "user"
    __table_args__ = (CheckConstraint(f"role IN {ROLES}", name="role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password_hash: Mapped[str] = mapped_column(String(255))
    stamp: Mapped[str] = mapped_column(String(43))
    role: Mapped[str] = mapped_column(String(10), default="customer")
    is_disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return not self.is_disabled

    @property
    def is_staff(self) -> bool:
        return self.role != "customer"

    def get_id(self) -> str:
        return f"{self.id}:{self.stamp}"


class StripeCustomer(db.Model):
    """A user's Customer at Stripe: one in each mode, made once and used again."""

    __tablename__ = "stripe_customer"
    __table_args__ = (UniqueConstraint("user_id", "livemode"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    livemode: Mapped[bool]
    stripe_id: Mapped[str] = mapped_column(StripeId, unique=True)

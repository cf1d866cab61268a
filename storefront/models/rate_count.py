"""Counted attempts (sign-in and the like), shared by all workers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class RateCount(db.Model):
    """`count` attempts under `key` until `expires_at` (seconds since 1970), then it starts anew."""

    __tablename__ = "rate_count"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)

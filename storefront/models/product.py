"""What the shop sells: products, and their variants with price and stock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db
from storefront.models.columns import UtcDateTime, now

INTERVALS = ("day", "week", "month", "year")


class Product(db.Model):
    """`description_html` is made from the Markdown and sanitized when saved, never when read.

    `images` is an ordered list of {key, width, height, alt, sku?}; the files lie in media/.
    """

    __tablename__ = "product"
    __table_args__ = (Index(None, "is_active", "position", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(300), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    description_html: Mapped[str] = mapped_column(Text, default="")
    images: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    is_featured: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)

    variants: Mapped[list[Variant]] = relationship(
        back_populates="product", order_by="Variant.position"
    )


class Variant(db.Model):
    """One buyable thing: SKU, price in minor units, and stock. `on_hand` None means unlimited.

    `held` is promised to open payments and is part of `on_hand`; free is the difference.
    """

    __tablename__ = "variant"
    __table_args__ = (
        CheckConstraint("unit_amount >= 0", name="unit_amount"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("on_hand IS NULL OR on_hand >= 0", name="on_hand"),
        CheckConstraint("held >= 0 AND (on_hand IS NULL OR held <= on_hand)", name="held"),
        CheckConstraint("sold >= 0", name="sold"),
        CheckConstraint(f'"interval" IS NULL OR "interval" IN {INTERVALS}', name="interval"),
        CheckConstraint("interval_count BETWEEN 1 AND 36", name="interval_count"),
        CheckConstraint("trial_days IS NULL OR trial_days BETWEEN 1 AND 730", name="trial_days"),
        Index(None, "product_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(120), default="")
    options: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    position: Mapped[int] = mapped_column(default=0)
    unit_amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    interval: Mapped[str | None] = mapped_column(String(5))
    interval_count: Mapped[int] = mapped_column(default=1)
    trial_days: Mapped[int | None]
    on_hand: Mapped[int | None]
    held: Mapped[int] = mapped_column(default=0)
    sold: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    product: Mapped[Product] = relationship(back_populates="variants")

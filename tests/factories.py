"""Plain makers of rows with valid defaults; `changes` says what a test cares about."""

from __future__ import annotations

from typing import Any

from storefront.models import Product, Variant
from storefront.services import catalog


def make_product(*variants: dict[str, Any], **changes: Any) -> Product:
    """A saved product; inside database.writing()."""
    values: dict[str, Any] = {
        "slug": "mug",
        "name": "Mug",
        "summary": "Holds tea.",
        "description": "A *mug*.",
        "images": [],
        "is_featured": True,
    }
    made = [make_variant(**{"position": place} | given) for place, given in enumerate(variants)]
    return catalog.save(Product(**values | changes, variants=made or [make_variant()]))


def make_variant(**changes: Any) -> Variant:
    """A variant, not yet saved."""
    values = {"sku": "MUG", "unit_amount": 2400, "currency": "eur", "on_hand": 5}
    return Variant(**values | changes)

"""Puts the demo's goods into a shop: pictures drawn, products saved, an owner to sign in with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from storefront import database
from storefront.demo import goods
from storefront.demo.listing import Good, Picture
from storefront.demo.pictures import draw
from storefront.models import Product, Variant
from storefront.services import catalog, settings
from storefront.services.pictures import store_picture


def stock_shop(media: Path, progress: Callable[[str], None]) -> bool:
    """Fill an empty shop; False, and nothing done, when it already has products."""
    if not catalog.is_empty():
        return False
    # Drawn before anything is written: it takes seconds, and no transaction waits for a brush.
    images = {}
    for good in goods.GOODS:
        progress(good.name)
        images[good.slug] = [_draw(picture, media) for picture in good.pictures]
    hero = {"title": goods.HERO_TITLE, "text": goods.HERO_TEXT}
    hero_image = _draw(goods.HERO_PICTURE, media)
    with database.writing():
        for position, good in enumerate(goods.GOODS):
            catalog.save(_product(good, position, images[good.slug]))
        settings.keep("home", hero | {"image": hero_image})
    return True


def _draw(picture: Picture, media: Path) -> dict[str, Any]:
    stored: dict[str, Any] = dict(store_picture(draw(picture.drawing), media, picture.alt))
    return stored | ({"sku": picture.sku} if picture.sku else {})


def _product(good: Good, position: int, images: list[dict[str, Any]]) -> Product:
    return Product(
        slug=good.slug,
        name=good.name,
        summary=good.summary,
        description=good.description,
        images=images,
        is_featured=good.featured,
        position=position,
        variants=[
            Variant(
                sku=variant.sku,
                label=variant.label,
                options=variant.options,
                position=place,
                unit_amount=variant.unit_amount,
                currency=variant.currency,
                interval=variant.interval,
                interval_count=variant.interval_count,
                trial_days=variant.trial_days,
                on_hand=variant.on_hand,
            )
            for place, variant in enumerate(good.variants)
        ],
    )

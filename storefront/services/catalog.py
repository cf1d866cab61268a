"""What is for sale, as pages need it: one statement a page, columns instead of entities.

Reading is on the hot path, so its statements are built once. Descriptions are rendered and
sanitized when they are saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mistune
import nh3
from sqlalchemy import Row, and_, bindparam, case, func, select, true, tuple_

from storefront import money
from storefront.errors import InvalidInput
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models import Product, Variant
from storefront.services import stock

PAGE = 24
FEATURED = 8

_free = case((Variant.on_hand.is_not(None), Variant.on_hand - Variant.held))
_offered = and_(Variant.product_id == Product.id, Variant.is_active == true())

PRODUCT = (
    select(
        Product.id,
        Product.slug,
        Product.name,
        Product.summary,
        Product.description_html,
        Product.images,
        Product.is_active,
        Variant.sku,
        Variant.label,
        Variant.unit_amount,
        Variant.currency,
        Variant.interval,
        Variant.interval_count,
        Variant.trial_days,
        _free.label("free"),
    )
    .join(Variant, _offered, isouter=True)
    .where(Product.slug == bindparam("slug"))
    .order_by(Variant.position, Variant.id)
)


def _cards(*conditions: Any, most: int, descending: bool = False) -> Any:
    """One page of products with what their cards say, price range and stock included."""
    order = (Product.position, Product.id)
    order = tuple(column.desc() for column in order) if descending else order  # type: ignore[assignment]
    page = (
        select(Product.id)
        .where(Product.is_active == true(), *conditions)
        .order_by(*order)
        .limit(most)
        .subquery()
    )
    unlimited = func.max(case((Variant.on_hand.is_(None), 1), else_=0))
    return (
        select(
            Product.id,
            Product.position,
            Product.slug,
            Product.name,
            Product.summary,
            Product.images,
            func.min(Variant.unit_amount).label("amount"),
            func.max(Variant.unit_amount).label("highest"),
            func.min(Variant.currency).label("currency"),
            func.min(Variant.interval).label("interval"),
            func.min(Variant.interval_count).label("interval_count"),
            func.max(_free).label("free"),
            unlimited.label("unlimited"),
        )
        .join(page, page.c.id == Product.id)
        .join(Variant, _offered)
        .group_by(Product.id)
        .order_by(Product.position, Product.id)
    )


_place = tuple_(Product.position, Product.id)
_mark = tuple_(bindparam("position"), bindparam("id"))
FIRST_PAGE = _cards(most=PAGE + 1)
AFTER = _cards(_place > _mark, most=PAGE + 1)
BEFORE = _cards(_place < _mark, most=PAGE + 1, descending=True)
ON_HOME = _cards(Product.is_featured == true(), most=FEATURED)


@dataclass(frozen=True)
class Card:
    """A product in a list. `amount` is its lowest price in minor units of `currency`."""

    slug: str
    name: str
    summary: str
    image: dict[str, Any] | None
    amount: int
    currency: str
    from_price: bool
    interval: str | None
    interval_count: int
    availability: str


@dataclass(frozen=True)
class Choice:
    """One variant as the product page offers it. `free` None means unlimited."""

    sku: str
    label: str
    amount: int
    currency: str
    interval: str | None
    interval_count: int
    trial_days: int | None
    free: int | None

    @cached_property
    def availability(self) -> str:
        return availability(self.free)

    @cached_property
    def most(self) -> int:
        """The largest quantity that can be bought at once."""
        return 99 if self.free is None else max(0, min(self.free, 99))


def availability(free: int | None) -> str:
    """ "available", "low" or "out", from how many are free (None: unlimited)."""
    if free is None or free > stock.LOW:
        return "available"
    return "low" if free > 0 else "out"


def read_product(slug: str) -> Sequence[Row[Any]]:
    """The product's row once for each variant on offer, in order; empty when there is none."""
    return db.session.execute(PRODUCT, {"slug": slug}).all()


def choices(rows: Sequence[Row[Any]]) -> list[Choice]:
    """The variants in the rows of `read_product`."""
    return [
        Choice(
            sku=row.sku,
            label=row.label,
            amount=row.unit_amount,
            currency=row.currency,
            interval=row.interval,
            interval_count=row.interval_count,
            trial_days=row.trial_days,
            free=row.free,
        )
        for row in rows
        if row.sku is not None
    ]


def choose(offered: list[Choice], sku: str | None) -> Choice:
    """The variant asked for, else the first that is not sold out, else the first."""
    named = [choice for choice in offered if choice.sku == sku]
    there = [choice for choice in offered if choice.availability != "out"]
    return (named or there or offered)[0]


def find_slug(sku: str) -> str | None:
    """The address of the product that this SKU belongs to."""
    return db.session.scalar(
        select(Product.slug)
        .join(Variant, Variant.product_id == Product.id)
        .where(Variant.sku == sku, Product.is_active == true(), Variant.is_active == true())
    )


def list_featured() -> Sequence[Row[Any]]:
    """The rows of the products shown on the home page."""
    return db.session.execute(ON_HOME).all()


@dataclass(frozen=True)
class Page:
    """One page of a list, with the marks (position, id) from which the neighbors start."""

    rows: Sequence[Row[Any]]
    after: tuple[int, int] | None
    before: tuple[int, int] | None


def list_page(after: tuple[int, int] | None = None, before: tuple[int, int] | None = None) -> Page:
    """A page of all products, beginning behind or ending before a mark; any page costs the same."""
    statement, mark = (AFTER, after) if after else (BEFORE, before)
    if mark is None:
        rows = list(db.session.execute(FIRST_PAGE).all())
    else:
        rows = list(db.session.execute(statement, {"position": mark[0], "id": mark[1]}).all())
    more = len(rows) > PAGE
    if before and not after:
        rows = rows[-PAGE:]
        earlier, later = more, True
    else:
        rows = rows[:PAGE]
        earlier, later = after is not None, more
    return Page(
        rows,
        after=(rows[-1].position, rows[-1].id) if rows and later else None,
        before=(rows[0].position, rows[0].id) if rows and earlier else None,
    )


def card(row: Row[Any]) -> Card:
    """The card of a list row."""
    free = None if row.unlimited else row.free
    return Card(
        slug=row.slug,
        name=row.name,
        summary=row.summary,
        image=row.images[0] if row.images else None,
        amount=row.amount,
        currency=row.currency,
        from_price=row.highest > row.amount,
        interval=row.interval,
        interval_count=row.interval_count,
        availability=availability(free),
    )


def render_description(markdown: str) -> str:
    """Markdown as HTML that is safe to show: an allow-list of tags, links without referrer."""
    html = str(mistune.html(markdown))
    return nh3.clean(html, tags=SAFE_TAGS, attributes={"a": {"href", "title"}}, url_schemes=SCHEMES)


SAFE_TAGS = set("p br hr em strong del a ul ol li blockquote code pre h2 h3 h4".split())
SCHEMES = {"https", "mailto"}


def save(product: Product) -> Product:
    """Check a product with its variants and make it ready to be read. Raises InvalidInput."""
    if not product.variants:
        raise InvalidInput(_("A product needs at least one variant."))
    if len({variant.currency for variant in product.variants}) > 1:
        raise InvalidInput(_("All variants of a product need prices in the same currency."))
    for variant in product.variants:
        if not money.is_chargeable(variant.unit_amount, variant.currency):
            raise InvalidInput(_("Stripe cannot charge the price of %(sku)s.", sku=variant.sku))
    for row in (product, *product.variants):
        _check_lengths(row)
    product.description_html = render_description(product.description)
    db.session.add(product)
    db.session.flush()
    return product


def _check_lengths(row: Any) -> None:
    # PostgreSQL refuses what is too long, SQLite keeps it; the merchant is told by both.
    for column in row.__table__.columns:
        most, value = getattr(column.type, "length", None), getattr(row, column.key)
        if most and isinstance(value, str) and len(value) > most:
            raise InvalidInput(
                _("“%(start)s…” is too long; %(most)s characters fit.", start=value[:30], most=most)
            )


def find_by_slug(slug: str) -> Product | None:
    """The product with this slug."""
    return db.session.scalars(select(Product).where(Product.slug == slug)).one_or_none()


def is_empty() -> bool:
    """Whether nothing has ever been put up for sale."""
    return db.session.scalar(select(Product.id).limit(1)) is None

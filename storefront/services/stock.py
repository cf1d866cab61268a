"""The only place that changes stock. Each change is one guarded statement judged by its row count.

`lines` is anything with `variant_id` and `quantity`, at most one line a variant. Rows are locked in
key order, so that two orders with the same goods never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Integer, bindparam, or_, select, true, update

from storefront.errors import SoldOut
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models import Variant
from storefront.prepared import Prepared

LOW = 3  # from here on customers are told how many are left


class Line(Protocol):
    variant_id: int | None
    quantity: int


_n = bindparam("n", type_=Integer)
_this = Variant.id == bindparam("variant")
_free = or_(Variant.on_hand.is_(None), Variant.on_hand - Variant.held >= _n)


def _change(*conditions: ColumnElement[bool], **columns: ColumnElement[Any]) -> Prepared:
    # Of the table: no loaded object is ever synchronized with what happens to stock here.
    return Prepared(update(Variant.__table__).where(_this, *conditions).values(columns))


RESERVE = _change(Variant.is_active == true(), _free, held=Variant.held + _n)
RELEASE = _change(Variant.held >= _n, held=Variant.held - _n)
SELL_HELD = _change(
    Variant.held >= _n,
    held=Variant.held - _n,
    on_hand=Variant.on_hand - _n,
    sold=Variant.sold + _n,
)
SELL_FREE = _change(_free, on_hand=Variant.on_hand - _n, sold=Variant.sold + _n)
TAKE_BACK = _change(Variant.sold >= _n, on_hand=Variant.on_hand + _n, sold=Variant.sold - _n)
FREE = select(Variant.on_hand - Variant.held).where(_this)


def reserve(lines: Iterable[Line]) -> None:
    """Hold the goods for an open payment. Raises SoldOut, holding nothing, when any line is short;
    `details["free"]` is what is left of it."""
    for line in _in_key_order(lines):
        if not _changed(RESERVE, line):
            free = db.session.execute(FREE, {"variant": line.variant_id}).scalar() or 0
            raise SoldOut(_sold_out_words(max(free, 0)), free=max(free, 0))


def release(lines: Iterable[Line]) -> None:
    """Give a hold back. The caller has just won the step that ends the hold, so it happens once."""
    for line in _in_key_order(lines):
        _must_change(RELEASE, line)


def sell_held(lines: Iterable[Line]) -> None:
    """Turn a hold into a sale: the goods leave the shelf."""
    for line in _in_key_order(lines):
        _must_change(SELL_HELD, line)


def sell_free(lines: Iterable[Line]) -> bool:
    """Sell goods that are no longer held, all lines or none; False when something is missing."""
    taken: list[Line] = []
    for line in _in_key_order(lines):
        if not _changed(SELL_FREE, line):
            for earlier in taken:
                _must_change(TAKE_BACK, earlier)
            return False
        taken.append(line)
    return True


def take_back(line: Line) -> bool:
    """Put sold goods on the shelf again; False when they cannot have been sold from it.

    The caller has just won the right to do so, so it happens once.
    """
    return _changed(TAKE_BACK, line)


def list_levels() -> list[dict[str, object]]:
    """sku, on_hand (None: unlimited), held and sold of every variant, by SKU."""
    columns = (Variant.sku, Variant.on_hand, Variant.held, Variant.sold)
    rows = db.session.execute(select(*columns).order_by(Variant.sku))
    return [dict(row._mapping) for row in rows]


def _in_key_order(lines: Iterable[Line]) -> list[Line]:
    return sorted(
        (line for line in lines if line.variant_id), key=lambda line: line.variant_id or 0
    )


def _changed(statement: Prepared, line: Line) -> bool:
    return statement(variant=line.variant_id, n=line.quantity) == 1


def _must_change(statement: Prepared, line: Line) -> None:
    if not _changed(statement, line):
        raise RuntimeError(f"stock of variant {line.variant_id} does not match its orders")


def _sold_out_words(free: int) -> str:
    if free == 0:
        return _("This has just been sold. Nothing was charged.")
    return _("Only %(free)s left. Please choose a smaller quantity.", free=free)

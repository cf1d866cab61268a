"""Stock: each change is one guarded statement: nothing is oversold, leaked or freed twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from storefront import database
from storefront.errors import SoldOut
from storefront.extensions import db
from storefront.models import Variant
from storefront.services import stock
from tests.factories import make_product


@dataclass
class Line:
    variant_id: int | None
    quantity: int


class Shelf:
    """CUP (3 on hand), POT (2 on hand) and BOOK (unlimited), without any orders."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        with app.app_context(), database.writing():
            product = make_product(
                {"sku": "CUP", "on_hand": 3}, {"sku": "POT", "on_hand": 2}, {"sku": "BOOK"}
            )
            product.variants[2].on_hand = None
            db.session.flush()
            self.ids = {variant.sku: variant.id for variant in product.variants}

    def do(self, verb: str, **quantities: int) -> object:
        """Call a verb of `stock` with these lines in a transaction of its own."""
        lines = [Line(self.ids[sku], quantity) for sku, quantity in quantities.items()]
        with self.app.app_context(), database.writing():
            return getattr(stock, verb)(lines)

    def level(self, sku: str) -> tuple[object, ...]:
        with self.app.app_context():
            (level,) = (row for row in stock.list_levels() if row["sku"] == sku)
            return level["on_hand"], level["held"], level["sold"]


@pytest.fixture
def shelf(app: Flask) -> Shelf:
    return Shelf(app)


def test_a_hold_is_part_of_what_is_on_hand(shelf: Shelf) -> None:
    shelf.do("reserve", CUP=2)
    assert shelf.level("CUP") == (3, 2, 0)


def test_it_says_how_many_are_free(shelf: Shelf) -> None:
    shelf.do("reserve", CUP=2)
    with pytest.raises(SoldOut) as caught:
        shelf.do("reserve", CUP=2)
    assert caught.value.details == {"free": 1}
    assert shelf.level("CUP") == (3, 2, 0)


def test_one_short_line_holds_nothing_of_the_others(shelf: Shelf) -> None:
    with pytest.raises(SoldOut):
        shelf.do("reserve", CUP=1, POT=3)
    assert shelf.level("CUP") == (3, 0, 0)


def test_the_unlimited_never_ends(shelf: Shelf) -> None:
    shelf.do("reserve", BOOK=99)
    shelf.do("sell_held", BOOK=99)
    assert shelf.level("BOOK") == (None, 0, 99)


def test_what_is_off_the_shelf_cannot_be_held(shelf: Shelf) -> None:
    with shelf.app.app_context(), database.writing():
        db.session.execute(update(Variant).values(is_active=False))
    with pytest.raises(SoldOut):
        shelf.do("reserve", CUP=1)


def test_a_hold_goes_back(shelf: Shelf) -> None:
    shelf.do("reserve", CUP=2)
    shelf.do("release", CUP=2)
    assert shelf.level("CUP") == (3, 0, 0)


def test_a_hold_becomes_a_sale(shelf: Shelf) -> None:
    shelf.do("reserve", CUP=2)
    shelf.do("sell_held", CUP=2)
    assert shelf.level("CUP") == (1, 0, 2)


@pytest.mark.parametrize("verb", ["release", "sell_held"])
def test_a_hold_ends_only_once(shelf: Shelf, verb: str) -> None:
    shelf.do("reserve", CUP=2)
    shelf.do(verb, CUP=2)
    before = shelf.level("CUP")
    with pytest.raises(RuntimeError):
        shelf.do(verb, CUP=2)
    assert shelf.level("CUP") == before


def test_it_sells_what_is_free(shelf: Shelf) -> None:
    shelf.do("reserve", CUP=1)
    assert shelf.do("sell_free", CUP=2) is True
    assert shelf.level("CUP") == (1, 1, 2)


def test_it_never_sells_what_is_held_for_others(shelf: Shelf) -> None:
    shelf.do("reserve", CUP=2)
    assert shelf.do("sell_free", CUP=2) is False
    assert shelf.level("CUP") == (3, 2, 0)


def test_it_sells_all_lines_or_none(shelf: Shelf) -> None:
    assert shelf.do("sell_free", CUP=1, POT=3) is False
    assert shelf.level("CUP") == (3, 0, 0)
    assert shelf.level("POT") == (2, 0, 0)


def test_a_line_without_a_variant_moves_nothing(shelf: Shelf) -> None:
    with shelf.app.app_context(), database.writing():
        stock.reserve([Line(None, 5)])
        assert stock.sell_free([Line(None, 5)]) is True


@pytest.mark.parametrize("values", [{"on_hand": -1}, {"held": -1}, {"on_hand": 1}, {"sold": -1}])
def test_the_database_itself_refuses_nonsense(shelf: Shelf, values: dict[str, int]) -> None:
    shelf.do("reserve", CUP=2)
    nonsense = update(Variant).where(Variant.sku == "CUP").values(values)
    with shelf.app.app_context(), pytest.raises(IntegrityError), database.writing():
        db.session.execute(nonsense)
    assert shelf.level("CUP") == (3, 2, 0)


def test_eight_at_once_hold_exactly_what_there_is(shelf: Shelf) -> None:
    def hold(_number: int) -> bool:
        try:
            shelf.do("reserve", CUP=1)
        except SoldOut:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(hold, range(8)))
    assert won.count(True) == 3
    assert shelf.level("CUP") == (3, 3, 0)


def test_two_with_the_same_goods_in_other_order_do_not_block_each_other(shelf: Shelf) -> None:
    turns = [{"CUP": 1, "POT": 1}, {"POT": 1, "CUP": 1}] * 8

    def there_and_back(quantities: dict[str, int]) -> None:
        shelf.do("reserve", **quantities)
        shelf.do("release", **quantities)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(there_and_back, turns))
    assert shelf.level("CUP") == (3, 0, 0)
    assert shelf.level("POT") == (2, 0, 0)

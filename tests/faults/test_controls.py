"""A test that cannot fail proves nothing: the same judges, held against a shop built badly."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from storefront import database
from storefront.extensions import db
from tests.faults.databases import BOTH, make_empty
from tests.faults.judging import (
    check_ended_once,
    check_paid_once,
    check_sold_to_one,
    check_stock,
)
from tests.faults.serving import Served, serving
from tests.faults.together import at_once


@pytest.fixture(scope="module", params=BOTH)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("careless")
    url = make_empty(request.param, folder, request)
    with serving(folder, url, "tests.faults.careless:app", "--preload") as shop:
        yield shop


@pytest.fixture(autouse=True)
def is_still_right(shop: Served) -> Iterator[None]:
    """The damage of one control must not be what the next one is caught by."""
    check_stock(shop)
    yield
    with shop.stage.app.app_context(), database.writing():
        for table in reversed(db.metadata.sorted_tables):
            db.session.execute(table.delete())


def test_they_see_an_order_that_is_paid_twice(shop: Served) -> None:
    sku = shop.add_goods(5)
    shop.visitor().open_session(sku)
    session_id = shop.paid_session(sku)
    assert shop.deliver(shop.event(session_id)) == 200
    check_paid_once(shop, session_id)
    assert shop.deliver(shop.event(session_id, again=True)) == 200
    with pytest.raises(AssertionError):
        check_paid_once(shop, session_id)


def test_they_see_goods_that_go_back_twice(shop: Served) -> None:
    sku = shop.add_goods(5)
    shop.visitor().open_session(sku)
    session_id = shop.visitor().open_session(sku)
    shop.expire(session_id)
    assert shop.deliver(shop.event(session_id, "expired")) == 200
    check_ended_once(shop, session_id)
    assert shop.deliver(shop.event(session_id, "expired", again=True)) == 200
    with pytest.raises(AssertionError):
        check_ended_once(shop, session_id)


def test_they_see_the_last_item_sold_to_several(shop: Served) -> None:
    sku = shop.add_goods(1)
    answers = at_once([partial(shop.visitor().buy, sku) for _ in range(8)], threads=8)
    with pytest.raises(AssertionError):
        check_sold_to_one(shop, sku, [answer.status_code for answer in answers])


def test_they_see_an_event_that_a_crash_made_forgotten(shop: Served) -> None:
    lost = 0
    for step in range(1, 12):
        session_id = shop.paid_session(shop.add_goods(2))
        if shop.deliver(shop.event(session_id), **{"X-Die-At": str(step)}) == 0:
            assert shop.deliver_until_taken(shop.event(session_id)) == 200
            lost += not _is_paid(shop, session_id)
    assert lost


def _is_paid(shop: Served, session_id: str) -> bool:
    try:
        check_paid_once(shop, session_id)
    except AssertionError:
        return False
    return True

"""Many at the same moment, through real HTTP and with Stripe a process of its own: one effect each.

No answer is a 500, and no lock is ever seen in the log.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from storefront.sandbox.errors import ApiError
from tests.faults.databases import BOTH, make_empty
from tests.faults.judging import check_paid_once, check_sold_to_one, check_stock
from tests.faults.serving import Served, serving
from tests.faults.stripe_apart import LocalStripe
from tests.faults.together import at_once

SALES = 40
SENDERS = 8


@pytest.fixture(scope="module", params=BOTH)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("at-once")
    url = make_empty(request.param, folder, request)
    stripe = LocalStripe(folder)
    try:
        with serving(folder, url, stripe=stripe) as shop:
            yield shop
            assert shop.troubles() == []
            assert "locked" not in shop.log.read_text()
    finally:
        stripe.stop()


@pytest.mark.parametrize("_round", range(4))
def test_fifty_buyers_of_the_last_item_make_one_session(shop: Served, _round: int) -> None:
    sku = shop.add_goods(1)

    answers = at_once([partial(shop.visitor().buy, sku) for _ in range(50)], threads=50)

    check_sold_to_one(shop, sku, [answer.status_code for answer in answers])


def test_expiry_cancel_and_payment_meet(shop: Served) -> None:
    """Whoever is first at Stripe, the order follows; the goods are sold once or free once."""
    for who in ((0, 2), (1, 2), (0, 1, 2)) * 3:
        sku, visitor = shop.add_goods(2), shop.visitor()
        shop.visitor().open_session(sku)  # a second hold, which nobody may touch
        session_id = visitor.open_session(sku)
        (order,) = shop.stage.orders(checkout_session=session_id)
        ways: list[Callable[[], Any]] = [
            partial(_try, shop.stage.pay, session_id),
            partial(_try, shop.expire, session_id),
            partial(visitor.get, f"/payment/cancel?order={order.reference}"),
        ]

        answers = at_once([ways[which] for which in who], threads=3)

        assert [answer.status_code for answer in answers if answer is not None] == [303]
        (at_stripe,) = shop.sessions_at_stripe(order.reference)
        is_paid = at_stripe["payment_status"] == "paid"
        told = shop.event(session_id, "completed" if is_paid else "expired")
        assert at_once([partial(shop.deliver, told)] * 3, threads=3) == [200] * 3
        (order,) = shop.stage.orders(checkout_session=session_id)
        assert order.state == ("paid" if is_paid else "expired")
        assert shop.stage.stock(sku) == ((1, 1, 1) if is_paid else (2, 1, 0))


def _try(end: Callable[[str], Any], session_id: str) -> None:
    with suppress(ApiError):  # it has ended already
        end(session_id)


def test_eight_senders_beside_a_crowd_that_looks(shop: Served) -> None:
    sku = shop.add_goods(SALES)
    sessions = [shop.paid_session(sku) for _ in range(SALES)]
    events = [shop.event(session_id) for session_id in sessions]
    twins = [shop.event(session_id, again=True) for session_id in sessions]
    sending = [partial(shop.deliver, event) for event in (*events, *twins, *events)]
    over = time.monotonic() + 60
    with ThreadPoolExecutor(4) as crowd:
        done: list[bool] = []
        looking = [crowd.submit(_look, shop, sku, done, over) for _ in range(4)]
        try:
            statuses = at_once(sending, threads=SENDERS)
        finally:
            done.append(True)
        seen = list(itertools.chain.from_iterable(task.result(60) for task in looking))

    assert set(statuses) == {200}
    assert set(seen) == {200}
    check_paid_once(shop, *sessions)
    assert shop.stage.stock(sku) == (0, 0, SALES)
    check_stock(shop)


def _look(shop: Served, sku: str, done: list[bool], over: float) -> list[int]:
    """Look at pages until the senders are done; what they were answered."""
    seen, visitor = [], shop.visitor()
    while not done and time.monotonic() < over:
        for path in (f"/products/{sku}", "/products", "/"):
            seen.append(visitor.get(path).status_code)
    return seen

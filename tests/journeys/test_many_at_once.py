"""Many at once, on the shop as it is served: gunicorn, two workers of four threads, both databases.

Each test has goods of its own on one shop for each database; nothing is emptied in between.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
from sqlalchemy import select

from storefront.extensions import db
from storefront.models import Order
from storefront.models.order import NEVER
from storefront.sandbox.errors import ApiError
from tests.faults.databases import BOTH, make_empty
from tests.faults.judging import (
    PAID_ONCE,
    check_ended_once,
    check_paid_once,
    check_sold_to_one,
    steps_of,
)
from tests.faults.serving import Served, Visitor, serving
from tests.faults.together import at_once, wait_until


@pytest.fixture(scope="module", params=BOTH)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("many")
    with serving(folder, make_empty(request.param, folder, request)) as shop:
        yield shop
        assert shop.troubles() == []


def test_twenty_identical_webhooks_pay_one_order(shop: Served) -> None:
    sku = shop.add_goods(3)
    session_id = shop.paid_session(sku)
    event = shop.event(session_id)

    statuses = at_once([partial(shop.deliver_until_taken, event)] * 20, threads=8)

    assert statuses == [200] * 20
    check_paid_once(shop, session_id)
    assert shop.stage.stock(sku) == (2, 0, 1)


def test_two_endpoints_with_two_event_ids_pay_one_order(shop: Served) -> None:
    session_id = shop.paid_session(shop.add_goods(3))
    events = [shop.event(session_id), shop.event(session_id, again=True)]

    statuses = at_once([partial(shop.deliver_until_taken, event) for event in events * 4], 8)

    assert statuses == [200] * 8
    check_paid_once(shop, session_id)


def test_fifty_buyers_of_the_last_item_make_one_session(shop: Served) -> None:
    sku = shop.add_goods(1)

    answers = at_once([partial(shop.visitor().buy, sku) for _ in range(50)], threads=50)

    check_sold_to_one(shop, sku, [answer.status_code for answer in answers])
    codes = [answer.json()["error"]["code"] for answer in answers if answer.status_code == 409]
    assert codes == ["sold_out"] * 49


def test_eight_buyers_empty_the_shelf_and_no_more(shop: Served) -> None:
    sku = shop.add_goods(20)

    bought = at_once([partial(_buy_until_gone, shop, sku)] * 8, threads=8)

    sessions = [session_id for one in bought for session_id in one]
    assert len(sessions) == len(set(sessions)) == 20
    assert shop.stage.stock(sku) == (20, 20, 0)
    at_once([partial(shop.stage.pay, session_id) for session_id in sessions], threads=4)
    events = [shop.event(session_id) for session_id in sessions]
    assert at_once([partial(shop.deliver, event) for event in events], 8) == [200] * 20
    assert shop.stage.stock(sku) == (0, 0, 20)
    check_paid_once(shop, *sessions)


def _buy_until_gone(shop: Served, sku: str) -> list[str]:
    sessions: list[str] = []
    while len(sessions) <= 20:
        answer = shop.visitor().buy(sku)
        if answer.status_code == 409:
            break
        assert answer.status_code == 200, answer.text
        sessions.append(answer.json()["sessionId"])
    return sessions


@pytest.mark.parametrize("has_cookie", [True, False])
def test_a_double_click_opens_one_session(shop: Served, has_cookie: bool) -> None:
    sku, visitor, headers = shop.add_goods(9), shop.visitor(), {}
    if has_cookie:
        visitor.open_session(shop.add_goods(1))
        headers = {"X-CSRFToken": visitor.token(sku)}
    clicks = [Visitor(shop.url, dict(visitor.cookies), visitor.attempt) for _ in range(8)]

    answers = at_once([partial(click.buy, sku, **headers) for click in clicks], threads=8)

    assert [answer.status_code for answer in answers] == [200] * 8
    (session_id,) = {answer.json()["sessionId"] for answer in answers}
    (order,) = shop.stage.orders(checkout_session=session_id)
    assert [one["id"] for one in shop.sessions_at_stripe(order.reference)] == [session_id]
    assert shop.stage.stock(sku) == (9, 1, 0)


ROUNDS = 12


def test_webhook_success_page_and_work_settle_together(shop: Served) -> None:
    """The webhook comes before, after and during the success page, while `work` asks as well."""
    sku = shop.add_goods(ROUNDS)
    visitors = [shop.visitor() for _ in range(ROUNDS)]
    sessions = [visitor.open_session(sku) for visitor in visitors]
    for session_id in sessions:
        shop.stage.pay(session_id)
    calls = [
        partial(visitor.get, f"{page}?sessid={session_id}")
        for visitor, session_id in zip(visitors, sessions, strict=True)
        for page in ("/payment/success", "/payment/status")
    ]
    deliveries = [partial(shop.deliver_until_taken, shop.event(one)) for one in sessions * 2]
    tasks = calls + deliveries
    random.Random(7).shuffle(tasks)

    with shop.command("work") as work:
        wait_until(lambda: _is_asking(shop, sessions), patience=20)
        answers = at_once(tasks, threads=8)
        said, _nothing = work.communicate(timeout=60)

    assert work.returncode == 0, said
    assert {getattr(answer, "status_code", answer) for answer in answers} == {200}
    check_paid_once(shop, *sessions)


def _is_asking(shop: Served, sessions: list[str]) -> bool:
    asked = select(Order.id).where(Order.checkout_session.in_(sessions), Order.asked_at > NEVER)
    with shop.stage.app.app_context():
        return db.session.scalar(asked.limit(1)) is not None


@pytest.mark.parametrize("order_of_calls", [(0, 1), (1, 0), (0, 0), (1, 1)])
def test_webhook_and_success_page_in_any_order(
    shop: Served, order_of_calls: tuple[int, int]
) -> None:
    visitor = shop.visitor()
    session_id = visitor.open_session(shop.add_goods(2))
    shop.stage.pay(session_id)
    calls = (
        partial(shop.deliver, shop.event(session_id)),
        lambda: visitor.get(f"/payment/success?sessid={session_id}").status_code,
    )

    assert [calls[which]() for which in order_of_calls] == [200, 200]

    check_paid_once(shop, session_id)


def test_goods_of_an_ended_session_go_back_once(shop: Served) -> None:
    """Two `expired` events, the cancel page and `work` come together; another hold survives."""
    sku = shop.add_goods(8)
    shop.visitor().open_session(sku)
    for _ in range(5):
        visitor = shop.visitor()
        session_id = visitor.open_session(sku)
        (order,) = shop.stage.orders(checkout_session=session_id)
        shop.expire(session_id)
        tasks = [
            partial(shop.deliver_until_taken, shop.event(session_id, "expired")),
            partial(shop.deliver_until_taken, shop.event(session_id, "expired", again=True)),
            lambda: visitor.get(f"/payment/cancel?order={order.reference}").status_code,  # noqa: B023
            shop.stage.work,
        ]

        answers = at_once(tasks, threads=4)

        assert answers[:3] == [200, 200, 303]
        check_ended_once(shop, session_id)
        assert shop.stage.stock(sku) == (8, 1, 0)


def test_the_buyer_pays_while_the_cancel_page_closes_his_session(shop: Served) -> None:
    """Whoever is first, order and Stripe agree in the end."""
    for _ in range(5):
        sku, visitor = shop.add_goods(1), shop.visitor()
        session_id = visitor.open_session(sku)
        (order,) = shop.stage.orders(checkout_session=session_id)
        at_once(
            [
                lambda: _try_to_pay(shop, session_id),  # noqa: B023
                lambda: visitor.get(f"/payment/cancel?order={order.reference}"),  # noqa: B023
            ],
            threads=2,
        )
        (at_stripe,) = shop.sessions_at_stripe(order.reference)
        is_paid = at_stripe["payment_status"] == "paid"
        if is_paid:
            assert shop.deliver(shop.event(session_id)) == 200
        (order,) = shop.stage.orders(checkout_session=session_id)
        assert order.state == ("paid" if is_paid else "expired")
        assert shop.stage.stock(sku) == ((0, 0, 1) if is_paid else (1, 0, 0))
        assert not is_paid or steps_of(order) == PAID_ONCE


def _try_to_pay(shop: Served, session_id: str) -> None:
    with suppress(ApiError):  # the cancel page was faster
        shop.stage.pay(session_id)

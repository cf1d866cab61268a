"""A process that dies at each step of a purchase in turn: nothing is lost, doubled or leaked.

One test walks through all steps of its request, on a shop whose master puts a fresh worker in place
of each that died. Every purchase has goods and a buyer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from storefront import database
from storefront.extensions import db
from storefront.models import Order
from storefront.models.columns import now
from tests.faults.databases import BOTH, make_empty
from tests.faults.judging import check_paid_once
from tests.faults.serving import CUT_OFF, Served, Visitor, serving

MOST_STEPS = 60


@pytest.fixture(scope="module", params=BOTH)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("crashes")
    url = make_empty(request.param, folder, request)
    with serving(folder, url, "tests.faults.crashing:app", "--preload") as shop:
        yield shop
        assert shop.troubles() == []


def each_step(dies_at: Callable[[str], bool]) -> int:
    """Let the request die at its first step, its second and so on until it lives; counts them."""
    for step in range(1, MOST_STEPS):
        if not dies_at(str(step)):
            return step - 1
    raise AssertionError(f"the request has more than {MOST_STEPS} steps")


def buy_and_die(visitor: Visitor, sku: str, step: str) -> bool:
    try:
        answer = visitor.buy(sku, **{"X-Die-At": step})
    except CUT_OFF:
        return True
    assert answer.status_code == 200, answer.text
    return False


def test_a_buyer_presses_again_after_a_crash(shop: Served) -> None:
    """He gets the one session of his one order, whatever was done when the first press died."""

    def dies_at(step: str) -> bool:
        sku, visitor = shop.add_goods(1), shop.visitor()
        died = buy_and_die(visitor, sku, step)
        session_id = visitor.open_session(sku) if died else ""
        if died:
            (order,) = shop.orders_of(sku)
            assert order.checkout_session == session_id
            assert len(shop.sessions_at_stripe(order.reference)) == 1
            shop.stage.pay(session_id)
            assert shop.deliver(shop.event(session_id)) == 200
            check_paid_once(shop, session_id)
        return died

    assert each_step(dies_at) >= 10


def test_a_hold_left_by_a_crash_ends_with_its_time(shop: Served) -> None:
    def dies_at(step: str) -> bool:
        sku = shop.add_goods(1)
        died = buy_and_die(shop.visitor(), sku, step)
        if died:
            for order in shop.orders_of(sku):
                _let_time_pass(shop, order)
            shop.stage.work()
            assert shop.stage.stock(sku) == (1, 0, 0)
            assert {order.state for order in shop.orders_of(sku)} <= {"expired"}
        return died

    assert each_step(dies_at) >= 10


def test_a_session_whose_answer_was_lost_is_still_paid(shop: Served) -> None:
    """Stripe has a session of which the order knows nothing, and its payment finds the order."""
    paid = 0

    def dies_at(step: str) -> bool:
        nonlocal paid
        sku = shop.add_goods(1)
        died = buy_and_die(shop.visitor(), sku, step)
        for order in shop.orders_of(sku) if died else ():
            for session in shop.sessions_at_stripe(order.reference):
                shop.stage.pay(session["id"])
                assert shop.deliver(shop.event(session["id"])) == 200
                check_paid_once(shop, session["id"])
                paid += order.checkout_session is None
        return died

    each_step(dies_at)
    assert paid >= 1


def test_an_event_delivered_again_after_a_crash_has_one_effect(shop: Served) -> None:
    def dies_at(step: str) -> bool:
        sku = shop.add_goods(1)
        session_id = shop.paid_session(sku)
        event = shop.event(session_id)
        died = shop.deliver(event, **{"X-Die-At": step}) == 0
        if died:
            assert shop.deliver(event) == 200
        check_paid_once(shop, session_id)
        assert shop.stage.stock(sku) == (0, 0, 1)
        return died

    assert each_step(dies_at) >= 6


def test_a_success_page_looked_at_again_after_a_crash_shows_the_order(shop: Served) -> None:
    def dies_at(step: str) -> bool:
        visitor = shop.visitor()
        session_id = visitor.open_session(shop.add_goods(1))
        shop.stage.pay(session_id)
        died = _look_and_die(visitor, f"/payment/success?sessid={session_id}", step)
        if died:
            # Whoever died had won the right to ask Stripe; `work` asks in his place.
            assert visitor.get(f"/payment/success?sessid={session_id}").status_code == 200
            shop.stage.work()
        check_paid_once(shop, session_id)
        return died

    assert each_step(dies_at) >= 6


def _look_and_die(visitor: Visitor, path: str, step: str) -> bool:
    try:
        return visitor.get(path, **{"X-Die-At": step}).status_code != 200
    except CUT_OFF:
        return True


def _let_time_pass(shop: Served, order: Order) -> None:
    """As half an hour later: the hold is over, and so is the session if Stripe has one."""
    for session in shop.sessions_at_stripe(order.reference):
        shop.expire(session["id"])
    with shop.stage.app.app_context(), database.writing():
        past = now() - timedelta(minutes=1)
        db.session.execute(update(Order).where(Order.id == order.id).values(expires_at=past))

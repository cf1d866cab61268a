"""Placing an order: what it needs, what it copies, and one for any number of presses."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from storefront import database
from storefront.errors import NotFound, ShopError, SoldOut
from storefront.extensions import db
from storefront.models import Order
from storefront.models.columns import now
from storefront.services import checkout
from storefront.services.checkout import Purchase
from tests.payments.interventions import change_order, change_variant
from tests.stage import Stage

HOLD = timedelta(minutes=31)


def place(stage: Stage, buyer: str = "visitor:1", sku: str = "MUG", **wishes: Any) -> Order:
    purchase = Purchase(buyer=buyer, sku=sku, quantity=wishes.pop("quantity", 1), **wishes)
    with stage.app.app_context(), database.writing():
        placed = checkout.place(purchase, livemode=False, hold=HOLD)
        _ = placed.lines
        return placed


def do(stage: Stage, verb: str, *given: Any) -> Any:
    with stage.app.app_context(), database.writing():
        return getattr(checkout, verb)(*given)


def params(order: Order) -> dict[str, Any]:
    return checkout.session_params(
        order, shop_url="https://shop.example", public_url="https://shop.example", customer=None
    )


def test_an_order_copies_what_is_bought(stage: Stage) -> None:
    order = place(stage, quantity=2)
    (line,) = order.lines
    assert (line.name, line.sku, line.unit_amount, line.quantity) == ("Mug", "MUG", 2400, 2)
    assert (order.amount_total, line.amount_total, order.currency) == (4800, 4800, "eur")


def test_a_refused_purchase_leaves_nothing(stage: Stage) -> None:
    for wish in ({"sku": "NOPE"}, {"quantity": 0}, {"quantity": 6}, {"sku": "CLUB"}):
        with pytest.raises(ShopError):
            place(stage, **wish)
    assert stage.orders() == []
    assert stage.steps() == []


def test_the_same_purchase_is_the_same_order(stage: Stage) -> None:
    assert place(stage).id == place(stage).id
    assert stage.stock() == (5, 1, 0)


@pytest.mark.parametrize(
    "other", [{"buyer": "visitor:2"}, {"quantity": 2}, {"sku": "YEN"}], ids=str
)
def test_anything_else_is_another_order(stage: Stage, other: dict[str, Any]) -> None:
    assert place(stage).id != place(stage, **other).id


def test_a_new_price_is_another_order(stage: Stage) -> None:
    first = place(stage)
    change_variant(stage, unit_amount=2500)
    assert place(stage).id != first.id


def test_presses_in_the_same_moment_are_one_order(stage: Stage) -> None:
    with ThreadPoolExecutor(6) as pool:
        ids = {order.id for order in pool.map(lambda _: place(stage), range(6))}
    assert len(ids) == 1
    assert stage.stock() == (5, 1, 0)


def test_the_last_one_is_placed_once(stage: Stage) -> None:
    def try_it(number: int) -> bool:
        try:
            place(stage, f"visitor:{number}", "LAST")
        except SoldOut:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(try_it, range(6))).count(True) == 1
    assert len(stage.orders()) == 1


def test_what_stripe_is_asked_depends_on_the_order_alone(stage: Stage) -> None:
    place(stage)
    first, second = stage.order(), stage.order()
    assert json.dumps(params(first)) == json.dumps(params(second))
    assert checkout.idempotency_key(first) == checkout.idempotency_key(second)


def test_another_attempt_has_another_key(stage: Stage) -> None:
    order = place(stage)
    do(stage, "next_attempt", order.id)
    assert checkout.idempotency_key(stage.order()) != checkout.idempotency_key(order)


def test_a_key_is_short_enough_for_stripe(stage: Stage) -> None:
    assert len(checkout.idempotency_key(place(stage))) <= 255


@pytest.mark.parametrize("minutes_left, attempt", [(31, 1), (29, 2), (-5, 2)])
def test_only_a_time_out_too_short_for_stripe_is_renewed(
    stage: Stage, minutes_left: int, attempt: int
) -> None:
    order = place(stage)
    change_order(stage, expires_at=now() + timedelta(minutes=minutes_left, seconds=-5))
    do(stage, "renew", order.id, HOLD)
    assert stage.order().attempt == attempt
    assert stage.order().expires_at > now() + timedelta(minutes=30)


def test_an_order_with_a_session_is_not_renewed(stage: Stage) -> None:
    stage.open_session(stage.browser())
    change_order(stage, expires_at=now())
    do(stage, "renew", stage.order().id, HOLD)
    assert stage.order().attempt == 1


def test_a_session_is_noted_once(stage: Stage) -> None:
    order = place(stage)
    one, other = {"id": "cs_1", "url": "https://a"}, {"id": "cs_2", "url": "https://b"}
    assert do(stage, "attach", order.id, one) is True
    assert do(stage, "attach", order.id, one) is True
    assert do(stage, "attach", order.id, other) is False
    assert stage.order().checkout_session == "cs_1"


@pytest.mark.parametrize("state, stock", [("cancelled", "released"), ("expired", "released")])
def test_an_order_that_has_ended_takes_no_session(stage: Stage, state: str, stock: str) -> None:
    order = place(stage, sku="YEN")
    change_order(stage, state=state, stock=stock)
    assert do(stage, "attach", order.id, {"id": "cs_1", "url": "https://a"}) is False


def test_the_first_customer_told_stays(stage: Stage) -> None:
    user = stage.add_user()
    do(stage, "remember_customer", user.id, False, "cus_1")
    do(stage, "remember_customer", user.id, False, "cus_2")
    do(stage, "remember_customer", user.id, True, "cus_live")
    assert do(stage, "find_customer", user.id, False) == "cus_1"
    assert do(stage, "find_customer", user.id, True) == "cus_live"


def test_a_customer_is_forgotten_by_its_own_name_only(stage: Stage) -> None:
    user = stage.add_user()
    do(stage, "remember_customer", user.id, False, "cus_1")
    do(stage, "forget_customer", "cus_2")
    assert do(stage, "find_customer", user.id, False) == "cus_1"
    do(stage, "forget_customer", "cus_1")
    assert do(stage, "find_customer", user.id, False) is None


def test_a_customer_in_place_of_another_has_a_key_of_its_own(stage: Stage) -> None:
    user = stage.add_user()
    first = checkout.customer_params(user, None)
    assert first == checkout.customer_params(user, None)
    assert first[1] != checkout.customer_params(user, "cus_1")[1]


def test_nothing_unknown_is_wanted(stage: Stage) -> None:
    with stage.app.app_context():
        assert checkout.get_wanted("MUG").name == "Mug"
        with pytest.raises(NotFound):
            checkout.get_wanted("NOPE")
        assert db.session.scalar(db.select(db.func.count()).select_from(Order)) == 0

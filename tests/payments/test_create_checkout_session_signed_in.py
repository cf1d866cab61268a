"""POST /stripe/create-checkout-session with an account: the Customer, subscriptions, sign-in."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from storefront import database
from storefront.extensions import db
from storefront.models import StripeCustomer, User
from storefront.sandbox import control
from tests.payments.interventions import (
    MAKE_CUSTOMER,
    OPEN,
    before,
    calls,
    instead,
    keys,
    on_sqlite,
)
from tests.stage import Stage


@pytest.fixture
def ada(stage: Stage) -> FlaskClient:
    """The browser of a customer who is signed in."""
    stage.add_user()
    return stage.signed_in()


def customers(stage: Stage) -> list[str]:
    """The Customers we know, oldest first."""
    with stage.app.app_context():
        query = db.select(StripeCustomer.stripe_id).order_by(StripeCustomer.id)
        return list(db.session.scalars(query))


def asked_customers(stage: Stage) -> list[Any]:
    return [call.params.get("customer") for call in calls(stage) if call.status == 200]


def test_the_customer_is_made_at_the_first_purchase(stage: Stage, ada: FlaskClient) -> None:
    stage.open_session(ada)
    (made,) = calls(stage, MAKE_CUSTOMER)
    assert made.params == {"email": "ada@example.com", "name": "Ada"}
    assert asked_customers(stage) == customers(stage) == [made.answer["id"]]


def test_the_customer_is_used_again(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada))
    stage.pay(stage.open_session(ada, quantity=2))
    assert len(calls(stage, MAKE_CUSTOMER)) == 1
    assert len(set(asked_customers(stage))) == 1


def test_the_order_belongs_to_the_account(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada))
    order = stage.order()
    assert order.user_id is not None
    assert ada.get(f"/account/orders/{order.number}").status_code == 200
    assert order.stripe_customer == customers(stage)[0]


def test_two_first_purchases_at_once_make_one_customer(stage: Stage, ada: FlaskClient) -> None:
    before(stage, MAKE_CUSTOMER, lambda _: stage.open_session(stage.signed_in(), "YEN"))
    stage.open_session(ada)
    assert len(set(keys(stage, MAKE_CUSTOMER))) == 1
    assert len(customers(stage)) == 1
    assert len(set(asked_customers(stage))) == 1


def test_another_device_of_the_account_gets_the_same_session(
    stage: Stage, ada: FlaskClient
) -> None:
    assert stage.open_session(ada) == stage.open_session(stage.signed_in())


def test_a_customer_deleted_at_stripe_is_made_anew(stage: Stage, ada: FlaskClient) -> None:
    stage.open_session(ada)
    (old,) = customers(stage)
    stage.app.extensions["stripe"].v1.customers.delete(old)
    stage.open_session(ada, quantity=2)
    (new,) = customers(stage)
    assert new != old
    assert asked_customers(stage) == [old, new]
    assert stage.stock() == (5, 3, 0)


def test_a_new_customer_means_a_new_key(stage: Stage, ada: FlaskClient) -> None:
    stage.open_session(ada)
    stage.app.extensions["stripe"].v1.customers.delete(customers(stage)[0])
    stage.open_session(ada, quantity=2)
    _first, refused, accepted = keys(stage)
    assert refused != accepted


def test_a_customer_that_stripe_refuses_twice_frees_the_goods(
    stage: Stage, ada: FlaskClient
) -> None:
    error = {"type": "invalid_request_error", "message": "No such customer", "param": "customer"}
    instead(stage, OPEN, 400, error)
    instead(stage, OPEN, 400, error)
    assert stage.buy(ada).status_code == 503
    assert stage.order().state == "cancelled"
    assert stage.buy(ada).status_code == 200


def test_an_account_closed_while_its_payment_travels_keeps_the_order(
    stage: Stage, ada: FlaskClient
) -> None:
    stage.silence()
    stage.pay(stage.open_session(ada))
    stage.app.extensions["stripe"].v1.customers.delete(customers(stage)[0])
    with stage.app.app_context(), database.writing():
        db.session.execute(db.update(User).values(is_disabled=True))
    stage.work()
    assert (stage.order().state, stage.order().user_id) == ("paid", 1)


def test_a_trial_costs_nothing_today(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada, "CLUB"))
    asked = calls(stage)[0].params
    assert asked["mode"] == "subscription"
    assert asked["subscription_data"]["trial_period_days"] == "14"
    assert asked["subscription_data"]["metadata"]["order"] == stage.order().reference
    assert (stage.order().state, stage.order().amount_total) == ("paid", 0)
    assert stage.order().attention is None


def test_a_plan_without_trial_is_charged_at_once(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada, "CLUB-Y"))
    asked = calls(stage)[0].params
    assert asked["line_items"][0]["price_data"]["recurring"] == {
        "interval": "year",
        "interval_count": "1",
    }
    assert "trial_period_days" not in asked["subscription_data"]
    assert stage.order().amount_total == 9000


@pytest.mark.parametrize("again", ["CLUB", "CLUB-Y"])
def test_who_has_the_plan_is_told_before_paying(stage: Stage, ada: FlaskClient, again: str) -> None:
    stage.pay(stage.open_session(ada, "CLUB"))
    answer = stage.buy(ada, again)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "already_subscribed")
    assert "already have this subscription" in stage.buy_plainly(ada, again).text
    assert len(stage.orders()) == 1


def test_who_has_cancelled_may_subscribe_again(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada, "CLUB-Y"))
    control.cancel_subscription(stage.sandbox, stage.order().stripe_subscription)
    stage.deliver()
    assert stage.buy(ada, "CLUB-Y").status_code == 200


def test_a_customer_may_have_several_subscriptions(stage: Stage, ada: FlaskClient) -> None:
    variant = {"sku": "TEA", "on_hand": None, "interval": "month"}
    stage.add_product(variant, slug="tea", name="Tea club")
    stage.pay(stage.open_session(ada, "CLUB"))
    stage.pay(stage.open_session(ada, "TEA"))
    assert [order.state for order in stage.orders()] == ["paid", "paid"]
    assert len({order.stripe_customer for order in stage.orders()}) == 1
    assert len({order.stripe_subscription for order in stage.orders()}) == 2


def test_a_subscription_is_bought_one_at_a_time(stage: Stage, ada: FlaskClient) -> None:
    answer = stage.buy(ada, "CLUB", quantity=2)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invalid_input")
    assert stage.orders() == []


def test_a_guest_signs_in_before_he_subscribes(stage: Stage) -> None:
    answer = stage.buy(stage.browser(), "CLUB")
    error = answer.json["error"]
    assert (answer.status_code, error["code"]) == (403, "sign_in_required")
    assert error["url"] == "/auth/login?next=/products/club?sku%3DCLUB"
    plain = stage.buy_plainly(stage.browser(), "CLUB")
    assert (plain.status_code, plain.headers["Location"]) == (303, error["url"])
    assert stage.orders() == []


@on_sqlite
class TestWhereOnlyCustomersBuy:
    """With REQUIRE_SIGN_IN on, one-off goods need an account, too."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"REQUIRE_SIGN_IN": True}

    def test_a_guest_is_asked_to_sign_in(self, stage: Stage) -> None:
        answer = stage.buy(stage.browser())
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "sign_in_required")
        assert stage.buy_plainly(stage.browser()).headers["Location"].startswith("/auth/login?")
        assert stage.orders() == []

    def test_the_product_page_says_so(self, stage: Stage) -> None:
        assert "Sign in to buy" in stage.browser().get("/products/mug").text

    def test_a_customer_buys(self, stage: Stage, ada: FlaskClient) -> None:
        assert stage.buy(ada).status_code == 200


def test_an_account_signed_out_meanwhile_buys_as_a_guest(stage: Stage, ada: FlaskClient) -> None:
    assert stage.post(ada, "/auth/logout").status_code == 303
    stage.open_session(ada)
    assert stage.order().user_id is None
    assert calls(stage, MAKE_CUSTOMER) == []

"""GET /account and its orders: a customer's own things, and nobody else's."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from storefront.sandbox import control
from tests.payments.interventions import on_sqlite
from tests.stage import Stage


@pytest.fixture
def ada(stage: Stage) -> FlaskClient:
    stage.add_user()
    return stage.signed_in()


@on_sqlite
@pytest.mark.parametrize("path", ["/account", "/account/orders/1001"])
def test_a_visitor_is_asked_to_sign_in(stage: Stage, path: str) -> None:
    answer = stage.browser().get(path)
    assert answer.status_code in (302, 303)
    assert answer.headers["Location"] == f"/auth/login?next={path}"


def test_it_lists_orders_and_subscriptions(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada, quantity=2))
    stage.pay(stage.open_session(ada, "CLUB"))
    page = ada.get("/account").text
    assert "2 × Mug" in page and "€48.00" in page and "Paid" in page
    assert "Club – Monthly" in page and "Free trial" in page
    assert "ada@example.com" in page


def test_what_came_to_nothing_is_not_listed(stage: Stage, ada: FlaskClient) -> None:
    stage.open_session(ada)
    assert "Nothing ordered yet." in ada.get("/account").text


def test_an_ended_subscription_says_so(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada, "CLUB"))
    control.cancel_subscription(stage.sandbox, stage.order().stripe_subscription or "")
    stage.deliver()
    assert "Ended" in ada.get("/account").text


def test_an_order_shows_what_happened(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada))
    page = ada.get("/account/orders/1001").text
    assert "Ordered" in page and "Payment received" in page
    assert "checkout.session.completed" not in page


def test_an_order_of_somebody_else_looks_like_none(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(ada))
    stage.add_user("eve@example.com")
    eve = stage.signed_in("eve@example.com")
    theirs, none = eve.get("/account/orders/1001"), eve.get("/account/orders/4711")
    assert theirs.status_code == none.status_code == 404
    assert "Mug" not in theirs.text
    assert "Mug" not in eve.get("/account").text


def test_a_guests_order_is_in_no_account(stage: Stage, ada: FlaskClient) -> None:
    stage.pay(stage.open_session(stage.browser()))
    assert ada.get("/account/orders/1001").status_code == 404
    assert "Nothing ordered yet." in ada.get("/account").text


@on_sqlite
@pytest.mark.parametrize("number", ["0", "-1", "1" + "0" * 20, "1.5", "x", "2147483649"])
def test_no_number_breaks_it(stage: Stage, ada: FlaskClient, number: str) -> None:
    assert ada.get(f"/account/orders/{number}").status_code == 404


def test_it_is_not_kept_by_any_cache(stage: Stage, ada: FlaskClient) -> None:
    assert ada.get("/account").headers["Cache-Control"] == "private, no-store"
    assert stage.browser().get("/account").headers["Cache-Control"] == "private, no-store"

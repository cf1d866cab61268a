"""GET /orders/<token>: an order for whoever has its link."""

from __future__ import annotations

import pytest

from storefront.sandbox import control
from tests.payments.interventions import change_order, change_product, change_variant, on_sqlite
from tests.stage import Stage


def test_the_link_opens_the_order_anywhere(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser(), quantity=2))
    page = stage.browser().get(f"/orders/{stage.order().token}")
    assert page.status_code == 200
    assert "Order #1001" in page.text and "€48.00" in page.text and "Mug" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in page.headers


@on_sqlite
@pytest.mark.parametrize("token", ["x", "1001", "' OR 1=1 --", "🍵", "a" * 5000])
def test_no_other_link_opens_one(stage: Stage, token: str) -> None:
    stage.pay(stage.open_session(stage.browser()))
    answer = stage.browser().get(f"/orders/{token}")
    assert answer.status_code == 404
    assert "Mug" not in answer.text


def test_neither_reference_nor_session_is_a_link(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    order = stage.order()
    for token in (order.reference, order.checkout_session, order.token[:-1], order.token.lower()):
        assert stage.browser().get(f"/orders/{token}").status_code == 404


def test_the_token_is_told_to_nobody_else(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    token = stage.order().token
    assert not any(token in str(exchange.params) for exchange in stage.recorder.exchanges)


def test_it_shows_what_was_bought_whatever_becomes_of_it(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    change_product(stage, name="Beaker", is_active=False)
    change_variant(stage, unit_amount=9900, is_active=False)
    page = stage.browser().get(f"/orders/{stage.order().token}").text
    assert "Mug" in page and "€24.00" in page
    assert "Beaker" not in page and "€99.00" not in page


def test_it_tells_the_state_and_how_it_came_about(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id, "bank_debit")
    control.fail_payment(stage.sandbox, session_id)
    stage.deliver()
    page = stage.browser().get(f"/orders/{stage.order().token}").text
    for words in ("Payment failed", "Ordered", "on its way from your bank", "did not complete"):
        assert words in page


def test_who_bought_and_where_to_is_text(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    odd = "<script>alert(1)</script>"
    address = {"line1": odd, "city": "Ghent", "postal_code": "9000", "country": "BE"}
    change_order(stage, name=odd, email="<b>@x", shipping={"name": odd, "address": address})
    page = stage.browser().get(f"/orders/{stage.order().token}").text
    assert "<script>alert" not in page and "<b>@x" not in page
    assert "9000 Ghent" in page

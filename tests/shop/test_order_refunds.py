"""The customer's order page says honestly what has become of money that goes back."""

from __future__ import annotations

import pytest

from storefront.presenting import order_page
from storefront.sandbox import control
from tests.payments.interventions import on_sqlite
from tests.payments.refunding import Sale, send_event
from tests.stage import Stage
from tests.webhooks.telling import told

pytestmark = on_sqlite


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test says what the shop hears."""
    stage.silence()
    return stage


def page(sale: Sale) -> str:
    return sale.stage.browser().get(f"/orders/{sale.order.token}").text


def test_a_refund_is_said_with_its_day(stage: Stage) -> None:
    sale = Sale(stage)
    assert "Refunded" not in page(sale)
    sale.give_back(1000)
    assert "Refunded €10.00 on" in page(sale)
    assert "up to 10 days" in page(sale)


def test_a_refund_is_on_its_way_until_the_bank_has_decided(stage: Stage) -> None:
    sale = Sale(stage, how="pm_card_pendingRefund")
    refund_id = sale.ask(1000)
    assert "We are giving you back €10.00." in page(sale)
    sale.send(refund_id)
    assert "€10.00 is on its way back to you since" in page(sale)


def test_a_refund_that_failed_is_not_hidden(stage: Stage) -> None:
    sale = Sale(stage)
    sale.give_back(1000)
    control.fail_refund(stage.sandbox, sale.at_stripe()[0]["id"])
    send_event(stage, told(stage, "refund.failed"))
    assert "A refund of €10.00 did not reach you." in page(sale)
    assert "Refunded" not in page(sale)


def test_an_order_wholly_given_back_is_not_being_prepared(stage: Stage) -> None:
    sale = Sale(stage)
    assert "We are preparing it." in page(sale)
    sale.give_back(1000)
    assert "Partly refunded" in page(sale) and "We are preparing it." in page(sale)
    sale.give_back()
    assert "Partly refunded" not in page(sale)
    assert "We are preparing it." not in page(sale)
    with stage.app.test_request_context():
        assert order_page(sale.order)["state_text"] == "Refunded"


def test_an_order_that_the_bank_refused_says_that_nothing_was_charged(stage: Stage) -> None:
    session = stage.open_session(stage.browser())
    stage.pay(session, "bank_debit")
    control.fail_payment(stage.sandbox, session)
    stage.work()
    shown = stage.browser().get(f"/orders/{stage.order().token}").text
    assert "Payment failed" in shown and "Nothing was charged." in shown


def test_what_stripe_never_took_on_concerns_the_shop_alone(stage: Stage) -> None:
    sale = Sale(stage)
    refund_id = sale.ask(1000)
    control.dispute(stage.sandbox, sale.session)
    assert sale.send(refund_id) == "failed"
    assert "did not reach you" not in page(sale)

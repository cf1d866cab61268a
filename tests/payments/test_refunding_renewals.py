"""Money of a subscription: its first payment is the order's, each later one its invoice's own."""

from __future__ import annotations

from typing import Any

import pytest

from storefront.sandbox import control
from tests.payments.refunding import disputes, mails, rows, send_event
from tests.stage import Stage
from tests.webhooks.telling import Event, invoices, pay, told

A_YEAR = 366 * 24 * 3600


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test says what the shop hears."""
    stage.silence()
    return stage


def subscribe(stage: Stage) -> Event:
    """Let somebody buy the yearly plan, and the shop hear of its first payment; the news of it."""
    bought = pay(stage, "CLUB-Y")
    first = told(stage, "invoice.paid")
    send_event(stage, bought)
    send_event(stage, first)
    return first


def renew(stage: Stage) -> tuple[Event, str]:
    """Let a year pass; the news of the renewal, untold, and the payment that paid it."""
    control.advance_clock(stage.sandbox, A_YEAR)
    client: Any = stage.app.extensions["stripe"]
    event = told(stage, "invoice.paid")
    asked = {"expand": ["payments"]}
    invoice = client.v1.invoices.retrieve(event["data"]["object"]["id"], asked)
    return event, invoice.payments.data[0].payment.payment_intent


def test_the_first_payment_is_the_orders(stage: Stage) -> None:
    subscribe(stage)
    payment = stage.order().payment_intent
    assert payment is not None
    control.refund(stage.sandbox, payment, 1000)
    send_event(stage, told(stage, "refund.created"))
    assert stage.order().amount_refunded == 1000
    assert [row.amount_refunded for row in invoices(stage)] == [1000]


def test_a_renewal_is_given_back_on_its_invoice(stage: Stage) -> None:
    subscribe(stage)
    event, payment = renew(stage)
    send_event(stage, event)
    control.refund(stage.sandbox, payment, 1000)
    send_event(stage, told(stage, "refund.created"))
    assert [row.amount_refunded for row in invoices(stage)] == [0, 1000]
    assert stage.order().amount_refunded == 0
    assert [row.order_id for row in rows(stage)] == [None]
    assert [mail.order_id for mail in mails(stage, "refunded")] == [stage.order().id]


def test_news_of_a_renewal_that_we_have_not_heard_of_are_kept(stage: Stage) -> None:
    subscribe(stage)
    event, payment = renew(stage)
    control.refund(stage.sandbox, payment, 1000)
    send_event(stage, told(stage, "refund.created"))
    control.dispute(stage.sandbox, payment)
    send_event(stage, told(stage, "charge.dispute.created"))
    assert [row.payment_intent for row in rows(stage)] == [payment]
    assert [row.payment_intent for row in disputes(stage)] == [payment]
    send_event(stage, event)
    assert [row.amount_refunded for row in invoices(stage)] == [0, 1000]
    assert stage.order().attention is None

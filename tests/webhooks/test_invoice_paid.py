"""invoice.paid: a first payment or a renewal, recorded once however often it is told."""

import pytest

from tests.stage import Stage
from tests.webhooks.telling import id_of, invoices, pay, renew, retold, told


def test_it_records_the_first_payment_before_the_order_is_paid(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    event = told(stage, "invoice.paid")
    stage.send(event)
    (known,) = invoices(stage)
    assert (known.stripe_id, known.status) == (id_of(event), "paid")
    assert (known.amount_paid, known.currency) == (9000, "eur")
    assert known.billing_reason == "subscription_create"


def test_it_records_each_renewal(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    first = told(stage, "invoice.paid")
    second = renew(stage)
    for event in (second, first, second, retold(second)):
        assert stage.send(event).status_code == 200
    assert [(row.billing_reason, row.amount_paid) for row in invoices(stage)] == [
        ("subscription_cycle", 9000),
        ("subscription_create", 9000),
    ]


def test_it_knows_which_payment_paid(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    stage.send(told(stage, "invoice.paid"))
    stage.send(renew(stage))
    payments = [row.payment_intent for row in invoices(stage)]
    client = stage.app.extensions["stripe"]
    known = [intent.id for intent in client.v1.payment_intents.list({"limit": 2}).data]
    assert sorted(map(str, payments)) == sorted(known)


@pytest.mark.parametrize("first", ["invoice.paid", "checkout.session.completed"])
def test_it_gives_the_first_payment_to_the_order(stage: Stage, first: str) -> None:
    pay(stage, "CLUB-Y")
    events = [told(stage, name) for name in ("invoice.paid", "checkout.session.completed")]
    for event in sorted(events, key=lambda event: event["type"] != first):
        stage.send(event)
    assert stage.order().payment_intent == invoices(stage)[0].payment_intent is not None
    stage.send(renew(stage))
    assert stage.order().payment_intent == invoices(stage)[0].payment_intent


def test_it_ignores_an_invoice_without_a_subscription(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    stage.send(retold(told(stage, "invoice.paid"), parent=None))
    assert (invoices(stage), stage.events()[-1].state) == ([], "ignored")


def test_it_changes_no_order(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    stage.send(told(stage, "invoice.paid"))
    assert stage.order().state == "open"

"""invoice.paid: a first payment or a renewal, recorded once however often it is told."""

from tests.stage import Stage
from tests.webhooks.telling import id_of, invoices, pay, pay_by_bank, refuse, retold, told


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
    event = told(stage, "invoice.paid")
    stage.send(event)
    stage.send(retold(event, id="in_renewal", billing_reason="subscription_cycle"))
    assert [row.billing_reason for row in invoices(stage)] == [
        "subscription_create",
        "subscription_cycle",
    ]


def test_it_replaces_a_failure(stage: Stage) -> None:
    refuse(stage, pay_by_bank(stage, "CLUB-Y"))
    failed = told(stage, "invoice.payment_failed")
    stage.send(failed)
    stage.send(retold(failed, status="paid", amount_paid=9000) | {"type": "invoice.paid"})
    (known,) = invoices(stage)
    assert (known.status, known.amount_paid) == ("paid", 9000)


def test_it_ignores_an_invoice_without_a_subscription(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    stage.send(retold(told(stage, "invoice.paid"), parent=None))
    assert (invoices(stage), stage.events()[-1].state) == ([], "ignored")


def test_it_changes_no_order(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    stage.send(told(stage, "invoice.paid"))
    assert stage.order().state == "open"

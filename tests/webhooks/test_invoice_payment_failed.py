"""invoice.payment_failed: recorded with the number of tries, never against one that was paid."""

from tests.stage import Stage
from tests.webhooks.telling import invoices, pay, pay_by_bank, refuse, retold, told


def test_it_records_the_failure(stage: Stage) -> None:
    refuse(stage, pay_by_bank(stage, "CLUB-Y"))
    stage.send(told(stage, "invoice.payment_failed"))
    (known,) = invoices(stage)
    assert (known.status, known.amount_paid, known.attempt_count) == ("open", 0, 1)


def test_it_never_makes_a_paid_invoice_unpaid(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    paid = told(stage, "invoice.paid")
    stage.send(paid)
    late = retold(paid, status="open", amount_paid=0) | {"type": "invoice.payment_failed"}
    assert stage.send(late).status_code == 200
    (known,) = invoices(stage)
    assert (known.status, known.amount_paid) == ("paid", 9000)

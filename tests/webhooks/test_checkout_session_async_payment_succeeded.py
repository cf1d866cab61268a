"""checkout.session.async_payment_succeeded: the slow bank has paid at last."""

from tests.stage import Stage
from tests.webhooks.telling import confirm, id_of, pay, pay_by_bank, retold, told


def test_it_pays_the_order_that_waited(stage: Stage) -> None:
    session_id = pay_by_bank(stage)
    stage.send(confirm(stage, session_id))
    assert (stage.order().state, stage.order().amount_total) == ("paid", 2400)
    assert stage.steps() == [(None, "open"), ("open", "processing"), ("processing", "paid")]
    assert stage.stock() == (4, 0, 1)


def test_it_may_come_before_the_news_that_the_buyer_is_done(stage: Stage) -> None:
    done = pay(stage, how="bank_debit")
    paid = confirm(stage, id_of(done))
    stage.send(paid)
    stage.send(done)
    assert stage.order().state == "paid"
    assert stage.steps() == [(None, "open"), ("open", "paid")]


def test_it_wins_against_an_earlier_refusal(stage: Stage) -> None:
    session_id = pay_by_bank(stage)
    paid = confirm(stage, session_id)
    refused = retold(paid, payment_status="unpaid")
    stage.send(refused | {"type": "checkout.session.async_payment_failed"})
    assert (stage.order().state, stage.stock()) == ("failed", (5, 0, 0))
    stage.send(paid)
    assert (stage.order().state, stage.stock()) == ("paid", (4, 0, 1))


def test_it_pays_for_a_subscription(stage: Stage) -> None:
    session_id = pay_by_bank(stage, "CLUB-Y")
    stage.send(confirm(stage, session_id))
    assert (stage.order().state, stage.order().amount_total) == ("paid", 9000)
    bought = told(stage, "customer.subscription.created")
    assert stage.order().stripe_subscription == id_of(bought)

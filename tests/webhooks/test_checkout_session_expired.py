"""checkout.session.expired: nobody paid in time, and the goods are free again."""

from tests.stage import Stage
from tests.webhooks.telling import expire, id_of, pay, pay_by_bank, retold


def test_it_frees_the_goods(stage: Stage) -> None:
    event = expire(stage, quantity=3)
    assert stage.stock() == (5, 3, 0)
    stage.send(event)
    assert (stage.order().state, stage.stock()) == ("expired", (5, 0, 0))


def test_it_frees_the_goods_once_whoever_is_first(stage: Stage) -> None:
    event = expire(stage, quantity=3)
    stage.work()
    stage.send(event)
    stage.send(retold(event))
    assert stage.steps() == [(None, "open"), ("open", "expired")]
    assert stage.stock() == (5, 0, 0)


def test_it_never_takes_back_a_payment(stage: Stage) -> None:
    event = pay(stage)
    stage.send(event)
    stage.send(retold(event, status="expired", payment_status="unpaid"))
    assert (stage.order().state, stage.stock()) == ("paid", (4, 0, 1))


def test_it_does_not_end_a_payment_that_waits_for_its_bank(stage: Stage) -> None:
    session_id = pay_by_bank(stage)
    told = expire(stage, "LAST")
    stage.send(retold(told, id=session_id, client_reference_id=stage.orders()[0].reference))
    assert (stage.orders()[0].state, stage.stock()) == ("processing", (5, 1, 0))


def test_it_gives_the_last_one_to_the_next_buyer(stage: Stage) -> None:
    event = expire(stage, "LAST")
    assert stage.buy(stage.browser(), "LAST").status_code == 409
    stage.send(event)
    assert stage.buy(stage.browser(), "LAST").status_code == 200


def test_it_ends_no_order_by_an_abandoned_twin_of_its_session(stage: Stage) -> None:
    event = expire(stage)
    stage.send(retold(event, id="cs_test_abandoned"))
    order = stage.order()
    assert (order.state, order.checkout_session) == ("open", id_of(event))

"""checkout.session.async_payment_failed: the slow bank refused, and the goods are free again."""

import pytest

from tests.stage import Stage
from tests.webhooks.telling import confirm, id_of, invented, pay, pay_by_bank, refuse, retold


def test_it_fails_the_order_and_frees_the_goods(stage: Stage) -> None:
    stage.send(refuse(stage, pay_by_bank(stage)))
    assert (stage.order().state, stage.order().paid_at) == ("failed", None)
    assert stage.stock() == (5, 0, 0)


def test_it_may_come_before_the_news_that_the_buyer_is_done(stage: Stage) -> None:
    done = pay(stage, how="bank_debit")
    stage.send(refuse(stage, id_of(done)))
    steps = [(None, "open"), ("open", "processing"), ("processing", "failed")]
    assert stage.steps() == steps
    stage.send(done)
    assert (stage.steps(), stage.stock()) == (steps, (5, 0, 0))


def test_it_frees_the_goods_once(stage: Stage) -> None:
    event = refuse(stage, pay_by_bank(stage))
    for _ in range(3):
        stage.send(retold(event))
    assert stage.stock() == (5, 0, 0)


@pytest.mark.parametrize("version", ["ours", "2020-08-27"])
def test_it_is_ignored_after_success(stage: Stage, version: str) -> None:
    paid = confirm(stage, pay_by_bank(stage))
    stage.send(paid)
    late = retold(paid, payment_status="unpaid")
    late["type"] = "checkout.session.async_payment_failed"
    late["api_version"] = paid["api_version"] if version == "ours" else version
    assert stage.send(late).status_code == 200
    assert (stage.order().state, stage.stock()) == ("paid", (4, 0, 1))


def test_it_takes_stripe_s_word_that_the_payment_succeeded_after_all(stage: Stage) -> None:
    paid = confirm(stage, pay_by_bank(stage))
    overtaken = invented("checkout.session.async_payment_failed", {"id": id_of(paid)})
    stage.send(overtaken)
    assert (stage.order().state, stage.stock()) == ("paid", (4, 0, 1))

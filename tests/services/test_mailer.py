"""The outbox: one row for each cause, written with it or not at all, however often it is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from storefront import database
from storefront.extensions import db
from storefront.models import OutgoingMail
from storefront.services import mailer
from tests.budgets.counting import counting
from tests.payments.interventions import change_order
from tests.stage import Stage
from tests.webhooks.telling import confirm, expire, pay, pay_by_bank, refuse, retold

PAID = ["new_order:order-1001", "order_confirmation:order-1001"]


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test tells the shop by itself."""
    stage.silence()
    return stage


def keys(stage: Stage) -> list[str]:
    with stage.app.app_context():
        return sorted(db.session.scalars(select(OutgoingMail.key)))


def test_a_paid_order_is_confirmed_once_and_told_to_the_merchant_once(stage: Stage) -> None:
    event = pay(stage)
    stage.send(event)
    assert keys(stage) == PAID
    stage.send(event)
    stage.send(retold(event))
    stage.work()
    assert keys(stage) == PAID


def test_of_one_kind_about_one_thing_there_is_one_mail(stage: Stage) -> None:
    for recipient in ("ada@example.com", "eve@example.com"):
        with stage.app.app_context(), database.writing():
            mailer.put("mail_test", "this", recipient=recipient)
    with stage.app.app_context():
        (mail,) = db.session.scalars(select(OutgoingMail))
        assert mail.recipient == "ada@example.com"


def test_twenty_deliveries_at_once_leave_one_confirmation(stage: Stage) -> None:
    event = pay(stage)
    crowd = [event] * 10 + [retold(event) for _ in range(10)]
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status_code for answer in pool.map(stage.send, crowd)} == {200}
    assert keys(stage) == PAID


def test_a_slow_bank_is_told_of_and_then_confirmed(stage: Stage) -> None:
    session_id = pay_by_bank(stage)
    assert keys(stage) == ["payment_processing:order-1001"]
    stage.send(confirm(stage, session_id))
    assert keys(stage) == [*PAID, "payment_processing:order-1001"]


def test_a_bank_that_refuses_is_told_of(stage: Stage) -> None:
    event = refuse(stage, pay_by_bank(stage))
    stage.send(event)
    stage.send(retold(event))
    assert keys(stage) == ["payment_failed:order-1001", "payment_processing:order-1001"]


def test_a_refusal_that_overtook_the_rest_knows_whom_to_write_to(stage: Stage) -> None:
    stage.send(refuse(stage, pay(stage, how="bank_debit")["data"]["object"]["id"]))
    assert "payment_failed:order-1001" in keys(stage)
    assert stage.order().email == "buyer@example.com"


def test_who_left_without_paying_is_told_nothing(stage: Stage) -> None:
    stage.send(expire(stage))
    assert stage.order().state == "expired"
    assert keys(stage) == []


@pytest.mark.parametrize("told", [{"amount_subtotal": 100, "amount_total": 100}])
def test_a_payment_of_another_amount_needs_a_hand(stage: Stage, told: dict[str, int]) -> None:
    stage.send(retold(pay(stage), **told))
    assert keys(stage) == ["needs_a_hand:order-1001-amount_mismatch", *PAID]


def test_a_second_payment_needs_a_hand(stage: Stage) -> None:
    event = pay(stage)
    stage.send(event)
    stage.send(retold(event, id="cs_test_second", payment_intent="pi_second"))
    assert [key for key in keys(stage) if key.startswith("needs")] == [
        "needs_a_hand:order-1002-duplicate"
    ]


def test_what_is_rolled_back_has_no_mail(stage: Stage) -> None:
    with stage.app.app_context(), pytest.raises(ZeroDivisionError), database.writing():
        mailer.put("new_order", "order-1", recipient="ada@example.com")
        _ = 1 / 0
    assert keys(stage) == []


def test_a_mail_costs_the_webhook_one_statement(stage: Stage) -> None:
    with stage.app.app_context(), counting(stage.app) as count, database.writing():
        mailer.put("mail_test", "a", recipient="ada@example.com", why="ä\n\0"[:2])
    assert len(count.writes) == 1
    with stage.app.app_context():
        mail = db.session.scalars(select(OutgoingMail)).one()
        assert mail.details == {"why": "ä\n"} and mail.state == "waiting"


def test_only_what_failed_is_sent_again_and_only_what_is_named(stage: Stage) -> None:
    stage.send(pay(stage))
    with stage.app.app_context(), database.writing():
        first, second = (mailer.get(mail_id) for mail_id in mailer.list_due(9))
        mailer.fail(first, "no such user")
        assert mailer.retry(second.key) == 1
        assert mailer.retry("nothing:of-the-kind") == 0
        assert mailer.retry() == 1
        mailer.mark_sent(mailer.get(first.id), "hello")
        assert mailer.retry(first.key) == 0, "sent is sent"
        assert mailer.count_by_state() == {"sent": 1, "waiting": 1}


def test_a_late_payment_is_confirmed_too(stage: Stage) -> None:
    event = pay(stage, "YEN")
    change_order(stage, state="cancelled", stock="released")
    stage.send(event)
    assert keys(stage) == PAID

"""checkout.session.completed: the buyer is done, and usually it is the payment."""

from typing import Any

import pytest

from storefront import stripe_gateway
from tests.stage import Stage
from tests.webhooks.telling import asking, expire, id_of, invented, pay, retold, told

DECIDING = (
    "id", "status", "payment_status", "livemode", "mode", "currency", "amount_subtotal",
    "amount_total", "payment_intent", "subscription", "customer",
)  # fmt: skip


def test_it_pays_the_order(stage: Stage) -> None:
    event = pay(stage, quantity=2)
    stage.send(event)
    order = stage.order()
    assert (order.state, order.stock, order.attention) == ("paid", "sold", None)
    assert (order.amount_total, order.currency) == (4800, "eur")
    assert order.payment_intent == event["data"]["object"]["payment_intent"]
    assert (order.email, order.name) == ("buyer@example.com", "Sandbox Buyer")
    assert order.steps[-1].cause == f"checkout.session.completed {event['id']}"
    assert stage.stock() == (3, 0, 2)


def test_it_asks_stripe_nothing(stage: Stage) -> None:
    event = pay(stage)
    with asking(stage) as asked:
        stage.send(event)
    assert (asked, stage.order().state) == ([], "paid")


@pytest.mark.parametrize("version", ["2020-08-27", "2031-01-01.later", None])
def test_it_believes_stripe_rather_than_another_version(stage: Stage, version: Any) -> None:
    event = retold(pay(stage), amount_total=1, amount_subtotal=1, payment_status="unpaid")
    stage.send(event | {"api_version": version})
    order = stage.order()
    assert (order.state, order.amount_total, order.attention) == ("paid", 2400, None)


@pytest.mark.parametrize("field", DECIDING)
def test_it_guesses_nothing_about_money(stage: Stage, field: str) -> None:
    event = pay(stage)
    broken = retold(event) | {"id": event["id"]}
    del broken["data"]["object"][field]
    assert stage.send(broken).status_code == 500
    assert (stage.order().state, stage.stock()) == ("open", (5, 1, 0))
    assert stage.events()[-1].state == "failed"
    assert stage.send(event).status_code == 200
    assert stage.order().state == "paid"


def test_it_pays_one_order_for_two_endpoints(stage: Stage) -> None:
    event = pay(stage)
    for number in range(4):
        assert stage.send(retold(event) | {"id": f"evt_{number}"}).status_code == 200
    assert stage.order().state == "paid"
    assert stage.steps() == [(None, "open"), ("open", "paid")]


def test_it_waits_for_a_slow_bank(stage: Stage) -> None:
    stage.send(pay(stage, how="bank_debit"))
    order = stage.order()
    assert (order.state, order.paid_at) == ("processing", None)
    assert order.email == "buyer@example.com"
    assert stage.stock() == (5, 1, 0)


@pytest.mark.parametrize("sku", ["FREE", "CLUB"])
def test_it_counts_nothing_to_pay_as_paid(stage: Stage, sku: str) -> None:
    event = pay(stage, sku)
    assert event["data"]["object"]["payment_status"] == "no_payment_required"
    stage.send(event)
    assert (stage.order().state, stage.order().amount_total) == ("paid", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_subtotal": 1200, "amount_total": 1200},
        {"currency": "usd"},
        {"mode": "subscription"},
    ],
)
def test_it_keeps_a_payment_that_is_not_what_was_asked(
    stage: Stage, changes: dict[str, Any]
) -> None:
    stage.send(retold(pay(stage), **changes))
    order = stage.order()
    assert (order.state, order.attention) == ("paid", "amount_mismatch")
    told_total = changes.get("amount_total", 2400)
    assert (order.amount_total, order.currency) == (told_total, changes.get("currency", "eur"))
    assert "Stripe says" in order.steps[-1].note


def test_it_stores_what_was_charged_with_discount_tax_and_shipping(stage: Stage) -> None:
    details = {"amount_discount": 240, "amount_shipping": 500, "amount_tax": 410}
    stage.send(retold(pay(stage), amount_total=3070, total_details=details))
    order = stage.order()
    assert (order.state, order.attention, order.amount_total) == ("paid", None, 3070)
    amounts = (order.amount_discount, order.amount_shipping, order.amount_tax)
    assert amounts == (240, 500, 410)


def test_it_keeps_yen_as_yen(stage: Stage) -> None:
    stage.send(pay(stage, "YEN", quantity=3))
    assert (stage.order().amount_total, stage.order().currency) == (3600, "jpy")


def test_it_reads_the_address_where_stripe_keeps_it_now(stage: Stage) -> None:
    address = {"name": "Ada \0 Lovelace", "address": {"city": "Köln", "country": "DE"}}
    stage.send(retold(pay(stage), collected_information={"shipping_details": address}))
    assert stage.order().shipping == address | {"name": "Ada  Lovelace"}


def test_it_survives_words_no_database_holds(stage: Stage) -> None:
    buyer = {"email": "a\0@example.com", "name": "\ud800" + "x" * 500, "phone": None}
    assert stage.send(retold(pay(stage), customer_details=buyer)).status_code == 200
    assert (stage.order().email, len(stage.order().name or "")) == ("a@example.com", 200)


def test_it_takes_ids_of_any_length_stripe_may_use(stage: Stage) -> None:
    event = pay(stage) | {"id": "evt_" + "x" * 251}
    assert stage.send(event).status_code == 200
    assert stage.order().state == "paid"


def test_it_may_be_faster_than_the_answer_that_opened_the_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = stripe_gateway.create_checkout_session

    def and_pay_before_the_answer(*args: Any) -> dict[str, Any]:
        session = create(*args)
        stage.pay(session["id"])
        assert stage.order().checkout_session is None
        assert stage.send(told(stage, "checkout.session.completed")).status_code == 200
        return session

    monkeypatch.setattr(stripe_gateway, "create_checkout_session", and_pay_before_the_answer)
    answer = stage.buy(stage.browser())
    order = stage.order()
    assert (answer.status_code, order.state) == (200, "paid")
    assert answer.json == {"sessionId": order.checkout_session, "url": answer.json["url"]}


def test_it_finds_the_order_of_an_answer_that_was_lost(stage: Stage) -> None:
    stage.fault("drop", count=3, path="/v1/checkout/sessions")
    assert stage.buy(stage.browser()).status_code == 503
    assert (stage.order().state, stage.order().checkout_session) == ("cancelled", None)
    sessions = stage.app.extensions["stripe"].v1.checkout.sessions.list()
    stage.pay(sessions.data[0].id)
    stage.send(told(stage, "checkout.session.completed"))
    assert (stage.order().state, stage.order().attention) == ("paid", None)
    assert stage.stock() == (4, 0, 1)


def test_it_does_not_forget_a_payment_whose_order_is_missing(stage: Stage) -> None:
    about = dict(pay(stage)["data"]["object"])
    marks = about["metadata"] | {"order": "ord_gone"}
    about |= {"id": "cs_test_gone", "client_reference_id": "ord_gone", "metadata": marks}
    event = invented("checkout.session.completed", about)
    event["api_version"] = stripe_gateway.API_VERSION
    assert stage.send(event).status_code == 500
    (row,) = stage.events()
    assert (row.state, row.note) == ("failed", "OrderMissing: cs_test_gone")


def test_it_pays_late_when_the_goods_are_still_there(stage: Stage) -> None:
    event = pay(stage)
    stage.send(retold(event, status="expired", payment_status="unpaid"))
    assert (stage.order().state, stage.stock()) == ("expired", (5, 0, 0))
    stage.send(event)
    assert (stage.order().state, stage.order().attention) == ("paid", None)
    assert stage.stock() == (4, 0, 1)


def test_it_asks_for_a_human_when_a_late_payment_finds_the_shelf_empty(stage: Stage) -> None:
    late = pay(stage, "LAST")
    stage.send(retold(late, status="expired", payment_status="unpaid"))
    stage.send(pay(stage, "LAST"))
    stage.send(late)
    first, second = stage.orders()
    assert (first.state, first.stock, first.attention) == ("paid", "short", "oversold")
    assert (second.state, second.stock, second.attention) == ("paid", "sold", None)
    assert stage.stock("LAST") == (0, 0, 1)


def test_it_pays_the_right_order_days_later(stage: Stage) -> None:
    other = expire(stage)
    event = pay(stage, quantity=3)
    stage.send(other)
    assert stage.send(event | {"created": 1}).status_code == 200
    late, paid = stage.orders()
    assert (late.state, paid.state, paid.amount_total) == ("expired", "paid", 7200)
    assert paid.checkout_session == id_of(event)


def test_it_makes_an_order_of_a_second_payment_for_the_same_thing(stage: Stage) -> None:
    event = pay(stage)
    stage.send(event)
    stage.send(retold(event, id="cs_test_twin", payment_intent="pi_twin"))
    first, twin = stage.orders()
    assert (first.state, first.attention) == ("paid", None)
    assert (twin.state, twin.attention, twin.payment_intent) == ("paid", "duplicate", "pi_twin")
    assert stage.stock() == (3, 0, 2)


def test_it_shows_a_payment_of_the_other_mode_instead_of_applying_it(stage: Stage) -> None:
    event = retold(pay(stage), livemode=True)
    assert stage.send(event).status_code == 500
    assert stage.order().state == "open"
    assert stage.events()[0].note.startswith("WrongMode")


def test_it_remembers_the_subscription_that_was_bought(stage: Stage) -> None:
    event = pay(stage, "CLUB-Y")
    stage.send(event)
    assert stage.order().stripe_subscription == event["data"]["object"]["subscription"]
    assert stage.order().stripe_customer == event["data"]["object"]["customer"]


@pytest.mark.parametrize("status", ["open", "complete"])
def test_it_takes_no_payment_back(stage: Stage, status: str) -> None:
    event = pay(stage)
    stage.send(event)
    stage.send(retold(event, status=status, payment_status="unpaid"))
    assert stage.steps() == [(None, "open"), ("open", "paid")]

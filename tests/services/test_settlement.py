"""Settling a Checkout Session: what it says becomes of the order, once, whoever brings it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from storefront import database, stripe_gateway
from storefront.extensions import db
from storefront.models import Order
from storefront.sandbox import control
from storefront.services import settlement
from tests.payments.interventions import change_order, on_sqlite
from tests.stage import Stage

Session = dict[str, Any]


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test settles by itself."""
    stage.silence()
    return stage


def ask(stage: Stage, session_id: str) -> Session:
    """The session as Stripe tells it now."""
    with stage.app.app_context():
        return stripe_gateway.get_checkout_session(session_id)


def settle(stage: Stage, session: Session, **how: Any) -> int | None:
    with stage.app.app_context(), database.writing():
        return settlement.settle(session, cause="test", **how)


def paid(stage: Stage, sku: str = "MUG", how: str = "pm_card_visa", **fields: Any) -> Session:
    """A session that was paid at Stripe and that nobody has told the shop of."""
    session_id = stage.open_session(stage.browser(), sku, **fields)
    stage.pay(session_id, how)
    return ask(stage, session_id)


def test_a_paid_session_is_a_paid_order(stage: Stage) -> None:
    session = paid(stage, quantity=2)
    assert settle(stage, session) == stage.order().id
    order = stage.order()
    assert (order.state, order.amount_total, order.currency) == ("paid", 4800, "eur")
    assert (order.email, order.name) == ("buyer@example.com", "Sandbox Buyer")
    assert order.payment_intent == session["payment_intent"]["id"]
    assert order.paid_at is not None and order.attention is None


def test_the_same_session_twice_has_one_effect(stage: Stage) -> None:
    session = paid(stage)
    settle(stage, session)
    first = stage.order().paid_at
    settle(stage, session)
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert stage.order().paid_at == first


def test_the_same_session_from_many_at_once_has_one_effect(stage: Stage) -> None:
    session = paid(stage)
    with ThreadPoolExecutor(6) as pool:
        ids = set(pool.map(lambda _: settle(stage, session), range(6)))
    assert ids == {stage.order().id}
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert stage.stock() == (4, 0, 1)


def test_an_open_session_moves_nothing(stage: Stage) -> None:
    session = ask(stage, stage.open_session(stage.browser()))
    settle(stage, session)
    assert stage.steps() == [(None, "open")]


def test_an_expired_session_frees_the_goods_once(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    control.expire_session(stage.sandbox, session_id)
    for _ in range(2):
        settle(stage, ask(stage, session_id))
    assert stage.steps() == [(None, "open"), ("open", "expired")]
    assert stage.stock() == (5, 0, 0)


def test_old_news_never_take_a_paid_order_back(stage: Stage) -> None:
    session = paid(stage)
    settle(stage, session)
    for told in ({"status": "expired"}, {"status": "open"}, {"payment_status": "unpaid"}):
        settle(stage, session | told | {"payment_intent": None})
    settle(stage, session | {"payment_status": "unpaid"}, bank_refused=True)
    assert stage.order().state == "paid"


def test_a_slow_bank_keeps_the_goods_until_it_pays(stage: Stage) -> None:
    session = paid(stage, how="bank_debit")
    settle(stage, session)
    assert (stage.order().state, stage.stock()) == ("processing", (5, 1, 0))
    control.settle_payment(stage.sandbox, session["id"])
    settle(stage, ask(stage, session["id"]))
    assert (stage.order().state, stage.stock()) == ("paid", (4, 0, 1))


def test_a_bank_that_refuses_frees_the_goods(stage: Stage) -> None:
    session = paid(stage, how="bank_debit")
    settle(stage, session)
    control.fail_payment(stage.sandbox, session["id"])
    settle(stage, ask(stage, session["id"]))
    assert (stage.order().state, stage.stock()) == ("failed", (5, 0, 0))


def test_a_refusal_that_overtook_the_rest_takes_both_steps(stage: Stage) -> None:
    session = paid(stage, how="bank_debit")
    settle(stage, session, bank_refused=True)
    assert stage.steps() == [(None, "open"), ("open", "processing"), ("processing", "failed")]


@pytest.mark.parametrize("state", ["expired", "cancelled", "failed"])
def test_a_late_payment_counts(stage: Stage, state: str) -> None:
    session = paid(stage, "YEN")
    change_order(stage, state=state, stock="released")
    settle(stage, session)
    assert (stage.order().state, stage.order().stock) == ("paid", "sold")


def test_a_late_payment_for_what_is_gone_is_kept_and_flagged(stage: Stage) -> None:
    slow = stage.open_session(stage.browser(), "LAST")
    control.expire_session(stage.sandbox, slow)
    late = ask(stage, slow)
    settle(stage, late)
    settle(stage, paid(stage, "LAST"))
    settle(stage, late | {"status": "complete", "payment_status": "paid"})
    first = stage.orders(checkout_session=slow)[0]
    assert (first.state, first.stock, first.attention) == ("paid", "short", "oversold")
    assert stage.stock("LAST") == (0, 0, 1)


@pytest.mark.parametrize(
    "told",
    [
        {"amount_subtotal": 100, "amount_total": 100},
        {"currency": "usd"},
        {"mode": "setup"},
    ],
    ids=str,
)
def test_other_money_than_asked_for_is_kept_and_flagged(stage: Stage, told: Session) -> None:
    session = paid(stage) | told
    settle(stage, session)
    order = stage.order()
    assert (order.state, order.attention) == ("paid", "amount_mismatch")
    assert (order.amount_total, order.currency) == (session["amount_total"], session["currency"])
    assert "Stripe says" in order.steps[-1].note


def test_a_discount_is_no_mismatch(stage: Stage) -> None:
    details = {"amount_discount": 400, "amount_shipping": 0, "amount_tax": 0}
    session = paid(stage) | {"amount_total": 2000, "total_details": details}
    settle(stage, session)
    order = stage.order()
    assert (order.amount_total, order.amount_discount, order.attention) == (2000, 400, None)


def test_nothing_due_after_a_discount_is_paid(stage: Stage) -> None:
    free = {"amount_total": 0, "payment_status": "no_payment_required", "payment_intent": None}
    settle(stage, paid(stage) | free)
    assert (stage.order().state, stage.order().amount_total) == ("paid", 0)


def test_a_second_paid_session_of_one_order_gets_an_order_of_its_own(stage: Stage) -> None:
    session = paid(stage)
    settle(stage, session)
    settle(stage, session | {"id": "cs_test_second"})
    settle(stage, session | {"id": "cs_test_second"})
    first, second = stage.orders()
    assert (first.state, first.attention) == ("paid", None)
    assert (second.state, second.attention) == ("paid", "duplicate")
    assert second.checkout_session == "cs_test_second"
    assert stage.stock() == (3, 0, 2)


def test_an_unpaid_second_session_of_one_order_moves_nothing(stage: Stage) -> None:
    session = ask(stage, stage.open_session(stage.browser()))
    settle(stage, session | {"id": "cs_test_second", "status": "expired"})
    assert (stage.order().state, stage.stock()) == ("open", (5, 1, 0))


def test_two_orders_paid_for_one_purchase_are_flagged(stage: Stage) -> None:
    browser = stage.browser()
    slow = stage.open_session(browser)
    control.expire_session(stage.sandbox, slow)
    late = ask(stage, slow)
    settle(stage, late)
    quick = stage.open_session(browser)
    stage.pay(quick)
    settle(stage, ask(stage, quick))
    settle(stage, late | {"status": "complete", "payment_status": "paid"})
    assert [order.state for order in stage.orders()] == ["paid", "paid"]
    assert [order.attention for order in stage.orders()] == ["duplicate", None]


def test_a_session_known_by_its_reference_alone_is_ours(stage: Stage) -> None:
    session = paid(stage)
    change_order(stage, checkout_session=None, checkout_url=None)
    settle(stage, session)
    assert (stage.order().state, stage.order().checkout_session) == ("paid", session["id"])


@pytest.mark.parametrize("reference", [None, "", "theirs-1", "' OR 1=1"])
def test_a_strangers_session_is_none_of_ours(stage: Stage, reference: str | None) -> None:
    session = paid(stage)
    foreign = {"id": "cs_test_foreign", "client_reference_id": reference, "metadata": {}}
    assert settle(stage, session | foreign) is None
    assert stage.order().state == "open"
    stage.work()


def test_a_session_of_another_shop_is_none_of_ours(stage: Stage) -> None:
    marks = {"order": "ord_1", "shop": "https://other.example"}
    foreign = {"id": "cs_x", "client_reference_id": "ord_1", "metadata": marks}
    assert settle(stage, paid(stage) | foreign) is None
    stage.work()


def test_a_session_of_ours_without_its_order_is_never_waved_through(stage: Stage) -> None:
    marks = {"order": "ord_1", "shop": "http://localhost"}
    lost = {"id": "cs_x", "client_reference_id": "ord_1", "metadata": marks}
    with pytest.raises(settlement.OrderMissing):
        settle(stage, paid(stage) | lost)
    stage.work()


def test_a_live_session_pays_no_test_order(stage: Stage) -> None:
    session = paid(stage)
    with pytest.raises(settlement.WrongMode):
        settle(stage, session | {"livemode": True})
    assert stage.order().state == "open"
    stage.work()


@on_sqlite
@pytest.mark.parametrize(
    "field", ["status", "payment_status", "amount_total", "amount_subtotal", "currency", "livemode"]
)
def test_a_session_without_what_decides_about_money_is_refused(stage: Stage, field: str) -> None:
    session = paid(stage)
    with pytest.raises(KeyError):
        settle(stage, {name: value for name, value in session.items() if name != field})
    assert stage.order().state == "open"
    stage.work()


@pytest.mark.parametrize("name", ["Ada\0Lovelace", "A\ud800da", "A" * 5000, "<b>Ada</b>", "عدا"])
def test_any_name_a_buyer_gives_can_be_kept(stage: Stage, name: str) -> None:
    session = paid(stage)
    session["customer_details"]["name"] = name
    session["customer_details"]["phone"] = "1" * 100
    settle(stage, session)
    kept = stage.order().name
    assert stage.order().state == "paid"
    assert kept and "\0" not in kept and len(kept) <= 200


def test_where_the_goods_go_is_kept(stage: Stage) -> None:
    address = {"line1": "1 Lane\0", "city": "Ghent", "postal_code": "9000", "country": "BE"}
    told = {"collected_information": {"shipping_details": {"name": "Ada", "address": address}}}
    settle(stage, paid(stage) | told)
    assert stage.order().shipping == {"name": "Ada", "address": address | {"line1": "1 Lane"}}


def test_a_failure_half_way_leaves_everything_as_it_was(stage: Stage) -> None:
    session = paid(stage)
    with stage.app.app_context():
        with pytest.raises(ZeroDivisionError), database.writing():
            settlement.settle(session, cause="test")
            _ = 1 / 0
        assert db.session.scalar(db.select(Order.state)) == "open"
    assert stage.stock() == (5, 1, 0)
    stage.work()


@pytest.mark.parametrize(
    "changes",
    [
        {"payment_status": None},
        {"payment_status": "weird"},
        {"status": None},
        {"amount_total": "2400"},
        {"amount_total": None},
        {"amount_subtotal": -1},
    ],
    ids=str,
)
def test_it_never_guesses_what_a_session_says_of_money(
    stage: Stage, changes: dict[str, Any]
) -> None:
    told = paid(stage) | changes
    with pytest.raises(settlement.Unreadable):
        settle(stage, told)
    assert stage.order().state == "open"
    assert stage.stock() == (5, 1, 0)


def test_a_total_that_does_not_add_up_needs_a_look(stage: Stage) -> None:
    settle(stage, paid(stage) | {"amount_total": 1})
    order = stage.order()
    assert (order.state, order.attention, order.amount_total) == ("paid", "amount_mismatch", 1)

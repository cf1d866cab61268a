"""Refunds: asked for by a shop or made at Stripe's own dashboard, decided at once or later."""

import threading

import pytest
import stripe

from storefront.sandbox import control, run_due
from tests.sandbox.orders import line, order, plan

FIVE_MINUTES = 300


def buy(api, sandbox, card="pm_card_visa", **changes):
    """Return the PaymentIntent of a session paid with 25.00."""
    session = api.checkout.sessions.create(order(**changes))
    control.complete(sandbox, session.id, card)
    return api.checkout.sessions.retrieve(session.id).payment_intent


def charge_of(api, intent):
    return api.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge


def told(api, *types):
    """Return the events of these types, oldest first."""
    return api.events.list({"types": list(types), "limit": 100}).data[::-1]


def refused(api, **params):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.refunds.create(params)
    return caught.value


def test_a_full_refund_is_whole_and_told(api, sandbox, shop, endpoint):
    intent = buy(api, sandbox)
    run_due(sandbox)
    shop.received.clear()

    refund = api.refunds.create(
        {
            "payment_intent": intent,
            "reason": "requested_by_customer",
            "metadata": {"refund": "7"},
        }
    )
    run_due(sandbox)

    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 2500, "usd")
    assert (refund.reason, refund.metadata.refund) == ("requested_by_customer", "7")
    charge = charge_of(api, intent)
    assert (refund.charge, refund.payment_intent) == (charge.id, intent)
    assert (charge.amount_refunded, charge.refunded) == (2500, True)
    assert shop.types == ["refund.created", "charge.refunded"]
    assert shop.events[1]["data"]["object"]["amount_refunded"] == 2500


def test_parts_add_up_to_the_charge_and_never_to_more(api, sandbox):
    intent = buy(api, sandbox)
    charge = charge_of(api, intent).id

    api.refunds.create({"charge": charge, "amount": 1000})
    assert charge_of(api, intent).refunded is False
    over = refused(api, payment_intent=intent, amount=1501)
    api.refunds.create({"payment_intent": intent, "amount": 500})
    rest = api.refunds.create({"payment_intent": intent})

    assert (over.http_status, over.param, over.code) == (400, "amount", None)
    assert "($15.01) is greater than unrefunded amount on charge ($15.00)" in str(over)
    assert rest.amount == 1000
    assert charge_of(api, intent).refunded is True
    assert refused(api, charge=charge).code == "charge_already_refunded"
    assert refused(api, charge=charge, amount=1).code == "charge_already_refunded"


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ({"amount": 2501}, "amount", None),
        ({"amount": 0}, "amount", "parameter_invalid_integer"),
        ({"amount": -5}, "amount", "parameter_invalid_integer"),
        ({"reason": "expired_uncaptured_charge"}, "reason", None),
        ({"currency": "eur"}, "currency", None),
        ({"charge": "ch_x"}, None, None),
        ({"origin": "customer_balance"}, "origin", None),
        ({"note": "x"}, "note", "parameter_unknown"),
    ],
)
def test_what_stripe_would_refuse_is_refused(api, sandbox, params, param, code):
    intent = buy(api, sandbox)
    error = refused(api, payment_intent=intent, **params)
    assert (error.http_status, error.param, error.code) == (400, param, code)
    assert api.refunds.list().data == []
    assert charge_of(api, intent).amount_refunded == 0


def test_there_has_to_be_a_payment_to_refund(api, sandbox):
    assert "payment_intent or charge" in str(refused(api))
    assert refused(api, charge="ch_x").code == "resource_missing"
    assert refused(api, payment_intent="pi_x").code == "resource_missing"
    session = api.checkout.sessions.create(order())
    control.complete(sandbox, session.id, "pm_card_visa_chargeDeclined")
    declined = api.checkout.sessions.retrieve(session.id).payment_intent
    waiting = buy(api, sandbox, "bank_debit")
    for intent in (declined, waiting):
        error = refused(api, payment_intent=intent)
        assert "does not have a successful charge to refund" in str(error)
        assert "does not have" in str(refused(api, charge=charge_of(api, intent).id))
    control.settle_payment(sandbox, waiting)
    assert api.refunds.create({"payment_intent": waiting}).status == "succeeded"


@pytest.mark.parametrize(
    ("currency", "amount", "fine"),
    [("jpy", 7, True), ("kwd", 1255, False), ("kwd", 1250, True), ("isk", 150, False)],
)
def test_a_refund_keeps_to_the_steps_of_its_currency(api, sandbox, currency, amount, fine):
    unit = {"jpy": 900, "kwd": 5000, "isk": 90000}[currency]
    intent = buy(api, sandbox, line_items=[line(unit, 1, currency=currency)])
    if fine:
        refund = api.refunds.create({"payment_intent": intent, "amount": amount})
        assert (refund.amount, refund.currency) == (amount, currency)
    else:
        assert refused(api, payment_intent=intent, amount=amount).param == "amount"


def test_the_same_key_gives_the_same_refund_and_no_second_one(api, sandbox):
    intent = buy(api, sandbox)
    params = {"payment_intent": intent, "amount": 600}
    first = api.refunds.create(params, {"idempotency_key": "refund:1"})
    again = api.refunds.create(params, {"idempotency_key": "refund:1"})
    assert again.id == first.id
    assert charge_of(api, intent).amount_refunded == 600


def test_refunds_at_the_same_moment_never_exceed_the_charge(api, sandbox):
    intent = buy(api, sandbox)
    start = threading.Barrier(6)
    made: list[int] = []

    def give_back():
        start.wait()
        try:
            made.append(api.refunds.create({"payment_intent": intent, "amount": 1000}).amount)
        except stripe.InvalidRequestError:
            made.append(0)

    threads = [threading.Thread(target=give_back) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == [0, 0, 0, 0, 1000, 1000]
    assert charge_of(api, intent).amount_refunded == 2000


def test_refunds_are_found_by_payment_charge_and_time(api, sandbox):
    first, second = buy(api, sandbox), buy(api, sandbox)
    small = api.refunds.create({"payment_intent": first, "amount": 100})
    large = api.refunds.create({"payment_intent": first, "amount": 200})
    other = api.refunds.create({"payment_intent": second})

    def ids(**params):
        return [refund.id for refund in api.refunds.list(params).data]

    assert ids() == [other.id, large.id, small.id]
    assert ids(payment_intent=first) == [large.id, small.id]
    assert ids(charge=other.charge) == [other.id]
    assert ids(created={"gt": other.created}) == []
    charge = api.charges.retrieve(small.charge, {"expand": ["refunds"]})
    assert [refund.id for refund in charge.refunds.data] == [large.id, small.id]
    assert api.refunds.retrieve(small.id).amount == 100


def test_only_metadata_can_be_changed_and_nothing_canceled(api, sandbox):
    refund = api.refunds.create({"payment_intent": buy(api, sandbox), "metadata": {"a": "1"}})
    assert api.refunds.update(refund.id, {"metadata": {"b": "2"}}).metadata.to_dict() == {
        "a": "1",
        "b": "2",
    }
    (event,) = told(api, "refund.updated")
    assert event.data.previous_attributes.metadata.to_dict() == {"a": "1"}
    with pytest.raises(stripe.InvalidRequestError, match="unsupported"):
        api.refunds.cancel(refund.id)


def test_a_slow_refund_succeeds_when_its_time_has_come(api, sandbox):
    intent = buy(api, sandbox, "pm_card_pendingRefund")
    refund = api.refunds.create({"payment_intent": intent})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert charge_of(api, intent).refunded is True

    control.advance_clock(sandbox, FIVE_MINUTES)

    assert api.refunds.retrieve(refund.id).status == "succeeded"
    (event,) = told(api, "refund.updated")
    assert event.data.previous_attributes.status == "pending"
    control.advance_clock(sandbox, FIVE_MINUTES)
    assert len(told(api, "refund.updated", "refund.failed")) == 1


def test_a_refund_that_fails_later_is_owed_again(api, sandbox):
    intent = buy(api, sandbox, "pm_card_refundFail")
    refund = api.refunds.create({"payment_intent": intent, "amount": 700})
    assert refund.status == "succeeded"

    control.advance_clock(sandbox, FIVE_MINUTES)

    failed = api.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.amount == 700
    assert failed.failure_balance_transaction.source == refund.id
    charge = charge_of(api, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    kinds = ["charge.refund.updated", "refund.updated", "refund.failed"]
    assert [event.type for event in told(api, *kinds)] == kinds
    assert api.refunds.create({"payment_intent": intent}).amount == 2500


def test_the_merchant_refunds_at_stripe_without_asking_the_shop(api, sandbox, shop, endpoint):
    session = api.checkout.sessions.create(order())
    control.complete(sandbox, session.id)

    part = control.refund(sandbox, session.id, 900, "duplicate")
    run_due(sandbox)

    assert (part["amount"], part["reason"], part["metadata"]) == (900, "duplicate", {})
    assert shop.types[-2:] == ["refund.created", "charge.refunded"]
    assert shop.events[-1]["request"] == {"id": None, "idempotency_key": None}
    intent = api.checkout.sessions.retrieve(session.id).payment_intent
    assert control.refund(sandbox, intent)["amount"] == 1600
    with pytest.raises(Exception, match="already been refunded"):
        control.refund(sandbox, intent)


def test_a_subscription_is_refunded_through_the_payment_of_its_invoice(api, sandbox):
    session = api.checkout.sessions.create(plan())
    control.complete(sandbox, session.id)
    invoice = api.checkout.sessions.retrieve(session.id).invoice
    payment = api.invoice_payments.list({"invoice": invoice}).data[0]

    refund = api.refunds.create({"payment_intent": payment.payment.payment_intent, "amount": 400})

    assert charge_of(api, refund.payment_intent).amount_refunded == 400
    assert control.refund(sandbox, session.id)["amount"] == 500


def test_a_pending_refund_is_decided_by_a_press_and_only_once(api, browser, sandbox):
    refund = api.refunds.create({"payment_intent": buy(api, sandbox, "pm_card_pendingRefund")})

    browser.post(f"/control/refunds/{refund.id}/settle")

    assert api.refunds.retrieve(refund.id).status == "succeeded"
    again = browser.post(f"/control/refunds/{refund.id}/settle", json={})
    assert again.status_code == 400
    control.advance_clock(sandbox, FIVE_MINUTES)
    assert api.refunds.retrieve(refund.id).status == "succeeded"
    failed = browser.post(f"/control/refunds/{refund.id}/fail", json={})
    assert failed.json["status"] == "failed"
    control.advance_clock(sandbox, FIVE_MINUTES)
    assert api.refunds.retrieve(refund.id).status == "failed"


def test_the_page_takes_an_amount_as_people_write_it_and_programs_count_in_minor_units(
    api, browser, sandbox
):
    intent = buy(api, sandbox)
    assert "Refund" in browser.get("/").text

    form = {"payment": intent, "major": "12.5"}
    assert browser.post("/control/refunds", data=form).status_code == 303
    assert charge_of(api, intent).amount_refunded == 1250
    answer = browser.post("/control/refunds", json={"payment": intent, "amount": 250})
    assert answer.json["object"] == "refund"
    browser.post("/control/refunds", data={"payment": intent, "major": ""})
    assert charge_of(api, intent).refunded is True
    assert "$25.00" in browser.get("/").text


@pytest.mark.parametrize("major", ["x", "1.234", "-3", "0"])
def test_an_amount_that_is_none_is_refused_on_the_page(api, browser, sandbox, major):
    intent = buy(api, sandbox)
    form = {"payment": intent, "major": major}
    assert browser.post("/control/refunds", data=form).status_code == 400
    assert charge_of(api, intent).amount_refunded == 0


@pytest.mark.parametrize("amount", ["100", True, 0, -5, 12.5])
def test_a_program_gives_whole_minor_units(api, browser, sandbox, amount):
    intent = buy(api, sandbox)
    for wrong in ({"amount": amount}, {"amount": 5, "reason": "boredom"}):
        answer = browser.post("/control/refunds", json={"payment": intent, **wrong})
        assert answer.status_code == 400
    assert charge_of(api, intent).amount_refunded == 0

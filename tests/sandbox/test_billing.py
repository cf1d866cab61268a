"""Subscriptions and invoices over the API: made, amended, paid by hand, given up, or refused."""

import pytest
import stripe

from storefront.sandbox.core import DAY
from tests.sandbox.lives import HOUR, MONTH, buy, invoices_of, item_of, pass_time, told, types


@pytest.fixture
def product(api):
    return api.products.create({"name": "Paper"})


@pytest.fixture
def price(api, product):
    return make_price(api, product)


def make_price(api, product, amount=900, interval="month", currency="usd"):
    return api.prices.create(
        {
            "currency": currency,
            "product": product.id,
            "unit_amount": amount,
            "recurring": {"interval": interval},
        }
    )


def make_customer(api, card="pm_card_visa"):
    return api.customers.create(
        {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
        if card
        else {}
    )


def subscribe(api, price, card="pm_card_visa", **changes):
    customer = make_customer(api, card)
    items = [{"price": price.id}]
    return api.subscriptions.create({"customer": customer.id, "items": items, **changes})


def test_a_subscription_is_billed_at_once(api, sandbox, price):
    subscription = subscribe(
        api, price, metadata={"order": "7"}, expand=["latest_invoice.payments"]
    )
    invoice = subscription.latest_invoice
    assert (subscription.status, subscription.metadata.order) == ("active", "7")
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_create")
    assert invoice.payments.data[0].status == "paid"
    statuses = [
        event["data"]["object"]["status"] for event in told(sandbox, "customer.subscription")
    ]
    assert statuses == ["incomplete", "active"]
    pass_time(sandbox, MONTH)
    assert [each.status for each in invoices_of(api, subscription.id)] == ["paid", "paid"]


def test_a_trial_is_billed_nothing(api, sandbox, price):
    subscription = subscribe(api, price, card=None, trial_period_days=7)
    assert subscription.status == "trialing"
    (invoice,) = invoices_of(api, subscription.id)
    assert (invoice.status, invoice.total) == ("paid", 0)


def test_a_first_payment_that_fails_leaves_it_incomplete_for_a_day(api, sandbox, price):
    subscription = subscribe(api, price, "pm_card_chargeCustomerFail")
    assert subscription.status == "incomplete"
    pass_time(sandbox, 23 * HOUR + 5)
    ended = api.subscriptions.retrieve(subscription.id)
    (invoice,) = invoices_of(api, subscription.id)
    assert (ended.status, invoice.status) == ("incomplete_expired", "void")
    assert len(told(sandbox, "invoice.payment_failed")) == 1


def test_an_incomplete_one_becomes_active_when_its_invoice_is_paid(api, price):
    subscription = subscribe(api, price, payment_behavior="default_incomplete", card=None)
    assert subscription.status == "incomplete"

    paid = api.invoices.pay(subscription.latest_invoice, {"payment_method": "pm_card_visa"})

    assert paid.status == "paid"
    assert api.subscriptions.retrieve(subscription.id).status == "active"


def test_error_if_incomplete_makes_nothing(api, price):
    with pytest.raises(stripe.CardError) as caught:
        subscribe(api, price, "pm_card_chargeCustomerFail", payment_behavior="error_if_incomplete")
    assert caught.value.code == "card_declined"
    assert api.subscriptions.list({"status": "all"}).data == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"card": None}, "no attached payment source"),
        ({"collection_method": "send_invoice"}, "must be one of"),
        ({"discounts": [{"coupon": "x"}]}, "does not support"),
        ({"items": [{"price": "price_x"}]}, "No such price"),
        ({"trial_end": 5}, "must be in the future"),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused(api, price, changes, reason):
    with pytest.raises(stripe.InvalidRequestError, match=reason):
        subscribe(api, price, **changes)


def test_another_price_counts_from_the_next_invoice_on(api, sandbox, product, price):
    subscription = subscribe(api, price)
    dearer = make_price(api, product, 1500)
    item = {"id": item_of(subscription).id, "price": dearer.id, "quantity": 2}

    changed = api.subscriptions.update(
        subscription.id, {"items": [item], "proration_behavior": "none"}
    )

    assert (item_of(changed).price.id, item_of(changed).id) == (dearer.id, item["id"])
    event = told(sandbox, "customer.subscription.updated")[-1]
    assert event["data"]["previous_attributes"]["items"]["data"][0]["price"]["id"] == price.id
    pass_time(sandbox, MONTH)
    assert [each.total for each in invoices_of(api, subscription.id)] == [900, 3000]


@pytest.mark.parametrize(
    ("interval", "currency", "proration", "reason"),
    [
        ("month", "usd", None, "does not prorate"),
        ("month", "eur", "none", "currency"),
        ("year", "usd", "none", "does not change the interval"),
    ],
)
def test_a_change_of_items_that_it_cannot_follow_is_refused(
    api, product, price, interval, currency, proration, reason
):
    subscription = subscribe(api, price)
    other = make_price(api, product, 5, interval, currency)
    changes = {"items": [{"id": item_of(subscription).id, "price": other.id}]}
    changes |= {"proration_behavior": proration} if proration else {}
    with pytest.raises(stripe.InvalidRequestError, match=reason):
        api.subscriptions.update(subscription.id, changes)
    assert item_of(api.subscriptions.retrieve(subscription.id)).price.id == price.id


@pytest.mark.parametrize("changes", [{"billing_cycle_anchor": "now"}, {"transfer_data": ""}])
def test_what_the_sandbox_does_not_follow_it_says(api, sandbox, changes):
    id = buy(api, sandbox).id
    with pytest.raises(stripe.InvalidRequestError, match="does not support"):
        api.subscriptions.update(id, changes)


def test_it_ends_at_a_moment_that_was_named(api, sandbox):
    subscription = buy(api, sandbox)
    moment = subscription.created + 10 * DAY
    api.subscriptions.update(subscription.id, {"cancel_at": moment})
    pass_time(sandbox, 11 * DAY)
    assert api.subscriptions.retrieve(subscription.id).ended_at == moment


def test_an_ended_subscription_is_collected_for_no_more(api, sandbox):
    subscription = buy(api, sandbox, "pm_card_chargeCustomerFail")
    pass_time(sandbox, MONTH)
    api.subscriptions.cancel(subscription.id)
    pass_time(sandbox, MONTH)
    invoice = invoices_of(api, subscription.id)[-1]
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert (invoice.auto_advance, invoice.next_payment_attempt) == (False, None)


def test_an_invoice_paid_by_hand_ends_the_trouble(api, sandbox):
    subscription = buy(api, sandbox, "pm_card_chargeCustomerFail")
    pass_time(sandbox, MONTH)
    invoice = invoices_of(api, subscription.id)[-1]

    with pytest.raises(stripe.CardError):
        api.invoices.pay(invoice.id)
    again = api.invoices.retrieve(invoice.id)
    assert (again.attempt_count, again.next_payment_attempt) == (2, invoice.next_payment_attempt)
    paid = api.invoices.pay(invoice.id, {"payment_method": "pm_card_visa", "expand": ["payments"]})

    assert (paid.status, len(paid.payments.data)) == ("paid", 1)
    assert api.subscriptions.retrieve(subscription.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        api.invoices.pay(invoice.id)


def test_a_draft_is_finalized_and_an_open_invoice_given_up_by_hand(api, sandbox):
    subscription = buy(api, sandbox)
    pass_time(sandbox, item_of(subscription).current_period_end - pass_time(sandbox, 0) + 5)
    draft = invoices_of(api, subscription.id)[-1]
    assert (draft.status, draft.number) == ("draft", None)

    opened = api.invoices.finalize_invoice(draft.id)
    assert (opened.status, opened.number is None) == ("open", False)
    assert api.invoices.void_invoice(draft.id).status == "void"

    pass_time(sandbox, 20 * DAY)
    assert api.invoices.retrieve(draft.id).status == "void"
    assert types(told(sandbox, "invoice."))[-2:] == ["invoice.updated", "invoice.voided"]


def test_the_next_renewals_fail_by_a_press(api, browser, sandbox):
    subscription = buy(api, sandbox)
    url = f"/control/subscriptions/{subscription.id}/card"
    answer = browser.post(url, json={"payment_method": "pm_card_chargeCustomerFail"})
    assert answer.json["id"] == subscription.id
    pass_time(sandbox, MONTH)
    assert api.subscriptions.retrieve(subscription.id).status == "past_due"

    unknown = browser.post(url, json={"payment_method": "pm_card_nobody"})
    assert (unknown.status_code, unknown.json["error"]["code"]) == (400, "resource_missing")


@pytest.mark.parametrize(
    ("by", "least", "most"),
    [
        ("90", 90, 95),
        ("1 hour", 3600, 3605),
        ("2w", 14 * DAY, 14 * DAY + 5),
        ("1 month", 28 * DAY, 31 * DAY + 5),
        ("1 year", 365 * DAY, 366 * DAY + 5),
    ],
)
def test_time_moves_by_a_span_in_words(browser, by, least, most):
    before = browser.post("/control/advance", json={}).json["now"]
    after = browser.post("/control/advance", json={"by": by}).json["now"]
    assert least <= after - before <= most


@pytest.mark.parametrize("by", ["soon", "1 m", "-5", "7 years", "61 months", "99999999999"])
def test_a_span_that_is_none_is_refused(browser, by):
    assert browser.post("/control/advance", json={"by": by}).status_code == 400

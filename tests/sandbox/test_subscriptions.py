"""Subscriptions and invoices as Checkout makes them, and what the API may do to them."""

from datetime import UTC, datetime

import pytest
import stripe

from storefront.sandbox import control
from storefront.sandbox.periods import end_of_period
from tests.sandbox.orders import plan


@pytest.fixture
def bought(api, sandbox):
    session = api.checkout.sessions.create(plan())
    control.complete(sandbox, session.id)
    return api.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})


def test_the_subscription_is_active_for_a_month(bought):
    subscription = bought.subscription
    item = subscription["items"].data[0]
    assert (subscription.status, subscription.customer) == ("active", bought.customer)
    assert subscription.metadata.order == "2"
    assert 28 <= (item.current_period_end - item.current_period_start) / 86400 <= 31
    assert item.price.unit_amount == 900


def test_its_invoice_is_paid_and_points_back(api, bought):
    invoice = api.invoices.retrieve(bought.invoice, {"expand": ["payments"]})
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_create")
    assert invoice.parent.subscription_details.subscription == bought.subscription.id
    assert invoice.parent.subscription_details.metadata.order == "2"
    payment = invoice.payments.data[0]
    intent = api.payment_intents.retrieve(payment.payment.payment_intent)
    assert (payment.status, payment.amount_paid, intent.status) == ("paid", 900, "succeeded")
    query = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    assert api.invoice_payments.list(query).data[0].invoice == invoice.id


def test_the_session_itself_has_no_payment_intent(bought):
    assert bought.payment_intent is None
    assert bought.payment_status == "paid"


def test_an_existing_customer_is_kept(api, sandbox):
    customer = api.customers.create({"email": "ann@example.com", "name": "Ann"})
    session = api.checkout.sessions.create(plan(customer=customer.id))
    control.complete(sandbox, session.id)
    control.complete(sandbox, api.checkout.sessions.create(plan(customer=customer.id)).id)

    assert len(api.subscriptions.list({"customer": customer.id}).data) == 2
    assert len(api.customers.list().data) == 1


def test_it_can_be_ended_with_its_period_and_kept_after_all(api, bought):
    ending = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
    assert ending.status == "active"
    assert ending.cancel_at == ending["items"].data[0].current_period_end

    kept = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": False})

    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    told = api.events.list({"type": "customer.subscription.updated"}).data
    assert [event.data.previous_attributes.cancel_at_period_end for event in told] == [True, False]


def test_it_can_be_ended_at_once_and_only_once(api, bought):
    ended = api.subscriptions.cancel(bought.subscription.id)
    assert ended.status == "canceled"
    assert ended.ended_at is not None
    assert len(api.events.list({"type": "customer.subscription.deleted"}).data) == 1

    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.subscriptions.cancel(bought.subscription.id)
    assert caught.value.code == "resource_missing"
    assert api.subscriptions.list().data == []
    assert len(api.subscriptions.list({"status": "canceled"}).data) == 1


@pytest.mark.parametrize(
    ("settle", "invoice_status", "subscription_status"),
    [(control.settle_payment, "paid", "active"), (control.fail_payment, "open", "past_due")],
)
def test_a_bank_debit_decides_about_invoice_and_subscription(
    api, sandbox, settle, invoice_status, subscription_status
):
    session = api.checkout.sessions.create(plan())
    control.complete(sandbox, session.id, "bank_debit")
    found = api.checkout.sessions.retrieve(session.id)
    assert api.invoices.retrieve(found.invoice).status == "open"

    settle(sandbox, session.id)

    assert api.invoices.retrieve(found.invoice).status == invoice_status
    assert api.subscriptions.retrieve(found.subscription).status == subscription_status


@pytest.mark.parametrize(
    ("start", "interval", "count", "number", "end"),
    [
        ("2027-01-31", "month", 1, 1, "2027-02-28"),
        ("2027-01-31", "month", 1, 2, "2027-03-31"),
        ("2028-02-29", "year", 1, 1, "2029-02-28"),
        ("2027-11-30", "month", 3, 1, "2028-02-29"),
        ("2027-01-01", "week", 2, 1, "2027-01-15"),
        ("2027-03-27", "day", 1, 3, "2027-03-30"),
    ],
)
def test_a_period_keeps_to_the_calendar(start, interval, count, number, end):
    anchor = int(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp())
    recurring = {"interval": interval, "interval_count": count}
    ends = datetime.fromtimestamp(end_of_period(anchor, recurring, number), UTC)
    assert ends.date().isoformat() == end

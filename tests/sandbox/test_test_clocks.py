"""Test clocks over the API: their customers live by them, and nobody else does."""

import pytest
import stripe

from storefront.sandbox import control, run_due
from storefront.sandbox.core import DAY
from storefront.sandbox.periods import end_of_period
from tests.sandbox.lives import HOUR, invoices_of, item_of, pass_time, told, types
from tests.sandbox.orders import plan

START = 1_801_353_600  # 31 January 2027
MONTHLY = {"interval": "month", "interval_count": 1}
PRICE = {"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}


@pytest.fixture
def clock(api):
    return api.test_helpers.test_clocks.create({"frozen_time": START, "name": "renewals"})


@pytest.fixture
def customer(api, clock):
    settings = {"default_payment_method": "pm_card_visa"}
    return api.customers.create(
        {"email": "ann@example.com", "test_clock": clock.id, "invoice_settings": settings}
    )


def subscribe(api, customer, **changes):
    product = api.products.create({"name": "Paper"})
    item = {"price_data": PRICE | {"product": product.id}}
    return api.subscriptions.create({"customer": customer.id, "items": [item], **changes})


def advance(api, clock, moment):
    """Advance a clock and wait for it as a program does that uses the real Stripe."""
    answer = api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": moment})
    assert answer.status == "advancing"
    assert answer.status_details.advancing.target_frozen_time == moment
    arrived = api.test_helpers.test_clocks.retrieve(clock.id)
    assert (arrived.status, arrived.frozen_time) == ("ready", moment)


def test_what_belongs_to_a_clock_is_made_at_its_time(api, clock, customer):
    subscription = subscribe(api, customer)
    made = (customer.test_clock, subscription.test_clock, subscription.created, customer.created)
    assert made == (clock.id, clock.id, START, START)
    assert invoices_of(api, subscription.id)[0].test_clock == clock.id
    found = api.subscriptions.list({"test_clock": clock.id}).data
    assert [each.id for each in found] == [subscription.id]


def test_renewals_keep_to_the_last_day_of_the_month(api, sandbox, clock, customer):
    subscription = subscribe(api, customer)
    ends = [end_of_period(START, MONTHLY, number) for number in range(1, 5)]
    for end in ends:
        advance(api, clock, end + HOUR)
    found = invoices_of(api, subscription.id)
    assert [invoice.status for invoice in found] == ["paid"] * 5
    assert [invoice.created for invoice in found[1:]] == ends
    assert [event["created"] for event in told(sandbox, "invoice.paid")][1:] == [
        end + HOUR for end in ends
    ]


def test_it_tells_when_it_sets_out_and_when_it_is_ready(api, sandbox, endpoint, shop, clock):
    advance(api, clock, START + DAY)
    run_due(sandbox)
    names = [name for name in shop.types if name.startswith("test_helpers")]
    assert [name.removeprefix("test_helpers.test_clock.") for name in names] == [
        "created",
        "advancing",
        "ready",
    ]


def test_the_sandbox_s_own_clock_does_not_move_it(api, sandbox, clock, customer):
    subscription = subscribe(api, customer)
    pass_time(sandbox, 4 * 366 * DAY)
    found = api.subscriptions.retrieve(subscription.id)
    assert item_of(found).current_period_start == START
    assert api.test_helpers.test_clocks.retrieve(clock.id).frozen_time == START


def test_a_clock_does_not_move_the_others(api, sandbox, clock, customer):
    session = api.checkout.sessions.create(plan())
    control.complete(sandbox, session.id)
    other = api.checkout.sessions.retrieve(session.id).subscription
    before = item_of(api.subscriptions.retrieve(other)).current_period_end
    subscribe(api, customer)
    advance(api, clock, START + 40 * DAY)
    assert item_of(api.subscriptions.retrieve(other)).current_period_end == before


def test_a_checkout_of_its_customer_follows_it_too(api, sandbox, clock, customer):
    session = api.checkout.sessions.create(plan(customer=customer.id))
    control.complete(sandbox, session.id)
    id = api.checkout.sessions.retrieve(session.id).subscription
    assert api.subscriptions.retrieve(id).created == START
    advance(api, clock, START + 40 * DAY)
    assert [invoice.status for invoice in invoices_of(api, id)] == ["paid", "paid"]


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (START, "must be after"),
        (START - DAY, "must be after"),
        (end_of_period(START, MONTHLY, 2) + 1, "at most two intervals"),
    ],
)
def test_it_moves_forward_by_two_intervals_at_most(api, clock, customer, moment, reason):
    subscribe(api, customer)
    with pytest.raises(stripe.InvalidRequestError, match=reason) as caught:
        api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": moment})
    assert caught.value.param == "frozen_time"


def test_two_intervals_are_allowed_and_both_happen(api, clock, customer):
    subscription = subscribe(api, customer)
    advance(api, clock, end_of_period(START, MONTHLY, 2))
    found = [invoice.status for invoice in invoices_of(api, subscription.id)]
    assert found == ["paid", "paid", "draft"]


def test_deleting_it_ends_what_lived_by_it(api, sandbox, clock, customer):
    subscription = subscribe(api, customer)
    api.test_helpers.test_clocks.delete(clock.id)
    assert api.customers.retrieve(customer.id).deleted
    assert api.subscriptions.retrieve(subscription.id).status == "canceled"
    assert api.test_helpers.test_clocks.list().data == []
    assert types(told(sandbox, "test_helpers"))[-1] == "test_helpers.test_clock.deleted"

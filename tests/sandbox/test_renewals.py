"""The life of a subscription when time passes: renewals, trials, refusals, pauses and ends."""

import itertools

import pytest

from storefront.sandbox import control
from storefront.sandbox.core import DAY
from storefront.sandbox.periods import end_of_period, next_end
from tests.sandbox.lives import (
    HOUR,
    MONTH,
    buy,
    daily,
    invoices_of,
    item_of,
    pass_time,
    told,
    types,
)
from tests.sandbox.orders import form, order

MONTHLY = {"interval": "month", "interval_count": 1}


def test_a_renewal_is_drafted_at_the_period_s_end_and_paid_an_hour_later(api, sandbox):
    subscription = buy(api, sandbox)
    end = item_of(subscription).current_period_end
    before = len(told(sandbox))

    pass_time(sandbox, MONTH)

    renewed = api.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    item, invoice = item_of(renewed), renewed.latest_invoice
    assert (renewed.status, item.current_period_start) == ("active", end)
    assert item.current_period_end == end_of_period(subscription.billing_cycle_anchor, MONTHLY, 2)
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_cycle")
    assert (invoice.amount_paid, invoice.lines.data[0].period.start) == (900, end)
    events = told(sandbox, since=before)
    assert types(events) == [
        "invoice.created",
        "customer.subscription.updated",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    assert [event["created"] for event in events] == [end] * 2 + [end + HOUR] * 7
    previous = events[1]["data"]["previous_attributes"]
    assert set(previous) == {"items", "latest_invoice"}
    assert previous["items"]["data"][0]["current_period_end"] == end


def test_a_year_renews_twelve_times_each_at_its_own_moment(api, sandbox):
    subscription = buy(api, sandbox)
    anchor = subscription.billing_cycle_anchor
    pass_time(sandbox, 366 * DAY)

    found = invoices_of(api, subscription.id)

    assert [invoice.status for invoice in found] == ["paid"] * 13
    starts = [end_of_period(anchor, MONTHLY, number) for number in range(1, 13)]
    assert [invoice.created for invoice in found[1:]] == starts
    assert len({invoice.number for invoice in found}) == 13
    times = [event["created"] for event in told(sandbox)]
    assert times == sorted(times)


def test_two_subscriptions_take_turns(api, sandbox):
    first, second = daily(api, sandbox), daily(api, sandbox)
    pass_time(sandbox, 3 * DAY)
    updated = told(sandbox, "customer.subscription.updated")
    ids = [event["data"]["object"]["id"] for event in updated]
    assert ids == [first.id, second.id] * 3


@pytest.mark.parametrize(
    ("end", "status", "reason"),
    [
        ("canceled", "canceled", "payment_failed"),
        ("unpaid", "unpaid", None),
        ("past_due", "past_due", None),
    ],
)
def test_an_invoice_nobody_pays_is_tried_four_times(api, sandbox, end, status, reason):
    control.set_switches(sandbox, after_last_retry=end)
    subscription = buy(api, sandbox, "pm_card_chargeCustomerFail")
    due = item_of(subscription).current_period_end + HOUR

    pass_time(sandbox, MONTH)
    behind = api.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    invoice = behind.latest_invoice
    assert (behind.status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    assert invoice.next_payment_attempt == due + 3 * DAY
    pass_time(sandbox, 20 * DAY)

    failed = told(sandbox, "invoice.payment_failed")
    days = [(event["created"] - due) // DAY for event in failed]
    assert (days, failed[-1]["data"]["object"]["next_payment_attempt"]) == ([0, 3, 8, 15], None)
    ended = api.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.cancellation_details.reason) == (status, reason)
    intents = told(sandbox, "payment_intent.payment_failed")
    assert len({event["data"]["object"]["id"] for event in intents}) == 1
    assert len(intents) == 4
    pass_time(sandbox, MONTH)
    later = [invoice.status for invoice in invoices_of(api, subscription.id)[2:]]
    assert later == {"canceled": [], "unpaid": ["draft"], "past_due": ["open"]}[end]


def test_a_better_card_brings_it_back(api, sandbox):
    subscription = buy(api, sandbox, "pm_card_chargeCustomerFail")
    pass_time(sandbox, MONTH)

    control.change_card(sandbox, subscription.id, "pm_card_visa")
    pass_time(sandbox, 3 * DAY)

    back = api.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (back.status, back.latest_invoice.status) == ("active", "paid")
    statuses = [event["data"]["previous_attributes"].get("status") for event in _updates(sandbox)]
    assert [status for status in statuses if status] == ["active", "past_due"]


def test_a_card_that_asks_the_absent_buyer_is_told_as_such(api, sandbox):
    subscription = buy(api, sandbox)
    control.change_card(sandbox, subscription.id, "pm_card_authenticationRequired")
    pass_time(sandbox, MONTH)
    assert told(sandbox, "invoice.payment_action_required")
    assert api.subscriptions.retrieve(subscription.id).status == "past_due"


def test_it_ends_with_its_period_when_that_was_asked(api, sandbox):
    subscription = buy(api, sandbox)
    api.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    end = item_of(subscription).current_period_end

    pass_time(sandbox, MONTH)

    ended = api.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", end)
    assert ended.canceled_at < end
    assert len(invoices_of(api, subscription.id)) == 1
    assert [event["created"] for event in told(sandbox, "customer.subscription.deleted")] == [end]


def test_a_trial_is_spoken_of_three_days_before_it_turns_into_a_paid_time(api, sandbox):
    subscription = buy(api, sandbox, days=14)
    assert subscription.status == "trialing"

    pass_time(sandbox, 14 * DAY + 2 * HOUR)

    warnings = told(sandbox, "customer.subscription.trial_will_end")
    assert [event["created"] for event in warnings] == [subscription.trial_end - 3 * DAY]
    paying = api.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (paying.status, paying.latest_invoice.amount_paid) == ("active", 900)
    assert paying.latest_invoice.created == subscription.trial_end
    first = end_of_period(subscription.trial_end, MONTHLY)
    assert item_of(paying).current_period_end == first


def test_a_short_trial_is_spoken_of_at_once(api, sandbox):
    subscription = buy(api, sandbox, days=2)
    pass_time(sandbox, 1)
    warnings = told(sandbox, "customer.subscription.trial_will_end")
    assert [event["created"] for event in warnings] == [subscription.trial_start]


@pytest.mark.parametrize(
    ("behavior", "status", "event"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "invoice.payment_failed"),
    ],
)
def test_a_trial_without_a_card_ends_as_it_was_arranged(api, sandbox, behavior, status, event):
    end = {"end_behavior": {"missing_payment_method": behavior}}
    data = {"trial_period_days": 7, "trial_settings": end}
    subscription = buy(
        api, sandbox, payment_method_collection="if_required", subscription_data=data
    )
    pass_time(sandbox, 7 * DAY + 2 * HOUR)
    assert api.subscriptions.retrieve(subscription.id).status == status
    assert told(sandbox, event)


def test_a_paused_subscription_goes_on_when_there_is_a_card(api, sandbox):
    data = {
        "trial_period_days": 1,
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
    }
    id = buy(api, sandbox, payment_method_collection="if_required", subscription_data=data).id
    pass_time(sandbox, MONTH)
    control.change_card(sandbox, id, "pm_card_visa")

    resumed = api.subscriptions.resume(id, {"billing_cycle_anchor": "now"})

    assert resumed.status == "active"
    assert [invoice.status for invoice in invoices_of(api, id)] == ["paid", "paid"]
    assert told(sandbox, "customer.subscription.resumed")


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")],
)
def test_a_pause_in_collecting_passes_by_itself(api, sandbox, behavior, status):
    subscription = buy(api, sandbox)
    until = item_of(subscription).current_period_end + 2 * DAY
    pause = {"behavior": behavior, "resumes_at": until}
    api.subscriptions.update(subscription.id, {"pause_collection": pause})

    pass_time(sandbox, 2 * MONTH)

    assert api.subscriptions.retrieve(subscription.id).pause_collection is None
    assert [invoice.status for invoice in invoices_of(api, subscription.id)] == [
        "paid",
        status,
        "paid",
    ]


def test_a_bank_debit_keeps_a_renewal_open_until_the_bank_answers(api, sandbox):
    subscription = buy(api, sandbox)
    control.change_card(sandbox, subscription.id, "LU440019400644750003")
    pass_time(sandbox, item_of(subscription).current_period_end - pass_time(sandbox, 0) + HOUR + 60)
    invoice = invoices_of(api, subscription.id)[-1]
    assert (invoice.status, invoice.attempt_count) == ("open", 0)

    pass_time(sandbox, 180)

    assert api.invoices.retrieve(invoice.id).status == "paid"


@pytest.mark.parametrize(
    ("account", "seconds", "payment_status", "event"),
    [
        ("bank_debit", 5 * DAY, "paid", "succeeded"),
        ("GB82WEST12345698765432", 30, "paid", "succeeded"),
        ("LU440019400644750003", 180, "paid", "succeeded"),
        ("LU980019400644750001", 30, "unpaid", "failed"),
    ],
)
def test_a_delayed_payment_is_decided_by_itself(
    api, sandbox, account, seconds, payment_status, event
):
    session = api.checkout.sessions.create(order())
    control.complete(sandbox, session.id, account)
    begun = told(sandbox, "payment_intent.processing")[0]["created"]

    pass_time(sandbox, seconds - 5)
    assert told(sandbox, "checkout.session.async") == []
    pass_time(sandbox, 10)

    (answer,) = told(sandbox, "checkout.session.async")
    assert answer["type"] == f"checkout.session.async_payment_{event}"
    assert answer["created"] == begun + seconds
    assert api.checkout.sessions.retrieve(session.id).payment_status == payment_status
    pass_time(sandbox, 10 * DAY)
    assert len(told(sandbox, "checkout.session.async")) == 1


def test_a_session_is_answered_once_however_often_its_invoice_is_tried(api, sandbox):
    subscription = buy(api, sandbox, "LU980019400644750001")
    pass_time(sandbox, 20 * DAY)
    assert len(told(sandbox, "invoice.payment_failed")) == 4
    assert len(told(sandbox, "checkout.session.async")) == 1
    assert api.subscriptions.retrieve(subscription.id).status == "canceled"


def test_an_account_that_complains_does_so_when_it_has_paid(api, sandbox):
    session = api.checkout.sessions.create(order())
    control.complete(sandbox, session.id, "LU710019400644750002")
    assert told(sandbox, "charge.dispute") == []
    pass_time(sandbox, 31)
    (paid,), (dispute,) = told(sandbox, "charge.succeeded"), told(sandbox, "charge.dispute.created")
    assert dispute["created"] == paid["created"]


def test_a_buyer_chooses_a_test_account_on_the_hosted_page(api, browser, sandbox):
    session = api.checkout.sessions.create(order())
    assert "LU980019400644750001" in browser.get(f"/pay/{session.id}").text
    wrong = form(method="bank_debit", account="DE00")
    assert browser.post(f"/pay/{session.id}", data=wrong).status_code == 422
    right = form(method="bank_debit", account="LU980019400644750001")
    assert browser.post(f"/pay/{session.id}", data=right).status_code == 303
    pass_time(sandbox, 31)
    assert types(told(sandbox, "checkout.session"))[-1] == "checkout.session.async_payment_failed"


@pytest.mark.parametrize("interval", ["day", "week", "month", "year"])
@pytest.mark.parametrize("count", [1, 3])
def test_periods_follow_each_other_without_gap_from_any_anchor(interval, count):
    recurring = {"interval": interval, "interval_count": count}
    anchor = 1_801_353_600  # 31 January 2027
    ends = list(
        itertools.accumulate(
            range(30), lambda end, _: next_end(anchor, recurring, end), initial=anchor
        )
    )
    assert ends[1:] == [end_of_period(anchor, recurring, number) for number in range(1, 31)]


def _updates(sandbox):
    return told(sandbox, "customer.subscription.updated")

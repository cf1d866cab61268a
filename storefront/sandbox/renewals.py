"""The life of a subscription: trial, warning, renewal, pause, and the end that was asked for."""

import copy

from storefront.sandbox import collecting, invoices, subscriptions
from storefront.sandbox.outbox import emit
from storefront.sandbox.periods import next_end
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.timekeeping import when_due


@when_due(subscriptions.TYPE)
def carry_on(tx: Tx, subscription: Stored) -> None:
    """Let the first thing happen that has fallen due; the next one comes in its turn."""
    status = subscription["status"]
    pause = subscription["pause_collection"] or {}
    if status in subscriptions.ENDED:
        return
    if status == "incomplete":
        _expire_incomplete(tx, subscription)
    elif _is_due(tx, subscription["cancel_at"]):
        subscriptions.cancel(tx, subscription)
    elif _is_due(tx, pause.get("resumes_at")):
        subscriptions.set_status(tx, subscription, status, pause_collection=None)
    elif status == "trialing" and tx.now < subscription["trial_end"]:
        _warn(tx, subscription)
    elif status == "trialing":
        _end_trial(tx, subscription)
    elif _is_due(tx, subscriptions.period_end(subscription)):
        renew(tx, subscription)
    else:
        subscriptions.schedule(subscription)
        tx.save(subscription)


def renew(tx: Tx, subscription: Stored) -> Stored:
    """Begin the period that follows, and draft its invoice; return that."""
    before = copy.deepcopy(dict(subscription))
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    anchor = subscription["billing_cycle_anchor"]
    for item in subscription["items"]["data"]:
        start = item["current_period_end"]
        item["current_period_start"] = start
        item["current_period_end"] = next_end(anchor, item["price"]["recurring"], start)
    invoice = invoices.draft(tx, subscription, "subscription_cycle")
    subscriptions.save(tx, subscription, before)
    if subscription["status"] == "unpaid":
        invoices.leave(tx, invoice)
    return invoice


def resume(tx: Tx, subscription: Stored) -> Stored:
    """Let a paused subscription go on with a new period; its invoice is charged at once."""
    before = copy.deepcopy(dict(subscription))
    subscription["billing_cycle_anchor"] = tx.now
    for item in subscription["items"]["data"]:
        item["current_period_start"] = tx.now
        item["current_period_end"] = next_end(tx.now, item["price"]["recurring"], tx.now)
    subscription["status"] = "active"
    invoice = invoices.draft(tx, subscription, "subscription_update")
    subscriptions.save(tx, subscription, before)
    emit(tx, "customer.subscription.resumed", subscription)
    invoices.finalize(tx, invoice)
    collecting.collect(tx, invoice)
    return tx.get(subscriptions.TYPE, subscription["id"])


def end_trial(tx: Tx, subscription: Stored) -> Stored:
    """End a trial before its time; what it leads to is charged at once."""
    before = copy.deepcopy(dict(subscription))
    subscription["trial_end"] = subscription["billing_cycle_anchor"] = tx.now
    for item in subscription["items"]["data"]:
        item["current_period_end"] = tx.now
    subscriptions.save(tx, subscription, before)
    invoice = _end_trial(tx, subscription)
    if invoice is not None:
        invoices.finalize(tx, invoice)
        collecting.collect(tx, invoice)
    return tx.get(subscriptions.TYPE, subscription["id"])


def _is_due(tx: Tx, moment: int | None) -> bool:
    return moment is not None and moment <= tx.now


def _warn(tx: Tx, subscription: Stored) -> None:
    subscription.hidden["warned"] = True
    subscriptions.schedule(subscription)
    tx.save(subscription)
    emit(tx, "customer.subscription.trial_will_end", subscription)


def _end_trial(tx: Tx, subscription: Stored) -> Stored | None:
    """Begin the paid time and return the draft that bills it.

    None where there is nothing to pay with and that was to end or pause the subscription.
    """
    customer = tx.get("customer", subscription["customer"])
    stored = customer["invoice_settings"]["default_payment_method"]
    if not subscription["default_payment_method"] and not stored:
        behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if behavior == "cancel":
            subscriptions.cancel(tx, subscription)
            return None
        if behavior == "pause":
            subscriptions.set_status(tx, subscription, "paused")
            emit(tx, "customer.subscription.paused", subscription)
            return None
    return renew(tx, subscription)


def _expire_incomplete(tx: Tx, subscription: Stored) -> None:
    subscriptions.set_status(tx, subscription, "incomplete_expired", ended_at=tx.now)
    invoice = tx.get(invoices.TYPE, subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoices.give_up(tx, invoice, "void")

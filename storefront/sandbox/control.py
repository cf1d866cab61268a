"""What a person or a test may do to the sandbox: faults, switches, bank answers, time, reset."""

from dataclasses import asdict
from typing import Any

from flask import Flask

from storefront.sandbox import (
    cards,
    chaos,
    checkout,
    clock,
    confirm,
    delayed,
    deliveries,
    disputes,
    faults,
    methods,
    oddities,
    outbox,
    refunds,
    sessions,
    subscriptions,
    switches,
    test_clocks,
    timekeeping,
    webhooks,
)
from storefront.sandbox.core import DAY, state
from storefront.sandbox.params import Text
from storefront.sandbox.schema import TABLES
from storefront.sandbox.store import Stored, Tx


def inject_fault(
    app: Flask, fault: str, count: int = 1, path: str = "", seconds: float = 0.0
) -> None:
    """Let the next `count` API calls under `path` fail; raise ApiError for an unknown fault."""
    with state(app).store.write() as tx:
        faults.inject(tx, fault, count, path, seconds)


def set_switches(app: Flask, **changes: Any) -> dict[str, Any]:
    """Move switches (see switches.DEFAULTS) and return the position of all."""
    with state(app).store.write() as tx:
        switches.write(tx, **changes)
        tx.emitted = True
        return switches.read(tx)


def read_switches(app: Flask) -> dict[str, Any]:
    """Return the position of every switch."""
    with state(app).store.read() as tx:
        return switches.read(tx)


def set_chaos(app: Flask, **positions: Any) -> dict[str, Any]:
    """Turn the chaos dial (see chaos.Dial); what is not named is off, and draws begin anew."""
    with state(app).store.write() as tx:
        dial = chaos.write(tx, faults.KINDS, positions)
        tx.emitted = True
        return asdict(dial)


def read_chaos(app: Flask) -> dict[str, Any]:
    """Return where the chaos dial stands."""
    with state(app).store.read() as tx:
        return asdict(chaos.read(tx))


def deliver_now(app: Flask) -> int:
    """Send all that waits, whatever it waits for; return how many deliveries were tried."""
    with state(app).store.write() as tx:
        deliveries.hurry(tx)
    total = 0
    while sent := deliveries.run_due(app):
        total += sent
    return total


def roll_secret(app: Flask, endpoint: str, keep: int = DAY, secret: str | None = None) -> str:
    """Give an endpoint a new secret; for `keep` seconds both it and the old one sign."""
    with state(app).store.write() as tx:
        return webhooks.roll_secret(tx, tx.get(webhooks.TYPE, endpoint), keep, secret)


def send_odd_event(app: Flask, kind: str) -> Stored:
    """Emit an event that no shop expects (see oddities.KINDS) and return it."""
    with state(app).store.write() as tx:
        return oddities.send(tx, kind)


def emit_event(app: Flask, type: str, obj: dict[str, Any]) -> Stored:
    """Emit an event of any type about any object, true or not, and return it."""
    webhooks.check_events([type])
    with state(app).store.write() as tx:
        return outbox.emit(tx, type, obj)


def complete(
    app: Flask,
    session_id: str,
    payment_method: str = "pm_card_visa",
    buyer: checkout.Buyer | None = None,
) -> checkout.Outcome:
    """Pay a session as the hosted page would, webhook included; raise ApiError if not open."""
    with state(app).store.read() as tx:
        currency = tx.get(sessions.TYPE, session_id)["currency"]
    means = cards.by_payment_method(payment_method, currency)
    default = checkout.Buyer("buyer@example.com", "Sandbox Buyer")
    return confirm.pay(app, session_id, buyer or default, means)


def settle_payment(app: Flask, id: str) -> Stored:
    """Let the bank confirm the delayed payment of an intent or session; return the session."""
    with state(app).store.write() as tx:
        return delayed.settle(tx, _find_intent(tx, id))


def fail_payment(app: Flask, id: str) -> Stored:
    """Let the bank refuse the delayed payment of an intent or session; return the session."""
    with state(app).store.write() as tx:
        return delayed.fail(tx, _find_intent(tx, id))


def refund(app: Flask, id: str, amount: int | None = None, reason: str | None = None) -> Stored:
    """Refund the payment of a session, intent or charge as a merchant would in the dashboard."""
    with state(app).store.write() as tx:
        params: dict[str, Any] = {} if amount is None else {"amount": amount}
        if reason:
            params["reason"] = Text(refunds.REASONS).read(reason, "reason")
        return refunds.create(tx, _find_charge(tx, id), params)


def settle_refund(app: Flask, id: str) -> Stored:
    """Let the bank carry out a pending refund."""
    with state(app).store.write() as tx:
        return refunds.settle(tx, tx.get(refunds.TYPE, id))


def fail_refund(app: Flask, id: str) -> Stored:
    """Let the bank send a refund back, pending or carried out."""
    with state(app).store.write() as tx:
        return refunds.fail(tx, tx.get(refunds.TYPE, id))


def dispute(app: Flask, id: str, reason: str = "fraudulent", inquiry: bool = False) -> Stored:
    """Let the buyer's bank dispute the payment of a session, intent or charge, or inquire."""
    Text(disputes.REASONS).read(reason, "reason")
    with state(app).store.write() as tx:
        return disputes.begin(tx, _find_charge(tx, id), reason, inquiry=inquiry)


def escalate_dispute(app: Flask, id: str) -> Stored:
    """Let the bank turn its inquiry into a chargeback."""
    with state(app).store.write() as tx:
        return disputes.escalate(tx, tx.get("dispute", id))


def close_dispute(app: Flask, id: str, won: bool) -> Stored:
    """Let the bank decide a dispute; an inquiry is closed either way."""
    with state(app).store.write() as tx:
        return disputes.close(tx, tx.get("dispute", id), won=won)


def expire_session(app: Flask, id: str) -> Stored:
    """End an open session before its time; raise ApiError when it is not open."""
    with state(app).store.write() as tx:
        session = tx.get(sessions.TYPE, id)
        checkout.refuse_closed(session)
        return sessions.expire(tx, session)


def cancel_subscription(app: Flask, id: str) -> Stored:
    """End a subscription at once, as a merchant would in Stripe's dashboard."""
    with state(app).store.write() as tx:
        subscription = tx.get(subscriptions.TYPE, id)
        with test_clocks.following(tx, subscription):
            return subscriptions.cancel(tx, subscription)


def resend_event(app: Flask, event: str, endpoint: str | None = None) -> int:
    """Queue an event once more; return how many deliveries that makes."""
    with state(app).store.write() as tx:
        return deliveries.resend(tx, event, endpoint)


def list_deliveries(app: Flask, limit: int = 100) -> list[dict[str, Any]]:
    """Return the latest deliveries, newest first."""
    with state(app).store.read() as tx:
        return deliveries.list_recent(tx, limit)


def end_with_period(app: Flask, id: str, end: bool = True) -> Stored:
    """Let a subscription end with its present period, or, after all, go on."""
    with state(app).store.write() as tx:
        subscription = tx.get(subscriptions.TYPE, id)
        with test_clocks.following(tx, subscription):
            return subscriptions.update(tx, subscription, {"cancel_at_period_end": end})


def change_card(app: Flask, id: str, payment_method: str) -> Stored:
    """Let a subscriber's next renewals be charged to another test card or account."""
    with state(app).store.write() as tx:
        subscription = tx.get(subscriptions.TYPE, id)
        customer = tx.get("customer", subscription["customer"])
        with test_clocks.following(tx, subscription):
            currency = subscription["currency"]
            method = methods.find_or_make(tx, payment_method, customer, "payment_method", currency)
            changes = {"default_payment_method": method["id"]}
            return subscriptions.update(tx, subscription, changes)


def advance(app: Flask, by: str) -> int:
    """Move the sandbox's time forward by a span such as `30d`, `1 month`; return the new time."""
    with state(app).store.read() as tx:
        seconds = clock.read_span(by, tx.now)
    return advance_clock(app, seconds)


def advance_clock(app: Flask, seconds: int) -> int:
    """Move the sandbox's time forward, let happen what falls due, and return the new time."""
    sandbox = state(app)
    with sandbox.store.write() as tx:
        clock.advance(tx.connection, seconds)
    timekeeping.sweep(sandbox.store)
    sandbox.store.notify()
    with sandbox.store.read() as tx:
        return tx.now


def reset(app: Flask, *, keep_endpoints: bool = True) -> None:
    """Forget everything, except, unless told otherwise, where webhooks go."""
    with state(app).store.write() as tx:
        endpoints = tx.select("type = ?", ("webhook_endpoint",)) if keep_endpoints else []
        for table in TABLES:
            tx.connection.execute(f"DELETE FROM {table}")
        tx.connection.execute("INSERT INTO clock (id, ahead) VALUES (1, 0)")
        for endpoint in endpoints:
            tx.add(endpoint)


def _find_charge(tx: Tx, id: str) -> Stored:
    if id.startswith("ch_"):
        return tx.get("charge", id)
    return refunds.charge_of_intent(tx, _find_intent(tx, id))


def _find_intent(tx: Tx, id: str) -> Stored:
    """Return the PaymentIntent of this id, or the one that pays the session of this id."""
    if not id.startswith("cs_"):
        return tx.get("payment_intent", id)
    found = [
        intent
        for intent in tx.select("type = 'payment_intent'", ())
        if intent.hidden.get("session") == id
    ]
    return found[-1] if found else tx.get("payment_intent", id)

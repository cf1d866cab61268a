"""One press on Pay: the transaction, the awaited webhook, and then the buyer may go on."""

from collections.abc import Callable

from flask import Flask

from storefront.sandbox import checkout, deliveries, sessions, timekeeping
from storefront.sandbox.checkout import Buyer, Completed, Means, Outcome
from storefront.sandbox.core import state
from storefront.sandbox.store import Stored, Tx


def pay(app: Flask, session_id: str, buyer: Buyer, means: Means) -> Outcome:
    """Try to finish a session; return when the shop took checkout.session.completed or time is up.

    Raises ApiError when the session is unknown or not open any more: of two tabs one wins.
    """
    return _finish(app, session_id, lambda tx, session: checkout.pay(tx, session, buyer, means))


def authenticate(app: Flask, session_id: str, token: str, *, passed: bool) -> Outcome:
    """Go on after the 3-D Secure page, as `pay` does."""
    return _finish(
        app,
        session_id,
        lambda tx, session: checkout.authenticate(tx, session, token, passed=passed),
    )


def choose_shipping(app: Flask, session_id: str, rate: str | None) -> None:
    """Take one of the shipping rates of an open session."""
    with state(app).store.write() as tx:
        session = tx.get(sessions.TYPE, session_id)
        if session["status"] == "open" and rate:
            sessions.choose_shipping(session, rate)
            tx.save(session)


def _finish(app: Flask, session_id: str, step: Callable[[Tx, Stored], Outcome]) -> Outcome:
    sandbox = state(app)
    timekeeping.sweep(sandbox.store)
    parcels = []
    with sandbox.store.write() as tx:
        outcome = step(tx, tx.get(sessions.TYPE, session_id))
        if isinstance(outcome, Completed):
            parcels = deliveries.claim_event(tx, outcome.event["id"])
        # The courier is woken below: the shop hears of the session first.
        tx.emitted = False
    for parcel in parcels:
        deliveries.send(sandbox, parcel)
    sandbox.store.notify()
    return outcome

"""Events that a shop did not expect and must live with: unknown, of others, or by mistake."""

from collections.abc import Callable
from typing import Any

from storefront.sandbox import cards, checkout, outbox, payments, sessions
from storefront.sandbox.errors import invalid
from storefront.sandbox.ids import new_id
from storefront.sandbox.store import Stored, Tx

OTHER_ACCOUNT = "acct_somebody0else000"
EMAIL = "stranger@example.com"


def send(tx: Tx, kind: str) -> Stored:
    """Emit an event of one of the KINDS and return it; raise ApiError for an unknown kind."""
    if kind not in KINDS:
        raise invalid(f"kind is one of {', '.join(KINDS)}", "kind")
    return KINDS[kind](tx)


def unknown_type(tx: Tx) -> Stored:
    """Tell of something that did not exist when the shop was written."""
    obj = {"id": new_id("gal"), "object": "galaxy", "created": tx.now, "livemode": False}
    return outbox.emit(tx, "galaxy.expanded", obj)


def foreign_session(tx: Tx) -> Stored:
    """Tell of a paid session that another program opened on the same account."""
    outcome = checkout.pay(tx, _open_foreign(tx), _stranger(), cards.BY_PAYMENT_METHOD[VISA])
    assert isinstance(outcome, checkout.Completed)
    return outcome.event


def foreign_payment(tx: Tx) -> Stored:
    """Tell of a payment that no session led to."""
    data = {"description": "Not from this shop", "receipt_email": EMAIL}
    intent = payments.create_intent(tx, 1900, "usd", data, ["card"])
    method = payments.create_method(tx, cards.BY_PAYMENT_METHOD[VISA], {"email": EMAIL}, None)
    payments.succeed(tx, intent, method)
    return _latest(tx)


def foreign_account(tx: Tx) -> Stored:
    """Tell of a session on another account, which this one's key cannot retrieve."""
    return _tell_of_stranger(tx, account=OTHER_ACCOUNT)


def live_mode(tx: Tx) -> Stored:
    """Tell of a session that was paid with real money, though all this is a test."""
    return _tell_of_stranger(tx, livemode=True)


VISA = "pm_card_visa"
KINDS: dict[str, Callable[[Tx], Stored]] = {
    "unknown_type": unknown_type,
    "foreign_session": foreign_session,
    "foreign_payment": foreign_payment,
    "foreign_account": foreign_account,
    "live_mode": live_mode,
}


def _tell_of_stranger(tx: Tx, *, account: str | None = None, livemode: bool = False) -> Stored:
    """Emit the completion of a session that is in nobody's books."""
    session = Stored(dict(_open_foreign(tx)))
    tx.delete(session)
    session.update(
        id=new_id("cs_live" if livemode else "cs_test"),
        livemode=livemode,
        payment_status="paid",
        status="complete",
        url=None,
    )
    event = outbox.emit(tx, "checkout.session.completed", session)
    event["livemode"] = livemode
    if account:
        event["account"] = account
    return tx.save(event)


def _open_foreign(tx: Tx) -> Stored:
    price: dict[str, Any] = {
        "currency": "usd",
        "product_data": {"name": "Somebody else's goods"},
        "unit_amount": 1900,
    }
    params = {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "client_reference_id": "not-from-this-shop",
        "success_url": "http://127.0.0.1/elsewhere",
        "metadata": {"program": "another"},
    }
    return sessions.create(tx, params, "http://127.0.0.1/sandbox")


def _stranger() -> checkout.Buyer:
    return checkout.Buyer(EMAIL, "Stran Ger")


def _latest(tx: Tx) -> Stored:
    return tx.select("type = 'event'", (), "ORDER BY seq DESC LIMIT 1")[0]

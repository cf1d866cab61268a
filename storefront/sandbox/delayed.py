"""Payments that a bank decides about later: by itself when its time has come, or by a button."""

from storefront.sandbox import collecting, payments, sessions
from storefront.sandbox.cards import DEBIT_FAILED, BankDebit, Decline
from storefront.sandbox.errors import invalid
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.timekeeping import when_due


@when_due("payment_intent")
def answer_when_due(tx: Tx, intent: Stored) -> None:
    """Let the bank say what its test account stands for, unless somebody was quicker."""
    if intent["status"] != "processing":
        return
    method = tx.get("payment_method", intent["payment_method"])
    means = payments.means_of(method, intent["currency"])
    decline = means.decline if isinstance(means, BankDebit) else None
    if decline is None:
        settle(tx, intent)
    else:
        fail(tx, intent, decline)


def settle(tx: Tx, intent: Stored) -> Stored:
    """Let the bank confirm a payment; return its session, or the intent where there is none."""
    _refuse_decided(intent)
    payments.settle(tx, intent)
    _tell_invoice(tx, intent, paid=True)
    session = _session_of(tx, intent)
    if session is None:
        return intent
    session["payment_status"] = "paid"
    session.hidden["answered"] = True
    tx.save(session)
    emit(tx, "checkout.session.async_payment_succeeded", session)
    return session


def fail(tx: Tx, intent: Stored, decline: Decline = DEBIT_FAILED) -> Stored:
    """Let the bank refuse a payment; return its session, or the intent where there is none."""
    _refuse_decided(intent)
    payments.fail_later(tx, intent, decline)
    _tell_invoice(tx, intent, paid=False)
    session = _session_of(tx, intent)
    if session is None:
        return intent
    session.hidden["answered"] = True
    tx.save(session)
    emit(tx, "checkout.session.async_payment_failed", session)
    return session


def _tell_invoice(tx: Tx, intent: Stored, *, paid: bool) -> None:
    """Carry the bank's answer on to the invoice that the intent pays, and its subscription."""
    invoice = tx.find("invoice", intent.hidden.get("invoice"))
    if invoice is not None and invoice["status"] == "open":
        (collecting.take if paid else collecting.refuse)(tx, invoice)


def _session_of(tx: Tx, intent: Stored) -> Stored | None:
    """Return the session that waits for an intent; one that has had its answer waits no more."""
    session = tx.find(sessions.TYPE, intent.hidden.get("session"))
    return session if session and not session.hidden.get("answered") else None


def _refuse_decided(intent: Stored) -> None:
    if intent["status"] != "processing":
        raise invalid(
            f"This PaymentIntent's status is `{intent['status']}`; only a `processing` one waits "
            "for its bank.",
            "payment_intent",
        )

"""Refunds and disputes from the control page and as JSON: what happens at Stripe, not in a shop."""

from typing import Any

from flask import Blueprint, current_app, request

from storefront.sandbox import control, money
from storefront.sandbox.control_answers import Answer, done, given, refuse_remote
from storefront.sandbox.core import state
from storefront.sandbox.errors import invalid

bp = Blueprint("money_back", __name__)
bp.before_request(refuse_remote)


@bp.post("/control/refunds")
def refund() -> Answer:
    """Refund a payment; a program names minor units."""
    sent = given()
    reason = str(sent.get("reason") or "") or None
    made = control.refund(current_app, str(sent.get("payment", "")), _amount(sent), reason)
    return done(dict(made))


@bp.post("/control/refunds/<id>/settle")
def settle_refund(id: str) -> Answer:
    """Let the bank carry out a pending refund."""
    return done(dict(control.settle_refund(current_app, id)))


@bp.post("/control/refunds/<id>/fail")
def fail_refund(id: str) -> Answer:
    """Let the bank send a refund back."""
    return done(dict(control.fail_refund(current_app, id)))


@bp.post("/control/disputes")
def dispute() -> Answer:
    """Let the buyer's bank dispute a payment, or inquire after it."""
    sent = given()
    payment, reason = str(sent.get("payment", "")), str(sent.get("reason") or "fraudulent")
    begun = control.dispute(current_app, payment, reason, _truth(sent, "inquiry"))
    return done(dict(begun))


@bp.post("/control/disputes/<id>/escalate")
def escalate_dispute(id: str) -> Answer:
    """Let the bank turn its inquiry into a chargeback."""
    return done(dict(control.escalate_dispute(current_app, id)))


@bp.post("/control/disputes/<id>/close")
def close_dispute(id: str) -> Answer:
    """Let the bank decide a dispute."""
    return done(dict(control.close_dispute(current_app, id, _truth(given(), "won"))))


def _amount(sent: dict[str, Any]) -> int | None:
    """Return minor units: as a program counts, or as a person writes; None means all."""
    if not request.is_json:
        if not sent.get("major"):
            return None
        with state(current_app).store.read() as tx:
            currency = tx.get("payment_intent", sent.get("payment", ""))["currency"]
        return money.read(sent["major"], currency)
    amount = sent.get("amount")
    if amount is not None and type(amount) is not int:
        raise invalid("amount is a whole number of minor units", "amount")
    return amount


def _truth(sent: dict[str, Any], name: str) -> bool:
    """Return a box of a form, or true or false of a program; absent is false."""
    value = sent.get(name, False)
    if request.is_json and type(value) is not bool:
        raise invalid(f"{name} is true or false", name)
    return bool(value)

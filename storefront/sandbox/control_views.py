"""The control page of the sandbox, and the same actions as JSON for tests; on this machine only."""

from flask import Blueprint, current_app, render_template

from storefront.sandbox import (
    chaos,
    control,
    deliveries,
    disputes,
    refunds,
    switches,
)
from storefront.sandbox.control_answers import Answer, done, given, refuse_remote
from storefront.sandbox.core import state
from storefront.sandbox.faults import KINDS

bp = Blueprint("control", __name__)
SHOWN = 15
bp.before_request(refuse_remote)


@bp.get("/")
def page() -> str:
    """Show what happened in the sandbox, and the switches."""
    with state(current_app).store.read() as tx:
        recent = {
            type: tx.select("type = ?", (type,), f"ORDER BY seq DESC LIMIT {SHOWN}")
            for type in (
                "checkout.session",
                "payment_intent",
                "refund",
                "dispute",
                "subscription",
                "event",
            )
        }
        charges = {
            charge["payment_intent"]: charge
            for intent in recent["payment_intent"]
            if (charge := tx.find("charge", intent["latest_charge"]))
        }
        sent = deliveries.list_recent(tx, SHOWN)
        positions = switches.read(tx)
        dial = chaos.read(tx)
        endpoints = tx.select("type = 'webhook_endpoint'", ())
    return render_template(
        "sandbox/control.html",
        recent=recent,
        charges=charges,
        refund_reasons=refunds.REASONS,
        dispute_reasons=disputes.REASONS,
        deliveries=sent,
        switches=positions,
        endpoints=endpoints,
        choices=switches.CHOICES,
        dial=dial,
        faults=KINDS,
        now=tx.now,
    )


@bp.get("/control/deliveries")
def show_deliveries() -> Answer:
    """Return the latest deliveries, newest first."""
    return {"data": control.list_deliveries(current_app)}


@bp.post("/control/run")
def run_due() -> Answer:
    """Send now what is due."""
    return done({"sent": deliveries.run_due(current_app)})


@bp.post("/control/payments/<id>/settle")
def settle(id: str) -> Answer:
    """Let the bank confirm a delayed payment."""
    return done(dict(control.settle_payment(current_app, id)))


@bp.post("/control/payments/<id>/fail")
def fail(id: str) -> Answer:
    """Let the bank refuse a delayed payment."""
    return done(dict(control.fail_payment(current_app, id)))


@bp.post("/control/sessions/<id>/complete")
def complete(id: str) -> Answer:
    """Pay a session without the hosted page."""
    method = str(given().get("payment_method", "pm_card_visa"))
    outcome = control.complete(current_app, id, method)
    return done({"outcome": type(outcome).__name__.lower()})


@bp.post("/control/sessions/<id>/expire")
def expire(id: str) -> Answer:
    """End an open session before its time."""
    return done(dict(control.expire_session(current_app, id)))


@bp.post("/control/events/<id>/resend")
def resend(id: str) -> Answer:
    """Deliver an event once more."""
    return done({"queued": control.resend_event(current_app, id, given().get("endpoint"))})


@bp.post("/control/reset")
def reset() -> Answer:
    """Forget everything but the webhook endpoints."""
    control.reset(current_app)
    return done()

"""The control page of the sandbox, and the same actions as JSON for tests; on this machine only."""

from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from storefront.sandbox import control, deliveries, disputes, refunds, switches
from storefront.sandbox.core import state
from storefront.sandbox.errors import invalid
from storefront.sandbox.faults import KINDS
from storefront.sandbox.transport import is_loopback

bp = Blueprint("control", __name__)
Answer = Response | dict[str, Any]
SHOWN = 15


@bp.before_request
def refuse_remote() -> None:
    """Keep the controls to people and programs on this machine."""
    if not is_loopback(request.remote_addr or ""):
        abort(403, "the sandbox is controlled from its own machine only")


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
        moods=switches.STRIPE_JS,
        faults=KINDS,
        now=tx.now,
    )


@bp.get("/control/state")
def show_state() -> Answer:
    """Return the position of every switch."""
    return control.read_switches(current_app)


@bp.get("/control/deliveries")
def show_deliveries() -> Answer:
    """Return the latest deliveries, newest first."""
    return {"data": control.list_deliveries(current_app)}


@bp.post("/control/faults")
def inject_fault() -> Answer:
    """Let the next calls of the API fail."""
    given = _given()
    control.inject_fault(
        current_app,
        str(given.get("fault", "")),
        _integer(given, "count", 1),
        str(given.get("path", "")),
        float(_integer(given, "seconds", 0)),
    )
    return _done()


@bp.post("/control/switches")
def move_switches() -> Answer:
    """Move switches; a form always carries all of them."""
    changes = request.get_json() if request.is_json else _switches_of_form()
    return _done(control.set_switches(current_app, **changes))


@bp.post("/control/run")
def run_due() -> Answer:
    """Send now what is due."""
    return _done({"sent": deliveries.run_due(current_app)})


@bp.post("/control/advance")
def advance_clock() -> Answer:
    """Move the clock forward."""
    return _done({"now": control.advance_clock(current_app, _integer(_given(), "seconds", 0))})


@bp.post("/control/payments/<id>/settle")
def settle(id: str) -> Answer:
    """Let the bank confirm a delayed payment."""
    return _done(dict(control.settle_payment(current_app, id)))


@bp.post("/control/payments/<id>/fail")
def fail(id: str) -> Answer:
    """Let the bank refuse a delayed payment."""
    return _done(dict(control.fail_payment(current_app, id)))


@bp.post("/control/sessions/<id>/complete")
def complete(id: str) -> Answer:
    """Pay a session without the hosted page."""
    method = str(_given().get("payment_method", "pm_card_visa"))
    outcome = control.complete(current_app, id, method)
    return _done({"outcome": type(outcome).__name__.lower()})


@bp.post("/control/sessions/<id>/expire")
def expire(id: str) -> Answer:
    """End an open session before its time."""
    return _done(dict(control.expire_session(current_app, id)))


@bp.post("/control/subscriptions/<id>/cancel")
def cancel(id: str) -> Answer:
    """End a subscription as the merchant would in Stripe's dashboard."""
    return _done(dict(control.cancel_subscription(current_app, id)))


@bp.post("/control/events/<id>/resend")
def resend(id: str) -> Answer:
    """Deliver an event once more."""
    return _done({"queued": control.resend_event(current_app, id, _given().get("endpoint"))})


@bp.post("/control/reset")
def reset() -> Answer:
    """Forget everything but the webhook endpoints."""
    control.reset(current_app)
    return _done()


def _given() -> dict[str, Any]:
    given = request.get_json() if request.is_json else request.form.to_dict()
    if not isinstance(given, dict):
        raise invalid("Send a JSON object.")
    return given


def _integer(given: dict[str, Any], name: str, default: int) -> int:
    try:
        return int(given.get(name, default))
    except (TypeError, ValueError) as error:
        raise invalid(f"{name} is a whole number", name) from error


def _switches_of_form() -> dict[str, Any]:
    form = request.form
    return {
        "stripe_js": form.get("stripe_js", "ok"),
        "paused": "paused" in form,
        "duplicate": "duplicate" in form,
        "reverse": "reverse" in form,
        "drop": _integer(form.to_dict(), "drop", 0),
        "hold": form.get("hold", "").replace(",", " ").split(),
    }


def _done(result: dict[str, Any] | None = None) -> Answer:
    if request.is_json:
        return result or {}
    return redirect(url_for("control.page"), 303)

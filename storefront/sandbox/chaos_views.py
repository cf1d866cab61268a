"""What goes wrong on order, from the control page and as JSON for tests."""

from typing import Any

from flask import Blueprint, current_app, request

from storefront.sandbox import chaos, control, switches
from storefront.sandbox.control_answers import Answer, done, given, integer, refuse_remote
from storefront.sandbox.core import DAY
from storefront.sandbox.errors import invalid

bp = Blueprint("chaos", __name__)
bp.before_request(refuse_remote)


@bp.get("/control/state")
def show_state() -> Answer:
    """Return the position of every switch."""
    return control.read_switches(current_app)


@bp.post("/control/faults")
def inject_fault() -> Answer:
    """Let the next calls of the API fail."""
    sent = given()
    control.inject_fault(
        current_app,
        str(sent.get("fault", "")),
        integer(sent, "count", 1),
        str(sent.get("path", "")),
        float(integer(sent, "seconds", 0)),
    )
    return done()


@bp.post("/control/switches")
def move_switches() -> Answer:
    """Move switches; a form always carries all of them."""
    changes = request.get_json() if request.is_json else _switches_of_form()
    return done(control.set_switches(current_app, **changes))


@bp.get("/control/chaos")
def show_chaos() -> Answer:
    """Return where the chaos dial stands."""
    return control.read_chaos(current_app)


@bp.post("/control/chaos")
def turn_chaos() -> Answer:
    """Turn the chaos dial; what is not sent is off."""
    positions = request.get_json() if request.is_json else _chaos_of_form()
    return done(control.set_chaos(current_app, **positions))


@bp.post("/control/events")
def emit_event() -> Answer:
    """Emit an event that is not expected, or any other: `kind`, or `type` and `object`."""
    sent = given()
    if "type" in sent:
        obj = sent.get("object")
        if not isinstance(obj, dict):
            raise invalid("object is a JSON object", "object")
        return done(dict(control.emit_event(current_app, str(sent["type"]), obj)))
    return done(dict(control.send_odd_event(current_app, str(sent.get("kind", "")))))


@bp.post("/control/endpoints/<id>/roll")
def roll_secret(id: str) -> Answer:
    """Give an endpoint a new secret, beside which the old one stays good for a while."""
    sent = given()
    keep = integer(sent, "keep", DAY)
    secret = control.roll_secret(current_app, id, keep, sent.get("secret") or None)
    return done({"secret": secret})


@bp.post("/control/deliver-now")
def deliver_now() -> Answer:
    """Send all that waits, whatever it waits for."""
    return done({"sent": control.deliver_now(current_app)})


def _chaos_of_form() -> dict[str, Any]:
    """Read the dial from a form, which gives its rates as percentages."""
    form = request.form.to_dict()
    positions: dict[str, Any] = {
        rate: integer(form, f"chaos_{rate}", 0) / 100 for rate in chaos.RATES
    }
    return positions | {
        "seed": form.get("seed") or "0",
        "forever": "forever" in form,
        "longest_delay": 60 * integer(form, "minutes", 60),
        "path": form.get("chaos_path", ""),
    }


def _switches_of_form() -> dict[str, Any]:
    """Read every switch from a form, in which an unticked box is not sent at all."""
    form = request.form.to_dict()
    return {name: _position(form, name, usual) for name, usual in switches.DEFAULTS.items()}


def _position(form: dict[str, str], name: str, usual: Any) -> Any:
    if isinstance(usual, bool):
        return name in form
    if isinstance(usual, int):
        return integer(form, name, usual)
    if isinstance(usual, list):
        return form.get(name, "").replace(",", " ").split()
    return form.get(name, usual)

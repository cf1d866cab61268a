"""Time and subscriptions from the control page and as JSON for tests."""

from flask import Blueprint, current_app

from storefront.sandbox import control
from storefront.sandbox.control_answers import Answer, done, given, integer, refuse_remote

bp = Blueprint("time", __name__)
bp.before_request(refuse_remote)


@bp.post("/control/advance")
def advance_clock() -> Answer:
    """Move the clock forward, by seconds or by a span in words such as `1 month`."""
    sent = given()
    if "by" in sent:
        return done({"now": control.advance(current_app, str(sent["by"]))})
    return done({"now": control.advance_clock(current_app, integer(sent, "seconds", 0))})


@bp.post("/control/subscriptions/<id>/cancel")
def cancel(id: str) -> Answer:
    """End a subscription as the merchant would in Stripe's dashboard."""
    return done(dict(control.cancel_subscription(current_app, id)))


@bp.post("/control/subscriptions/<id>/end")
def end_with_period(id: str) -> Answer:
    """Let a subscription end with its period, or, after all, not."""
    wanted = given().get("end", "true")
    ends = wanted if isinstance(wanted, bool) else wanted == "true"
    return done(dict(control.end_with_period(current_app, id, ends)))


@bp.post("/control/subscriptions/<id>/card")
def change_card(id: str) -> Answer:
    """Let the next renewals be charged to another test card."""
    method = str(given().get("payment_method", "pm_card_visa"))
    return done(dict(control.change_card(current_app, id, method)))

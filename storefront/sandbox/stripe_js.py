"""A stand-in for Stripe.js: redirectToCheckout only, and the ways in which it may fail."""

from flask import Blueprint, Response, current_app, render_template

from storefront.sandbox import sessions, switches
from storefront.sandbox.core import state

bp = Blueprint("stripe_js", __name__)


@bp.get("/stripe.js")
def script() -> Response:
    """Serve the script in the mood that the switch `stripe_js` asks for."""
    with state(current_app).store.read() as tx:
        mood = switches.read(tx)["stripe_js"]
    if mood == "missing":
        return Response("not found", 404, content_type="text/plain")
    text = render_template("sandbox/stripe.js", mood=mood)
    return Response(text, content_type="text/javascript; charset=utf-8")


@bp.get("/stripe.js/sessions/<id>")
def session_address(id: str) -> Response:
    """Tell the script where a session is paid; the id is all it needs to know, as with Stripe."""
    with state(current_app).store.read() as tx:
        session = tx.find(sessions.TYPE, id)
    status = 200 if session is not None and session["url"] else 404
    response = Response("{}", status, content_type="application/json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response

"""POST /webhooks/stripe: verify on raw bytes, let the event be taken, answer."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify, request

from storefront import stripe_gateway
from storefront.webhooks import taking

log = logging.getLogger(__name__)
bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@bp.post("/stripe", provide_automatic_options=False)
def stripe() -> tuple[Response, int]:
    """Stripe tells of an event. 2xx only when it is remembered with its effects or needs none."""
    payload = request.get_data(cache=False)
    try:
        event = stripe_gateway.verify_event(payload, request.headers.get("Stripe-Signature", ""))
    except stripe_gateway.BadEvent as error:
        log.warning("webhook refused: %s", error.message)
        return jsonify(error="this is not a signed event"), 400
    return _answer(taking.take(event, payload))


def _answer(outcome: taking.Outcome) -> tuple[Response, int]:
    if outcome.state == "refused":
        return jsonify(error=outcome.why), 400
    if outcome.state == "failed":
        status = 503 if outcome.will_pass else 500
        return jsonify(error="not done, please deliver again"), status
    return jsonify(received=outcome.state), 200

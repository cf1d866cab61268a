"""POST /webhooks/stripe: verify on raw bytes, remember once, do the work, answer."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy.exc import InterfaceError, OperationalError

from storefront import database, signals, stripe_gateway
from storefront.services import inbox
from storefront.webhooks import handlers

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
    refusal = _refusal(event)
    if refusal:
        log.error("webhook refused: %s (%s)", refusal, event["id"])
        with database.writing():
            inbox.record_refusal(event, payload, refusal)
        return jsonify(error=refusal), 400
    return _receive(event, payload)


def _refusal(event: dict[str, Any]) -> str | None:
    """Why a genuine event must not touch this shop."""
    if event["livemode"] != current_app.config["LIVEMODE"]:
        mode = "live" if event["livemode"] else "test"
        return f"a {mode} event, but this shop's Stripe key is of the other mode"
    if event.get("account"):
        return "an event of another (connected) account"
    return None


def _receive(event: dict[str, Any], payload: bytes) -> tuple[Response, int]:
    try:
        # A duplicate is found out by its claim, below; Stripe is not asked for one.
        if not handlers.is_enough(event) and inbox.is_settled(event["id"]):
            return jsonify(received="already"), 200
        delivery = handlers.fetch(event)
        with database.writing():
            if not inbox.claim(event, payload):
                return jsonify(received="already"), 200
            why_not = handlers.apply(delivery)
            if why_not:
                inbox.ignore(event["id"], why_not)
            database.after_commit(signals.stripe_event_received, event=event)
    except (OperationalError, InterfaceError):
        raise  # no database to keep it in: 503 at once, rather than after waiting a second time
    except Exception as error:
        # Whatever it was, Stripe must send this event again; the next try starts from nothing.
        return _failed(event, payload, error)
    return jsonify(received="now"), 200


def _failed(event: dict[str, Any], payload: bytes, error: Exception) -> tuple[Response, int]:
    log.error("event %s %s failed", event["type"], event["id"], exc_info=error)
    with database.writing():
        inbox.record_failure(event, payload, f"{type(error).__name__}: {error}")
    return jsonify(error="not done, please deliver again"), 503 if _passes(error) else 500


def _passes(error: Exception) -> bool:
    return isinstance(error, stripe_gateway.StripeUnavailable)

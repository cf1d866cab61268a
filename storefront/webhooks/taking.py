"""Taking an event, whoever brings it: the webhook, a retry, the list of events, a merchant.

It is remembered in the transaction of its effects, so it has them once, however many bring it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy.exc import InterfaceError, OperationalError

from storefront import database, signals, stripe_gateway
from storefront.errors import Conflict
from storefront.models import StripeEvent
from storefront.services import evidence, inbox, lost_orders, settlement
from storefront.webhooks import handlers

log = logging.getLogger(__name__)
Event = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of an event: `now` or `already` done, `refused` or `failed`, with why.

    `will_pass` says that it failed only because Stripe gave no answer.
    """

    state: str
    why: str = ""
    will_pass: bool = False


def take(event: Event, payload: bytes, by: str = "") -> Outcome:
    """Ask Stripe where the event is not enough, claim it, apply it; or record that this failed.

    `by` says in the order's evidence who brought it, where that was not Stripe itself. Raises
    OperationalError or InterfaceError when there is no database to keep it in.
    """
    refusal = _refusal(event)
    if refusal:
        log.error("event refused: %s (%s)", refusal, event["id"])
        with database.writing():
            inbox.record_refusal(event, payload, refusal)
        return Outcome("refused", refusal)
    try:
        try:
            done = _apply(event, payload, by)
        except settlement.OrderMissing as missing:
            _place_lost_order(missing, event, by)
            done = _apply(event, payload, by)
        return Outcome("now" if done else "already")
    except (OperationalError, InterfaceError):
        raise  # at once, rather than after waiting a second time
    except Exception as error:
        # Whatever it was, the event must be tried again; the next try starts from nothing.
        return _failed(event, payload, by, error)


def _refusal(event: Event) -> str | None:
    """Why a genuine event must not touch this shop."""
    if event["livemode"] != current_app.config["LIVEMODE"]:
        mode = "live" if event["livemode"] else "test"
        return f"a {mode} event, but this shop's Stripe key is of the other mode"
    if event.get("account"):
        return "an event of another (connected) account"
    return None


def _apply(event: Event, payload: bytes, by: str) -> bool:
    # A duplicate is found out by its claim, below; Stripe is not asked for one.
    if not handlers.is_enough(event) and inbox.is_settled(event["id"]):
        return False
    delivery = handlers.fetch(event, by)
    with database.writing():
        if not inbox.claim(event, payload, by):
            return False
        why_not = handlers.apply(delivery)
        if why_not:
            inbox.ignore(event["id"], why_not)
        database.after_commit(signals.stripe_event_received, event=event)
    return True


def _place_lost_order(missing: settlement.OrderMissing, event: Event, by: str) -> None:
    session_id = missing.args[0]
    try:
        session = stripe_gateway.get_checkout_session(session_id)
        line_items = stripe_gateway.get_line_items(session_id)
    except stripe_gateway.StripeRefused:
        raise missing from None
    with database.writing():
        lost_orders.place(session, line_items, handlers.cause_of(event, by))


def _failed(event: Event, payload: bytes, by: str, error: Exception) -> Outcome:
    log.error("event %s %s failed", event["type"], event["id"], exc_info=error)
    why = f"{type(error).__name__}: {error}"
    with database.writing():
        inbox.record_failure(event, payload, why, by)
    return Outcome("failed", why, isinstance(error, stripe_gateway.StripeUnavailable))


def retake(stored: StripeEvent, by: str) -> Outcome:
    """Take a stored event that failed before."""
    return take(json.loads(stored.payload), stored.payload.encode(), by)


def replay(stored: StripeEvent, by: str) -> list[str]:
    """Apply a stored event once more, and say what that changed: nothing, unless something was
    missing. An extension's handlers have had it already and are not told again.

    Raises whatever its handler raises; then nothing has changed.
    """
    event: Event = json.loads(stored.payload)
    refusal = _refusal(event)
    if refusal:
        raise Conflict(refusal)
    delivery = handlers.fetch(event, by)
    with database.writing():
        before = evidence.books_of(event)
        ours = handlers.apply_ours(delivery)
        inbox.count_attempt(stored.id, applied=ours)
        after = evidence.books_of(event)
    return _changes(before, after)


def _changes(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> list[str]:
    found = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, {}), after.get(name, {})
        changed = [key for key in now if was.get(key) != now[key]]
        found += [f"{name}: {key} {was.get(key)} → {now[key]}" for key in changed]
    return found

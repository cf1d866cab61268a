"""Subscriptions: begun by Checkout or the API, changed and ended; renewals.py lets them live on."""

import copy
from typing import Any

from storefront.sandbox import invoices
from storefront.sandbox.core import DAY
from storefront.sandbox.errors import invalid
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import merge_metadata
from storefront.sandbox.periods import end_of_period
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.subscription_shapes import ending_shape, item_shape, subscription_shape

TYPE = "subscription"
ENDED = ("canceled", "incomplete_expired")
WARNING = 3 * DAY  # how long before its end a trial is spoken of
INCOMPLETE = 23 * 3600  # how long the first payment may take
UPDATED = "customer.subscription.updated"


def start(tx: Tx, session: Stored, customer: str, method: str | None) -> Stored:
    """Store the subscription a completed session leads to; its event comes after its invoice."""
    data = session.hidden["subscription_data"] | {"default_payment_method": method}
    lines = [line for line in session.hidden["lines"] if line["price"]["recurring"]]
    return begin(tx, customer, session["currency"], lines, data)


def begin(
    tx: Tx, customer: str, currency: str, lines: list[dict[str, Any]], data: dict[str, Any]
) -> Stored:
    """Store a subscription that begins now, active or on trial; telling of it is the caller's."""
    trial_end = trial_end_of(tx, data)
    subscription = Stored(
        subscription_shape(tx.now, currency, customer, tx.clock)
        | {
            "billing_cycle_anchor": trial_end or tx.now,
            "default_payment_method": data.get("default_payment_method"),
            "description": data.get("description"),
            "metadata": data.get("metadata") or {},
            "status": "trialing" if trial_end else "active",
            "trial_end": trial_end,
            "trial_start": tx.now if trial_end else None,
            "trial_settings": data.get(
                "trial_settings", {"end_behavior": {"missing_payment_method": "create_invoice"}}
            ),
        }
    )
    items = []
    for line in lines:
        end = trial_end or end_of_period(tx.now, line["price"]["recurring"])
        items.append(item_shape(tx.now, subscription["id"], line, end))
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    subscription["items"] = {"object": "list", "data": items, "has_more": False, "url": url}
    schedule(subscription)
    return tx.add(subscription)


def trial_end_of(tx: Tx, data: dict[str, Any]) -> int | None:
    """Return when the trial that begins now ends, or None without one."""
    if "trial_period_days" in data:
        return tx.now + int(data["trial_period_days"]) * DAY
    return data.get("trial_end")


def update(tx: Tx, subscription: Stored, params: dict[str, Any]) -> Stored:
    """Change what the API may change, and tell of what really did."""
    refuse_ended(subscription)
    before = copy.deepcopy(dict(subscription))
    plain = ("description", "default_payment_method", "pause_collection", "trial_settings")
    changes: dict[str, Any] = {name: params[name] for name in plain if name in params}
    if "metadata" in params:
        changes["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "cancel_at_period_end" in params:
        changes |= _cancellation(tx, subscription, params["cancel_at_period_end"])
    elif "cancel_at" in params:
        changes |= _cancellation_at(tx, subscription, params["cancel_at"])
    subscription.update(changes)
    return save(tx, subscription, before)


def plan_end(tx: Tx, subscription: Stored, at_period_end: bool) -> None:
    """Let a subscription that is being made end with its first period."""
    subscription.update(_cancellation(tx, subscription, at_period_end))


def cancel(
    tx: Tx,
    subscription: Stored,
    details: dict[str, Any] | None = None,
    reason: str = "cancellation_requested",
) -> Stored:
    """End a subscription at once and stop collecting for it; one that has ended is refused."""
    refuse_ended(subscription)
    subscription.update(
        status="canceled",
        canceled_at=subscription["canceled_at"] or tx.now,
        ended_at=tx.now,
        cancellation_details=ending_shape(reason, details),
    )
    schedule(subscription)
    tx.save(subscription)
    invoices.stop_collecting(tx, subscription)
    emit(tx, "customer.subscription.deleted", subscription)
    return subscription


def set_status(tx: Tx, subscription: Stored, status: str, **changes: Any) -> Stored:
    """Move a subscription to another status and tell of it; the same status changes nothing."""
    before = copy.deepcopy(dict(subscription))
    subscription.update(changes, status=status)
    return save(tx, subscription, before)


def revive(tx: Tx, subscription: Stored) -> None:
    """Make a subscription active whose latest invoice was paid after all."""
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        set_status(tx, subscription, "active")


def save(tx: Tx, subscription: Stored, before: dict[str, Any], event: str = UPDATED) -> Stored:
    """Store a changed subscription and tell what it was like before; no change, no event."""
    previous = {name: value for name, value in before.items() if subscription[name] != value}
    schedule(subscription)
    tx.save(subscription)
    if previous:
        emit(tx, event, subscription, previous)
    return subscription


def schedule(subscription: Stored) -> None:
    """Set when something happens to a subscription next by itself; see renewals.carry_on."""
    pause = subscription["pause_collection"] or {}
    moments = [period_end(subscription), subscription["cancel_at"], pause.get("resumes_at")]
    if subscription["status"] == "trialing" and not subscription.hidden.get("warned"):
        soon = subscription["trial_end"] - WARNING
        moments.append(max(soon, subscription["trial_start"]))
    if subscription["status"] == "incomplete":
        moments = [subscription["created"] + INCOMPLETE]
    if subscription["status"] == "paused":
        moments = [subscription["cancel_at"]]
    if subscription["status"] in ENDED:
        moments = []
    subscription.due_at = min((moment for moment in moments if moment is not None), default=None)


def period_end(subscription: Stored) -> int:
    """Return when the present period ends."""
    return int(subscription["items"]["data"][0]["current_period_end"])


def refuse_ended(subscription: Stored) -> None:
    """Raise ApiError when nothing can be done with this subscription any more."""
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{subscription['id']}'", "id", "resource_missing")


def _cancellation(tx: Tx, subscription: Stored, at_period_end: bool) -> dict[str, Any]:
    if not at_period_end:
        return _cancellation_at(tx, subscription, None)
    ending = _cancellation_at(tx, subscription, period_end(subscription))
    return ending | {"cancel_at_period_end": True}


def _cancellation_at(tx: Tx, subscription: Stored, moment: int | None) -> dict[str, Any]:
    if moment is not None and moment <= tx.now:
        raise invalid("`cancel_at` must be in the future.", "cancel_at")
    asked = moment is not None
    return {
        "cancel_at_period_end": False,
        "cancel_at": moment,
        "canceled_at": (subscription["canceled_at"] or tx.now) if asked else None,
        "cancellation_details": ending_shape("cancellation_requested" if asked else None),
    }

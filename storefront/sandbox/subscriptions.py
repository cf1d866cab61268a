"""Subscriptions: begun by Checkout, changed and ended by the API."""

from typing import Any

from storefront.sandbox.core import DAY
from storefront.sandbox.errors import invalid
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import merge_metadata
from storefront.sandbox.periods import end_of_period
from storefront.sandbox.shapes import nulls
from storefront.sandbox.store import Stored, Tx

TYPE = "subscription"
ENDED = ("canceled", "incomplete_expired")


def start(tx: Tx, session: Stored, customer: str, method: str | None) -> Stored:
    """Store the subscription a completed session leads to; its event comes after its invoice."""
    data = session.hidden["subscription_data"]
    trial_end = trial_end_of(tx, data)
    anchor = trial_end or tx.now
    subscription = Stored(
        _shape(tx.now, session["currency"], customer)
        | {
            "billing_cycle_anchor": anchor,
            "default_payment_method": method,
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
    items = [
        _item(tx, subscription["id"], line, trial_end)
        for line in session.hidden["lines"]
        if line["price"]["recurring"]
    ]
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    subscription["items"] = {
        "object": "list",
        "data": items,
        "has_more": False,
        "url": url,
    }
    return tx.add(subscription)


def trial_end_of(tx: Tx, data: dict[str, Any]) -> int | None:
    """Return when the trial that begins now ends, or None without one."""
    if "trial_period_days" in data:
        return tx.now + int(data["trial_period_days"]) * DAY
    return data.get("trial_end")


def update(tx: Tx, subscription: Stored, params: dict[str, Any]) -> Stored:
    """Change what the API may change, and tell of what really did."""
    refuse_ended(subscription)
    plain = ("description", "default_payment_method")
    changes: dict[str, Any] = {name: params[name] for name in plain if name in params}
    if "metadata" in params:
        changes["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "cancel_at_period_end" in params:
        changes |= _cancellation(tx, subscription, params["cancel_at_period_end"])
    return _change(tx, subscription, changes, "customer.subscription.updated")


def cancel(tx: Tx, subscription: Stored, details: dict[str, Any] | None = None) -> Stored:
    """End a subscription at once; one that has ended is refused."""
    refuse_ended(subscription)
    changes = {
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or tx.now,
        "ended_at": tx.now,
        "cancellation_details": _details("cancellation_requested", details),
    }
    subscription.due_at = None
    return _change(tx, subscription, changes, "customer.subscription.deleted")


def set_status(tx: Tx, subscription: Stored, status: str) -> Stored:
    """Move a subscription to another status and tell of it; the same status changes nothing."""
    return _change(tx, subscription, {"status": status}, "customer.subscription.updated")


def refuse_ended(subscription: Stored) -> None:
    """Raise ApiError when nothing can be done with this subscription any more."""
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{subscription['id']}'", "id", "resource_missing")


def _change(tx: Tx, subscription: Stored, changes: dict[str, Any], event: str) -> Stored:
    previous = {
        name: subscription[name] for name, value in changes.items() if subscription[name] != value
    }
    if not previous:
        return subscription
    subscription.update(changes)
    tx.save(subscription)
    is_end = event == "customer.subscription.deleted"
    emit(tx, event, subscription, None if is_end else previous)
    return subscription


def _cancellation(tx: Tx, subscription: Stored, at_period_end: bool) -> dict[str, Any]:
    if not at_period_end:
        return {
            "cancel_at_period_end": False,
            "cancel_at": None,
            "canceled_at": None,
            "cancellation_details": _details(None),
        }
    return {
        "cancel_at_period_end": True,
        "cancel_at": subscription["items"]["data"][0]["current_period_end"],
        "canceled_at": subscription["canceled_at"] or tx.now,
        "cancellation_details": _details("cancellation_requested"),
    }


def _details(reason: str | None, given: dict[str, Any] | None = None) -> dict[str, Any]:
    given = given or {}
    return {
        "comment": given.get("comment"),
        "feedback": given.get("feedback"),
        "feedback_option": None,
        "reason": reason,
    }


def _item(tx: Tx, subscription: str, line: dict[str, Any], trial_end: int | None) -> dict[str, Any]:
    price = line["price"]
    return {
        "id": new_id("si"),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": tx.now,
        "current_period_end": trial_end or end_of_period(tx.now, price["recurring"]),
        "current_period_start": tx.now,
        "current_trial": None,
        "discounts": [],
        "metadata": dict(line["metadata"]),
        "plan": _plan(price),
        "price": price,
        "quantity": line["quantity"],
        "subscription": subscription,
        "tax_rates": [],
    }


def _plan(price: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": price["id"],
        "object": "plan",
        **nulls("meter tiers tiers_mode transform_usage trial_period_days"),
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": dict(price["metadata"]),
        "nickname": price["nickname"],
        "product": price["product"],
        "usage_type": "licensed",
    }


def _shape(now: int, currency: str, customer: str) -> dict[str, Any]:
    return {
        "id": new_id("sub"),
        "object": TYPE,
        **nulls(
            """
            application application_fee_percent billing_cycle_anchor_config billing_thresholds
            cancel_at canceled_at customer_account days_until_due default_source ended_at
            latest_invoice managed_payments next_pending_invoice_item_invoice on_behalf_of
            pause_collection pending_invoice_item_interval pending_setup_intent pending_update
            presentment_details schedule status_details test_clock transfer_data
            """
        ),
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": None,
        },
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": _details(None),
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer,
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "livemode": False,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
    }

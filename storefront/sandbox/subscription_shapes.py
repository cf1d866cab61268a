"""Subscriptions and their items as the API shows them."""

from typing import Any

from storefront.sandbox.ids import new_id
from storefront.sandbox.shapes import nulls


def ending_shape(reason: str | None, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the cancellation_details of a subscription."""
    given = given or {}
    return {
        "comment": given.get("comment"),
        "feedback": given.get("feedback"),
        "feedback_option": None,
        "reason": reason,
    }


def item_shape(
    now: int, subscription: str, line: dict[str, Any], period_end: int
) -> dict[str, Any]:
    """Return an item that bills a line's price, in the period that begins now."""
    price = line["price"]
    return {
        "id": new_id("si"),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": now,
        "current_period_end": period_end,
        "current_period_start": now,
        "current_trial": None,
        "discounts": [],
        "metadata": dict(line["metadata"]),
        "plan": plan_shape(price),
        "price": price,
        "quantity": line["quantity"],
        "subscription": subscription,
        "tax_rates": [],
    }


def plan_shape(price: dict[str, Any]) -> dict[str, Any]:
    """Return a price as the plan it once was."""
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


def subscription_shape(now: int, currency: str, customer: str, clock: str | None) -> dict[str, Any]:
    """Return a subscription without status, items and anchor."""
    return {
        "id": new_id("sub"),
        "object": "subscription",
        **nulls(
            """
            application application_fee_percent billing_cycle_anchor_config billing_thresholds
            cancel_at canceled_at customer_account days_until_due default_source ended_at
            latest_invoice managed_payments next_pending_invoice_item_invoice on_behalf_of
            pause_collection pending_invoice_item_interval pending_setup_intent pending_update
            presentment_details schedule status_details transfer_data
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
        "cancellation_details": ending_shape(None),
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
        "test_clock": clock,
    }

"""Stripe's rules for opening a Checkout Session that go beyond the type of each parameter."""

import time
from typing import Any

from storefront.sandbox import money
from storefront.sandbox.core import DAY
from storefront.sandbox.customers import get_live
from storefront.sandbox.errors import ApiError, invalid, missing_parameter
from storefront.sandbox.store import Stored, Tx

MINUTE = 60
ONLY_IN = {
    "payment_intent_data": "payment",
    "customer_creation": "payment",
    "invoice_creation": "payment",
    "subscription_data": "subscription",
    "payment_method_collection": "subscription",
}


def check_mode(params: dict[str, Any]) -> None:
    """Refuse a session without lines or return address, and parameters of another mode."""
    mode = params["mode"]
    for name in ("success_url", "line_items"):
        if not params.get(name):
            raise missing_parameter(name)
    for name, only in ONLY_IN.items():
        if name in params and mode != only:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)


def check_party(tx: Tx, params: dict[str, Any]) -> None:
    """Refuse an unknown customer, two ways of naming the buyer, and changes to nobody."""
    if "customer" in params and "customer_email" in params:
        raise invalid(
            "You may only specify one of these parameters: customer, customer_email.", "customer"
        )
    if "customer" in params:
        get_live(tx, params["customer"], "customer")
    elif "customer_update" in params:
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
    if "customer" in params and "customer_creation" in params:
        raise invalid("`customer_creation` cannot be used with `customer`.", "customer_creation")


def check_trial(tx: Tx, data: dict[str, Any]) -> bool:
    """Say whether the subscription begins with a trial; refuse one that ends too soon or twice."""
    if "trial_period_days" in data and "trial_end" in data:
        raise invalid(
            "You cannot set `trial_end` and `trial_period_days` at the same time.",
            "subscription_data[trial_end]",
        )
    if "trial_end" in data and data["trial_end"] < tx.now + 2 * DAY:
        raise invalid(
            "The `trial_end` date has to be at least 2 days in the future.",
            "subscription_data[trial_end]",
        )
    return "trial_period_days" in data or "trial_end" in data


def check_lines(mode: str, lines: list[dict[str, Any]]) -> None:
    """Refuse recurring prices in payment mode, none in subscription mode, and mixed intervals."""
    intervals = {
        (recurring["interval"], recurring["interval_count"])
        for recurring in (line["price"]["recurring"] for line in lines)
        if recurring
    }
    if mode == "payment" and intervals:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            "line_items",
        )
    if mode == "subscription" and not intervals:
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            "line_items",
        )
    if len(intervals) > 1:
        raise invalid(
            "Checkout does not support multiple prices with different billing intervals.",
            "line_items",
        )


def check_total(session: Stored) -> None:
    """Refuse a total that Stripe would not charge; nothing at all to pay is fine."""
    total, currency = session["amount_total"], session["currency"]
    least = money.minimum(currency)
    if 0 < total < least:
        raise ApiError(
            "The Checkout Session's total amount due must add up to at least "
            f"{money.show(least, currency)}",
            code="amount_too_small",
        )
    if total > money.MAXIMUM:
        raise ApiError(
            f"The Checkout Session's total amount must be no more than {money.MAXIMUM}",
            code="amount_too_large",
        )


def _fits(moment: int, now: int) -> bool:
    return now + 30 * MINUTE <= moment <= now + DAY


def read_expiry(tx: Tx, params: dict[str, Any]) -> int:
    """Return when the session ends: a day from now unless a moment after half an hour is given.

    A caller goes by the real time, also after this clock was moved: then his moment moves along.
    """
    moment, real = int(params.get("expires_at", tx.now + DAY)), int(time.time())
    if not _fits(moment, tx.now) and _fits(moment, real):
        moment += tx.now - real
    if moment < tx.now + 30 * MINUTE:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            "expires_at",
        )
    if moment > tx.now + DAY:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            "expires_at",
        )
    return moment

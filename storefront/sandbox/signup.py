"""Subscriptions made by the API, without Checkout: billed at once, or after a trial."""

from typing import Any

from storefront.sandbox import catalog, collecting, invoices, methods, subscriptions
from storefront.sandbox.core import DAY
from storefront.sandbox.errors import ApiError, card_error, invalid, missing_parameter
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx


def subscribe(tx: Tx, customer: Stored, params: dict[str, Any]) -> Stored:
    """Create a subscription from validated parameters and try to collect its first invoice.

    An invoice that is not paid leaves it incomplete, or makes nothing at all where
    payment_behavior says so.
    """
    _check_trial(tx, params)
    lines = [
        line_for(tx, item, f"items[{index}]") for index, item in enumerate(params.get("items", []))
    ]
    if not lines:
        raise missing_parameter("items")
    currency = _one_currency(lines)
    if "default_payment_method" in params:
        name = params["default_payment_method"]
        method = methods.find_or_make(tx, name, customer, "default_payment_method", currency)
        params["default_payment_method"] = method["id"]
    _check_means(customer, params)
    subscription = subscriptions.begin(tx, customer["id"], currency, lines, params)
    if "cancel_at_period_end" in params:
        subscriptions.plan_end(tx, subscription, params["cancel_at_period_end"])
    invoice = invoices.draft(tx, subscription, "subscription_create")
    invoices.finalize(tx, invoice)
    if invoice["total"]:
        subscription["status"] = "incomplete"
    subscriptions.schedule(subscription)
    tx.save(subscription)
    emit(tx, "customer.subscription.created", subscription)
    if invoice["total"] == 0 or params.get("payment_behavior") != "default_incomplete":
        decline = collecting.collect(tx, invoice)
        if decline and params.get("payment_behavior") == "error_if_incomplete":
            raise card_error(vars(decline), None, None)
    return tx.get(subscriptions.TYPE, subscription["id"])


def line_for(tx: Tx, item: dict[str, Any], param: str) -> dict[str, Any]:
    """Return what an item of a call subscribes to; raise ApiError for what cannot recur."""
    if "plan" in item:
        item = {**item, "price": item["plan"]}
    if ("price" in item) == ("price_data" in item):
        raise invalid("You must specify either `price` or `price_data`.", f"{param}[price]")
    if "price" in item:
        price = tx.get("price", item["price"], f"{param}[price]")
    else:
        price = catalog.create_price(tx, item["price_data"], f"{param}[price_data]", active=False)
    if not price["recurring"]:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`.",
            f"{param}[price]",
        )
    if not price["active"] and "price" in item:
        raise invalid("The price specified is inactive.", f"{param}[price]")
    return {
        "price": dict(price),
        "quantity": item.get("quantity", 1),
        "metadata": item.get("metadata") or {},
        "currency": price["currency"],
    }


def interval_of(price: dict[str, Any]) -> tuple[str, int]:
    """Return how often a price recurs, to be compared."""
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _one_currency(lines: list[dict[str, Any]]) -> str:
    if len({interval_of(line["price"]) for line in lines}) > 1:
        raise invalid("The sandbox bills all items of a subscription at one interval.", "items")
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise invalid("All prices of a subscription must have the same `currency`.", "items")
    return str(currencies.pop())


def _check_trial(tx: Tx, params: dict[str, Any]) -> None:
    if "trial_end" in params and "trial_period_days" in params:
        raise invalid("You cannot set `trial_end` and `trial_period_days` at once.", "trial_end")
    if "trial_end" in params and not tx.now < params["trial_end"] < tx.now + 5 * 366 * DAY:
        raise invalid("`trial_end` must be in the future, by at most five years.", "trial_end")


def _check_means(customer: Stored, params: dict[str, Any]) -> None:
    """Refuse a subscription that nothing could ever pay, as Stripe does unless it may wait."""
    waits = params.get("payment_behavior") == "default_incomplete"
    trial = "trial_end" in params or "trial_period_days" in params
    stored = customer["invoice_settings"]["default_payment_method"]
    if not (waits or trial or stored or "default_payment_method" in params):
        raise ApiError(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )

"""Checkout Sessions: what is being bought, what it costs, and how long the buyer has."""

from typing import Any

from storefront.sandbox import catalog, money
from storefront.sandbox.cards import bank_debit
from storefront.sandbox.errors import invalid, missing_parameter
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.session_object import new_session
from storefront.sandbox.session_rules import (
    check_lines,
    check_mode,
    check_party,
    check_total,
    check_trial,
    read_expiry,
)
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.timekeeping import when_due

TYPE = "checkout.session"


def create(tx: Tx, params: dict[str, Any], base_url: str) -> Stored:
    """Open a session from validated parameters; raise ApiError where Stripe's rules are broken."""
    check_mode(params)
    check_party(tx, params)
    trial = check_trial(tx, params.get("subscription_data", {}))
    lines = [
        _line(tx, item, f"line_items[{index}]", trial=trial)
        for index, item in enumerate(params["line_items"])
    ]
    session = Stored(new_session(tx, params, base_url))
    session.due_at = session["expires_at"] = read_expiry(tx, params)
    session["currency"] = _one_currency(params, lines)
    session["payment_method_types"] = ["card", bank_debit(session["currency"]).type]
    session.hidden = {
        "lines": lines,
        "payment_intent_data": params.get("payment_intent_data", {}),
        "subscription_data": params.get("subscription_data", {}),
        "customer_update": params.get("customer_update", {}),
        "shipping_rates": _add_shipping(tx, session, params),
    }
    check_lines(session["mode"], lines)
    reckon(session)
    check_total(session)
    return tx.add(session)


def reckon(session: Stored) -> None:
    """Set the session's amounts from its lines and the shipping rate that is chosen."""
    lines = session.hidden["lines"]
    subtotal = sum(line["amount_subtotal"] for line in lines)
    shipping = session["shipping_cost"]["amount_total"] if session["shipping_cost"] else 0
    session["amount_subtotal"] = subtotal
    session["amount_total"] = subtotal + shipping
    session["total_details"] = {
        "amount_discount": 0,
        "amount_shipping": shipping,
        "amount_tax": 0,
    }


def choose_shipping(session: Stored, rate_id: str | None) -> None:
    """Take one of the session's shipping rates and reckon anew; an unknown one changes nothing."""
    rate = session.hidden["shipping_rates"].get(rate_id)
    if rate is not None:
        session["shipping_cost"] = _shipping_cost(rate)
        reckon(session)


def expire(tx: Tx, session: Stored) -> Stored:
    """End an open session without a sale and tell of it."""
    session["status"] = "expired"
    session["url"] = None
    session.due_at = None
    tx.save(session)
    emit(tx, "checkout.session.expired", session)
    return session


@when_due(TYPE)
def expire_when_due(tx: Tx, session: Stored) -> None:
    """End a session whose time is over; one that was completed in between stays as it is."""
    if session["status"] == "open":
        expire(tx, session)


def _line(tx: Tx, item: dict[str, Any], param: str, *, trial: bool) -> dict[str, Any]:
    if ("price" in item) == ("price_data" in item):
        raise invalid(
            "You must specify either `price` or `price_data` when creating a Checkout Session.",
            param,
        )
    if "quantity" not in item:
        raise missing_parameter(f"{param}[quantity]")
    if "price" in item:
        price = tx.get("price", item["price"], f"{param}[price]")
        if not price["active"]:
            raise invalid(
                "The price specified is inactive. This field only accepts active prices.", param
            )
    else:
        price = catalog.create_price(tx, item["price_data"], f"{param}[price_data]", active=False)
    free = trial and price["recurring"] is not None
    amount = 0 if free else catalog.amount_of(price, item["quantity"])
    adjustable = item.get("adjustable_quantity")
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": adjustable and {"maximum": 99, "minimum": 0, **adjustable},
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": tx.get("product", price["product"])["name"],
        "discounts": [],
        "metadata": item.get("metadata") or {},
        "price": dict(price),
        "quantity": item["quantity"],
        "taxes": [],
    }


def _one_currency(params: dict[str, Any], lines: list[dict[str, Any]]) -> str:
    currencies = {line["currency"] for line in lines}
    if "currency" in params:
        currencies.add(catalog.read_currency(params["currency"], "currency"))
    if len(currencies) != 1:
        raise invalid(
            "All prices on a Checkout session must have the same `currency`.", "line_items"
        )
    return str(currencies.pop())


def _add_shipping(tx: Tx, session: Stored, params: dict[str, Any]) -> dict[str, Any]:
    rates = {}
    for index, option in enumerate(params.get("shipping_options", [])):
        param = f"shipping_options[{index}]"
        if "shipping_rate_data" in option:
            data = f"{param}[shipping_rate_data]"
            rate = catalog.create_shipping_rate(tx, option["shipping_rate_data"], data)
        elif "shipping_rate" in option:
            rate = tx.get("shipping_rate", option["shipping_rate"], f"{param}[shipping_rate]")
        else:
            raise missing_parameter(f"{param}[shipping_rate]")
        if rate["fixed_amount"]["currency"] != session["currency"]:
            raise invalid("The shipping rate must have the session's currency.", param)
        rates[rate["id"]] = dict(rate)
    session["shipping_options"] = [
        {"shipping_amount": rate["fixed_amount"]["amount"], "shipping_rate": id}
        for id, rate in rates.items()
    ]
    if rates:
        session["shipping_cost"] = _shipping_cost(next(iter(rates.values())))
    return rates


def _shipping_cost(rate: dict[str, Any]) -> dict[str, Any]:
    amount = rate["fixed_amount"]["amount"]
    return {
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "shipping_rate": rate["id"],
    }


def show_total(session: dict[str, Any]) -> str:
    """Write what is due now for a person."""
    return money.show(session["amount_total"], session["currency"])

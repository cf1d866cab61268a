"""/v1/payment_methods: test cards and test accounts, kept for a customer or used once."""

from typing import Any

from storefront.sandbox import accounts, cards, customers, methods, payments
from storefront.sandbox.errors import invalid, missing_parameter
from storefront.sandbox.listing import PAGING, list_objects
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import Anything, Email, Field, Group, Metadata, Text
from storefront.sandbox.router import Api, Call

api = Api()
URL = "/v1/payment_methods"
NEVER_A_NUMBER = (
    "Sending card numbers to the API is unsafe: send a test token such as `tok_visa`. The sandbox "
    "takes no number that is not a test card's."
)
FIELDS: dict[str, Field] = {
    "allow_redisplay": Anything(),
    "billing_details": Group(
        {
            "address": Group({key: Text(clearable=True) for key in customers.ADDRESS_KEYS}),
            "email": Email(clearable=True),
            "name": Text(clearable=True),
            "phone": Text(clearable=True),
        }
    ),
    "card": Group({"token": Text(), "number": Text(), **dict.fromkeys(
        ("cvc", "exp_month", "exp_year"), Anything())}),
    "metadata": Metadata(),
    "type": Text(("card", *accounts.FIELDS)),
    **accounts.FIELDS,
}  # fmt: skip


@api.route("POST", URL, FIELDS, ("type",))
def create_method(call: Call) -> dict[str, Any]:
    """Make a PaymentMethod of a test token or test account."""
    means = _means(call.params)
    details = call.params.get("billing_details", {})
    method = payments.create_method(call.tx, means, details, None)
    method["metadata"] = call.params.get("metadata") or {}
    return call.tx.save(method)


@api.route("GET", f"{URL}/<id>")
def retrieve_method(call: Call, id: str) -> dict[str, Any]:
    """Return a PaymentMethod."""
    return call.tx.get("payment_method", id)


@api.route("POST", f"{URL}/<id>/attach", {"customer": Text()}, ("customer",))
def attach_method(call: Call, id: str) -> dict[str, Any]:
    """Keep a PaymentMethod, or the one of a test name, for a customer."""
    customer = customers.get_live(call.tx, call.params["customer"], "customer")
    return methods.find_or_make(call.tx, id, customer, "payment_method")


@api.route("POST", f"{URL}/<id>/detach")
def detach_method(call: Call, id: str) -> dict[str, Any]:
    """Take a PaymentMethod away from its customer."""
    method = call.tx.get("payment_method", id)
    if method["customer"] is None:
        raise invalid("The payment method is not attached to a customer.", "payment_method")
    customer = call.tx.get("customer", method["customer"])
    if customer.get("invoice_settings", {}).get("default_payment_method") == id:
        customer["invoice_settings"]["default_payment_method"] = None
        call.tx.save(customer)
    previous = {"customer": method["customer"]}
    method["customer"] = None
    call.tx.save(method)
    emit(call.tx, "payment_method.detached", method, previous)
    return method


@api.route("GET", URL, {**PAGING, "customer": Text(), "type": Text()})
def list_methods(call: Call) -> dict[str, Any]:
    """Return a page of PaymentMethods, newest first."""
    filters = {"customer": "$.customer", "type": "$.type"}
    return list_objects(call, "payment_method", URL, filters)


def _means(params: dict[str, Any]) -> payments.Means:
    type = params["type"]
    if type != "card":
        return accounts.read_account(type, params.get(type, {}))
    card = params.get("card", {})
    if "number" in card:
        known = cards.find(card["number"])
        if known is None:
            raise invalid(NEVER_A_NUMBER, "card[number]")
        return known
    if "token" not in card:
        raise missing_parameter("card[token]")
    return cards.by_payment_method(card["token"], "usd")

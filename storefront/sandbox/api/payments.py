"""/v1/payment_intents, /v1/charges and /v1/payment_methods, to be read."""

from typing import Any

from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.params import Text
from storefront.sandbox.router import Api, Call

api = Api()
INTENTS = "/v1/payment_intents"
CHARGES = "/v1/charges"


@api.route("GET", f"{INTENTS}/<id>", {"client_secret": Text()})
def retrieve_intent(call: Call, id: str) -> dict[str, Any]:
    """Return a PaymentIntent."""
    return call.tx.get("payment_intent", id)


@api.route("GET", INTENTS, {**PAGING, "created": Moments(), "customer": Text()})
def list_intents(call: Call) -> dict[str, Any]:
    """Return a page of PaymentIntents, newest first."""
    return list_objects(call, "payment_intent", INTENTS, {"customer": "$.customer"})


@api.route("GET", f"{CHARGES}/<id>")
def retrieve_charge(call: Call, id: str) -> dict[str, Any]:
    """Return a charge."""
    return call.tx.get("charge", id)


CHARGE_FILTERS = {"customer": "$.customer", "payment_intent": "$.payment_intent"}


@api.route(
    "GET", CHARGES, {**PAGING, "created": Moments(), **{name: Text() for name in CHARGE_FILTERS}}
)
def list_charges(call: Call) -> dict[str, Any]:
    """Return a page of charges, newest first."""
    return list_objects(call, "charge", CHARGES, CHARGE_FILTERS)


@api.route("GET", "/v1/payment_methods/<id>")
def retrieve_method(call: Call, id: str) -> dict[str, Any]:
    """Return a PaymentMethod."""
    return call.tx.get("payment_method", id)

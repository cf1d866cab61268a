"""/v1/payment_intents and /v1/charges: what Checkout leaves behind, and payments without it."""

from typing import Any

from storefront.sandbox import direct, money
from storefront.sandbox.customers import ADDRESS_KEYS
from storefront.sandbox.errors import ApiError
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import (
    Anything,
    Boolean,
    Email,
    Field,
    Group,
    Integer,
    ListOf,
    Metadata,
    Text,
    merge_metadata,
)
from storefront.sandbox.router import Api, Call
from storefront.sandbox.store import Stored

api = Api()
INTENTS = "/v1/payment_intents"
CHARGES = "/v1/charges"
AMOUNT = Integer(1, money.MAXIMUM)
ADDRESS = Group({key: Text(clearable=True) for key in ADDRESS_KEYS})
SHIPPING = Group({"address": ADDRESS, "name": Text(), "phone": Text()}, ("address",))
CHANGEABLE: dict[str, Field] = {
    "description": Text(clearable=True),
    "metadata": Metadata(),
    "receipt_email": Email(clearable=True),
}
INTENT: dict[str, Field] = {
    **CHANGEABLE,
    "allowed_payment_method_types": ListOf(Text()),
    "amount": AMOUNT,
    "automatic_payment_methods": Anything(),
    "capture_method": Text(("automatic", "automatic_async", "manual")),
    "confirm": Boolean(),
    "confirmation_method": Anything(),
    "currency": Text(),
    "customer": Text(),
    "error_on_requires_action": Anything(),
    "mandate_data": Anything(),
    "off_session": Anything(),
    "payment_method": Text(),
    "payment_method_options": Anything(),
    "return_url": Text(),
    "setup_future_usage": Text(("off_session", "on_session")),
    "shipping": SHIPPING,
    "statement_descriptor": Text(max_length=22),
    "statement_descriptor_suffix": Text(max_length=22),
    "transfer_group": Text(),
}
CONFIRM: dict[str, Field] = {
    name: INTENT[name]
    for name in ("error_on_requires_action", "off_session", "payment_method", "return_url")
}
REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


@api.route("POST", INTENTS, INTENT, ("amount", "currency"))
def create_intent(call: Call) -> dict[str, Any] | ApiError:
    """Create a PaymentIntent, and try to take the money when `confirm` says so."""
    intent = direct.create(call.tx, call.params)
    return direct.confirm(call.tx, intent) if call.params.get("confirm") else intent


@api.route("GET", f"{INTENTS}/<id>", {"client_secret": Text()})
def retrieve_intent(call: Call, id: str) -> dict[str, Any]:
    """Return a PaymentIntent."""
    return call.tx.get("payment_intent", id)


@api.route("POST", f"{INTENTS}/<id>", CHANGEABLE)
def update_intent(call: Call, id: str) -> dict[str, Any]:
    """Change what is said about a PaymentIntent."""
    intent = call.tx.get("payment_intent", id)
    _change(call, intent)
    return intent


@api.route("POST", f"{INTENTS}/<id>/confirm", CONFIRM)
def confirm_intent(call: Call, id: str) -> dict[str, Any] | ApiError:
    """Try to take the money of a PaymentIntent."""
    intent = call.tx.get("payment_intent", id)
    return direct.confirm(call.tx, intent, call.params.get("payment_method"))


@api.route("POST", f"{INTENTS}/<id>/capture", {"amount_to_capture": AMOUNT})
def capture_intent(call: Call, id: str) -> dict[str, Any]:
    """Take money that was set aside."""
    intent = call.tx.get("payment_intent", id)
    return direct.capture(call.tx, intent, call.params.get("amount_to_capture"))


@api.route("POST", f"{INTENTS}/<id>/cancel", {"cancellation_reason": Text(REASONS)})
def cancel_intent(call: Call, id: str) -> dict[str, Any]:
    """End a PaymentIntent that took no money."""
    intent = call.tx.get("payment_intent", id)
    return direct.cancel(call.tx, intent, call.params.get("cancellation_reason"))


@api.route("GET", INTENTS, {**PAGING, "created": Moments(), "customer": Text()})
def list_intents(call: Call) -> dict[str, Any]:
    """Return a page of PaymentIntents, newest first."""
    return list_objects(call, "payment_intent", INTENTS, {"customer": "$.customer"})


@api.route(
    "POST",
    CHARGES,
    {
        **CHANGEABLE,
        "amount": AMOUNT,
        "capture": Boolean(),
        "currency": Text(),
        "customer": Text(),
        "shipping": SHIPPING,
        "source": Text(),
        "statement_descriptor": Text(max_length=22),
    },
    ("amount", "currency", "source"),
)
def create_charge(call: Call) -> dict[str, Any] | ApiError:
    """Charge a test token in one step, the old way; here a PaymentIntent stands behind it too."""
    held = call.params.get("capture") is False
    params = {"capture_method": "manual" if held else "automatic_async", **call.params}
    outcome = direct.confirm(call.tx, direct.create(call.tx, params), call.params["source"])
    if isinstance(outcome, ApiError):
        return outcome
    return call.tx.get("charge", outcome["latest_charge"] or "", "source")


@api.route("GET", f"{CHARGES}/<id>")
def retrieve_charge(call: Call, id: str) -> dict[str, Any]:
    """Return a charge."""
    return call.tx.get("charge", id)


@api.route("POST", f"{CHARGES}/<id>", CHANGEABLE)
def update_charge(call: Call, id: str) -> dict[str, Any]:
    """Change what is said about a charge."""
    charge = call.tx.get("charge", id)
    previous = _change(call, charge)
    if previous:
        emit(call.tx, "charge.updated", charge, previous)
    return charge


@api.route("POST", f"{CHARGES}/<id>/capture", {"amount": AMOUNT})
def capture_charge(call: Call, id: str) -> dict[str, Any]:
    """Take money that was set aside."""
    charge = call.tx.get("charge", id)
    intent = call.tx.get("payment_intent", charge["payment_intent"])
    direct.capture(call.tx, intent, call.params.get("amount"))
    return call.tx.get("charge", id)


CHARGE_FILTERS = {"customer": "$.customer", "payment_intent": "$.payment_intent"}


@api.route(
    "GET", CHARGES, {**PAGING, "created": Moments(), **{name: Text() for name in CHARGE_FILTERS}}
)
def list_charges(call: Call) -> dict[str, Any]:
    """Return a page of charges, newest first."""
    return list_objects(call, "charge", CHARGES, CHARGE_FILTERS)


def _change(call: Call, obj: Stored) -> dict[str, Any]:
    """Set what was sent and return what it was before."""
    changes = {name: value for name, value in call.params.items() if name in CHANGEABLE}
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(obj["metadata"], changes["metadata"])
    previous = {name: obj[name] for name, value in changes.items() if obj[name] != value}
    obj.update(changes)
    call.tx.save(obj)
    return previous

"""/v1/customers."""

from typing import Any

from storefront.sandbox import customers, subscriptions
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import (
    Anything,
    Clearable,
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

api = Api()
URL = "/v1/customers"
ADDRESS = Group({key: Text(clearable=True) for key in customers.ADDRESS_KEYS})
SHIPPING = Group({"address": ADDRESS, "name": Text(), "phone": Text()}, ("address", "name"))
FIELDS: dict[str, Field] = {
    "address": Clearable(ADDRESS),
    "business_name": Text(clearable=True),
    "description": Text(clearable=True),
    "email": Email(clearable=True),
    "individual_name": Text(clearable=True),
    "invoice_settings": Anything(),
    "metadata": Metadata(),
    "name": Text(clearable=True),
    "phone": Text(clearable=True),
    "preferred_locales": ListOf(Text()),
    "shipping": Clearable(SHIPPING),
    "tax_exempt": Text(("exempt", "none", "reverse"), clearable=True),
}


@api.route("POST", URL, {**FIELDS, "balance": Integer(), "validate": Anything()})
def create_customer(call: Call) -> dict[str, Any]:
    """Create a customer."""
    return customers.create(call.tx, call.params)


@api.route("GET", f"{URL}/<id>")
def retrieve_customer(call: Call, id: str) -> dict[str, Any]:
    """Return a customer; of a deleted one only that it was deleted."""
    return call.tx.get("customer", id)


@api.route("POST", f"{URL}/<id>", FIELDS)
def update_customer(call: Call, id: str) -> dict[str, Any]:
    """Change the fields that were sent."""
    customer = customers.get_live(call.tx, id)
    ignored = ("expand", "invoice_settings")
    changes = {name: value for name, value in call.params.items() if name not in ignored}
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(customer["metadata"], changes["metadata"])
    if "address" in changes:
        changes["address"] = customers.address(changes["address"])
    if "shipping" in changes:
        changes["shipping"] = customers.shipping(changes["shipping"])
    return customers.change(call.tx, customer, changes)


@api.route("DELETE", f"{URL}/<id>")
def delete_customer(call: Call, id: str) -> dict[str, Any]:
    """Delete a customer for good and cancel what it subscribes to."""
    customer = customers.get_live(call.tx, id)
    for subscription in call.tx.select(
        "type = 'subscription' AND json_extract(data, '$.customer') = ?", (id,)
    ):
        if subscription["status"] not in subscriptions.ENDED:
            subscriptions.cancel(call.tx, subscription)
    emit(call.tx, "customer.deleted", customer)
    customer.clear()
    customer.update(id=id, object="customer", deleted=True)
    return call.tx.save(customer)


@api.route("GET", URL, {**PAGING, "created": Moments(), "email": Text()})
def list_customers(call: Call) -> dict[str, Any]:
    """Return a page of customers, newest first, without the deleted ones."""
    return list_objects(
        call, "customer", URL, {"email": "$.email"}, "json_extract(data, '$.deleted') IS NULL"
    )

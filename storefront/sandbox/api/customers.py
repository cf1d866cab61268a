"""/v1/customers."""

from typing import Any

from storefront.sandbox import customers, methods, test_clocks
from storefront.sandbox.listing import PAGING, Moments, list_objects
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
from storefront.sandbox.store import Stored

api = Api()
URL = "/v1/customers"
ADDRESS = Group({key: Text(clearable=True) for key in customers.ADDRESS_KEYS})
SHIPPING = Group({"address": ADDRESS, "name": Text(), "phone": Text()}, ("address", "name"))
INVOICE_SETTINGS = Group(
    {
        "custom_fields": Anything(),
        "default_payment_method": Text(clearable=True),
        "footer": Anything(),
        "rendering_options": Anything(),
    }
)
FIELDS: dict[str, Field] = {
    "address": Clearable(ADDRESS),
    "business_name": Text(clearable=True),
    "description": Text(clearable=True),
    "email": Email(clearable=True),
    "individual_name": Text(clearable=True),
    "invoice_settings": INVOICE_SETTINGS,
    "metadata": Metadata(),
    "name": Text(clearable=True),
    "phone": Text(clearable=True),
    "preferred_locales": ListOf(Text()),
    "shipping": Clearable(SHIPPING),
    "tax_exempt": Text(("exempt", "none", "reverse"), clearable=True),
}


@api.route(
    "POST",
    URL,
    {
        **FIELDS,
        "balance": Integer(),
        "payment_method": Text(),
        "source": Text(),
        "test_clock": Text(),
        "validate": Anything(),
    },
)
def create_customer(call: Call) -> dict[str, Any]:
    """Create a customer, at the time of a test clock where one is named."""
    with test_clocks.following(call.tx, call.params):
        customer = customers.create(call.tx, call.params)
        name = call.params.get("payment_method") or call.params.get("source")
        if name:
            method = methods.find_or_make(call.tx, name, customer, "payment_method")
        if "source" in call.params:
            default = {"default_payment_method": method["id"]}
            customer["invoice_settings"] = {**customer["invoice_settings"], **default}
            call.tx.save(customer)
        return _set_default_method(call, customer)


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
    customers.change(call.tx, customer, changes)
    return _set_default_method(call, customer)


def _set_default_method(call: Call, customer: Stored) -> Stored:
    name = call.params.get("invoice_settings", {}).get("default_payment_method", "")
    if name == "":
        return customer
    param = "invoice_settings[default_payment_method]"
    method = name and methods.find_or_make(call.tx, name, customer, param)["id"]
    settings = customer["invoice_settings"] | {"default_payment_method": method}
    return customers.change(call.tx, customer, {"invoice_settings": settings})


@api.route("DELETE", f"{URL}/<id>")
def delete_customer(call: Call, id: str) -> dict[str, Any]:
    """Delete a customer for good and cancel what it subscribes to."""
    return customers.delete(call.tx, customers.get_live(call.tx, id))


@api.route("GET", URL, {**PAGING, "created": Moments(), "email": Text()})
def list_customers(call: Call) -> dict[str, Any]:
    """Return a page of customers, newest first, without the deleted ones."""
    return list_objects(
        call, "customer", URL, {"email": "$.email"}, "json_extract(data, '$.deleted') IS NULL"
    )

"""/v1/products and /v1/prices."""

from typing import Any

from storefront.sandbox import catalog
from storefront.sandbox.errors import invalid
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import (
    Boolean,
    Field,
    ListOf,
    Metadata,
    Text,
    Url,
    merge_metadata,
)
from storefront.sandbox.router import Api, Call
from storefront.sandbox.store import Stored

api = Api()
PRODUCTS = "/v1/products"
PRICES = "/v1/prices"
PRODUCT: dict[str, Field] = {
    **catalog.PRODUCT_DATA,
    "active": Boolean(),
    "shippable": Boolean(),
    "statement_descriptor": Text(max_length=22),
    "url": Url(),
}
PRICE: dict[str, Field] = {
    "active": Boolean(),
    "lookup_key": Text(max_length=200),
    "metadata": Metadata(),
    "nickname": Text(clearable=True),
    "tax_behavior": catalog.TAX_BEHAVIOR,
    "transfer_lookup_key": Boolean(),
}


@api.route("POST", PRODUCTS, {**PRODUCT, "id": Text()}, ("name",))
def create_product(call: Call) -> dict[str, Any]:
    """Create a product, under an id of the caller's choice if one is sent."""
    if call.tx.find("product", call.params.get("id")):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    return catalog.create_product(call.tx, call.params)


@api.route("GET", f"{PRODUCTS}/<id>")
def retrieve_product(call: Call, id: str) -> dict[str, Any]:
    """Return a product."""
    return call.tx.get("product", id)


@api.route("POST", f"{PRODUCTS}/<id>", PRODUCT)
def update_product(call: Call, id: str) -> dict[str, Any]:
    """Change the fields that were sent."""
    product = call.tx.get("product", id)
    changes = {**call.params, "updated": call.tx.now}
    return _change(call, product, changes, "product.updated")


@api.route("DELETE", f"{PRODUCTS}/<id>")
def delete_product(call: Call, id: str) -> dict[str, Any]:
    """Delete a product for good; one that has, or had, a price can only be made inactive."""
    product = call.tx.get("product", id)
    if call.tx.select("type = 'price' AND json_extract(data, '$.product') = ?", (id,)):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices.", "id"
        )
    call.tx.delete(product)
    emit(call.tx, "product.deleted", product)
    return {"id": id, "object": "product", "deleted": True}


@api.route("GET", PRODUCTS, {**PAGING, "created": Moments(), "active": Boolean()})
def list_products(call: Call) -> dict[str, Any]:
    """Return a page of products, newest first."""
    return list_objects(call, "product", PRODUCTS, {"active": "$.active"})


@api.route("POST", PRICES, {**catalog.PRICE_DATA.fields, **PRICE}, ("currency",))
def create_price(call: Call) -> dict[str, Any]:
    """Create a price; its amount, currency and interval can never change."""
    _take_lookup_key(call)
    return catalog.create_price(call.tx, call.params)


@api.route("GET", f"{PRICES}/<id>")
def retrieve_price(call: Call, id: str) -> dict[str, Any]:
    """Return a price."""
    return call.tx.get("price", id)


@api.route("POST", f"{PRICES}/<id>", PRICE)
def update_price(call: Call, id: str) -> dict[str, Any]:
    """Change the fields that were sent."""
    price = call.tx.get("price", id)
    _take_lookup_key(call)
    return _change(call, price, dict(call.params), "price.updated")


@api.route(
    "GET",
    PRICES,
    {
        **PAGING,
        "active": Boolean(),
        "created": Moments(),
        "currency": Text(),
        "lookup_keys": ListOf(Text(), 10),
        "product": Text(),
        "type": Text(("one_time", "recurring")),
    },
)
def list_prices(call: Call) -> dict[str, Any]:
    """Return a page of prices, newest first."""
    filters = {
        "active": "$.active",
        "currency": "$.currency",
        "lookup_keys": "$.lookup_key",
        "product": "$.product",
        "type": "$.type",
    }
    return list_objects(call, "price", PRICES, filters)


def _take_lookup_key(call: Call) -> None:
    """Free the lookup key that is asked for, or refuse when another price has it."""
    key = call.params.get("lookup_key")
    transfer = call.params.get("transfer_lookup_key", False)
    holders = call.tx.select("type = 'price' AND json_extract(data, '$.lookup_key') = ?", (key,))
    for price in holders if key else []:
        if not transfer:
            raise invalid(f"A price ({price['id']}) already uses that lookup key.", "lookup_key")
        price["lookup_key"] = None
        call.tx.save(price)
        emit(call.tx, "price.updated", price, {"lookup_key": key})


def _change(call: Call, obj: Stored, changes: dict[str, Any], event: str) -> Stored:
    for name in ("expand", "transfer_lookup_key", "tax_details"):
        changes.pop(name, None)
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(obj["metadata"], changes["metadata"])
    previous = {name: obj[name] for name, value in changes.items() if obj[name] != value}
    obj.update(changes)
    call.tx.save(obj)
    emit(call.tx, event, obj, previous)
    return obj

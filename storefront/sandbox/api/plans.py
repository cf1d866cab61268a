"""/v1/plans: recurring prices under the name they had before prices came."""

from typing import Any

from storefront.sandbox import catalog, money
from storefront.sandbox.errors import invalid, missing_parameter
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import (
    Boolean,
    Field,
    Group,
    Integer,
    Metadata,
    Text,
    merge_metadata,
)
from storefront.sandbox.router import Api, Call
from storefront.sandbox.store import Stored
from storefront.sandbox.subscription_shapes import plan_shape

api = Api()
URL = "/v1/plans"
CHANGEABLE: dict[str, Field] = {
    "active": Boolean(),
    "metadata": Metadata(),
    "nickname": Text(clearable=True),
}
NEW_PRODUCT = Group(
    {
        "active": Boolean(),
        "metadata": Metadata(),
        "name": Text(max_length=250),
        "statement_descriptor": Text(max_length=22),
        "unit_label": Text(max_length=12),
    },
    ("name",),
)


class Product:
    """A product's id, or what is needed to make one."""

    def read(self, raw: Any, name: str) -> Any:
        """Return the id, or the new product's fields."""
        return Text().read(raw, name) if isinstance(raw, str) else NEW_PRODUCT.read(raw, name)


@api.route(
    "POST",
    URL,
    {
        **CHANGEABLE,
        "amount": Integer(0, money.MAXIMUM),
        "currency": Text(),
        "interval": Text(catalog.INTERVALS),
        "interval_count": Integer(1, 1095),
        "product": Product(),
    },
    ("currency", "interval"),
)
def create_plan(call: Call) -> dict[str, Any]:
    """Create a recurring price, and its product where that is described instead of named."""
    params = call.params
    for name in ("amount", "product"):
        if name not in params:
            raise missing_parameter(name)
    product = params["product"]
    if not isinstance(product, str):
        product = catalog.create_product(call.tx, product)["id"]
    price = catalog.create_price(
        call.tx,
        {
            **{name: params[name] for name in CHANGEABLE if name in params},
            "currency": params["currency"],
            "product": product,
            "recurring": {
                "interval": params["interval"],
                "interval_count": params.get("interval_count", 1),
            },
            "unit_amount": params["amount"],
        },
    )
    plan = plan_shape(price)
    emit(call.tx, "plan.created", Stored(plan))
    return plan


@api.route("GET", f"{URL}/<id>")
def retrieve_plan(call: Call, id: str) -> dict[str, Any]:
    """Return a recurring price as a plan."""
    return plan_shape(_price(call, id))


@api.route("POST", f"{URL}/<id>", CHANGEABLE)
def update_plan(call: Call, id: str) -> dict[str, Any]:
    """Change the fields that were sent."""
    price = _price(call, id)
    changes = {name: call.params[name] for name in CHANGEABLE if name in call.params}
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(price["metadata"], changes["metadata"])
    previous = {name: price[name] for name, value in changes.items() if price[name] != value}
    price.update(changes)
    call.tx.save(price)
    plan = plan_shape(price)
    if previous:
        emit(call.tx, "plan.updated", Stored(plan), previous)
        emit(call.tx, "price.updated", price, previous)
    return plan


@api.route("DELETE", f"{URL}/<id>")
def delete_plan(call: Call, id: str) -> dict[str, Any]:
    """Delete a recurring price for good; who subscribes to it already goes on paying it."""
    price = _price(call, id)
    call.tx.delete(price)
    emit(call.tx, "plan.deleted", Stored(plan_shape(price)))
    emit(call.tx, "price.deleted", price)
    return {"id": id, "object": "plan", "deleted": True}


def _price(call: Call, id: str) -> Stored:
    price = call.tx.get("price", id)
    if not price["recurring"]:
        raise invalid("This price is not recurring, so it is no plan.", "id")
    return price

"""What the API may change about the items of a subscription that lives."""

import copy
from typing import Any

from storefront.sandbox import subscriptions
from storefront.sandbox.errors import invalid
from storefront.sandbox.signup import interval_of, line_for
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.subscription_shapes import item_shape, plan_shape


def change_items(
    tx: Tx, subscription: Stored, changes: list[dict[str, Any]], proration: str | None
) -> Stored:
    """Change, add and take away items from the next invoice on; raise ApiError for a proration."""
    subscriptions.refuse_ended(subscription)
    before = copy.deepcopy(dict(subscription))
    items = {item["id"]: item for item in subscription["items"]["data"]}
    for index, change in enumerate(changes):
        _change(tx, subscription, items, change, f"items[{index}]")
    if not items:
        raise invalid("A subscription must have at least one active item.", "items")
    subscription["items"]["data"] = list(items.values())
    if _billed(before["items"]["data"]) != _billed(list(items.values())) and proration != "none":
        raise invalid(
            "The sandbox does not prorate: pass `proration_behavior` as `none`, and the change "
            "counts from the next invoice on.",
            "proration_behavior",
        )
    return subscriptions.save(tx, subscription, before)


def _change(
    tx: Tx,
    subscription: Stored,
    items: dict[str, dict[str, Any]],
    change: dict[str, Any],
    param: str,
) -> None:
    id = change.get("id")
    if id is not None and id not in items:
        raise invalid(f"No such subscription item: '{id}'", f"{param}[id]", "resource_missing")
    if change.get("deleted"):
        items.pop(id or "", None)
        return
    prices = not {"plan", "price", "price_data"}.isdisjoint(change)
    line = line_for(tx, change, param) if prices or id is None else None
    if line is not None:
        _check_price(subscription, line["price"], param)
    if id is None:
        assert line is not None
        new = item_shape(tx.now, subscription["id"], line, subscriptions.period_end(subscription))
        items[new["id"]] = new
        return
    if line is not None:
        items[id] |= {"price": line["price"], "plan": plan_shape(line["price"])}
    for name in ("quantity", "metadata"):
        if change.get(name) is not None:
            items[id][name] = change[name]


def _check_price(subscription: Stored, price: dict[str, Any], param: str) -> None:
    present = subscription["items"]["data"][0]["price"]
    if price["currency"] != subscription["currency"]:
        raise invalid("The price must have the subscription's currency.", f"{param}[price]")
    if interval_of(price) != interval_of(present):
        raise invalid(
            "The sandbox does not change the interval of a subscription.", f"{param}[price]"
        )


def _billed(items: list[dict[str, Any]]) -> set[tuple[str, int]]:
    return {(item["price"]["id"], item["quantity"]) for item in items}

"""The `expand` parameter: ids become the objects they name, lists appear when asked for."""

from collections.abc import Callable
from typing import Any

from storefront.sandbox.errors import invalid
from storefront.sandbox.store import Tx

TYPES = {
    "ch": "charge",
    "clock": "test_helpers.test_clock",
    "cs": "checkout.session",
    "cus": "customer",
    "du": "dispute",
    "evt": "event",
    "in": "invoice",
    "inpay": "invoice_payment",
    "pi": "payment_intent",
    "pm": "payment_method",
    "price": "price",
    "prod": "product",
    "re": "refund",
    "shr": "shipping_rate",
    "sub": "subscription",
    "txn": "balance_transaction",
}
MAX_DEPTH = 4
Lister = Callable[[Tx, dict[str, Any]], dict[str, Any]]
LISTS: dict[tuple[str, str], Lister] = {}


def includable(type: str, field: str) -> Callable[[Lister], Lister]:
    """Register the list that `expand` adds to objects of this type under this field."""

    def register(lister: Lister) -> Lister:
        LISTS[type, field] = lister
        return lister

    return register


def expand(tx: Tx, obj: dict[str, Any], paths: list[str]) -> None:
    """Expand an object in place along dotted paths; raise ApiError for one that leads nowhere."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise invalid(
                f"You cannot expand more than {MAX_DEPTH} levels of a property.", "expand"
            )
        _walk(tx, obj, steps, path)


def _walk(tx: Tx, node: Any, steps: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(tx, item, steps, path)
        return
    if not steps or node is None:
        return
    if not isinstance(node, dict) or not _open(tx, node, steps[0]):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    _walk(tx, node[steps[0]], steps[1:], path)


def _open(tx: Tx, node: dict[str, Any], field: str) -> bool:
    """Replace the id in a field by its object, or add the list of that name; say if it could."""
    lister = LISTS.get((node.get("object", ""), field))
    if lister is not None:
        if not isinstance(node.get(field), dict):
            node[field] = lister(tx, node)
        return True
    if field not in node:
        return False
    value = node[field]
    if isinstance(value, str):
        found = tx.find(TYPES.get(value.split("_")[0], ""), value)
        if found is None:
            return False
        node[field] = dict(found)
    return True

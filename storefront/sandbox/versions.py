"""Events as older versions of the API wrote them, for endpoints that were registered long ago."""

from collections.abc import Callable
from typing import Any

import stripe

from storefront.sandbox.store import Tx

Shape = dict[str, Any]
KNOWN = (
    "2024-06-20",
    "2025-02-24.acacia",
    "2025-03-31.basil",
    "2025-09-30.clover",
    "2026-03-25.dahlia",
    stripe.api_version,
)
OLD_MODES = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


def render(tx: Tx, event: Shape, version: str) -> Shape:
    """Return an event in the shape of a version; its object is changed in place."""
    for until, change in CHANGES:
        if version[:10] < until:
            change(tx, event["data"])
    event["api_version"] = version
    return event


def read_old(raw: Shape, version: str) -> Shape:
    """Return parameters in the words of today, of which older versions had some others.

    A call that names no version is taken for an old program's.
    """
    for until, change in OLD_WORDS:
        if version[:10] < until:
            raw = change(raw)
    return raw


def _method_types(raw: Shape) -> Shape:
    if "payment_method_types" not in raw:
        return raw
    rest = {name: value for name, value in raw.items() if name != "payment_method_types"}
    return {**rest, "allowed_payment_method_types": raw["payment_method_types"]}


def _lines_without_price(raw: Shape) -> Shape:
    """Turn lines that say their name and amount themselves into lines with a price."""
    lines = raw.get("line_items")
    if not isinstance(lines, dict) or not any(map(_is_priceless, lines.values())):
        return raw
    priced = {index: _with_price(line) for index, line in lines.items()}
    return {"mode": "payment", **raw, "line_items": priced}


def _is_priceless(line: Any) -> bool:
    return isinstance(line, dict) and "amount" in line


def _with_price(line: Any) -> Any:
    if not _is_priceless(line):
        return line
    product = {name: line[name] for name in ("name", "description", "images") if name in line}
    price = {"unit_amount": line["amount"], "product_data": product}
    if "currency" in line:
        price["currency"] = line["currency"]
    moved = {"amount", "currency", *product}
    return {name: value for name, value in line.items() if name not in moved} | {
        "price_data": price
    }


def before_dahlia(tx: Tx, data: Shape) -> None:
    """Give the pages of Checkout their old names."""
    obj = data["object"]
    if obj.get("object") == "checkout.session":
        obj["ui_mode"] = OLD_MODES.get(obj["ui_mode"], obj["ui_mode"])


def before_clover(tx: Tx, data: Shape) -> None:
    """Hang coupons on discounts and promotion codes themselves."""
    for part in _walk(data):
        if part.get("object") in ("discount", "promotion_code"):
            holder = part.pop("source" if part["object"] == "discount" else "promotion", None)
            part["coupon"] = (holder or {}).get("coupon")


def before_basil(tx: Tx, data: Shape) -> None:
    """Undo what moved: addresses, periods, and how invoices and payments find each other."""
    for part in (data["object"], data.get("previous_attributes") or {}):
        change = BASIL.get(str(data["object"].get("object")))
        if change is not None:
            change(tx, part)


def _session(tx: Tx, session: Shape) -> None:
    collected = session.get("collected_information") or {}
    session["shipping_details"] = collected.pop("shipping_details", None)


def _subscription(tx: Tx, subscription: Shape) -> None:
    items = (subscription.get("items") or {}).get("data", [])
    for name in ("current_period_start", "current_period_end"):
        found = [item.pop(name) for item in items if name in item]
        if found:
            subscription[name] = found[0]


def _invoice(tx: Tx, invoice: Shape) -> None:
    if "id" not in invoice:  # only what changed
        if "status" in invoice:
            invoice["paid"] = invoice["status"] == "paid"
        return
    details = (invoice.pop("parent", None) or {}).get("subscription_details") or {}
    payment = _find_payment(tx, "invoice", invoice["id"])
    intent = tx.find("payment_intent", payment["payment"]["payment_intent"] if payment else None)
    invoice.pop("payments", None)
    invoice.update(
        charge=intent and intent["latest_charge"] if invoice["status"] == "paid" else None,
        paid=invoice["status"] == "paid",
        payment_intent=intent and intent["id"],
        subscription=details.get("subscription"),
        subscription_details={"metadata": details.get("metadata")},
    )
    for line in (invoice.get("lines") or {}).get("data", []):
        _invoice_line(tx, line)


def _invoice_line(tx: Tx, line: Shape) -> None:
    pricing = (line.pop("pricing", None) or {}).get("price_details") or {}
    item = (line.pop("parent", None) or {}).get("subscription_item_details") or {}
    line["price"] = tx.find("price", pricing.get("price"))
    line["subscription_item"] = item.get("subscription_item")


def _charge(tx: Tx, charge: Shape) -> None:
    if "id" in charge:
        payment = _find_payment(tx, "payment.payment_intent", charge["payment_intent"])
        charge["invoice"] = payment and payment["invoice"]


def _intent(tx: Tx, intent: Shape) -> None:
    if "id" in intent:
        payment = _find_payment(tx, "payment.payment_intent", intent["id"])
        intent["invoice"] = payment and payment["invoice"]


def _find_payment(tx: Tx, field: str, id: str | None) -> Shape | None:
    found = tx.select(f"type = 'invoice_payment' AND json_extract(data, '$.{field}') = ?", (id,))
    return found[-1] if found else None


def _walk(value: Any) -> list[Shape]:
    """Return every object within a value."""
    if isinstance(value, dict):
        return [value, *(part for child in value.values() for part in _walk(child))]
    if isinstance(value, list):
        return [part for child in value for part in _walk(child)]
    return []


BASIL: dict[str, Callable[[Tx, Shape], None]] = {
    "charge": _charge,
    "checkout.session": _session,
    "invoice": _invoice,
    "payment_intent": _intent,
    "subscription": _subscription,
}
OLD_WORDS: tuple[tuple[str, Callable[[Shape], Shape]], ...] = (
    ("2026-09-30", _method_types),
    ("2022-08-01", _lines_without_price),
)
CHANGES: tuple[tuple[str, Callable[[Tx, Shape], None]], ...] = (
    ("2026-03-25", before_dahlia),
    ("2025-09-30", before_clover),
    ("2025-03-31", before_basil),
)

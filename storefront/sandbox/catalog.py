"""Products, prices and shipping rates: made by the API, or inline with a Checkout Session."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from storefront.sandbox import money
from storefront.sandbox.errors import invalid, missing_parameter
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import (
    Anything,
    Field,
    Group,
    Integer,
    ListOf,
    Metadata,
    Number,
    Text,
    Url,
)
from storefront.sandbox.store import Stored, Tx

TAX_BEHAVIOR = Text(("exclusive", "inclusive", "unspecified"))
INTERVALS = ("day", "month", "week", "year")
RECURRING = Group({"interval": Text(INTERVALS), "interval_count": Integer(1, 1095)}, ("interval",))
PRODUCT_DATA: dict[str, Field] = {
    "name": Text(max_length=250),
    "description": Text(max_length=5000),
    "images": ListOf(Url(), 8),
    "metadata": Metadata(),
    "tax_code": Text(),
    "tax_details": Anything(),
    "unit_label": Text(max_length=12),
}
PRICE_DATA = Group(
    {
        "currency": Text(),
        "product": Text(),
        "product_data": Group(PRODUCT_DATA, ("name",)),
        "unit_amount": Integer(0, money.MAXIMUM),
        "unit_amount_decimal": Number(),
        "recurring": RECURRING,
        "tax_behavior": TAX_BEHAVIOR,
    },
    ("currency",),
)
DELIVERY_BOUND = Group(
    {"unit": Text(("business_day", "day", "hour", "month", "week")), "value": Integer(1)},
    ("unit", "value"),
)
SHIPPING_RATE_DATA = Group(
    {
        "display_name": Text(max_length=100),
        "type": Text(("fixed_amount",)),
        "fixed_amount": Group(
            {
                "amount": Integer(0, money.MAXIMUM),
                "currency": Text(),
                "currency_options": Anything(),
            },
            ("amount", "currency"),
        ),
        "delivery_estimate": Group({"minimum": DELIVERY_BOUND, "maximum": DELIVERY_BOUND}),
        "tax_behavior": TAX_BEHAVIOR,
        "tax_code": Text(),
        "metadata": Metadata(),
    },
    ("display_name",),
)


def create_product(tx: Tx, params: dict[str, Any], *, active: bool = True) -> Stored:
    """Create a product; `params` has been validated against PRODUCT_DATA."""
    product = Stored(
        {
            "id": params.get("id") or new_id("prod"),
            "object": "product",
            "active": params.get("active", active),
            "created": tx.now,
            "default_price": None,
            "description": params.get("description"),
            "images": params.get("images", []),
            "livemode": False,
            "marketing_features": [],
            "metadata": params.get("metadata") or {},
            "name": params["name"],
            "package_dimensions": None,
            "shippable": params.get("shippable"),
            "statement_descriptor": params.get("statement_descriptor"),
            "tax_code": params.get("tax_code"),
            "tax_details": None,
            "type": "service",
            "unit_label": params.get("unit_label"),
            "updated": tx.now,
            "url": params.get("url"),
        }
    )
    tx.add(product)
    emit(tx, "product.created", product)
    return product


def create_price(tx: Tx, params: dict[str, Any], param: str = "", *, active: bool = True) -> Stored:
    """Create a price, and its product from `product_data`; raise ApiError naming the parameter."""
    currency = read_currency(params["currency"], _name(param, "currency"))
    unit_amount, exact = _unit_amount(params, param)
    if unit_amount is not None and unit_amount % money.smallest_step(currency):
        raise invalid(
            f"Invalid amount: amounts in {currency} must be a multiple of "
            f"{money.smallest_step(currency)} on the API",
            _name(param, "unit_amount"),
        )
    recurring = params.get("recurring")
    price = Stored(
        {
            "id": new_id("price"),
            "object": "price",
            "active": params.get("active", active),
            "billing_scheme": "per_unit",
            "created": tx.now,
            "currency": currency,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": params.get("lookup_key"),
            "metadata": params.get("metadata") or {},
            "nickname": params.get("nickname"),
            "product": _product_of(tx, params, param),
            "recurring": _recurring(recurring) if recurring else None,
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if recurring else "one_time",
            "unit_amount": unit_amount,
            "unit_amount_decimal": exact,
        }
    )
    tx.add(price)
    emit(tx, "price.created", price)
    return price


def create_shipping_rate(tx: Tx, params: dict[str, Any], param: str) -> Stored:
    """Create a shipping rate of a fixed amount; `params` has passed SHIPPING_RATE_DATA."""
    if "fixed_amount" not in params:
        raise missing_parameter(_name(param, "fixed_amount"))
    fixed = params["fixed_amount"]
    estimate = params.get("delivery_estimate")
    rate = {
        "id": new_id("shr"),
        "object": "shipping_rate",
        "active": True,
        "created": tx.now,
        "delivery_estimate": estimate and {"maximum": None, "minimum": None, **estimate},
        "display_name": params["display_name"],
        "fixed_amount": {
            "amount": fixed["amount"],
            "currency": read_currency(fixed["currency"], _name(param, "fixed_amount[currency]")),
        },
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tax_code": params.get("tax_code"),
        "type": "fixed_amount",
    }
    return tx.add(Stored(rate))


def amount_of(price: dict[str, Any], quantity: int) -> int:
    """Return what a quantity of this price costs, in minor units, halves rounded up."""
    total = Decimal(price["unit_amount_decimal"]) * quantity
    return int(total.quantize(Decimal(1), ROUND_HALF_UP))


def read_currency(text: str, param: str) -> str:
    """Return a currency code in lower case; raise ApiError for one that Stripe does not know."""
    if text.lower() not in money.CURRENCIES:
        raise invalid(f"Invalid currency: {text}. Stripe does not support it.", param)
    return text.lower()


def _unit_amount(params: dict[str, Any], param: str) -> tuple[int | None, str]:
    if ("unit_amount" in params) == ("unit_amount_decimal" in params):
        raise invalid(
            "You must specify exactly one of `unit_amount` or `unit_amount_decimal`",
            _name(param, "unit_amount"),
            None if "unit_amount" in params else "parameter_missing",
        )
    if "unit_amount" in params:
        return params["unit_amount"], str(params["unit_amount"])
    exact: Decimal = params["unit_amount_decimal"]
    return int(exact) if exact == int(exact) else None, f"{exact.normalize():f}"


def _product_of(tx: Tx, params: dict[str, Any], param: str) -> str:
    if ("product" in params) == ("product_data" in params):
        raise invalid(
            "You must specify exactly one of `product` or `product_data`", _name(param, "product")
        )
    if "product" in params:
        return str(tx.get("product", params["product"], _name(param, "product"))["id"])
    return str(create_product(tx, params["product_data"], active=params.get("active", True))["id"])


def _recurring(params: dict[str, Any]) -> dict[str, Any]:
    return {
        "interval": params["interval"],
        "interval_count": params.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _name(param: str, key: str) -> str:
    return f"{param}[{key}]" if param else key

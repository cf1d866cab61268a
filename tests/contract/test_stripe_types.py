"""The checker on what a shop sends, and proof that it leaves nothing unchecked."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.contract import sdk
from tests.contract.samples import ABSENT, EVENT, ORDER, SESSION, altered
from tests.contract.stripe_types import check_event, check_object, check_request, decode_form

SESSIONS = "/v1/checkout/sessions"


def test_what_a_shop_sends_passes() -> None:
    assert check_request("POST", SESSIONS, ORDER) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("payment_method_types", ["card"], "payment_method_types: unknown key"),
        ("api_key", "sk_test_1", "api_key: unknown key"),
        ("line_items.0.amount", 5, "line_items[0].amount: unknown key"),
        ("line_items.0.quantity", "2", "line_items[0].quantity: expected int, got str"),
        ("line_items.0.quantity", True, "line_items[0].quantity: expected int, got bool"),
        (
            "line_items.0.price_data.unit_amount",
            12.5,
            "line_items[0].price_data.unit_amount: expected int, got float",
        ),
        (
            "line_items.0.price_data.currency",
            ABSENT,
            "line_items[0].price_data.currency: missing",
        ),
        (
            "line_items.0.price_data.unit_amount_decimal",
            "12.5",
            "line_items[0].price_data.unit_amount_decimal: expected Decimal, got str",
        ),
        ("mode", "rent", "mode: expected 'payment' or 'setup' or 'subscription', got 'rent'"),
        ("line_items", {"0": {}}, "line_items: expected list, got dict"),
        ("line_items.0.price_data", 5, "line_items[0].price_data: expected "),
        ("metadata", "order", "metadata: expected object, got str"),
        ("metadata.order", 17, "metadata.order: expected str, got int"),
        ("allow_promotion_codes", "true", "allow_promotion_codes: expected bool, got str"),
        (
            "shipping_address_collection.allowed_countries.1",
            "XX",
            "shipping_address_collection.allowed_countries[1]: expected one of",
        ),
    ],
)
def test_what_is_wrong_in_a_request_is_named_with_its_path(
    path: str, value: object, problem: str
) -> None:
    (found,) = check_request("POST", SESSIONS, altered(ORDER, path, value))
    assert found.startswith(problem)


@pytest.mark.parametrize("old", ["hosted", "embedded", "custom"])
def test_the_old_names_of_ui_mode_are_wrong(old: str) -> None:
    (found,) = check_request("POST", SESSIONS, ORDER | {"ui_mode": old})
    assert found.startswith("ui_mode: expected ") and found.endswith(f"got '{old}'")
    assert check_request("POST", SESSIONS, ORDER | {"ui_mode": "hosted_page"}) == []


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("POST", "/v1/checkout/sessions/cs_1/expire", {}),
        ("GET", "/v1/checkout/sessions/cs_1", {"expand": ["line_items"]}),
        ("GET", "/v1/checkout/sessions/cs_1/line_items", {"limit": 100}),
        ("POST", "/v1/customers", {"email": "ada@example.com", "metadata": {"user": "1"}}),
        ("DELETE", "/v1/customers/cus_1", {}),
        ("POST", "/v1/refunds", {"payment_intent": "pi_1", "reason": "duplicate"}),
        (
            "POST",
            "/v1/webhook_endpoints",
            {"url": "https://shop.example/", "enabled_events": ["invoice.paid"]},
        ),
        ("POST", "/v1/subscriptions/sub_1", {"cancel_at_period_end": True, "metadata": ""}),
        ("DELETE", "/v1/subscriptions/sub_1", {"prorate": False}),
        ("POST", "/v1/prices", {"currency": "eur", "unit_amount_decimal": Decimal("0.5")}),
        ("POST", "/v1/products", {"name": "Teapot"}),
        ("GET", "/v1/prices", {"created": {"gte": 1}, "lookup_keys": ["a"]}),
        ("GET", "/v1/prices", {"created": 1}),
        ("GET", "/v1/account", {}),
        ("GET", "/v1/invoices/search", {"query": "total>100"}),
        ("GET", "/v1/customers/search", {"query": "email:'ada@example.com'"}),
        ("POST", "/v1/billing_portal/sessions", {"customer": "cus_1"}),
    ],
)
def test_each_call_is_held_against_its_own_parameters(
    method: str, path: str, params: dict[str, Any]
) -> None:
    assert check_request(method, path, params) == []
    assert check_request(method, path, params | {"nonsense": 1}) == ["nonsense: unknown key"]


def test_a_required_parameter_is_missed_by_name() -> None:
    assert check_request("POST", "/v1/products", {}) == ["name: missing"]
    assert check_request("POST", "/v1/webhook_endpoints", {"url": "https://shop.example/"}) == [
        "enabled_events: missing"
    ]


def test_a_call_that_stripe_does_not_have_is_a_problem() -> None:
    assert check_request("POST", "/v1/orders", {}) == ["POST /v1/orders: the SDK has no such call"]
    assert check_request("DELETE", SESSIONS, {}) != []


def test_a_form_is_read_as_text_and_its_scalars_by_their_types() -> None:
    form = (
        b"mode=payment&success_url=https%3A%2F%2Fshop.example%2F&line_items[0][quantity]=2"
        b"&line_items[0][price]=price_1&allow_promotion_codes=true&metadata[0]=odd&expand[]=customer"
    )
    params = decode_form(form)
    assert params == {
        "mode": "payment",
        "success_url": "https://shop.example/",
        "line_items": [{"quantity": "2", "price": "price_1"}],
        "allow_promotion_codes": "true",
        "metadata": ["odd"],
        "expand": ["customer"],
    }
    assert check_request("POST", SESSIONS, params, coerce=True) == []
    bad = altered(altered(params, "line_items.0.quantity", "two"), "allow_promotion_codes", "yes")
    assert check_request("POST", SESSIONS, bad, coerce=True) == [
        "allow_promotion_codes: expected bool, got str",
        "line_items[0].quantity: expected int, got str",
    ]


def test_a_form_keeps_order_blanks_and_sparse_numbers() -> None:
    assert decode_form("a[]=1&a[]=2&b=&m[7]=x&n[k][]=1") == {
        "a": ["1", "2"],
        "b": "",
        "m": {"7": "x"},
        "n": {"k": ["1"]},
    }
    assert decode_form(b"") == {}


@pytest.mark.parametrize("form", ["a=1&a=2", "a=1&a[b]=2", "a[b]=2&a=1"])
def test_a_form_that_contradicts_itself_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="a"):
        decode_form(form)


def spots(node: Any, trail: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the way to every value inside a sample."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs if isinstance(node, dict | list) else ():
        yield (*trail, str(key))
        if isinstance(value, dict | list):
            yield from spots(value, (*trail, str(key)))


@pytest.mark.parametrize(
    ("sample", "check"),
    [
        pytest.param(ORDER, lambda it: check_request("POST", SESSIONS, it), id="request"),
        pytest.param(SESSION, check_object, id="object"),
        pytest.param(EVENT, check_event, id="event"),
    ],
)
def test_no_field_goes_unchecked(sample: dict[str, Any], check: Any) -> None:
    """Nothing anywhere in a sound sample may take a value of no kind that Stripe knows."""
    ways = list(spots(sample))
    assert len(ways) > 15
    for way in ways:
        path = ".".join(way)
        assert check(altered(sample, path, ["?", {"?": 3.5}])), path
        if way[-2:-1] != ("metadata",) and not way[-1].isdigit():
            assert check(altered(sample, f"{path}_", 1)), f"{path}_"


def test_every_call_and_object_of_the_sdk_can_be_read() -> None:
    calls = sdk.list_calls()
    assert len(calls) > 500
    for call in calls:
        found = check_request(call.method, call.path, {"nonsense": 1})
        assert "nonsense: unknown key" in found, call
    for name in ["account", "charge", "dispute", "invoice", "invoice_payment", "payment_intent",
                 "product", "refund", "subscription", "webhook_endpoint"]:  # fmt: skip
        found = check_object({"object": name, "nonsense": 1})
        assert {"id: missing", "nonsense: unknown key"} <= set(found)

"""The checker on what Stripe sends: objects, lists, events and errors."""

from typing import Any

import pytest
import stripe

from tests.contract.samples import ABSENT, EVENT, LINE_ITEM, PRICE, SESSION, altered
from tests.contract.stripe_types import check_error, check_event, check_object


@pytest.mark.parametrize("sample", [SESSION, PRICE, LINE_ITEM, EVENT])
def test_what_stripe_sends_passes(sample: dict[str, Any]) -> None:
    assert check_object(sample) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("payment_status", "maybe", "payment_status: expected 'no_payment_required' or "),
        ("status", "closed", "status: expected 'complete' or 'expired' or 'open' or null, got"),
        ("amount_total", "2500", "amount_total: expected int or null, got str"),
        ("created", None, "created: expected int, got NoneType"),
        ("livemode", ABSENT, "livemode: missing"),
        ("shipping_details", None, "shipping_details: unknown key"),
        ("customer", 5, "customer: expected str or Customer or null, got int"),
        ("payment_method_types.0", 5, "payment_method_types[0]: expected str, got int"),
        ("metadata.order", 17, "metadata.order: expected str, got int"),
        ("customer_details.tax_exempt", "yes", "customer_details.tax_exempt: expected "),
        ("customer_details.address.zip", "1", "customer_details.address.zip: unknown key"),
        ("line_items.has_more", ABSENT, "line_items.has_more: missing"),
        ("line_items.object", "set", "line_items.object: expected 'list', got 'set'"),
        ("line_items.data.0.object", "line_item", "line_items.data[0].object: expected 'item'"),
        (
            "line_items.data.0.price.unit_amount_decimal",
            12.5,
            "line_items.data[0].price.unit_amount_decimal: expected Decimal or null, got float",
        ),
        (
            "line_items.data.0.price.recurring.interval",
            "eon",
            "line_items.data[0].price.recurring.interval: expected 'day' or",
        ),
    ],
)
def test_what_is_wrong_in_an_object_is_named_with_its_path(
    path: str, value: object, problem: str
) -> None:
    (found,) = check_object(altered(SESSION, path, value))
    assert found.startswith(problem)


def test_an_expandable_field_is_an_id_or_the_object_itself() -> None:
    customer = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
    assert check_object(SESSION | {"customer": customer}) == []
    wrong = SESSION | {"customer": customer | {"livemode": "no"}}
    assert check_object(wrong) == ["customer.livemode: expected bool, got str"]
    (found,) = check_object(SESSION | {"customer": PRICE})[:1]
    assert found.startswith("customer.")


def test_a_union_of_objects_is_judged_by_the_one_meant() -> None:
    customer = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
    card = {"id": "card_1", "object": "card", "brand": "Visa"}
    found = check_object(customer | {"default_source": card})
    assert found and all(problem.endswith(": missing") for problem in found)
    assert "default_source.exp_month: missing" in found
    nameless = {"id": "card_1", "brand": "Visa", "exp_month": 1, "exp_year": 2034}
    nameless |= {"funding": "credit", "last4": "4242"}
    assert check_object(customer | {"default_source": nameless}) == [
        "default_source.object: missing"
    ]


def test_a_list_is_checked_item_by_item() -> None:
    page = {"object": "list", "url": "/v1/x", "has_more": False, "data": [PRICE, {"object": "x"}]}
    assert check_object(page) == [
        "data[1].object: expected an 'object' that the SDK knows, got 'x'"
    ]
    assert check_object(page | {"data": [altered(PRICE, "active", ABSENT)]}) == [
        "data[0].active: missing"
    ]


def test_a_deleted_object_needs_little_but_nothing_foreign() -> None:
    gone = {"id": "cus_1", "object": "customer", "deleted": True}
    assert check_object(gone) == []
    assert check_object(gone | {"reason": "x"}) == ["reason: unknown key"]
    assert check_object(gone | {"deleted": False})[0].startswith("created: missing")


def test_an_object_without_a_known_name_is_a_problem() -> None:
    assert check_object({"id": "x"}) != []
    assert check_object({"object": "checkout.basket"}) != []


def test_complete_asks_for_the_fields_that_may_be_null() -> None:
    assert check_object(PRICE, complete=True) == []
    bare = altered(PRICE, "nickname", ABSENT)
    assert check_object(bare) == []
    assert check_object(bare, complete=True) == ["nickname: missing"]
    found = check_object(SESSION, complete=True)
    assert "client_reference_id: missing" in found
    assert "line_items.data[0].discounts: missing" in found


def test_an_event_is_checked_with_what_it_carries() -> None:
    assert check_event(EVENT) == []
    wrong = altered(EVENT, "data.object.payment_status", "maybe")
    (found,) = check_event(wrong)
    assert found.startswith("data.object.payment_status: expected ")


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("api_version", "2020-08-27", f"api_version: expected '{stripe.api_version}'"),
        ("type", "checkout.session.paid", "type: expected one of "),
        (
            "type",
            "customer.created",
            "type: 'customer.created' does not tell of a checkout.session",
        ),
        ("pending_webhooks", ABSENT, "pending_webhooks: missing"),
        ("data.object.object", "basket", "data.object.object: expected an 'object'"),
        ("data.previous_attributes", {"color": 1}, "data.previous_attributes.color: unknown key"),
        (
            "data.previous_attributes",
            {"status": "shut"},
            "data.previous_attributes.status: expected ",
        ),
    ],
)
def test_what_is_wrong_in_an_event_is_named(path: str, value: object, problem: str) -> None:
    assert any(found.startswith(problem) for found in check_event(altered(EVENT, path, value)))


def test_previous_attributes_need_not_be_whole() -> None:
    before = {"status": "open", "customer_details": {"name": None}}
    assert check_event(altered(EVENT, "data.previous_attributes", before)) == []


def test_something_else_is_not_an_event() -> None:
    assert "object: expected 'event'" in check_event(PRICE)
    assert check_event(altered(EVENT, "data", "x")) != []


def test_an_error_needs_a_known_type_and_code() -> None:
    error = {"type": "invalid_request_error", "code": "resource_missing", "param": "id"}
    assert check_error({"error": error}) == []
    assert check_error({"error": error | {"code": "gone"}})[0].startswith("error.code: expected")
    assert check_error({"error": error | {"hint": "x"}}) == ["error.hint: unknown key"]
    assert check_error({"error": {"message": "x"}}) == ["error.type: missing"]
    assert check_error({"message": "x"})[0].startswith("error: expected ")

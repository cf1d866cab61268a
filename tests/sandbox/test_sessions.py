"""Stripe's rules for opening, reading, listing and expiring Checkout Sessions."""

import time

import pytest
import stripe

from storefront.sandbox import control, run_due
from tests.sandbox.orders import line, order, plan

HOUR = 3600
QUANTITY = "line_items[0][quantity]"
UNIT_AMOUNT = "line_items[0][price_data][unit_amount]"
NOT_AN_INTEGER = "parameter_invalid_integer"


def refused(api, params):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.checkout.sessions.create(params)
    return caught.value


def without(name):
    return {key: value for key, value in order().items() if key != name}


@pytest.mark.parametrize("name", ["success_url", "line_items", "mode"])
def test_what_is_required_is_missed_by_name(api, name):
    error = refused(api, without(name))
    assert (error.http_status, error.code, error.param) == (400, "parameter_missing", name)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"nonsense": "x"}, "nonsense"),
        ({"line_items": [{**line(), "name": "Mug"}]}, "line_items[0][name]"),
        (
            {"line_items": [line(product_data={"name": "Mug", "sku": "1"})]},
            "line_items[0][price_data][product_data][sku]",
        ),
    ],
)
def test_what_stripe_does_not_know_is_refused_by_name(api, changes, param):
    error = refused(api, order(**changes))
    assert (error.http_status, error.code, error.param) == (400, "parameter_unknown", param)


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"line_items": [line(quantity="2.5")]}, QUANTITY, NOT_AN_INTEGER),
        ({"line_items": [line(amount="12,50")]}, UNIT_AMOUNT, NOT_AN_INTEGER),
        ({"line_items": [line(-5)]}, UNIT_AMOUNT, NOT_AN_INTEGER),
        ({"line_items": [line(quantity=0)]}, QUANTITY, NOT_AN_INTEGER),
        ({"line_items": [line(currency="xxx")]}, "line_items[0][price_data][currency]", None),
        ({"line_items": [line(quantity=1), line(currency="eur")]}, "line_items", None),
        ({"allow_promotion_codes": "yes"}, "allow_promotion_codes", None),
        ({"allow_promotion_codes": True}, "allow_promotion_codes", None),
        (
            {"line_items": [line() | {"adjustable_quantity": {"enabled": True}}]},
            "line_items[0][adjustable_quantity][enabled]",
            None,
        ),
        ({"mode": "gift"}, "mode", None),
        ({"ui_mode": "hosted"}, "ui_mode", None),
        ({"success_url": "/thanks"}, "success_url", "url_invalid"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url", "url_invalid"),
        ({"customer_email": "ann"}, "customer_email", "email_invalid"),
        ({"client_reference_id": ""}, "client_reference_id", "parameter_invalid_empty"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", None),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]", None),
        ({"customer": "cus_nobody"}, "customer", "resource_missing"),
        ({"subscription_data": {"trial_period_days": 3}}, "subscription_data", None),
        ({"expires_at": int(time.time()) + 60}, "expires_at", None),
        ({"expires_at": int(time.time()) + 25 * HOUR}, "expires_at", None),
        ({"line_items": [line(10, 1)]}, None, "amount_too_small"),
        ({"line_items": [line(999_999_999_999, 9)]}, None, "amount_too_large"),
        ({"line_items": [line(5001, currency="isk")]}, UNIT_AMOUNT, None),
        ({"line_items": [line(5125, currency="kwd")]}, UNIT_AMOUNT, None),
        ({"line_items": [line(recurring={"interval": "month"})]}, "line_items", None),
        ({"mode": "subscription"}, "line_items", None),
        ({"customer_update": {"name": "auto"}}, "customer_update", None),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused(api, changes, param, code):
    error = refused(api, order(**changes))
    assert (error.http_status, error.param, error.code) == (400, param, code)


def test_a_refused_session_leaves_nothing_behind(api):
    refused(api, order(line_items=[line(10, 1)]))
    assert api.products.list().data == []
    assert api.events.list().data == []


def test_customer_and_customer_email_exclude_each_other(api):
    customer = api.customers.create({"email": "ann@example.com"})
    error = refused(api, order(customer=customer.id, customer_email="bob@example.com"))
    assert "only specify one" in error.user_message


def test_what_was_given_comes_back(api):
    session = api.checkout.sessions.create(order(customer_email="ann@example.com"))
    assert session.id.startswith("cs_test_")
    assert len(session.id) == 66
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.client_reference_id, session.metadata.order) == ("order-1", "1")
    assert session.customer_details.email == "ann@example.com"
    assert (session.amount_subtotal, session.amount_total, session.currency) == (2500, 2500, "usd")
    assert session.expires_at - session.created == 24 * HOUR
    assert session.livemode is False


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("usd", 1250, "$12.50"),
        ("jpy", 1250, "¥1,250"),
        ("kwd", 1250, "KWD\u00a01.250"),
        ("isk", 125000, "ISK\u00a01,250"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(api, browser, currency, amount, shown):
    session = api.checkout.sessions.create(order(line_items=[line(amount, 1, currency=currency)]))
    assert f'data-amount="{amount}">{shown}<' in browser.get(f"/pay/{session.id}").text


def test_fractions_of_a_cent_are_rounded_once_for_the_line(api):
    item = line(quantity=3, unit_amount_decimal="33.335")
    del item["price_data"]["unit_amount"]
    assert api.checkout.sessions.create(order(line_items=[item])).amount_total == 100


def test_line_items_are_listed_in_order_and_page_by_page(api):
    items = [line(100 + number, 1, product_data={"name": f"No {number}"}) for number in range(12)]
    session = api.checkout.sessions.create(order(line_items=items))

    expanded = api.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]}).line_items
    assert (len(expanded.data), expanded.has_more) == (10, True)
    pages = api.checkout.sessions.line_items.list(session.id, {"limit": 5}).auto_paging_iter()
    assert [item.description for item in pages] == [f"No {number}" for number in range(12)]


def test_without_expand_the_lines_are_left_out(api):
    assert "line_items" not in api.checkout.sessions.create(order())


def test_an_unknown_id_is_404(api):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.checkout.sessions.retrieve("cs_test_nothing")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_lists_are_newest_first_by_cursor_and_filter(api, sandbox):
    sessions = [api.checkout.sessions.create(order()) for _ in range(5)]
    control.complete(sandbox, sessions[2].id)
    ids = [session.id for session in sessions][::-1]

    first = api.checkout.sessions.list({"limit": 2})
    assert ([session.id for session in first.data], first.has_more) == (ids[:2], True)
    rest = api.checkout.sessions.list({"limit": 3, "starting_after": ids[1]})
    assert ([session.id for session in rest.data], rest.has_more) == (ids[2:], False)
    back = api.checkout.sessions.list({"limit": 2, "ending_before": ids[3]})
    assert [session.id for session in back.data] == ids[1:3]
    paid = api.checkout.sessions.list({"status": "complete"})
    assert [session.id for session in paid.data] == [sessions[2].id]
    assert api.checkout.sessions.list({"created": {"gt": int(time.time()) + 60}}).data == []


@pytest.mark.parametrize("bad", [{"limit": 101}, {"limit": 0}, {"starting_after": "cs_test_x"}])
def test_a_bad_page_is_refused(api, bad):
    with pytest.raises(stripe.InvalidRequestError):
        api.checkout.sessions.list(bad)


@pytest.mark.parametrize("path", ["nonsense", "metadata.x", "customer.a.b.c.d"])
def test_what_cannot_be_expanded_is_refused(api, path):
    with pytest.raises(stripe.InvalidRequestError, match="expand"):
        api.checkout.sessions.create(order(expand=[path]))


def test_metadata_is_merged_and_emptied(api):
    session = api.checkout.sessions.create(order(metadata={"a": "1", "b": "2"}))
    changed = api.checkout.sessions.update(session.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}


def test_an_open_session_can_be_expired_and_no_other(api, shop, endpoint, sandbox):
    session = api.checkout.sessions.create(order())
    assert api.checkout.sessions.expire(session.id).status == "expired"
    run_due(sandbox)
    assert shop.types[-1] == "checkout.session.expired"

    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        api.checkout.sessions.expire(session.id)


def test_a_session_expires_on_time_and_is_told_of_once(api, shop, endpoint, sandbox):
    soon = int(time.time()) + HOUR
    session = api.checkout.sessions.create(order(expires_at=soon))
    control.advance_clock(sandbox, 2 * HOUR)

    found = api.checkout.sessions.retrieve(session.id)
    run_due(sandbox)
    run_due(sandbox)

    assert (found.status, found.url) == ("expired", None)
    assert shop.types.count("checkout.session.expired") == 1


def test_after_the_clock_was_moved_a_caller_still_goes_by_his_own(api, sandbox):
    control.advance_clock(sandbox, 40 * 24 * HOUR)
    session = api.checkout.sessions.create(order(expires_at=int(time.time()) + HOUR))
    assert abs(session.expires_at - session.created - HOUR) <= 2
    control.advance_clock(sandbox, 2 * HOUR)
    assert api.checkout.sessions.retrieve(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="at least 30 minutes"):
        api.checkout.sessions.create(order(expires_at=int(time.time()) + 60))


def test_a_paid_session_does_not_expire(api, sandbox):
    session = api.checkout.sessions.create(order())
    control.complete(sandbox, session.id)
    control.advance_clock(sandbox, 48 * HOUR)
    assert api.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_trial_ends_at_least_two_days_ahead_and_is_given_once(api):
    params = plan()
    params["subscription_data"] = {"trial_end": int(time.time()) + HOUR}
    assert refused(api, params).param == "subscription_data[trial_end]"
    params["subscription_data"] = {
        "trial_end": int(time.time()) + 90 * HOUR,
        "trial_period_days": 3,
    }
    assert refused(api, params).param == "subscription_data[trial_end]"

"""The hosted page as a document: what it shows, what it refuses, and how it is guarded."""

import re
from pathlib import Path

import pytest

from storefront.sandbox.core import state
from tests.sandbox.orders import CANCEL_URL, form, order, plan


def test_it_lists_what_is_bought_and_leads_back(api, browser):
    page = browser.get(f"/pay/{api.checkout.sessions.create(order()).id}").text
    assert "Mug" in page
    assert "Qty 2 · $12.50 each" in page
    assert "Pay $25.00" in page
    assert f'href="{CANCEL_URL}"' in page
    assert "No real money moves here" in page
    assert 'autocomplete="off"' in page
    assert "<script" not in page


def test_it_never_leaves_this_computer(api, browser):
    page = browser.get(f"/pay/{api.checkout.sessions.create(order()).id}").text
    assert "https://" not in page


@pytest.mark.parametrize(
    ("changes", "name", "message"),
    [
        ({"email": ""}, "email", "Enter an e-mail address"),
        ({"email": "ann@"}, "email", "Enter an e-mail address"),
        ({"card_number": ""}, "card_number", "Enter the number of a test card"),
        ({"card_number": "4929 4444 4444 4448"}, "card_number", "This is not a test card"),
        ({"card_expiry": "01/20"}, "card_expiry", "Enter any month in the future"),
        ({"card_expiry": "13/40"}, "card_expiry", "Enter any month in the future"),
        ({"card_cvc": "12"}, "card_cvc", "Enter any 3 digits"),
        ({"card_number": "378282246310005"}, "card_cvc", "Enter any 4 digits"),
    ],
)
def test_a_wrong_field_is_told_beside_it(api, browser, changes, name, message):
    session = api.checkout.sessions.create(order())
    answer = browser.post(f"/pay/{session.id}", data=form(**changes))
    assert answer.status_code == 422
    assert f'id="{name}-error" role="alert">{message}' in answer.text
    assert f'aria-invalid="true" aria-describedby="{name}-error"' in answer.text
    assert "<title>Error: " in answer.text
    assert api.checkout.sessions.retrieve(session.id).status == "open"


def test_what_was_typed_is_kept_except_the_card(api, browser):
    session = api.checkout.sessions.create(order())
    answer = browser.post(f"/pay/{session.id}", data=form(card_cvc="", card_name="Ann B"))
    assert 'value="ann@example.com"' in answer.text
    assert 'value="Ann B"' in answer.text
    assert re.search(r'name="card_number"[^>]* value=""', answer.text)


def test_no_card_number_is_ever_stored(api, browser, sandbox):
    for number in ("4242424242424242", "4000000000000002", "4929444444444448", "4000002760003184"):
        session = api.checkout.sessions.create(order())
        browser.post(f"/pay/{session.id}", data=form(card_number=number))
    state(sandbox).store.close()
    for path in Path(state(sandbox).store.database).parent.glob("sandbox.sqlite*"):
        content = path.read_bytes()
        for number in (b"4242424242424242", b"4000000000000002", b"4929444444444448"):
            assert number not in content


def test_a_known_address_cannot_be_changed(api, browser):
    customer = api.customers.create({"email": "owner@example.com"})
    session = api.checkout.sessions.create(plan(customer=customer.id))
    assert 'name="email"' not in browser.get(f"/pay/{session.id}").text

    browser.post(f"/pay/{session.id}", data=form(email="thief@example.com"))

    found = api.checkout.sessions.retrieve(session.id)
    assert found.customer_details.email == "owner@example.com"
    assert api.customers.retrieve(customer.id).email == "owner@example.com"


def test_what_the_shop_sends_is_text_not_markup(api, browser):
    item = order()["line_items"][0]
    item["price_data"]["product_data"]["name"] = "<script>alert(1)</script>"
    session = api.checkout.sessions.create(order(line_items=[item]))
    assert "<script>" not in browser.get(f"/pay/{session.id}").text


def test_the_form_may_lead_to_the_shop_and_nowhere_else(api, browser):
    urls = {"success_url": "https://shop.example/done", "cancel_url": "http://127.0.0.1:8000/x"}
    session = api.checkout.sessions.create(order(**urls))
    policy = browser.get(f"/pay/{session.id}").headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:8000 https://shop.example" in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/", "/pay/cs_test_x", "/v1/account", "/stripe.js", "/nothing"])
def test_every_answer_is_guarded(browser, path):
    headers = browser.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_an_unknown_session_is_a_404_page(browser):
    answer = browser.get("/pay/cs_test_x")
    assert answer.status_code == 404
    assert "No such checkout session" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/control/reset", "/pay/{id}", "/control/switches"])
def test_forms_from_elsewhere_are_refused(api, browser, headers, path):
    session = api.checkout.sessions.create(order())
    answer = browser.post(path.format(id=session.id), data=form(), headers=headers)
    assert answer.status_code in (400, 403)
    assert api.checkout.sessions.retrieve(session.id).status == "open"


def test_static_files_are_kept_for_long_and_named_by_content(browser):
    page = browser.get("/").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "?v=" in address
    with browser.get(address) as answer:
        assert "max-age=31536000" in answer.headers["Cache-Control"]

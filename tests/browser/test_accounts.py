"""Signing in and out, a new password, and pages that only their owner may see."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop
from tests.browser.visitor import Visitor
from tests.stage import PASSWORD

pytestmark = pytest.mark.browser
NEW_PASSWORD = "three cups on a tray"


def sign_in(visitor: Visitor, email: str, password: str = PASSWORD) -> None:
    visitor.open("/auth/login?next=/account")
    visitor.sign_in(email, password)


def test_a_visitor_who_signs_out_is_out(visitor: Visitor, shop: Shop) -> None:
    sign_in(visitor, shop.add_person().email)
    visitor.arrive("/account")
    visitor.press("Sign out")
    expect(visitor.page.get_by_text("You are signed out.")).to_be_visible()
    visitor.open("/account")
    visitor.arrive("/auth/login?next=/account")


def test_the_back_button_shows_nothing_of_who_signed_out(visitor: Visitor, shop: Shop) -> None:
    email = shop.add_person().email
    sign_in(visitor, email)
    visitor.arrive("/account")
    visitor.press("Sign out")
    expect(visitor.page.get_by_text("You are signed out.")).to_be_visible()
    visitor.page.go_back()
    expect(visitor.heading()).to_have_text("Sign in")
    expect(visitor.page.get_by_text(email)).to_have_count(0)


def test_a_new_password_signs_out_the_other_device(
    visitor: Visitor, visit: Visit, shop: Shop
) -> None:
    person, other = shop.add_person(), visit(scripts=False)
    sign_in(visitor, person.email)
    sign_in(other, person.email)
    other.arrive("/account")
    visitor.follow("Change password")
    visitor.fill(current_password=PASSWORD, new_password=NEW_PASSWORD)
    visitor.press("Change password")
    expect(visitor.page.get_by_text("Your password is changed.")).to_be_visible()
    other.open("/account")
    expect(other.heading()).to_have_text("Sign in")
    other.sign_in(person.email, NEW_PASSWORD)
    other.arrive("/account")


def test_a_wrong_password_is_answered_in_words(visitor: Visitor, shop: Shop) -> None:
    sign_in(visitor, shop.add_person().email, "not the password")
    expect(visitor.page.get_by_role("alert")).to_contain_text("is not right")
    visitor.forgive("status of 400")


def test_a_password_can_be_shown(visitor: Visitor, shop: Shop) -> None:
    visitor.open("/auth/login")
    field = visitor.page.locator("#password")
    field.fill("let me see it")
    visitor.page.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "text")
    visitor.page.get_by_role("button", name="Hide").click()
    expect(field).to_have_attribute("type", "password")


def test_a_guest_keeps_his_purchase_when_he_signs_in(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying(shop.path_of(shop.put_out()))
    visitor.pay()
    paid_at = visitor.page.url
    sign_in(visitor, shop.add_person().email)
    visitor.page.goto(paid_at)
    expect(visitor.heading()).to_have_text("Thank you")


@pytest.mark.parametrize("path", ["/products/unknown", "/payment/success?sessid=cs_test_x"])
def test_an_error_page_shows_the_way_on(visitor: Visitor, path: str) -> None:
    assert visitor.open(path) == 404
    visitor.forgive("status of 404")
    expect(visitor.heading()).to_have_text("There is nothing here")
    visitor.follow("See everything")
    visitor.arrive("/products")

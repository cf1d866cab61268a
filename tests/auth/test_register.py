"""Registering: one account an address, and nobody learns whose address is known."""

import pytest

from storefront.extensions import db
from storefront.models.user import User
from storefront.services import accounts
from tests.auth.people import EMAIL, PASSWORD, Browser, count_users, make_user, token_in


def register(browser, email=EMAIL, password=PASSWORD, **more):
    return browser.send("/auth/register", email=email, password=password, **more)


def test_it_makes_a_customer_and_leads_to_the_sign_in_page(app, browser):
    answer = register(browser, email=" Ada@EXAMPLE.com ", name="Ada")
    assert (answer.status_code, answer.location) == (303, "/auth/login")
    assert "your account is ready" in browser.get("/auth/login").text
    assert not browser.is_signed_in()
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        assert (user.email, user.name, user.role) == ("ada@example.com", "Ada", "customer")
    assert browser.sign_in().status_code == 303


@pytest.mark.parametrize(
    "spelling", [EMAIL, "ADA@example.com", "ada@EXAMPLE.COM", " ada@example.com"]
)
def test_a_known_address_gets_the_same_answer_for_the_same_work(app, hashes, spelling):
    newcomer, intruder = Browser(app), Browser(app)
    hashes.count = 0
    first = register(newcomer)
    work, hashes.count = hashes.count, 0
    second = register(intruder, email=spelling, password="another fine password 1")
    assert hashes.count == work == 1
    assert (second.status_code, second.location, second.data) == (
        first.status_code,
        first.location,
        first.data,
    )
    pages = [browser.get("/auth/login").text for browser in (newcomer, intruder)]
    assert len(pages[0]) == len(pages[1])
    assert count_users(app) == 1
    assert intruder.sign_in(password="another fine password 1").status_code == 400
    assert newcomer.sign_in().status_code == 303


def test_an_international_domain_is_one_account_in_both_spellings(app, browser):
    register(browser, email="eva@bücher.example")
    register(browser, email="eva@xn--bcher-kva.example")
    assert count_users(app) == 1


@pytest.mark.parametrize(
    "password",
    [
        "too short",
        "aaaaaaaaaaaaaa",
        "password1234",
        "123456789012",
        "qwertyuiop12",
        "x" * 1001,
        "ada@example.com",
        "ada123456789",
        "Passwort2024!",
    ],
)
def test_a_weak_or_endless_password_is_refused_next_to_its_field(app, browser, password):
    answer = register(browser, password=password)
    assert answer.status_code == 400
    assert 'id="password-error"' in answer.text
    assert f'value="{EMAIL}"' in answer.text
    assert password not in answer.text or password == EMAIL
    assert count_users(app) == 0


def test_only_the_whole_of_a_long_password_signs_in(app, browser):
    long = "ünïcode 🎉 " + "0123456789abcdef" * 60
    assert register(browser, password=long).status_code == 303
    assert browser.sign_in(password=long[:-1]).status_code == 400
    assert browser.sign_in(password=long).status_code == 303


@pytest.mark.parametrize(
    "email",
    ["", "nobody", "a@b", "a@@example.com", "a@example.com\r\nBcc: x@example.com", "é" * 9000],
)
def test_what_is_no_address_is_refused(app, browser, email):
    answer = register(browser, email=email)
    assert answer.status_code == 400
    assert 'id="email-error"' in answer.text
    assert count_users(app) == 0


def test_a_nul_is_a_clean_refusal(app, browser):
    for field in ("email", "password", "name"):
        assert register(browser, **{field: "nul\0nul nul nul"}).status_code == 400
    assert count_users(app) == 0


def test_a_form_cannot_say_who_one_is(app, browser):
    register(browser, role="owner", is_staff="1", id="7", stamp="x", is_disabled="1")
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        assert (user.role, user.is_disabled) == ("customer", False)
        assert user.stamp != "x"


def test_a_long_name_is_refused_and_a_hostile_one_is_only_text(app, browser):
    assert register(browser, name="n" * 10_000).status_code == 400
    page = register(browser, name="<script>{{7*7}}</script>", password="short")
    assert "&lt;script&gt;{{7*7}}" in page.text


def test_the_way_on_is_kept_through_both_pages(app, browser):
    page = browser.get("/auth/login?next=/products?page=2")
    assert "/auth/register?next=/products?page%3D2" in page.text
    assert (
        register(browser, next="/products?page=2").location == "/auth/login?next=/products?page%3D2"
    )
    assert register(browser, email="b@example.com", next="//evil.example").location == "/auth/login"


def test_twenty_an_hour_from_one_address(app, browser):
    token = browser.token()
    form = {"csrf_token": token, "email": "not an address", "password": PASSWORD}
    answers = [browser.client.post("/auth/register", data=form).status_code for _ in range(20)]
    assert set(answers) == {400}
    over = browser.client.post("/auth/register", data=form)
    assert over.status_code == 429
    assert 0 < int(over.headers["Retry-After"]) <= 3601
    assert register(Browser(app, "192.0.2.7")).status_code == 303


def test_two_who_register_one_address_at_once_get_one_account(app, monkeypatch):
    """The other worker's account appears after the hash was computed."""
    browser, real = Browser(app), accounts.new_password

    def slow(password, email=""):
        prepared = real(password, email)
        monkeypatch.setattr(accounts, "new_password", real)
        make_user(app, EMAIL, "the other one was quicker")
        return prepared

    monkeypatch.setattr(accounts, "new_password", slow)
    assert register(browser).status_code == 303
    assert count_users(app) == 1
    assert browser.sign_in().status_code == 400


def test_the_form_comes_back_filled_in_when_the_session_is_gone(app, browser):
    fields = {"email": EMAIL, "password": PASSWORD, "name": "Ada", "next": "/products"}
    answer = browser.client.post("/auth/register", data=fields)
    assert answer.status_code == 400
    assert f'value="{EMAIL}"' in answer.text and 'value="/products"' in answer.text
    assert PASSWORD not in answer.text
    again = browser.client.post("/auth/register", data={**fields, "csrf_token": token_in(answer)})
    assert again.status_code == 303

"""Signing in: a new session, no word on who has an account, and a limit on guessing."""

import pytest
import time_machine

from storefront.database import writing
from storefront.extensions import db
from storefront.models.user import User
from storefront.services import accounts
from tests.auth.people import EMAIL, PASSWORD, Browser, make_user, token_in


def without_token(page):
    return page.text.replace(token_in(page), "")


def guess(browser, times, email=EMAIL):
    token = browser.token()
    form = {"csrf_token": token, "email": email, "password": "a wrong guess, this"}
    return [browser.client.post("/auth/login", data=form).status_code for _ in range(times)]


def test_the_right_password_signs_in_in_any_spelling_of_the_address(app, browser):
    make_user(app)
    assert browser.sign_in(email=" ADA@Example.COM").status_code == 303
    assert browser.is_signed_in()


def test_unknown_wrong_and_disabled_are_one_answer_for_one_hash(app, hashes):
    make_user(app)
    disabled = make_user(app, "off@example.com")
    with app.app_context(), writing():
        db.session.get(User, disabled).is_disabled = True
    answers = []
    for email, password in (
        ("eve@example.com", PASSWORD),
        ("ada@example.com", "wrong, wrong, wrong"),
        ("off@example.com", PASSWORD),
        ("not an email at", PASSWORD),
    ):
        browser = Browser(app)
        hashes.count = 0
        answer = browser.sign_in(email, password)
        assert hashes.count == 1
        answers.append((answer.status_code, without_token(answer).replace(email, "")))
        assert not browser.is_signed_in()
    assert answers[0][0] == 400
    assert len(set(answers)) == 1


def test_signing_in_begins_a_new_session_and_keeps_what_the_guest_did(app, browser):
    make_user(app)
    before = browser.token()
    with browser.client.session_transaction() as session:
        session.update(visitor="v1", orders=["o1"], planted="x")
    planted = browser.cookie()
    browser.sign_in()
    assert browser.cookie() != planted
    session = browser.session()
    assert (session["visitor"], session["orders"]) == ("v1", ["o1"])
    assert "planted" not in session
    assert browser.token() != before
    thief = Browser(app)
    thief.take_cookie(planted)
    assert not thief.is_signed_in()


def test_a_token_from_before_signing_in_is_worth_nothing_after(app, browser):
    make_user(app)
    before = browser.token()
    browser.sign_in()
    answer = browser.client.post("/auth/logout", data={"csrf_token": before})
    assert answer.status_code == 400
    assert browser.is_signed_in()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/products?page=2", "/products?page=2"),
        ("//evil.example", "/"),
        ("https:evil", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_it_leads_on_within_the_shop_only(app, browser, target, expected):
    make_user(app)
    assert browser.sign_in(next=target).location == expected


def test_who_is_signed_in_already_is_led_on(app, browser):
    make_user(app)
    browser.sign_in()
    assert browser.get("/auth/login?next=/products").location == "/products"
    assert browser.get("/auth/login?next=//evil.example").location == "/"


def test_pages_that_ask_to_sign_in_come_back_afterwards(app, browser):
    asked = browser.get("/account?tab=orders")
    assert (asked.status_code, asked.location) == (303, "/auth/login?next=/account?tab%3Dorders")
    script = browser.get("/account", headers={"Accept": "application/json"})
    assert script.status_code == 403
    assert script.json["error"]["code"] == "sign_in_required"
    assert script.json["error"]["url"] == "/auth/login?next=/account"


def test_nobody_is_signed_in_to_a_strangers_account(app, browser):
    """Login CSRF from a browser too old to say where a request comes from: no session, no token."""
    make_user(app)
    form = {"email": EMAIL, "password": PASSWORD}
    answer = browser.client.post("/auth/login", data=form)
    assert answer.status_code == 400
    assert not browser.is_signed_in()
    strangers = {**form, "csrf_token": Browser(app).token()}
    assert browser.client.post("/auth/login", data=strangers).status_code == 400
    cross = browser.client.post(
        "/auth/login",
        data={**form, "csrf_token": browser.token()},
        headers={"Origin": "https://evil.example"},
    )
    assert cross.status_code == 400
    assert not browser.is_signed_in()


def test_ten_failures_lock_the_account_for_a_while_and_for_everyone(app, hashes):
    make_user(app)
    make_user(app, "bob@example.com")
    with time_machine.travel(1_900_000_000) as clock:
        assert set(guess(Browser(app, "192.0.2.1"), 10)) == {400}
        hashes.count = 0
        refused = Browser(app, "192.0.2.2").sign_in()
        assert refused.status_code == 429
        assert hashes.count == 0
        assert 0 < int(refused.headers["Retry-After"]) <= 901
        assert "Set-Cookie" not in refused.headers or not Browser(app).is_signed_in()
        assert Browser(app).sign_in("bob@example.com").status_code == 303
        clock.shift(int(refused.headers["Retry-After"]))
        assert Browser(app, "192.0.2.2").sign_in().status_code == 303


def test_an_unknown_account_is_limited_just_the_same(app):
    browser = Browser(app)
    assert guess(browser, 11, "nobody@example.com") == [400] * 10 + [429]
    assert guess(browser, 1, "NOBODY@example.com ") == [429]


def test_only_failures_count_against_the_account(app):
    make_user(app)
    for turn in range(12):
        assert Browser(app, f"192.0.2.{turn}").sign_in().status_code == 303
    assert set(guess(Browser(app), 10)) == {400}


def test_forty_attempts_from_one_address_whatever_the_account(app, hashes):
    browser = Browser(app, "2001:db8::1")
    for turn in range(40):
        assert guess(browser, 1, f"nobody{turn}@example.com") == [400]
    hashes.count = 0
    neighbour = Browser(app, "2001:db8::ffff")
    assert guess(neighbour, 1, "nobody99@example.com") == [429]
    assert hashes.count == 0
    assert guess(Browser(app, "2001:db8:0:1::1"), 1, "nobody98@example.com") == [400]


def test_addresses_told_by_the_client_are_not_believed(app):
    browser = Browser(app)
    token = browser.token()
    answers = [
        browser.client.post(
            "/auth/login",
            headers={"X-Forwarded-For": f"192.0.2.{turn}"},
            data={"csrf_token": token, "email": f"n{turn}@example.com", "password": "x"},
        ).status_code
        for turn in range(41)
    ]
    assert answers == [400] * 40 + [429]


class TestBehindAProxy:
    @pytest.fixture
    def settings(self):
        return {"TRUSTED_PROXIES": "1"}

    def test_its_word_on_addresses_counts(self, app):
        browser = Browser(app, "10.0.0.1")
        token = browser.token()
        for turn in range(41):
            answer = browser.client.post(
                "/auth/login",
                headers={"X-Forwarded-For": f"9.9.9.9, 192.0.2.{turn}"},
                data={"csrf_token": token, "email": f"n{turn}@example.com", "password": "x"},
            )
            assert answer.status_code == 400


def test_workers_count_together(app, another_worker):
    make_user(app)
    assert guess(Browser(app, "192.0.2.1"), 6) == [400] * 6
    assert guess(Browser(another_worker, "192.0.2.2"), 5) == [400] * 4 + [429]
    assert guess(Browser(app, "192.0.2.3"), 1) == [429]


def test_an_old_hash_is_renewed_and_the_session_goes_on(app, browser, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "HASH_METHOD", "scrypt:128:8:1")
        user_id = make_user(app)
    assert browser.sign_in().status_code == 303
    assert browser.is_signed_in()
    with app.app_context():
        assert db.session.get(User, user_id).password_hash.startswith(accounts.HASH_METHOD)
    assert Browser(app).sign_in().status_code == 303

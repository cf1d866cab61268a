"""How long one stays signed in, and what ends it everywhere at once."""

import pytest
import time_machine
from sqlalchemy import event

from storefront.database import writing
from storefront.extensions import db
from storefront.models.user import User
from storefront.services import accounts
from tests.auth.people import EMAIL, PASSWORD, Browser, make_user

HOUR, DAY = 3600, 24 * 3600
START = 1_900_000_000


def copy_of(browser, app):
    thief = Browser(app)
    thief.take_cookie(browser.cookie())
    return thief


def change_user(app, user_id, **changes):
    with app.app_context(), writing():
        user = db.session.get(User, user_id)
        for name, value in changes.items():
            setattr(user, name, value)


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/logout-everywhere"])
def test_signing_out_makes_every_copy_of_the_cookie_worthless(app, browser, path):
    make_user(app)
    browser.sign_in()
    elsewhere, copied = Browser(app), copy_of(browser, app)
    elsewhere.sign_in()
    assert copied.is_signed_in() and elsewhere.is_signed_in()
    assert browser.send(path).status_code == 303
    assert not any(other.is_signed_in() for other in (browser, copied, elsewhere))


def test_signing_out_forgets_what_the_browser_did(app, browser):
    make_user(app)
    with browser.client.session_transaction() as session:
        session.update(visitor="v1", orders=["o1"])
    browser.sign_in()
    copied = copy_of(browser, app)
    browser.send("/auth/logout")
    copied.get("/products")
    for each in (browser, copied):
        assert not {"visitor", "orders", "_user_id"} & set(each.session())


def test_signing_out_needs_a_post_with_a_token_and_may_be_repeated(app, browser):
    make_user(app)
    browser.sign_in()
    assert browser.get("/auth/logout").status_code == 405
    assert browser.client.post("/auth/logout").status_code == 400
    assert browser.is_signed_in()
    assert browser.send("/auth/logout").status_code == 303
    assert browser.send("/auth/logout").status_code == 303
    assert Browser(app).client.post("/auth/logout").status_code == 303


def test_signing_out_one_person_leaves_others_in(app, browser):
    make_user(app)
    make_user(app, "bob@example.com")
    other = Browser(app)
    other.sign_in("bob@example.com")
    browser.sign_in()
    browser.send("/auth/logout")
    assert other.is_signed_in()


def change_password(browser, current=PASSWORD, new="six gray herons 42"):
    return browser.send("/auth/change-password", current_password=current, new_password=new)


def test_a_new_password_ends_every_session_but_this_one(app, browser):
    make_user(app)
    browser.sign_in()
    copied = copy_of(browser, app)
    assert change_password(browser).location == "/account"
    assert browser.is_signed_in()
    assert not copied.is_signed_in()
    assert Browser(app).sign_in().status_code == 400
    assert Browser(app).sign_in(password="six gray herons 42").status_code == 303


def test_changing_the_password_needs_the_one_before(app, browser):
    make_user(app)
    browser.sign_in()
    for current in ("", "not the one before", PASSWORD.upper()):
        answer = change_password(browser, current)
        assert answer.status_code == 400
        assert 'id="current_password-error"' in answer.text
    assert change_password(browser, new="short").status_code == 400
    assert change_password(browser, new=EMAIL).status_code == 400
    assert Browser(app).sign_in().status_code == 303


def test_guessing_the_password_from_an_open_session_is_limited(app, browser):
    make_user(app)
    browser.sign_in()
    answers = [change_password(browser, "a wrong guess").status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]


def test_a_visitor_cannot_change_a_password(app, browser):
    assert browser.get("/auth/change-password").location == "/auth/login?next=/auth/change-password"
    assert change_password(browser).status_code == 303


def test_disabling_ends_the_session_at_once(app, browser):
    user_id = make_user(app)
    browser.sign_in()
    change_user(app, user_id, is_disabled=True)
    assert not browser.is_signed_in()
    change_user(app, user_id, is_disabled=False)
    assert not browser.is_signed_in()  # the refused cookie was emptied


def test_becoming_an_owner_ends_the_sessions_from_before(app, browser):
    make_user(app)
    browser.sign_in()
    with app.app_context(), writing():
        accounts.make_owner(EMAIL, "the owner's own phrase 5")
    assert not browser.is_signed_in()


@pytest.mark.parametrize(
    ("role", "idle", "ends"), [("customer", 14 * DAY, 30 * DAY), ("owner", 8 * HOUR, 12 * HOUR)]
)
def test_it_ends_by_itself_when_unused_and_in_any_case_after_a_time(app, role, idle, ends):
    make_user(app, role=role)
    with time_machine.travel(START) as clock:
        unused, busy = Browser(app), Browser(app)
        unused.sign_in()
        busy.sign_in()
        copied = copy_of(unused, app)
        clock.shift(idle - 15 * 60)
        assert unused.is_signed_in()
        assert busy.is_signed_in()
        clock.shift(15 * 60 + 2)
        assert not copied.is_signed_in()
        clock.move_to(START + ends - 60)
        if role == "customer":
            clock.move_to(START + 2 * idle - HOUR)
            assert busy.is_signed_in()
            clock.move_to(START + ends - 60)
        assert busy.is_signed_in()
        clock.shift(120)
        assert not busy.is_signed_in()


def test_a_new_password_does_not_put_off_the_end(app, browser):
    make_user(app)
    with time_machine.travel(START) as clock:
        browser.sign_in()
        for day in (10, 20, 29):
            clock.move_to(START + day * DAY)
            assert browser.is_signed_in()
        change_password(browser)
        clock.move_to(START + 31 * DAY)
        assert not browser.is_signed_in()


def test_the_visit_is_noted_now_and_then_not_on_every_page(app, browser):
    make_user(app)
    with time_machine.travel(START) as clock:
        browser.sign_in()
        browser.get("/auth/change-password")
        clock.shift(60)
        assert "Set-Cookie" not in browser.get("/auth/change-password").headers
        clock.shift(10 * 60)
        assert "Set-Cookie" in browser.get("/auth/change-password").headers


@pytest.mark.parametrize(
    "user_id",
    ["", "1", "1:", ":", "x:y", "-1:z", "1:" + "A" * 43, "9" * 40 + ":x", "²:x", "1.0:x", "1:é"],
)
def test_a_session_that_names_nobody_is_emptied(app, browser, user_id):
    make_user(app)
    browser.token()
    with browser.client.session_transaction() as session:
        session.update(_user_id=user_id, signed_in_at=9e12, seen_at=9e12, orders=["o1"])
    answer = browser.get("/auth/change-password")
    assert answer.status_code == 303
    assert "orders" not in browser.session()


def test_who_is_signed_in_costs_one_statement_and_a_visitor_none(app, browser):
    make_user(app)
    browser.sign_in()
    with app.app_context():
        engine = db.engine
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert browser.is_signed_in()
    assert len(statements) == 1
    statements.clear()
    Browser(app).get("/auth/change-password")
    assert statements == []


def test_who_signed_out_is_soon_a_visitor_without_a_session(app, browser):
    make_user(app)
    browser.sign_in()
    browser.send("/auth/logout")
    page = browser.get("/products")
    assert "You are signed out." in page.text
    assert browser.cookie() == ""
    assert "csrf_token" not in page.text
    assert "Set-Cookie" not in browser.get("/products").headers


def test_another_secret_key_ends_every_session_and_breaks_no_page(app, browser):
    make_user(app)
    browser.sign_in()
    assert browser.is_signed_in()
    app.config["SECRET_KEY"] = "another-key-Zx7Tq2Wn5Vb8Rm1Lc4Kd9Hf3Js6Pg"
    assert not browser.is_signed_in()
    assert browser.get("/").status_code == 200
    assert browser.sign_in().status_code == 303
    assert browser.is_signed_in()

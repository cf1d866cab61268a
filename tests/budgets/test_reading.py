"""A GET never writes, except where it settles; and what all may read, all may keep."""

from __future__ import annotations

import pytest
from flask import url_for
from flask.testing import FlaskClient

from tests.budgets.counting import counting
from tests.payments.interventions import change_order, on_sqlite
from tests.stage import Stage

# A GET that may write: it settles a session, or ends one the buyer has left.
SETTLING = {"payments.success", "payments.status", "payments.cancel"}
SHARED = ["/", "/products", "/products?after=0.2", "/products/mug", "/products/club?sku=CLUB-Y"]

each_shared = pytest.mark.parametrize("path", SHARED)


def addresses(stage: Stage) -> list[tuple[str, str]]:
    """Every route that answers a GET, its blanks filled with what there is: (endpoint, path)."""
    order = stage.orders()[0]
    values = {
        "slug": "mug",
        "token": order.token,
        "number": order.number,
        "name": "none.webp",
        "filename": "css/shop.css",
    }
    rules = [rule for rule in stage.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    with stage.app.test_request_context():
        return [
            (rule.endpoint, url_for(rule.endpoint, **{n: values[n] for n in rule.arguments}))
            for rule in rules
        ]


def visit_all(stage: Stage, browser: FlaskClient) -> dict[str, list[str]]:
    """Visit every route; what each has written."""
    written = {}
    for endpoint, path in addresses(stage):
        if endpoint in SETTLING:
            path += f"?sessid={stage.orders()[0].checkout_session}"
        with counting(stage.app) as count:
            answer = browser.get(path, buffered=True)
        assert answer.status_code < 500, path
        if count.writes:
            written[endpoint] = count.writes
    return written


def test_no_page_writes_for_a_visitor(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    assert visit_all(stage, stage.browser()) == {}


def test_no_page_writes_for_a_customer(stage: Stage) -> None:
    stage.add_user()
    ada = stage.signed_in()
    stage.pay(stage.open_session(ada))
    assert visit_all(stage, ada) == {}


def test_only_settling_writes_for_a_buyer_who_waits(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    written = visit_all(stage, browser)
    assert set(written) <= SETTLING
    assert written, "the one whose page waits asks Stripe and notes it"


def test_a_settled_order_is_read_without_writing(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    change_order(stage, email="paid@example.com")
    for page in ("success", "status"):
        with counting(stage.app) as count:
            assert browser.get(f"/payment/{page}?sessid={session_id}").status_code == 200
        assert count.writes == []


@on_sqlite
@each_shared
def test_a_shared_page_carries_nothing_of_the_visitor(stage: Stage, path: str) -> None:
    answer = stage.browser().get(path)
    assert "Set-Cookie" not in answer.headers
    assert "csrf" not in answer.text
    assert answer.headers["Vary"] == "Cookie"
    assert answer.headers["Cache-Control"] == "no-cache"


@on_sqlite
@each_shared
def test_a_shared_page_is_the_same_for_all(stage: Stage, path: str) -> None:
    assert stage.browser().get(path).data == stage.browser().get(path).data


@on_sqlite
@each_shared
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
def test_a_page_that_has_not_changed_is_not_sent_again(stage: Stage, path: str, form: str) -> None:
    tag = stage.browser().get(path).headers["ETag"]
    answer = stage.browser().get(path, headers={"If-None-Match": form.format(tag)})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == tag
    assert answer.headers["Vary"] == "Cookie"
    assert "Content-Security-Policy" in answer.headers


def test_a_page_that_has_changed_is_sent(stage: Stage) -> None:
    tag = stage.browser().get("/products/mug").headers["ETag"]
    stage.open_session(stage.browser(), quantity=4)
    answer = stage.browser().get("/products/mug", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag


@on_sqlite
@each_shared
def test_a_visitor_with_a_session_gets_a_page_of_his_own(stage: Stage, path: str) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    tag = stage.browser().get(path).headers["ETag"]
    answer = browser.get(path, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.headers["Vary"]


def test_a_visitor_with_a_session_gets_a_token_in_his_forms(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    assert 'name="csrf_token"' in browser.get("/products/mug").text


@on_sqlite
@each_shared
def test_head_says_the_same_without_the_page(stage: Stage, path: str) -> None:
    answer, head = stage.browser().get(path), stage.browser().head(path)
    assert head.data == b""
    for name in ("ETag", "Cache-Control", "Vary", "Content-Type", "Content-Length"):
        assert head.headers[name] == answer.headers[name]

"""Every failure has a page, or JSON for a script, in words and without any inside."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, abort
from sqlalchemy.exc import OperationalError

from storefront import errors
from storefront.config import SETTINGS as TABLE
from storefront.errors import ShopError
from tests.payments.interventions import on_sqlite
from tests.stage import JSON

pytestmark = on_sqlite

CHILDREN = [
    (errors.InvalidInput, 400),
    (errors.SignInRequired, 403),
    (errors.NotFound, 404),
    (errors.Gone, 410),
    (errors.SoldOut, 409),
    (errors.Conflict, 409),
    (errors.RefundRefused, 409),
    (errors.AlreadySubscribed, 409),
    (errors.CrossSite, 400),
    (errors.TooMany, 429),
    (errors.PaymentRefused, 402),
    (errors.PaymentUnavailable, 503),
]


@pytest.fixture
def shop(app: Flask) -> Flask:
    """The shop with pages that fail: /fail/<status>, /raise/<n>th child, and two surprises."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/fail/<int:status>", view_func=lambda status: abort(status), endpoint="fail")
    app.add_url_rule("/raise/<int:place>", view_func=_raise, endpoint="raise")
    app.add_url_rule("/surprise", view_func=lambda: 1 / 0, endpoint="surprise")
    app.add_url_rule("/locked", view_func=_locked, endpoint="locked")
    app.add_url_rule("/surrogate", view_func=lambda: "\ud800".encode(), endpoint="surrogate")
    return app


def _raise(place: int) -> None:
    raise CHILDREN[place][0]("Words for <you>.", hint=7)


def _locked() -> None:
    raise OperationalError("SELECT secret", {}, Exception("database is locked"))


@pytest.mark.parametrize("status", errors.PAGES)
def test_each_status_has_its_page(shop: Flask, status: int) -> None:
    answer = shop.test_client().get(f"/fail/{status}")
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "<h1>" in answer.text and "<main" in answer.text
    assert "Werkzeug" not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize("status", errors.PAGES)
def test_each_status_has_its_json(shop: Flask, status: int) -> None:
    answer = shop.test_client().get(f"/fail/{status}", headers=JSON)
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert set(answer.json["error"]) == {"code", "message"}


@pytest.mark.parametrize("status", [406, 409, 418, 422, 501, 502])
def test_a_status_without_a_page_of_its_own_has_one_all_the_same(shop: Flask, status: int) -> None:
    answer = shop.test_client().get(f"/fail/{status}")
    assert answer.status_code == status
    assert "<h1>" in answer.text


@pytest.mark.parametrize("place", range(len(CHILDREN)), ids=lambda n: CHILDREN[n][0].__name__)
def test_each_of_our_errors_has_its_status_and_words(shop: Flask, place: int) -> None:
    kind, status = CHILDREN[place]
    page = shop.test_client().get(f"/raise/{place}")
    assert page.status_code == status
    assert "Words for &lt;you&gt;." in page.text
    told = shop.test_client().get(f"/raise/{place}", headers=JSON).json["error"]
    assert (told["code"], told["message"]) == (kind.code, "Words for <you>.")


def test_no_error_of_ours_is_missing_above(shop: Flask) -> None:
    def children(kind: type[ShopError]) -> set[type[ShopError]]:
        own = {child for child in kind.__subclasses__() if child.__module__ == errors.__name__}
        return own.union(*(children(child) for child in own))

    assert children(ShopError) - {errors.StaleForm} == {kind for kind, _status in CHILDREN}


@pytest.mark.parametrize("headers", [{}, JSON], ids=["page", "json"])
def test_a_surprise_shows_nothing_of_the_inside(shop: Flask, headers: dict[str, str]) -> None:
    answer = shop.test_client().get("/surprise", headers=headers)
    assert answer.status_code == 500
    for inside in ("ZeroDivision", "division", "Traceback", ".py", "storefront"):
        assert inside not in answer.text.replace('"code":"internal"', "")


def test_a_surprise_can_be_found_in_the_log(shop: Flask) -> None:
    answer = shop.test_client().get("/surprise")
    assert answer.headers["X-Request-ID"] in answer.text


def test_a_locked_database_asks_for_patience(shop: Flask) -> None:
    answer = shop.test_client().get("/locked")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "SELECT" not in answer.text and "locked" not in answer.text


def test_text_that_cannot_be_kept_is_the_senders_fault(shop: Flask) -> None:
    assert shop.test_client().get("/surrogate").status_code == 400


def test_a_wrong_method_says_which_are_right(shop: Flask) -> None:
    answer = shop.test_client().get("/stripe/create-checkout-session")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "accept, script",
    [
        ("application/json", True),
        ("text/html", False),
        ("*/*", False),
        ("", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/json, text/html;q=0.5", True),
    ],
)
def test_who_asks_for_json_gets_it(shop: Flask, accept: str, script: bool) -> None:
    answer = shop.test_client().get("/nowhere", headers={"Accept": accept})
    assert answer.status_code == 404
    assert (answer.mimetype == "application/json") is script


@pytest.mark.parametrize(
    "path", ["/<script>alert(1)</script>", "/{{12345*1000}}", "/%3Cb%3E", "/\u202e"]
)
def test_what_was_asked_for_is_not_repeated(shop: Flask, path: str) -> None:
    text = shop.test_client().get(path).text
    assert "<script>alert" not in text and "12345000" not in text and "<b>" not in text


def test_no_secret_is_in_any_error(shop: Flask) -> None:
    secrets: list[Any] = [shop.config[row.name] for row in TABLE if row.secret]
    found = [value for value in secrets if isinstance(value, str) and len(value) > 8]
    assert found
    for path in ("/surprise", "/locked", "/nowhere", "/fail/400"):
        assert not [value for value in found if value in shop.test_client().get(path).text]

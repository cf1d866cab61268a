"""What a page may cost the database: few statements, the same for any number of products."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from storefront import database
from tests.budgets.counting import counting
from tests.factories import make_product
from tests.payments.interventions import on_sqlite
from tests.stage import Stage

MOST = {
    "/products/mug": 1,
    "/products/club?sku=CLUB-Y&quantity=2": 1,
    "/products": 2,
    "/products?after=0.2": 2,
    "/": 2,
}
MOST_SIGNED_IN = {path: most + 1 for path, most in MOST.items()} | {"/account": 5}

each_page = pytest.mark.parametrize("path, most", MOST.items())


def statements(stage: Stage, browser: FlaskClient, path: str) -> list[str]:
    with counting(stage.app) as count:
        assert browser.get(path).status_code in (200, 304)
    return count.statements


def fill(stage: Stage, first: int, last: int) -> None:
    with stage.app.app_context(), database.writing():
        for number in range(first, last):
            make_product({"sku": f"P{number}"}, slug=f"p{number}", name=f"P{number}")


@each_page
def test_a_visitors_page_costs_few_statements(stage: Stage, path: str, most: int) -> None:
    assert 1 <= len(statements(stage, stage.browser(), path)) <= most


@on_sqlite
@each_page
def test_a_page_that_is_kept_costs_no_more(stage: Stage, path: str, most: int) -> None:
    browser = stage.browser()
    tag = browser.get(path).headers["ETag"]
    with counting(stage.app) as count:
        assert browser.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert len(count.statements) <= most


@pytest.mark.parametrize("path, most", MOST_SIGNED_IN.items())
def test_a_customers_page_costs_one_more(stage: Stage, path: str, most: int) -> None:
    stage.add_user()
    assert len(statements(stage, stage.signed_in(), path)) <= most


@pytest.mark.parametrize("path", ["/", "/products", "/products/mug", "/products?after=0.1"])
def test_more_products_cost_no_more_statements(stage: Stage, path: str) -> None:
    fill(stage, 0, 10)
    few = statements(stage, stage.browser(), path)
    fill(stage, 10, 40)
    assert statements(stage, stage.browser(), path) == few


def test_more_orders_cost_no_more_statements(stage: Stage) -> None:
    stage.add_user()
    ada = stage.signed_in()
    counts = []
    for _ in range(3):
        stage.pay(stage.open_session(ada, "YEN"))
        counts.append(len(statements(stage, ada, "/account")))
    assert counts[0] == counts[1] == counts[2]


def test_the_counter_counts(stage: Stage) -> None:
    with counting(stage.app) as count:
        stage.open_session(stage.browser())
    assert len(count.writes) >= 3

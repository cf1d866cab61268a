"""The whole main job, without a browser: look, buy, pay, come back, and the order is there."""

from __future__ import annotations

import json

from storefront.sandbox import control
from tests.payments.interventions import on_sqlite
from tests.stage import Stage


def test_it_sells_a_mug(stage: Stage) -> None:
    browser = stage.browser()
    assert "Mug" in browser.get("/products/mug").text
    answer = stage.buy_plainly(browser, quantity=2)
    assert answer.status_code == 303
    session_id = answer.headers["Location"].rsplit("/", 1)[1]
    assert stage.stock() == (5, 2, 0)

    stage.pay(session_id)

    order = stage.order()
    assert (order.state, order.amount_total, order.currency) == ("paid", 4800, "eur")
    assert stage.stock() == (3, 0, 2)
    page = browser.get(f"/payment/success?sessid={session_id}")
    assert f"#{order.number}" in page.text
    assert "€48.00" in page.text


def test_the_command_line_lists_it(stage: Stage) -> None:
    browser = stage.browser()
    stage.pay(stage.open_session(browser))
    runner = stage.app.test_cli_runner()
    (line,) = runner.invoke(args=["shop", "orders", "--json"]).output.splitlines()
    record = json.loads(line)
    assert record["state"] == "paid"
    assert record["lines"] == [
        {"sku": "MUG", "name": "Mug", "quantity": 1, "unit_amount": 2400, "amount_total": 2400}
    ]
    levels = [
        json.loads(line)
        for line in runner.invoke(args=["shop", "stock", "--json"]).output.splitlines()
    ]
    assert {"sku": "MUG", "on_hand": 4, "held": 0, "sold": 1} in levels


@on_sqlite
def test_it_sells_on_after_stripes_clock_was_moved(stage: Stage) -> None:
    control.advance_clock(stage.sandbox, 40 * 24 * 3600)
    stage.pay(stage.open_session(stage.browser()))
    stage.open_session(stage.browser())
    control.advance_clock(stage.sandbox, 3600)
    stage.deliver()
    assert [order.state for order in stage.orders()] == ["paid", "expired"]
    assert stage.stock() == (4, 0, 1)

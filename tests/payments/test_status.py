"""GET /payment/status: one word for the page that waits, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from storefront.sandbox import control
from tests.payments.interventions import LOOK, calls, on_sqlite
from tests.stage import JSON, Stage

NEWS = {
    "open": lambda stage, session_id: None,
    "paid": lambda stage, session_id: stage.pay(session_id),
    "processing": lambda stage, session_id: stage.pay(session_id, "bank_debit"),
    "expired": lambda stage, session_id: control.expire_session(stage.sandbox, session_id),
}


def ask(browser: Any, session_id: str) -> Any:
    return browser.get(f"/payment/status?sessid={session_id}", headers=JSON)


@pytest.mark.parametrize("state", NEWS)
def test_it_tells_the_state_and_nothing_else(stage: Stage, state: str) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    NEWS[state](stage, session_id)
    answer = ask(browser, session_id)
    assert (answer.status_code, answer.json) == (200, {"state": state})
    assert answer.headers["Cache-Control"] == "no-store"
    assert stage.order().state == state


@on_sqlite
@pytest.mark.parametrize("session_id", ["", "cs_test_unknown", "a" * 300])
def test_it_knows_no_made_up_session(stage: Stage, session_id: str) -> None:
    answer = ask(stage.browser(), session_id)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")


def test_a_stranger_learns_nothing_and_moves_nothing(stage: Stage) -> None:
    stage.silence()
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id)
    assert ask(stage.browser(), session_id).status_code == 404
    assert stage.order().state == "open"


def test_a_page_that_asks_every_second_does_not_make_us_ask_stripe_so_often(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    for _ in range(10):
        assert ask(browser, session_id).json == {"state": "open"}
    assert len(calls(stage, LOOK)) == 1


def test_it_answers_while_stripe_does_not(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    stage.fault("timeout_before", 3)
    assert ask(browser, session_id).json == {"state": "open"}

"""`flask shop refund`, `refunds`, `disputes`, `accept`: what is typed, and what it says."""

from __future__ import annotations

import json

import pytest
from click.testing import Result

from storefront.sandbox import control
from tests.payments.interventions import change_order, on_sqlite
from tests.payments.refunding import ASK, Sale, rows, send_event, states
from tests.stage import Stage
from tests.webhooks.telling import told

pytestmark = on_sqlite


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test says what the shop hears."""
    stage.silence()
    return stage


@pytest.fixture
def sale(stage: Stage) -> Sale:
    """Two mugs for €48.00, order 1001."""
    return Sale(stage, quantity=2)


def run(stage: Stage, *words: str, said: str | None = None) -> Result:
    return stage.app.test_cli_runner().invoke(args=["shop", *words], input=said)


def test_it_says_what_will_happen_and_does_it_when_told_yes(sale: Sale) -> None:
    answer = run(sale.stage, "refund", "1001", "--line", "MUG", "--restock", said="y\n")
    assert answer.exit_code == 0, answer.output
    assert "€24.00 goes back to buyer@example.com" in answer.output
    assert "1 × MUG (Mug) → on the shelf again" in answer.output
    assert "€24.00 of the order stays with you" in answer.output
    assert f"€24.00 is given back ({rows(sale.stage)[0].stripe_id})" in answer.output
    assert (sale.counted, sale.stage.stock()) == ((2400, 0), (4, 0, 1))


def test_it_does_nothing_when_told_no(sale: Sale) -> None:
    assert run(sale.stage, "refund", "1001", said="n\n").exit_code != 0
    assert (rows(sale.stage), sale.at_stripe()) == ([], [])


def test_everything_by_default(sale: Sale) -> None:
    answer = run(sale.stage, "refund", "1001", "--yes", "--reason", "duplicate", "--note", "twice")
    assert answer.exit_code == 0, answer.output
    (row,) = rows(sale.stage)
    assert (row.amount, row.reason, row.note) == (4800, "duplicate", "twice")
    assert sale.at_stripe()[0]["reason"] == "duplicate"


@pytest.mark.parametrize(
    "words, said",
    [
        (["9999"], "There is no order 9999."),
        (["1001", "--amount", "48.01"], "At most €48.00 can be given back now."),
        (["1001", "--amount", "12,5x"], "is not an amount in EUR"),
        (["1001", "--amount", "0"], "more than zero"),
        (["1001", "--line", "LAST"], "Order 1001 has no line “LAST”."),
        (["1001", "--line", "MUG:3"], "Of “Mug” 2 can be given back."),
        (["1001", "--line", "MUG:x"], "has no line “MUG:x”"),
        (["1001", "--line", "MUG:" + 5000 * "9"], "has no line “MUG:999"),
        (["1001", "--note", "caf\udce9"], "not text in UTF-8"),  # as a Latin-1 terminal sends it
        (["1001", "--amount", "5", "--restock"], "which goods go back"),
    ],
)
def test_it_says_why_not_and_fails(sale: Sale, words: list[str], said: str) -> None:
    answer = run(sale.stage, "refund", *words, "--yes")
    assert answer.exit_code != 0
    assert said in answer.output
    assert (rows(sale.stage), sale.at_stripe()) == ([], [])


def test_without_an_answer_it_says_who_goes_on(sale: Sale) -> None:
    sale.stage.fault("timeout_before", count=3, path=ASK)
    answer = run(sale.stage, "refund", "1001", "--yes")
    assert (answer.exit_code, states(sale.stage)) == (0, ["asked"])
    assert "`flask shop work` goes on with it" in answer.output


def test_a_refusal_of_stripes_is_said_in_its_words(sale: Sale) -> None:
    control.dispute(sale.stage.sandbox, sale.session)
    answer = run(sale.stage, "refund", "1001", "--yes")
    assert answer.exit_code != 0
    assert "charge_disputed" in answer.output and "has been charged back" in answer.output


def test_refunds_are_listed_for_people_and_programs(sale: Sale) -> None:
    sale.give_back(1000)
    sale.dashboard(500)
    send_event(sale.stage, told(sale.stage, "refund.created"))
    table = run(sale.stage, "refunds").output
    assert "€10.00" in table and "€5.00" in table
    records = [
        json.loads(line) for line in run(sale.stage, "refunds", "--json").output.splitlines()
    ]
    assert [(one["order"], one["amount"], one["origin"]) for one in records] == [
        (1001, 500, "stripe"),
        (1001, 1000, "shop"),
    ]
    orders = run(sale.stage, "orders", "--json").output
    assert json.loads(orders)["amount_refunded"] == 1500


def test_disputes_are_listed_with_their_date(sale: Sale) -> None:
    control.dispute(sale.stage.sandbox, sale.session)
    send_event(sale.stage, told(sale.stage, "charge.dispute.created"))
    assert "needs_response" in run(sale.stage, "disputes").output
    (record,) = map(json.loads, run(sale.stage, "disputes", "--json").output.splitlines())
    assert (record["order"], record["amount"], record["status"]) == (1001, 4800, "needs_response")
    assert record["due_by"].endswith("+00:00")
    refused = run(sale.stage, "accept", "1001")
    assert refused.exit_code != 0 and "still open" in refused.output


def test_an_order_is_accepted_once(sale: Sale) -> None:
    change_order(sale.stage, attention="duplicate")
    assert run(sale.stage, "accept", "1001").output == "Order 1001: duplicate is accepted.\n"
    again = run(sale.stage, "accept", "1001")
    assert again.exit_code != 0 and "does not ask for a look" in again.output

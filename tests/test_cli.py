"""`flask shop ...`: what a merchant types, and what scripts read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from storefront import create_app
from storefront.extensions import db
from storefront.models import User
from tests.conftest import SETTINGS
from tests.payments.interventions import change_product
from tests.stage import PASSWORD, Stage

ORDER = set(
    "number token state fulfillment attention email currency amount_subtotal amount_shipping"
    " amount_tax amount_discount amount_total amount_refunded checkout_session payment_intent"
    " livemode created_at paid_at lines".split()
)


def run(stage: Stage, *words: str) -> Result:
    return stage.app.test_cli_runner().invoke(args=["shop", *words])


def records(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_help_names_every_command(stage: Stage) -> None:
    output = run(stage, "--help").output
    for command in ("init", "create-owner", "work", "orders", "stock", "demo"):
        assert f"\n  {command} " in output


def test_an_order_is_one_line_of_json(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser(), quantity=2)
    stage.pay(session_id)
    (record,) = records(run(stage, "orders", "--json"))
    assert set(record) == ORDER
    assert (record["number"], record["state"], record["amount_total"]) == (1001, "paid", 4800)
    assert record["checkout_session"] == session_id
    assert record["paid_at"].endswith("+00:00") and record["created_at"].endswith("+00:00")


def test_every_order_is_listed_oldest_first(stage: Stage) -> None:
    stage.open_session(stage.browser())
    stage.pay(stage.open_session(stage.browser(), "YEN"))
    found = records(run(stage, "orders", "--json"))
    assert [(record["number"], record["state"]) for record in found] == [
        (1001, "open"),
        (1002, "paid"),
    ]
    assert found[0]["paid_at"] is None and found[0]["email"] is None


def test_any_name_is_one_line(stage: Stage) -> None:
    change_product(stage, name='Mug\n"🍵"\x1b[31m')
    stage.open_session(stage.browser())
    (record,) = records(run(stage, "orders", "--json"))
    assert record["lines"][0]["name"] == 'Mug\n"🍵"\x1b[31m'


def test_orders_without_json_are_a_table(stage: Stage) -> None:
    assert "(none yet)" in run(stage, "orders").output
    stage.pay(stage.open_session(stage.browser(), quantity=2))
    header, row = run(stage, "orders").output.splitlines()
    assert header.split()[:3] == ["number", "state", "fulfillment"]
    assert "1001" in row and "paid" in row and "€48.00" in row and "2 × MUG" in row


def test_stock_is_one_line_a_sku(stage: Stage) -> None:
    stage.open_session(stage.browser(), quantity=2)
    stage.pay(stage.open_session(stage.browser(), "LAST"))
    levels = {record.pop("sku"): record for record in records(run(stage, "stock", "--json"))}
    assert levels["MUG"] == {"on_hand": 5, "held": 2, "sold": 0}
    assert levels["LAST"] == {"on_hand": 0, "held": 0, "sold": 1}
    assert levels["CLUB"] == {"on_hand": None, "held": 0, "sold": 0}
    assert list(levels) == sorted(levels)


def test_stock_without_json_is_a_table(stage: Stage) -> None:
    lines = run(stage, "stock").output.splitlines()
    assert lines[0].split() == ["SKU", "on", "hand", "held", "sold"]
    assert ["CLUB", "unlimited", "0", "0"] in [line.split() for line in lines]


def test_work_says_what_it_did(stage: Stage) -> None:
    stage.silence()
    stage.pay(stage.open_session(stage.browser()))
    result = run(stage, "work")
    assert (result.exit_code, stage.order().state) == (0, "paid")
    assert result.output.startswith("open payments looked up at Stripe: 1; orders moved on: 1;")
    with stage.app.app_context():
        quiet = [run(stage, "work").output for _ in range(2)][-1]
    assert quiet == "Nothing was due.\n"


def owners(stage: Stage) -> list[str]:
    with stage.app.app_context():
        return list(db.session.scalars(db.select(User.email).where(User.role == "owner")))


def test_the_first_owner_is_made_by_a_command(stage: Stage) -> None:
    assert owners(stage) == []
    arguments = ("create-owner", "--email", "Boss@Example.com", "--password", PASSWORD)
    for _ in range(2):
        assert run(stage, *arguments).exit_code == 0
    assert [email.lower() for email in owners(stage)] == ["boss@example.com"]
    assert stage.signed_in("boss@example.com").get("/account").status_code == 200


@pytest.mark.parametrize(
    "email, password", [("boss@example.com", "short"), ("nonsense", PASSWORD), ("", PASSWORD)]
)
def test_a_bad_owner_is_refused_in_words(stage: Stage, email: str, password: str) -> None:
    result = run(stage, "create-owner", "--email", email, "--password", password)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert owners(stage) == []


def test_init_makes_the_database_and_may_run_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    app = create_app(SETTINGS | {"DATABASE_URL": url, "SHOP_INSTANCE": str(tmp_path / "shop")})
    for _ in range(2):
        result = app.test_cli_runner().invoke(args=["shop", "init"])
        assert (result.exit_code, result.output) == (0, "The database is ready.\n")
    assert app.test_client().get("/readyz").status_code == 200
    with app.app_context():
        db.engine.dispose()


def test_making_the_app_makes_no_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    create_app(SETTINGS | {"DATABASE_URL": url, "SHOP_INSTANCE": str(tmp_path / "shop")})
    assert not (tmp_path / "new.sqlite").exists()

"""The sandbox's command line: all of the control page, on the file of a sandbox that runs."""

import json

import pytest

from storefront.sandbox import command, control
from storefront.sandbox.core import DAY
from tests.sandbox.lives import buy
from tests.sandbox.orders import order


@pytest.fixture
def run(tmp_path, sandbox, capsys):
    def call(*words, status=0):
        assert command.main(["--file", str(tmp_path / "sandbox.sqlite"), *words]) == status
        printed = capsys.readouterr()
        return printed.err if status else json.loads(printed.out)

    return call


def test_time_moves_and_subscriptions_with_it(api, sandbox, run):
    subscription = buy(api, sandbox)
    before = control.advance_clock(sandbox, 0)
    assert 40 * DAY <= run("advance", "40d") - before < 40 * DAY + 60
    renewed, first = run("list", "invoices")
    assert (renewed["billing_reason"], first["billing_reason"]) == (
        "subscription_cycle",
        "subscription_create",
    )
    assert run("cancel", subscription.id)["status"] == "canceled"


def test_a_payment_is_made_settled_refunded_and_disputed(api, sandbox, run):
    session = api.checkout.sessions.create(order())
    paid = run("complete", session.id, "--payment-method", "bank_debit")
    assert paid == {"outcome": "completed"}
    assert run("settle", session.id)["payment_status"] == "paid"
    assert run("refund", session.id, "--amount", "100")["amount"] == 100
    dispute = run("dispute", session.id, "--inquiry", "yes")
    assert dispute["status"] == "warning_needs_response"
    assert run("list", "refunds", "--limit", "1")[0]["amount"] == 100
    assert run("list", "events", "--limit", "1")[0]["type"].startswith("charge.dispute")


def test_switches_take_pairs(sandbox, run):
    moved = run("switches", "paused=true", "stripe_js=throws", 'hold=["charge.succeeded"]')
    assert (moved["paused"], moved["stripe_js"]) == (True, "throws")
    assert control.read_switches(sandbox)["hold"] == ["charge.succeeded"]


def test_faults_deliveries_and_reset(api, browser, endpoint, run):
    assert run("faults", "500", "--count", "1") == {}
    assert browser.get("/v1/account").status_code == 500
    api.customers.create({})
    assert [each["event_type"] for each in run("list", "deliveries")] == ["customer.created"]
    assert run("resend", run("list", "events")[0]["id"]) == 1
    assert run("reset") == {}
    assert run("list", "customers") == []


def test_what_control_can_do_is_a_command(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    page = capsys.readouterr().out
    assert all(name.replace("_", "-") in page for name in command.list_commands())
    assert {"refund", "dispute", "set_chaos", "advance", "reset"} <= set(command.list_commands())


def test_a_refusal_is_a_sentence_and_a_status(run):
    assert run("advance", "soon", status=1).startswith("Invalid span: soon.")
    assert "No such subscription" in run("cancel", "sub_x", status=1)


def test_a_file_that_does_not_exist_is_not_made(tmp_path, capsys):
    file = tmp_path / "other.sqlite"
    assert command.main(["--file", str(file), "list", "events"]) == 2
    assert "There is no sandbox" in capsys.readouterr().err
    assert not file.exists()

"""`flask shop mails` and `flask shop mail-test`: what a merchant sees and does about mail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result

from storefront import database
from storefront.services import mailer
from tests.mail_server import free_port, serving_mail
from tests.payments.interventions import on_sqlite
from tests.stage import Stage

pytestmark = on_sqlite


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"SUPPORT_EMAIL": "hello@pottery.example"}


def run(stage: Stage, *words: str) -> Result:
    return stage.app.test_cli_runner().invoke(args=["shop", *words])


def fail_all(stage: Stage) -> None:
    with stage.app.app_context(), database.writing():
        for mail_id in mailer.list_due(9):
            mailer.fail(mailer.get(mail_id), "550 no\nsuch user")


def test_mails_are_listed_with_their_errors(stage: Stage) -> None:
    assert "(none yet)" in run(stage, "mails").output
    stage.pay(stage.open_session(stage.browser()))
    output = run(stage, "mails").output
    assert "order_confirmation:order-1001" in output and "waiting" in output
    assert "MAIL_URL names no mail server" in output
    assert "(none yet)" in run(stage, "mails", "--failed").output
    fail_all(stage)
    assert "550 no such user" in run(stage, "mails", "--failed").output


def test_mails_are_one_line_of_json_each(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    records = [json.loads(line) for line in run(stage, "mails", "--json").output.splitlines()]
    assert [record["kind"] for record in records] == ["order_confirmation", "new_order"]
    assert records[0]["order"] == 1001 and records[0]["state"] == "waiting"
    assert records[0]["sent_at"] is None and records[0]["created_at"].endswith("+00:00")


def test_what_failed_is_sent_again_when_told_to(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    fail_all(stage)
    result = run(stage, "mails", "--retry", "new_order:order-1001")
    assert (result.exit_code, result.output[:2]) == (0, "1 ")
    assert run(stage, "mails", "--retry", "all").output.startswith("1 ")
    assert run(stage, "mails", "--retry", "all").output.startswith("0 ")
    assert run(stage, "mails", "--retry", "nothing:1").exit_code == 1


def test_a_test_mail_says_what_the_server_answered(stage: Stage) -> None:
    with serving_mail() as server:
        stage.app.config["MAIL_URL"] = server.url()
        result = run(stage, "mail-test", "me@example.com")
        assert result.exit_code == 0, result.output
        assert "250 taken as 4711" in result.output
        assert server.recipients == ["me@example.com"]
        server.rcpt_answers["me@example.com"] = ["550 no such user"]
        refused = run(stage, "mail-test", "me@example.com")
        assert refused.exit_code == 1 and "550 no such user" in refused.output


@pytest.mark.parametrize("address", ["nobody", "a@b.example\nBcc: c@d.example"])
def test_a_test_mail_to_nobody_is_refused_in_words(stage: Stage, address: str) -> None:
    stage.app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    result = run(stage, "mail-test", address)
    assert result.exit_code == 1 and "is not an e-mail address" in result.output


def test_a_test_mail_without_a_server_says_what_to_set(stage: Stage) -> None:
    assert "Set MAIL_URL=smtp://" in run(stage, "mail-test", "me@example.com").output
    stage.app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    result = run(stage, "mail-test", "me@example.com")
    assert result.exit_code == 1 and "refused" in result.output.lower()

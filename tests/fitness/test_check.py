"""`flask shop check`: each unfit thing is found, with how to mend it; nothing hangs or leaks."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import update

from storefront import create_app, database
from storefront.extensions import db
from storefront.fitness import checking, on_disk
from storefront.models import Order, OutgoingMail, StripeEvent
from storefront.models.columns import now
from storefront.services import mailer
from storefront.services import settings as kept
from storefront.webhooks.handlers import HANDLERS
from tests.conftest import SETTINGS
from tests.mail_server import free_port, serving_mail
from tests.payments.interventions import on_sqlite
from tests.stage import Stage

CANARIES = {"MAIL_URL": "smtp://ada:geheimes-wort@127.0.0.1:1", "MAIL_FROM": "a@shop.example"}


def check(stage: Stage) -> dict[str, dict[str, str]]:
    """Every finding of `flask shop check --json` by its name."""
    told = json.loads(run(stage, "check", "--json").stdout)
    names = [each["name"] for each in told["checks"]]
    assert len(names) == len(set(names))
    assert told["fit"] == all(each["state"] != "fail" for each in told["checks"])
    for each in told["checks"]:
        assert each["state"] == "ok" or each["mend"], each
    return {each["name"]: each for each in told["checks"]}


def run(stage: Stage, *words: str) -> Result:
    return stage.app.test_cli_runner().invoke(args=["shop", *words])


def states(stage: Stage) -> dict[str, str]:
    return {name: each["state"] for name, each in check(stage).items()}


def test_a_shop_on_a_desk_is_told_what_is_missing(stage: Stage) -> None:
    found = states(stage)
    expected = {
        "stripe": "ok",
        "webhook": "ok",
        "webhook_secret": "ok",
        "database": "ok",
        "writable": "ok",
        "debug": "ok",
        "secrets": "ok",
        "failed_events": "ok",
        "attention": "ok",
        "outbox": "ok",
        "stripe_key": "warn",
        "last_event": "warn",
        "backup": "warn",
        "shop_url": "fail",
        "mail": "fail",
        "work": "fail",
        "owner": "fail",
    }
    assert {name: found[name] for name in expected} == expected
    result = run(stage, "check")
    assert result.exit_code == 1 and "Not fit to open yet: 4 to mend." in result.output


class TestFit:
    """A shop with everything in place, at a public address."""

    @pytest.fixture
    def mail_port(self) -> Iterator[int]:
        with serving_mail() as server:
            yield server.port

    @pytest.fixture
    def settings(self, mail_port: int) -> dict[str, Any]:
        return {
            "SHOP_URL": "https://shop.example",
            "TRUSTED_PROXIES": "1",
            "MAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "MAIL_FROM": "shop@shop.example",
        }

    def test_it_may_open(self, stage: Stage, tmp_path: Path) -> None:
        stage.add_user(role="owner")
        url = "https://shop.example/webhooks/stripe"
        control_endpoint(stage, url)
        with stage.app.app_context(), database.writing():
            kept.keep("work_last_ran", {"at": int(time.time())})
        assert run(stage, "backup", "--to", str(tmp_path / "backups")).exit_code == 0

        found = check(stage)
        unfit = {name for name, each in found.items() if each["state"] != "ok"}
        assert unfit - {"disk"} == {"stripe_key", "last_event"}
        result = run(stage, "check")
        assert result.exit_code == 0 and "Fit to open." in result.output


def control_endpoint(stage: Stage, url: str, **changes: Any) -> Any:
    endpoints = stage.app.extensions["stripe"].v1.webhook_endpoints
    wanted = {"url": url, "enabled_events": sorted(HANDLERS), "api_version": VERSION}
    return endpoints.create(wanted | changes)


VERSION = "2026-10-28.endive"


@on_sqlite
@pytest.mark.parametrize("fault", ["401", "403"])
def test_a_key_that_stripe_does_not_take(stage: Stage, fault: str) -> None:
    stage.fault(fault, count=9)
    assert check(stage)["stripe"]["state"] == "fail"


@on_sqlite
def test_a_restricted_key_may_not_see_the_account(stage: Stage) -> None:
    stage.fault("403", count=9, path="/v1/account")
    found = states(stage)
    assert (found["stripe"], found["webhook"]) == ("ok", "ok")


@on_sqlite
def test_a_restricted_key_may_not_see_the_webhook(stage: Stage) -> None:
    stage.fault("403", count=9, path="/v1/webhook_endpoints")
    found = states(stage)
    assert (found["stripe"], found["webhook"]) == ("ok", "warn")


@on_sqlite
def test_a_stripe_that_is_down_is_a_line(stage: Stage) -> None:
    stage.fault("500", count=9)
    found = check(stage)
    assert found["stripe"]["state"] == "fail" and "webhook" not in found


@on_sqlite
def test_a_stripe_and_a_mail_server_that_hang_do_not_hold_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes calls, and never says a word
        port = silent.getsockname()[1]
        app = create_app(
            SETTINGS
            | {name: stage.app.config[name] for name in ("DATABASE_URL", "SHOP_INSTANCE")}
            | {"STRIPE_API_BASE": f"http://127.0.0.1:{port}"}
            | {"MAIL_URL": f"smtp://127.0.0.1:{port}", "MAIL_FROM": "a@shop.example"}
        )
        with app.app_context():
            found = {each.name: each for each in checking.run(sorted(HANDLERS), patience=0.3)}
            db.engine.dispose()
    for name in ("stripe", "mail"):
        assert found[name].state == "fail" and "No answer" in found[name].found
    assert found["database"].state == "ok"


@on_sqlite
def test_no_secret_is_ever_printed(stage: Stage) -> None:
    stage.app.config.update(CANARIES)
    told = run(stage, "check").output + run(stage, "check", "--json").output
    for secret in (*map(SETTINGS.get, ("SECRET_KEY", "STRIPE_SECRET_KEY")), "geheimes-wort"):
        assert str(secret) not in told
    assert "whsec_" not in told


@on_sqlite
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_the_mail_server_is_asked_and_sent_nothing(stage: Stage) -> None:
    with serving_mail(auth_required=True) as server:
        stage.app.config["MAIL_URL"] = server.url("ada%40shop.example:p%40ss%3Aword%2F1@")
        assert states(stage)["mail"] == "ok"
        stage.app.config["MAIL_URL"] = server.url("ada%40shop.example:wrong@")
        assert states(stage)["mail"] == "fail"
        assert server.taken == []
    stage.app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    assert states(stage)["mail"] == "fail"


def test_what_the_books_hold_is_looked_at(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id)
    assert states(stage)["last_event"] == "ok"
    with stage.app.app_context(), database.writing():
        mailer.put("needs_a_hand", "order-1")
        db.session.execute(update(OutgoingMail).values(created_at=now() - timedelta(hours=1)))
        db.session.execute(update(Order).values(attention="oversold"))
        db.session.execute(update(StripeEvent).values(state="failed", note="no such variant"))
        kept.keep("work_last_ran", {"at": int(time.time()) - 3600})
        kept.keep("last_backup", {"at": int(time.time()) - 9 * 86400, "path": "/nowhere"})
    found = check(stage)
    names = ("outbox", "attention", "failed_events", "work", "backup")
    told = {name: found[name]["state"] for name in names}
    assert list(told.values()) == ["warn", "warn", "fail", "fail", "warn"]
    assert "no such variant" in found["failed_events"]["found"]
    assert "flask shop replay evt_" in found["failed_events"]["mend"]
    assert "9 days" in found["backup"]["found"] and "1 oversold" in found["attention"]["found"]
    with stage.app.app_context(), database.writing():
        db.session.execute(update(StripeEvent).values(received_at=now() - timedelta(hours=3)))
    assert states(stage)["last_event"] == "fail"


@on_sqlite
def test_a_database_of_another_version_or_none(stage: Stage, tmp_path: Path) -> None:
    with stage.app.app_context(), db.engine.begin() as connection:
        connection.execute(db.text("UPDATE alembic_version SET version_num = '9999'"))
    found = check(stage)
    assert found["database"]["state"] == "fail" and "newer" in found["database"]["found"]
    assert "owner" not in found

    app = create_app(SETTINGS | {"SHOP_INSTANCE": str(tmp_path / "new"), "STRIPE_SECRET_KEY": ""})
    told = app.test_cli_runner().invoke(args=["shop", "check"]).output
    assert "flask shop init" in told and "There is no Stripe key" in told
    assert os.listdir(tmp_path / "new") == []


@on_sqlite
def test_a_database_that_others_keep_locked_cannot_be_written(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_disk, "BUSY_SECONDS", 0.1)
    with stage.app.app_context(), database.writing():
        db.session.execute(db.text("UPDATE setting SET name = name"))
        with stage.app.app_context():
            (finding,) = [each for each in on_disk.check() if each.name == "writable"]
    assert finding.state == "fail" and "locked" in finding.found


@on_sqlite
def test_secrets_that_others_can_read(stage: Stage) -> None:
    secrets = Path(stage.app.config["SHOP_INSTANCE"]) / "secrets"
    secrets.write_text("A=1\n")
    secrets.chmod(0o644)
    found = check(stage)["secrets"]
    assert found["state"] == "fail" and f"chmod 600 {secrets}" in found["mend"]


@on_sqlite
def test_debugging_and_counting_by_process(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    stage.app.config["RATELIMIT_STORAGE_URI"] = "memory://"
    found = states(stage)
    assert (found["debug"], found["rate_limits"]) == ("fail", "warn")


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
nas:/data /srv nfs4 rw 0 0
/dev/sdb1 /srv/shop xfs rw 0 0
overlay /app overlay rw 0 0
//nas/x /mnt/my\\040disk cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("/home/shop/shop.sqlite", "ok"),
        ("/srv/other/shop.sqlite", "fail"),
        ("/srv/shop/shop.sqlite", "ok"),
        ("/srv/shopping/shop.sqlite", "fail"),
        ("/app/instance/shop.sqlite", "warn"),
        ("/mnt/my disk/shop.sqlite", "fail"),
    ],
)
def test_the_disk_below_the_database(app: Any, path: str, state: str) -> None:
    with app.app_context():
        assert on_disk.where(Path(path), MOUNTS).state == state

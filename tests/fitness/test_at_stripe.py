"""The webhook endpoint: what is wrong with it is said by `check`, and mended by `stripe-setup`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from storefront.fitness import at_stripe
from storefront.webhooks import handlers
from storefront.webhooks.handlers import HANDLERS
from tests.conftest import SETTINGS
from tests.fitness.test_check import VERSION, check, control_endpoint, run
from tests.payments.interventions import on_sqlite
from tests.stage import SHOP_URL, Stage

URL = f"{SHOP_URL}/webhooks/stripe"
EVENTS = sorted(HANDLERS)
pytestmark = on_sqlite

# What somebody may have set up by hand, and whether it can be corrected in place.
WRONG: dict[str, tuple[dict[str, Any], bool]] = {
    "it is disabled": ({"disabled": True}, True),
    "it does not send checkout.session.expired": (
        {"enabled_events": [name for name in EVENTS if name != "checkout.session.expired"]},
        True,
    ),
    "it also sends charge.succeeded": ({"enabled_events": [*EVENTS, "charge.succeeded"]}, True),
    "it also sends *": ({"enabled_events": ["*"]}, True),
    "its API version is 2020-08-27": ({"api_version": "2020-08-27"}, False),
    "its API version is the account's own": ({"api_version": None}, False),
    "its address is http://localhost/webhooks/stripe/": ({"url": f"{URL}/"}, False),
}


def endpoints(stage: Stage) -> list[Any]:
    api = stage.app.extensions["stripe"].v1.webhook_endpoints
    return list(api.list({"limit": 100}).data)


def clear(stage: Stage) -> None:
    for endpoint in endpoints(stage):
        stage.app.extensions["stripe"].v1.webhook_endpoints.delete(endpoint.id)


def set_up_wrongly(stage: Stage, changes: dict[str, Any]) -> str:
    clear(stage)
    changes = dict(changes)
    disabled = changes.pop("disabled", False)
    wanted = {name: value for name, value in ({"url": URL} | changes).items() if value is not None}
    url = wanted.pop("url")
    if "api_version" in changes and changes["api_version"] is None:
        api = stage.app.extensions["stripe"].v1.webhook_endpoints
        made = api.create({"url": url, "enabled_events": EVENTS})
    else:
        made = control_endpoint(stage, url, **wanted)
    if disabled:
        stage.app.extensions["stripe"].v1.webhook_endpoints.update(made.id, {"disabled": True})
    return str(made.id)


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_endpoint_is_found_and_mended(stage: Stage, fault: str) -> None:
    changes, correctable = WRONG[fault]
    old = set_up_wrongly(stage, changes)
    found = check(stage)["webhook"]
    assert found["state"] == "fail" and f"{fault}." in found["found"]
    assert "stripe-setup" in found["mend"]

    if not correctable:  # a new one has another secret: nothing is done unasked
        assert "Nothing was done" in run(stage, "stripe-setup").output
        assert [each.id for each in endpoints(stage)] == [old]
    result = run(stage, "stripe-setup", *(() if correctable else ("--yes",)))

    assert result.exit_code == 0, result.output
    (now,) = endpoints(stage)
    assert (now.url, sorted(now.enabled_events), now.api_version) == (URL, EVENTS, VERSION)
    assert now.status == "enabled" and (now.id == old) == correctable
    assert ("STRIPE_WEBHOOK_SECRET=whsec_" in result.output) != correctable
    assert check(stage)["webhook"]["state"] == "ok"
    before = now.to_dict()
    again = run(stage, "stripe-setup", "--yes")
    assert "as it should be" in again.output and endpoints(stage)[0].to_dict() == before


def test_nothing_there_is_registered_with_its_secret_told_once(stage: Stage) -> None:
    clear(stage)
    control_endpoint(stage, "https://another.example/hook")
    assert check(stage)["webhook"]["state"] == "fail"

    told = run(stage, "stripe-setup").output

    (secret,) = re.findall(r"^STRIPE_WEBHOOK_SECRET=(whsec_\w+)$", told, re.MULTILINE)
    assert len(endpoints(stage)) == 2  # the other program's endpoint is none of our business
    # The secret is the one that Stripe signs with: an event of the new endpoint is believed.
    stage.app.config["STRIPE_WEBHOOK_SECRET"] = (secret,)
    stage.pay(stage.open_session(stage.browser()))
    assert stage.order().state == "paid"
    assert "whsec_" not in run(stage, "stripe-setup").output


def test_duplicates_are_said_and_removed_only_on_request(stage: Stage) -> None:
    control_endpoint(stage, URL)
    control_endpoint(stage, URL, api_version="2020-08-27")
    found = check(stage)
    assert found["webhook"]["state"] == "ok" and found["webhook_duplicates"]["state"] == "warn"
    assert "Nothing was done" in run(stage, "stripe-setup").output
    assert len(endpoints(stage)) == 3
    assert run(stage, "stripe-setup", "--yes").output.count("Removed we_") == 2
    (left,) = endpoints(stage)
    assert left.api_version == VERSION


def test_without_a_secret_an_endpoint_is_of_no_use(stage: Stage) -> None:
    stage.app.config["STRIPE_WEBHOOK_SECRET"] = ()
    assert check(stage)["webhook_secret"]["state"] == "fail"
    (old,) = endpoints(stage)
    told = run(stage, "stripe-setup", "--yes", "--save").output
    (new,) = endpoints(stage)
    assert new.id != old.id and "whsec_" not in told
    kept = Path(stage.app.config["SHOP_INSTANCE"]) / "secrets"
    assert (dotenv_values(kept)["STRIPE_WEBHOOK_SECRET"] or "").startswith("whsec_")
    assert kept.stat().st_mode & 0o077 == 0


def test_an_extensions_events_are_asked_for(stage: Stage) -> None:
    handlers.register(stage.app, "customer.updated", lambda event: None)
    assert "customer.updated" in check(stage)["webhook"]["found"]
    assert run(stage, "stripe-setup").exit_code == 0
    assert sorted(endpoints(stage)[0].enabled_events) == sorted([*EVENTS, "customer.updated"])


@pytest.mark.parametrize(("fault", "words"), [("500", "no answer"), ("401", "does not accept")])
def test_a_stripe_that_does_not_help_is_a_line(stage: Stage, fault: str, words: str) -> None:
    stage.fault(fault, count=9)
    result = run(stage, "stripe-setup")
    assert result.exit_code == 1 and words in result.output


@pytest.mark.parametrize(("command", "starts"), [("stripe-setup", True), ("orders", False)])
def test_only_the_commands_before_the_secret_run_without_one(
    app: Any, tmp_path: Path, command: str, starts: bool
) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    given = {
        "SHOP_INSTANCE": str(tmp_path / "first"),
        "STRIPE_SECRET_KEY": "sk_test_1",
        "STRIPE_API_BASE": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "shop", command],
        env=clean | given,
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ("gave no answer" in done.stderr) == starts
    assert ("STRIPE_WEBHOOK_SECRET" in done.stderr) != starts


@pytest.mark.parametrize(
    ("skew", "state"), [(0, "ok"), (-40, "warn"), (40, "warn"), (-250, "fail"), (4000, "fail")]
)
def test_a_clock_that_is_off(app: Any, skew: int, state: str) -> None:
    here = datetime.now(UTC)
    there = format_datetime(here + timedelta(seconds=skew), usegmt=True)
    with app.app_context():
        assert at_stripe.clock(there, here).state == state
        assert at_stripe.clock(None, here).state == at_stripe.clock("soon", here).state == "ok"

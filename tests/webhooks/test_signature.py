"""The webhook lets in what Stripe has just signed, and a refusal costs and leaves nothing."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event as engine_event

from storefront.extensions import db
from storefront.stripe_gateway import verification
from tests.stage import WEBHOOK_SECRET, Stage, sign
from tests.webhooks.posting import GOOD, HOOK, NOW, body_of, is_untouched, mac, post
from tests.webhooks.telling import effects, invented, pay

NEW_SECRET = "whsec_rolled_0123456789abcdef"


@contextmanager
def counting_statements(app: Flask) -> Iterator[list[str]]:
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine_event.listen(engine, "before_cursor_execute", note)
    yield seen
    engine_event.remove(engine, "before_cursor_execute", note)


FORGERIES: dict[str, Callable[[], str | None]] = {
    "absent": lambda: None,
    "empty": lambda: "",
    "junk": lambda: "junk",
    "another secret": lambda: mac(GOOD, "whsec_somebody_else_1234"),
    "another body": lambda: mac(GOOD + b" "),
    "only v0": lambda: mac(GOOD).replace("v1=", "v0="),
    "no time": lambda: mac(GOOD).split(",")[1],
    "two times": lambda: f"t=1,{mac(GOOD)}",
    "a time in words": lambda: mac(GOOD).replace("t=", "t=now"),
    "a time without end": lambda: f"t={'9' * 5000},v1={'0' * 64}",
    "another time": lambda: f"t={int(time.time()) - 1},{mac(GOOD).split(',')[1]}",
    "100,000 signatures": lambda: mac(GOOD) + ",v1=0" * 100_000,
    "a signature that is no hex": lambda: f"t={int(time.time())},v1=ü",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_it_refuses_what_stripe_did_not_sign(stage: Stage, forgery: str) -> None:
    answer = post(stage, GOOD, FORGERIES[forgery]())
    assert (answer.status_code, list(answer.json)) == (400, ["error"])
    assert is_untouched(stage)


@pytest.mark.parametrize("byte", ["\xff", "\x80", "\xe9"])
def test_it_refuses_a_header_that_is_not_ascii(stage: Stage, byte: str) -> None:
    header = {"HTTP_STRIPE_SIGNATURE": f"{mac(GOOD)}{byte}"}
    answer = stage.browser().post(HOOK, data=GOOD, environ_overrides=header)
    assert (answer.status_code, stage.events()) == (400, [])


@pytest.mark.parametrize("forgery", ["another secret", "100,000 signatures"])
def test_it_refuses_before_reading_json_or_asking_the_database(
    stage: Stage, forgery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Mock(side_effect=AssertionError("parsed"))
    monkeypatch.setattr(verification, "json", Mock(loads=reader))
    with counting_statements(stage.app) as statements:
        assert post(stage, GOOD, FORGERIES[forgery]()).status_code == 400
    assert (statements, reader.called) == ([], False)


def test_it_refuses_a_flood_cheaply_and_lets_the_good_ones_through(stage: Stage) -> None:
    event = pay(stage)
    forged, browser = mac(GOOD, "whsec_somebody_else_1234"), stage.browser()
    started = time.process_time()
    for _ in range(100):
        assert (
            browser.post(HOOK, data=GOOD, headers={"Stripe-Signature": forged}).status_code == 400
        )
    assert time.process_time() - started < 2
    assert stage.send(event).status_code == 200
    assert stage.order().state == "paid"


@pytest.mark.parametrize(
    ("age", "status"), [(299, 200), (301, 400), (-299, 200), (-301, 400), (-86400, 400)]
)
def test_it_takes_only_what_was_signed_just_now(stage: Stage, age: int, status: int) -> None:
    body = body_of(invented("ping.unknown"))
    with time_machine.travel(NOW + 600, tick=False):
        assert post(stage, body, mac(body, at=NOW + 600 - age)).status_code == status
    assert len(stage.events()) == (status == 200)


def test_it_does_nothing_twice_for_a_captured_delivery(stage: Stage) -> None:
    body = body_of(pay(stage))
    captured = mac(body)
    assert post(stage, body, captured).status_code == 200
    after = effects(stage)
    assert post(stage, body, captured).json == {"received": "already"}
    assert effects(stage) == after


@pytest.mark.parametrize(
    ("settings", "accepted"),
    [
        ({"STRIPE_WEBHOOK_SECRET": f"{NEW_SECRET},{WEBHOOK_SECRET}"}, [NEW_SECRET, WEBHOOK_SECRET]),
        (
            {"STRIPE_WEBHOOK_SECRET": f"{WEBHOOK_SECRET}, {NEW_SECRET}"},
            [WEBHOOK_SECRET, NEW_SECRET],
        ),
        ({"STRIPE_WEBHOOK_SECRET": NEW_SECRET}, [NEW_SECRET]),
    ],
)
def test_it_knows_both_secrets_while_one_is_rolled(stage: Stage, accepted: list[str]) -> None:
    for secret in (NEW_SECRET, WEBHOOK_SECRET):
        answer = post(stage, GOOD, mac(GOOD, secret))
        assert (answer.status_code == 200) == (secret in accepted)


def test_it_takes_either_signature_of_one_header(stage: Stage) -> None:
    old, new = mac(GOOD, "whsec_old_one_0123456789", at=NOW), mac(GOOD, at=NOW)
    both = f"{old},{new.split(',')[1]}"
    with time_machine.travel(NOW, tick=False):
        assert post(stage, GOOD, both).status_code == 200


def test_it_says_in_the_log_what_it_refused(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "storefront"):
        post(stage, GOOD, "junk")
    (line,) = [r for r in caplog.records if r.name == "storefront.webhooks.views"]
    assert line.levelname == "WARNING"
    assert re.fullmatch("webhook refused: .*time stamp", line.getMessage())


def test_it_signs_in_tests_as_stripe_does() -> None:
    assert sign(GOOD, at=NOW) == mac(GOOD, at=NOW)

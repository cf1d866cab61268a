"""`flask shop work`: alone enough, without webhooks and without buyers who come back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from storefront import catching_up, work
from storefront.models.columns import now
from storefront.models.order import NEVER
from storefront.sandbox import control
from storefront.services import settings
from tests.conftest import SETTINGS
from tests.payments.interventions import (
    LOOK,
    OPEN,
    Crash,
    after,
    before,
    calls,
    change_order,
    crash,
    on_sqlite,
)
from tests.stage import Stage

PAST = timedelta(minutes=-1)
ROOT = Path(__file__).parent.parent


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage on which no webhook ever arrives."""
    stage.silence()
    return stage


def orders_part(report: dict[str, int]) -> tuple[int, ...]:
    return tuple(report[name] for name in ("asked", "settled", "unanswered", "failed"))


def leave_without_session(stage: Stage) -> None:
    """Let a purchase break off before Stripe was asked."""
    before(stage, OPEN, crash)
    with pytest.raises(Crash):
        stage.buy(stage.browser())


def test_it_pays_what_was_paid(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser(), quantity=2))
    assert orders_part(stage.work()) == (1, 1, 0, 0)
    assert (stage.order().state, stage.order().amount_total) == ("paid", 4800)
    assert stage.order().steps[-1].cause == "work"
    assert stage.stock() == (3, 0, 2)


def test_it_frees_what_was_never_paid(stage: Stage) -> None:
    control.expire_session(stage.sandbox, stage.open_session(stage.browser()))
    stage.work()
    assert stage.order().state == "expired"
    assert stage.stock() == (5, 0, 0)


def test_it_leaves_what_may_still_be_paid(stage: Stage) -> None:
    stage.open_session(stage.browser())
    assert stage.work()["settled"] == 0
    assert stage.stock() == (5, 1, 0)


def test_a_hold_ends_when_stripe_says_so_not_when_our_clock_does(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    change_order(stage, expires_at=now() + PAST)
    stage.work()
    assert stage.order().state == "open"
    stage.pay(session_id)
    stage.work()
    assert stage.order().state == "paid"


def test_it_follows_a_slow_bank_to_the_end(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id, "bank_debit")
    stage.work()
    assert stage.order().state == "processing"
    control.settle_payment(stage.sandbox, session_id)
    stage.work()
    assert stage.order().state == "paid"


def test_it_hears_that_a_bank_has_refused(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id, "bank_debit")
    control.fail_payment(stage.sandbox, session_id)
    stage.work()
    assert (stage.order().state, stage.stock()) == ("failed", (5, 0, 0))


def test_a_second_pass_finds_nothing_to_do(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    stage.work()
    assert set(stage.work().values()) == {0}
    assert stage.steps() == [(None, "open"), ("open", "paid")]


def test_two_passes_at_once_ask_once(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))

    def run(_number: int) -> int:
        with stage.app.app_context():
            return work.run_pass().asked

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(run, range(2))) == 1
    assert stage.steps() == [(None, "open"), ("open", "paid")]


def test_an_order_just_asked_about_is_not_asked_about_again(stage: Stage) -> None:
    stage.open_session(stage.browser())
    with stage.app.app_context():
        assert [work.run_pass().asked for _ in range(3)] == [1, 0, 0]


def test_the_webhook_in_the_same_moment_makes_one_step(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))

    def webhook_arrives(_session: Any) -> None:
        control.set_switches(stage.sandbox, paused=False)
        stage.deliver()

    after(stage, LOOK, webhook_arrives)
    stage.work()
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert stage.stock() == (4, 0, 1)


@pytest.mark.parametrize("kind", ["500", "429", "timeout_before"])
def test_without_an_answer_nothing_is_lost(stage: Stage, kind: str) -> None:
    stage.pay(stage.open_session(stage.browser()))
    stage.fault(kind, 2 if kind == "429" else 6)  # for both the session and the list of events
    assert stage.work()["unanswered"] == 2
    assert stage.order().state == "open"
    stage.work()
    assert stage.order().state == "paid"


def test_a_key_that_is_refused_frees_nothing(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    change_order(stage, expires_at=now() + PAST)
    stage.fault("401", 2)
    stage.work()
    assert stage.order().state == "open"


def test_one_order_in_trouble_does_not_keep_the_others(stage: Stage) -> None:
    sick = stage.open_session(stage.browser())
    stage.pay(sick)
    stage.pay(stage.open_session(stage.browser()))
    change_order(stage, sick, livemode=True, asked_at=NEVER - timedelta(days=1))
    assert orders_part(stage.work()) == (2, 1, 0, 1)
    assert [order.state for order in stage.orders()] == ["open", "paid"]


def test_a_hold_without_a_session_lasts_until_its_time_is_over(stage: Stage) -> None:
    leave_without_session(stage)
    stage.work()
    assert stage.stock() == (5, 1, 0)
    change_order(stage, expires_at=now() + PAST)
    assert stage.work()["settled"] == 1
    assert (stage.order().state, stage.stock()) == ("expired", (5, 0, 0))
    assert "no Checkout Session" in stage.order().steps[-1].note


def test_a_session_that_stripe_never_had_ends_with_its_time(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    change_order(stage, session_id, checkout_session="cs_test_gone")
    stage.work()
    assert stage.order().state == "open"
    change_order(stage, expires_at=now() + PAST)
    stage.work()
    assert (stage.order().state, stage.stock()) == ("expired", (5, 0, 0))


def test_an_order_opened_again_in_the_same_moment_does_not_lapse(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    before(stage, OPEN, crash)
    with pytest.raises(Crash):
        stage.buy(browser)
    change_order(stage, expires_at=now() + PAST, asked_at=now() - timedelta(hours=1))
    change_order(stage, stage.orders()[0].checkout_session, asked_at=NEVER)
    after(stage, LOOK, lambda _session: stage.open_session(browser))
    stage.work()
    assert [order.state for order in stage.orders()] == ["open", "open"]
    assert stage.stock() == (5, 1, 0)


def test_a_shop_without_a_key_has_nothing_to_do(stage: Stage) -> None:
    stage.open_session(stage.browser())
    stage.app.extensions.pop("stripe")
    assert stage.work()["asked"] == 0
    assert len(calls(stage, LOOK)) == 0


# -- a session whose id we never learned


def lose_the_answer(stage: Stage) -> str:
    """Let a purchase break off when Stripe has opened its session and we do not know it yet."""
    opened: list[str] = []
    after(stage, OPEN, lambda told: opened.append(told["id"]) or crash(told))
    with pytest.raises(Crash):
        stage.buy(stage.browser())
    assert stage.order().checkout_session is None
    return opened[0]


def let_time_pass(stage: Stage) -> None:
    change_order(stage, expires_at=now() + PAST, asked_at=NEVER)


def orders_alone(stage: Stage) -> dict[str, int]:
    """A pass that may not read the events."""
    with stage.app.app_context():
        catching_up.is_time(catching_up.ASKED, timedelta(0))
        return work.run_pass().as_dict()


def test_what_was_paid_at_it_is_found(stage: Stage) -> None:
    session_id = lose_the_answer(stage)
    stage.pay(session_id)
    let_time_pass(stage)
    assert orders_part(orders_alone(stage)) == (1, 1, 0, 0)
    order = stage.order()
    assert (order.state, order.checkout_session) == ("paid", session_id)
    assert stage.stock() == (4, 0, 1)


def test_while_it_may_be_paid_its_goods_stay_held(stage: Stage) -> None:
    session_id = lose_the_answer(stage)
    let_time_pass(stage)
    orders_alone(stage)
    assert (stage.order().state, stage.order().checkout_session) == ("open", session_id)
    stage.pay(session_id)
    stage.work()
    assert stage.order().state == "paid"


def test_when_it_has_expired_its_goods_are_free(stage: Stage) -> None:
    control.expire_session(stage.sandbox, lose_the_answer(stage))
    let_time_pass(stage)
    orders_alone(stage)
    assert (stage.order().state, stage.stock()) == ("expired", (5, 0, 0))


def test_nothing_is_given_up_while_stripe_is_silent(stage: Stage) -> None:
    session_id = lose_the_answer(stage)
    stage.pay(session_id)
    let_time_pass(stage)
    stage.fault("500", 3)
    assert orders_part(orders_alone(stage)) == (1, 0, 1, 0)
    assert (stage.order().state, stage.stock()) == ("open", (5, 1, 0))


# -- the pass as a whole


@on_sqlite
def test_a_silent_stripe_does_not_hold_up_the_pass(stage: Stage) -> None:
    for _ in range(5):
        stage.open_session(stage.browser(), "YEN")
    stage.fault("429", 100)
    assert stage.work()["unanswered"] == work.PATIENCE
    assert len(calls(stage, LOOK)) == work.PATIENCE
    with stage.app.app_context():
        assert settings.find_moment(work.LAST_RAN) > 0


@on_sqlite
@pytest.mark.parametrize("broken", [part.name for part in work.PARTS])
def test_a_broken_part_stops_no_other(
    stage: Stage, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def part(name: str) -> work.Part:
        def do(*_: Any) -> None:
            done.append(name)
            if name == broken:
                raise OSError("broken")

        return work.Part(name, do)

    names = [each.name for each in work.PARTS]
    monkeypatch.setattr(work, "PARTS", tuple(part(name) for name in names))
    assert stage.work()["failed"] == 1
    assert done == names


@on_sqlite
def test_it_keeps_going_through_an_outage_and_ends_when_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping, passes = threading.Event(), []

    def run_pass(*_: Any, **__: Any) -> work.Report:
        passes.append(1)
        if len(passes) == 1:
            raise OperationalError("SELECT 1", None, Exception("the database is down"))
        if len(passes) == 3:
            stopping.set()
        return work.Report(unanswered=1)

    monkeypatch.setattr(work, "run_pass", run_pass)
    work.run_until(stopping, stage.app, pause=0.001)
    assert len(passes) == 3


@on_sqlite
def test_the_loop_ends_cleanly_when_the_system_asks(database_url: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "SECRET_KEY": SETTINGS["SECRET_KEY"],
        "SHOP_URL": "http://localhost",
        "SHOP_INSTANCE": str(tmp_path / "looping"),
        "DATABASE_URL": database_url,
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "shop", "work", "--loop", "0.1"]
    loop = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert loop.stdout is not None
        assert loop.stdout.readline() == "work goes on until it is told to stop.\n"
        loop.terminate()
        out, _ = loop.communicate(timeout=30)
    finally:
        loop.kill()
    assert (loop.returncode, out) == (0, "work has stopped.\n")

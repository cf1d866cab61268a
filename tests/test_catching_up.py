"""Events that the webhook did not bring: followed by a cursor, and tried again when they failed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from storefront import catching_up, database, stripe_gateway, work
from storefront.extensions import db
from storefront.models import (
    OutgoingMail,
    Setting,
    StripeEvent,
    Subscription,
    SubscriptionInvoice,
)
from storefront.models.columns import now
from storefront.sandbox import control
from storefront.services import reconcile, settings
from tests.budgets.counting import counting
from tests.payments.interventions import calls, on_sqlite
from tests.stage import Stage
from tests.webhooks.telling import cancel_now, id_of, retold, subscribe, subscriptions, told

LIST = "GET /v1/events"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage on which no webhook ever arrives."""
    stage.silence()
    return stage


def catch_up(stage: Stage) -> int:
    with stage.app.app_context():
        return catching_up.catch_up(timedelta(0))


def retry(stage: Stage, most: int = 20) -> tuple[int, int]:
    with stage.app.app_context():
        return catching_up.retry_failed(most)


def pay(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser(), "YEN"))


def cursors(stage: Stage) -> list[int]:
    with stage.app.app_context():
        rows = db.session.scalars(select(Setting).where(Setting.name.startswith("events_")))
        return [row.value["at"] for row in rows if row.name != catching_up.ASKED]


# -- the cursor


def test_it_takes_what_it_has_not_and_only_that(stage: Stage) -> None:
    pay(stage)
    assert (catch_up(stage), catch_up(stage)) == (1, 0)
    assert stage.order().steps[-1].cause.endswith(" by work")
    pay(stage)
    stage.send(told(stage, "checkout.session.completed"))
    pay(stage)
    assert catch_up(stage) == 1
    assert [row.brought_by for row in stage.events()] == ["by work", "", "by work"]
    assert [row.attempts for row in stage.events()] == [1, 1, 1]


def test_a_shop_without_orders_asks_nothing(stage: Stage) -> None:
    assert catch_up(stage) == 0
    assert calls(stage, LIST) == []


@on_sqlite
def test_it_asks_for_the_events_we_handle_and_no_others(stage: Stage) -> None:
    pay(stage)
    catch_up(stage)
    asked = [kind for call in calls(stage, LIST) for kind in call.params["types"]]
    with stage.app.app_context():
        assert sorted(asked) == catching_up.handlers.types()


def many_events(stage: Stage, count: int) -> None:
    foreign = told(stage, "checkout.session.completed")["data"]["object"]
    foreign |= {"client_reference_id": "theirs", "metadata": {}, "payment_intent": None}
    for number in range(count):
        session = foreign | {"id": f"cs_test_foreign_{number:04}"}
        control.emit_event(stage.sandbox, "checkout.session.completed", session)


@on_sqlite
def test_it_reads_any_number_of_pages_the_oldest_first(stage: Stage) -> None:
    pay(stage)
    many_events(stage, 230)
    assert catch_up(stage) == 231
    with stage.app.app_context():
        taken = db.session.scalars(select(StripeEvent.object_id).order_by(db.text("rowid")))
        foreign = [name for name in taken if name and "foreign" in name]
    assert foreign == sorted(foreign) and len(foreign) == 230
    assert catch_up(stage) == 0


@on_sqlite
def test_what_it_has_taken_stays_taken_when_stripe_falls_silent(stage: Stage) -> None:
    pay(stage)
    many_events(stage, 230)
    taking: list[int] = []

    def silence(*_: Any) -> None:
        taking.append(1)
        if len(taking) == 4:  # back to the oldest page in three steps; then on to the next
            stage.fault("500", 3)

    listing = stripe_gateway.list_page
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe_gateway, "list_page", lambda *given: (silence(), listing(*given))[1])
        patch.setattr(catching_up, "OVERLAP", timedelta(0))
        with pytest.raises(stripe_gateway.StripeUnavailable):
            catch_up(stage)
    assert len(stage.events()) == 31
    assert catch_up(stage) == 200


def test_the_cursor_goes_by_stripes_clock_not_ours(stage: Stage) -> None:
    pay(stage)
    with time_machine.travel(time.time() + 86400):
        assert catch_up(stage) == 1
    pay(stage)
    assert catch_up(stage) == 1
    newest = told(stage, "checkout.session.completed")["created"]
    assert cursors(stage) == [newest] * len(cursors(stage))


def test_the_cursor_never_goes_back(stage: Stage) -> None:
    with stage.app.app_context():
        for moment, moves in ((100, True), (90, False), (100, False), (110, True)):
            with database.writing():
                assert settings.move_moment("here", moment, from_before=moment) is moves
        assert settings.find_moment("here") == 110


def test_two_passes_at_once_take_each_event_once(stage: Stage) -> None:
    for _ in range(3):
        pay(stage)
    subscribe(stage)

    def run(_number: int) -> dict[str, int]:
        with stage.app.app_context():
            return work.run_pass(timedelta(0)).as_dict()

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, range(2)))
    assert {report["failed"] for report in reports} == {0}
    assert {row.state for row in stage.events()} == {"applied"}
    assert [order.state for order in stage.orders()] == ["paid"] * 4
    assert len(stage.steps()) == 8


def test_an_idle_pass_costs_little(stage: Stage) -> None:
    pay(stage)
    stage.work()
    with stage.app.app_context():
        work.run_pass()
    asked = len(calls(stage, "* /v1/*"))
    with counting(stage.app) as count, stage.app.app_context():
        report = work.run_pass()
    assert set(report.as_dict().values()) == {0}
    assert len(calls(stage, "* /v1/*")) == asked
    assert (len(count.writes), len(count.statements) <= 10) == (0, True)


def test_a_clock_that_was_wrong_keeps_nothing_waiting(stage: Stage) -> None:
    with stage.app.app_context():
        with time_machine.travel(time.time() + 86400):
            assert catching_up.is_time("tick", timedelta(hours=1)) is True
        assert catching_up.is_time("tick", timedelta(hours=1)) is True
        assert catching_up.is_time("tick", timedelta(hours=1)) is False


# -- failed events


def failing(stage: Stage) -> Any:
    """A stored event that fails until its subscription is there."""
    event = retold(subscribe(stage), id="sub_not_there", metadata={"order": "ord_x"})
    assert stage.send(event).status_code == 500
    return event


def let_pass(stage: Stage, hours: int = 24) -> None:
    with stage.app.app_context(), database.writing():
        earlier = now() - timedelta(hours=hours)
        db.session.execute(update(StripeEvent).values(next_try_at=earlier))


def mails(stage: Stage) -> list[str]:
    with stage.app.app_context():
        return list(
            db.session.scalars(select(OutgoingMail.key).where(OutgoingMail.kind == "needs_a_hand"))
        )


def test_a_failed_event_is_tried_again_and_succeeds(stage: Stage) -> None:
    event = subscribe(stage)
    stage.fault("500", 3)
    assert stage.send(event).status_code == 503
    assert (retry(stage), subscriptions(stage)) == ((0, 0), [])
    let_pass(stage)
    assert retry(stage) == (1, 1)
    assert (stage.events()[-1].state, stage.events()[-1].attempts) == ("applied", 2)
    assert len(subscriptions(stage)) == 1


def test_it_waits_longer_each_time_and_asks_for_a_hand_once(stage: Stage) -> None:
    event = failing(stage)
    pauses = []
    for _ in range(7):
        let_pass(stage)
        assert retry(stage) == (1, 0)
        pauses.append(round((stage.events()[-1].next_try_at - now()).total_seconds() / 60))
        assert retry(stage) == (0, 0)
    assert pauses == [2, 4, 8, 16, 32, 64, 128]
    assert mails(stage) == [f"needs_a_hand:event-{event['id']}"]


def test_events_that_keep_failing_starve_no_other(stage: Stage) -> None:
    sick = failing(stage)
    others = [retold(sick) for _ in range(3)]
    for event in others:
        stage.send(event)
    let_pass(stage)
    good = retold(told(stage, "customer.subscription.created"))
    stage.fault("500", 3)
    stage.send(good)
    let_pass(stage, hours=1)
    for _ in range(3):
        retry(stage, most=2)
    assert {row.id: row.state for row in stage.events()}[good["id"]] == "applied"


def test_two_who_retry_at_once_try_once(stage: Stage) -> None:
    failing(stage)
    let_pass(stage)
    with ThreadPoolExecutor(2) as pool:
        tried = [done[0] for done in pool.map(lambda _: retry(stage), range(2))]
    assert sorted(tried) == [0, 1]
    assert stage.events()[-1].attempts == 2


# -- deaf for longer than Stripe keeps its events


def invoices(stage: Stage) -> list[tuple[str, int]]:
    with stage.app.app_context():
        rows = db.session.scalars(select(SubscriptionInvoice).order_by(SubscriptionInvoice.id))
        return [(row.status, row.amount_paid) for row in rows]


def test_after_months_without_a_word_one_pass_brings_everything_home(stage: Stage) -> None:
    mug = stage.open_session(stage.browser())
    stage.pay(mug)
    subscription = id_of(subscribe(stage, "CLUB-Y"))
    control.refund(stage.sandbox, mug, 700)
    control.dispute(stage.sandbox, stage.orders()[0].checkout_session or "", inquiry=True)
    control.advance_clock(stage.sandbox, 370 * 86400)  # renewed meanwhile
    control.cancel_subscription(stage.sandbox, subscription)
    control.advance_clock(stage.sandbox, 40 * 86400)
    pay(stage)
    stage.work()
    assert [row.status for row in subscriptions(stage)] == ["canceled"]
    assert invoices(stage) == [("paid", 9000), ("paid", 9000)]
    assert [order.amount_refunded for order in stage.orders()] == [700, 0, 0]
    with stage.app.app_context():
        assert list(reconcile.compare(now() - timedelta(days=1))) == []


@on_sqlite
def test_the_books_are_compared_once_and_not_while_everything_is_heard(stage: Stage) -> None:
    pay(stage)
    stage.work()
    assert calls(stage, "GET /v1/invoices") == []
    control.advance_clock(stage.sandbox, 31 * 86400)
    for _ in range(2):
        pay(stage)
        stage.work()
    assert len(calls(stage, "GET /v1/invoices")) == 1


@on_sqlite
def test_a_silence_of_stripe_puts_the_comparison_off(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id)
    control.refund(stage.sandbox, session_id)
    control.advance_clock(stage.sandbox, 31 * 86400)
    pay(stage)
    stage.fault("timeout_before", count=9, path="GET /v1/refunds")
    assert stage.work()["unanswered"] > 0
    assert stage.orders()[0].amount_refunded == 0
    for _ in range(9):
        stage.work()
    assert stage.orders()[0].amount_refunded == 2400


# -- subscriptions that nothing was heard of


def forget(stage: Stage, **values: Any) -> None:
    with stage.app.app_context(), database.writing():
        longer_ago = {"fetched_at": 1, "asked_at": now() - timedelta(days=2)}
        db.session.execute(update(Subscription).values(longer_ago | values))


@on_sqlite
def test_drift_of_a_subscription_is_mended_by_itself(stage: Stage) -> None:
    event = subscribe(stage)
    stage.work()
    cancel_now(stage, id_of(event))
    with stage.app.app_context(), database.writing():
        db.session.execute(update(Setting).values(value={"at": 2**40}))  # the cursor is lost
    forget(stage, status="active")
    with stage.app.app_context():
        assert work.run_pass().subscriptions == 1
        assert work.run_pass().subscriptions == 0
    assert [row.status for row in subscriptions(stage)] == ["canceled"]


@on_sqlite
def test_a_subscription_that_stripe_does_not_know_is_asked_about_once_an_hour(
    stage: Stage,
) -> None:
    stage.send(subscribe(stage))
    forget(stage, stripe_id="sub_gone")
    for _ in range(2):
        with stage.app.app_context():
            assert work.run_pass().subscriptions == 0
    assert len(calls(stage, "GET /v1/subscriptions/sub_gone")) == 1

"""flask shop reconcile: "Stripe says" beside "we say", and what is safe to mend is mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update

from storefront import database
from storefront.extensions import db
from storefront.models import Dispute, Order, Refund, Subscription, SubscriptionInvoice
from storefront.sandbox import control
from tests.books import dump
from tests.payments.interventions import on_sqlite
from tests.stage import Stage
from tests.test_cli import run
from tests.test_three_ways import Scene, by_webhook, live

pytestmark = on_sqlite


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """A shop with some days behind it, of which it knows everything, and now hears no more."""
    stage.silence()
    stage.add_user()
    live(stage, days=0)
    by_webhook(Scene(stage))
    stage.silence()
    assert report(stage) == ("", 0)
    return stage


def report(stage: Stage, *words: str) -> tuple[str, int]:
    """The differences as `kind: Stripe says / we say`, and the exit status."""
    result = run(stage, "reconcile", "--json", *words)
    told = [json.loads(line) for line in result.stdout.splitlines()]
    lines = [
        f"{line['what']}: {line['stripe_says']} / {line['we_say']}{' *' * line['repaired']}"
        for line in told
    ]
    return "; ".join(lines), result.exit_code


def change(stage: Stage, *statements: Any) -> None:
    with stage.app.app_context(), database.writing():
        for statement in statements:
            db.session.execute(statement)


def plan(stage: Stage) -> str:
    found = [order.stripe_subscription for order in stage.orders() if order.stripe_subscription]
    return found[0]


def a_payment_we_missed(stage: Stage) -> None:
    Scene(stage).paid()


def a_session_that_expired(stage: Stage) -> None:
    Scene(stage).expired()


def a_bank_that_refused(stage: Stage) -> None:
    Scene(stage).delayed_then_failed()


def a_refund_we_missed(stage: Stage) -> None:
    control.refund(stage.sandbox, stage.orders()[0].checkout_session or "", 500)


def a_refund_row_that_is_lost(stage: Stage) -> None:
    change(stage, delete(Refund), update(Order).values(amount_refunded=0))


def a_dispute_we_missed(stage: Stage) -> None:
    control.dispute(stage.sandbox, stage.orders()[0].checkout_session or "")


def a_dispute_that_was_decided(stage: Stage) -> None:
    client = stage.app.extensions["stripe"]
    control.close_dispute(stage.sandbox, client.v1.disputes.list().data[0].id, won=True)


def a_subscription_that_ended(stage: Stage) -> None:
    control.cancel_subscription(stage.sandbox, plan(stage))


def a_subscription_copied_wrongly(stage: Stage) -> None:
    change(stage, update(Subscription).values(status="past_due"))


def an_invoice_we_missed(stage: Stage) -> None:
    change(stage, delete(SubscriptionInvoice))


def a_payment_and_its_refund(stage: Stage) -> None:
    scene = Scene(stage)
    scene.paid()
    control.refund(stage.sandbox, scene.session)


PLANTED: dict[Callable[[Stage], None], str] = {
    a_payment_we_missed: "session: paid / open",
    a_session_that_expired: "session: expired / open",
    a_bank_that_refused: "session: failed / open",
    a_refund_we_missed: "refund: succeeded €5.00 / nothing",
    a_refund_row_that_is_lost: "refund: succeeded €10.00 / nothing",
    a_dispute_we_missed: "dispute: needs_response €14.00 / nothing",
    a_dispute_that_was_decided: "dispute: won €24.00 / needs_response €24.00",
    a_subscription_that_ended: "subscription: canceled until",
    a_subscription_copied_wrongly: "subscription: active until",
    an_invoice_we_missed: "invoice: paid €90.00 / nothing",
    a_payment_and_its_refund: "session: paid / open",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_was_planted_is_found_and_mended(stage: Stage, plant: Callable[[Stage], None]) -> None:
    plant(stage)
    before = dump(stage.app)
    found, status = report(stage)
    assert (found.startswith(PLANTED[plant]), status) == (True, 1), found
    assert dump(stage.app) == before
    mended, status = report(stage, "--repair")
    assert status == 0 and all(line.endswith(" *") for line in mended.split("; ")), mended
    assert report(stage) == ("", 0)
    whole = dump(stage.app, without={"stripe_event", "received_at"})
    stage.work()
    assert dump(stage.app, without={"stripe_event", "received_at"}) == whole


def test_what_cannot_be_mended_is_left_and_said(stage: Stage) -> None:
    first = stage.orders()[0]
    change(
        stage,
        update(Order).where(Order.id == first.id).values(amount_total=1, amount_refunded=0),
        update(Order).where(Order.id == 2).values(checkout_session="cs_gone"),
        update(Subscription).values(stripe_id="sub_gone"),
        update(Dispute).values(stripe_id="du_gone"),
    )
    found, status = report(stage, "--repair")
    assert status == 1
    assert "session: paid €24.00 / paid €0.01" in found
    assert "session: nothing / paid" in found
    assert "subscription: nothing / active" in found
    assert "dispute: nothing / needs_response" in found


def test_a_silent_stripe_is_neither_drift_nor_none(stage: Stage) -> None:
    stage.fault("500", 3)
    result = run(stage, "reconcile")
    assert result.exit_code == 2
    assert "Stripe could not be asked" in result.output


def test_people_read_a_table(stage: Stage) -> None:
    assert run(stage, "reconcile").output == "Stripe and the shop say the same.\n"
    a_payment_we_missed(stage)
    header, row = run(stage, "reconcile", "--repair").output.splitlines()
    assert header.split("  ")[0] == "what" and "Stripe says" in header
    assert row.split()[0] == "session" and row.endswith("repaired")
    assert stage.orders()[-1].steps[-1].cause.startswith("reconcile by ")


def test_only_the_span_asked_for_is_compared(stage: Stage) -> None:
    control.advance_clock(stage.sandbox, 10 * 86400)
    a_refund_row_that_is_lost(stage)
    assert "refund" in report(stage, "--since", "2020-01-01")[0]


def test_what_others_sold_is_no_difference(stage: Stage) -> None:
    client = stage.app.extensions["stripe"]
    price = {"currency": "eur", "unit_amount": 700, "product_data": {"name": "Theirs"}}
    theirs = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "client_reference_id": "cart-17",
            "metadata": {"order": "17", "shop": "https://other.example"},
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": "https://other.example/done",
        }
    )
    stage.pay(theirs.id)
    control.refund(stage.sandbox, theirs.id)
    assert report(stage) == ("", 0)

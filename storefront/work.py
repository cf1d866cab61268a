"""One pass of everything that happens later. Any number of passes may run, also at once.

Each part is enough by itself for what it does, and its failure keeps no other from running.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import NamedTuple

from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError

from storefront import catching_up, database, refunding, stripe_gateway
from storefront.errors import PaymentUnavailable
from storefront.extensions import db
from storefront.mail import sending
from storefront.models import Order
from storefront.models.columns import now
from storefront.services import checkout, orders, settlement, subscriptions

log = logging.getLogger(__name__)

ASK_EVERY = timedelta(seconds=60)
LAST_RAN = "work_last_ran"
PATIENCE = 3  # questions without an answer, after which this pass asks Stripe nothing more
SKEW = timedelta(minutes=15)  # by which our clock may differ from Stripe's
UNHEARD = timedelta(days=1)
MOST_SUBSCRIPTIONS = 20


@dataclass
class Report:
    """What a pass did. Orders: asked about at Stripe, moved. `unanswered` questions to Stripe and
    what `failed` are tried again by the next pass."""

    asked: int = 0
    settled: int = 0
    unanswered: int = 0
    failed: int = 0
    events: int = 0
    retried: int = 0
    refunds: int = 0
    subscriptions: int = 0
    mails: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def run_pass(ask_every: timedelta = ASK_EVERY, stopping: threading.Event | None = None) -> Report:
    """Do everything that is due, once; a few statements and no call where nothing is.

    This alone is enough to bring the books to what Stripe says: no webhook has to arrive and no
    buyer to come back. What was asked about less than `ask_every` ago is left for later.
    """
    report = Report()
    for part in PARTS:
        if stopping is not None and stopping.is_set():
            break
        if not part.asks_stripe or (
            stripe_gateway.is_configured() and report.unanswered < PATIENCE
        ):
            _run(part, report, ask_every)
    with suppress(OperationalError, InterfaceError):
        database.end_reading()
    return report


def run_until(stopping: threading.Event, app: Flask, pause: float) -> None:
    """Make one pass after another until told to stop, through any outage."""
    while not stopping.is_set():
        try:
            with app.app_context():
                report = run_pass(stopping=stopping)
            if report.unanswered or report.failed:
                log.warning("a pass of work: %s", report)
        except (OperationalError, InterfaceError) as error:
            log.error("work could not use the database: %s", error.orig)
        stopping.wait(pause)


def _run(part: Part, report: Report, ask_every: timedelta) -> None:
    try:
        part.do(report, ask_every)
    except PaymentUnavailable:
        report.unanswered += 1
    except (OperationalError, InterfaceError) as error:
        _give_up(report)
        log.error("work could not use the database (%s): %s", part.name, error.orig)
    except Exception:
        _give_up(report)
        log.exception("a part of work failed: %s", part.name)


def _give_up(report: Report) -> None:
    report.failed += 1
    db.session.remove()


def _settle_orders(report: Report, ask_every: timedelta) -> None:
    """Bring every open and processing order to what Stripe says of its session."""
    for order in orders.list_unsettled(now() - ask_every):
        if report.unanswered >= PATIENCE:
            return
        with database.writing():
            mine = orders.claim_asking(order.id, now() - ask_every)
        if mine:
            _try(order, report)


def _try(order: Order, report: Report) -> None:
    """One order in trouble must not keep the others waiting; the next pass tries it again."""
    try:
        _settle(order, report)
    except PaymentUnavailable:
        report.unanswered += 1
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("order %s could not be settled", order.number)
        report.failed += 1


def _settle(order: Order, report: Report) -> None:
    before = order.state  # `find` below brings the same object up to date
    if order.checkout_session is None:
        _find_session(order, report)
    else:
        report.asked += 1
        try:
            told = stripe_gateway.get_checkout_session(order.checkout_session)
        except stripe_gateway.StripeRefused as refusal:
            if refusal.reason != "resource_missing":
                raise
            _lapse(order, "Stripe has no such Checkout Session")
        else:
            with database.writing():
                settlement.settle(told, cause="work")
    after = orders.find(order.number)
    report.settled += after is not None and after.state != before


def _find_session(order: Order, report: Report) -> None:
    """The answer that told us of the session may be lost: ask before an order is given up."""
    if order.state != "open" or order.expires_at >= now():
        return
    report.asked += 1
    start, end = order.created_at - SKEW, order.expires_at + SKEW
    created = {"gte": int(start.timestamp()), "lte": int(end.timestamp())}
    wanted = {"created": created, "expand": ["data.payment_intent"]}
    found = [
        told
        for told in stripe_gateway.iterate("sessions", wanted)
        if told["client_reference_id"] == order.reference
    ]
    for told in sorted(
        found, key=lambda told: ("complete", "open", "expired").index(told["status"])
    ):
        with database.writing():
            checkout.attach(order.id, told)
            settlement.settle(told, cause="work, which found its session")
        if told["status"] == "open":
            return
    if not found:
        _lapse(order, "no Checkout Session was opened for it")


def _lapse(order: Order, why: str) -> None:
    """End an order nobody can pay any more: its buyer has no page to pay at."""
    if order.state == "open" and order.expires_at < now():
        with database.writing():
            orders.lapse(order, "work", why)


def _catch_up(report: Report, ask_every: timedelta) -> None:
    report.events += catching_up.catch_up(ask_every)


def _retry(report: Report, _ask_every: timedelta) -> None:
    tried, done = catching_up.retry_failed()
    report.retried += done
    report.failed += tried - done


def _finish_refunds(report: Report, ask_every: timedelta) -> None:
    progress = refunding.finish_due(ask_every)
    report.refunds += progress.asked
    report.unanswered += progress.unanswered
    report.failed += progress.failed


def _hear_of_subscriptions(report: Report, _ask_every: timedelta) -> None:
    """Ask about living subscriptions of which nothing was heard for a day: drift ends here."""
    for row in subscriptions.list_unheard(UNHEARD, MOST_SUBSCRIPTIONS):
        with database.writing():
            mine = subscriptions.claim_asking(row)
        if mine:
            _hear_of(row.stripe_id, report)


def _hear_of(stripe_id: str, report: Report) -> None:
    asked_at = time.time_ns()
    try:
        told = stripe_gateway.get_subscription(stripe_id)
    except stripe_gateway.StripeRefused as refusal:
        log.error("Stripe does not tell of subscription %s: %s", stripe_id, refusal.reason)
        return
    latest = told["latest_invoice"]
    invoice = stripe_gateway.get_invoice(latest) if latest else None
    with database.writing():
        report.subscriptions += subscriptions.mirror(told, asked_at)
        if invoice:
            subscriptions.record_invoice(invoice)


def _send_mail(report: Report, _ask_every: timedelta) -> None:
    report.mails += sending.send_due().sent


def _leave_sign(_report: Report, _ask_every: timedelta) -> None:
    catching_up.is_time(LAST_RAN, ASK_EVERY)


class Part(NamedTuple):
    """One thing that a pass does."""

    name: str
    do: Callable[[Report, timedelta], None]
    asks_stripe: bool = True


PARTS = (
    Part("orders", _settle_orders),
    Part("events", _catch_up),
    Part("retries", _retry),
    Part("refunds", _finish_refunds),
    Part("subscriptions", _hear_of_subscriptions),
    Part("mail", _send_mail, asks_stripe=False),
    Part("sign of life", _leave_sign, asks_stripe=False),
)

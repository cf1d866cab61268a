"""One pass of everything that happens later. Any number of passes may run, also at once."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta

from storefront import database, stripe_gateway
from storefront.errors import PaymentUnavailable
from storefront.models import Order
from storefront.models.columns import now
from storefront.services import orders, settlement

log = logging.getLogger(__name__)

ASK_EVERY = timedelta(seconds=60)


@dataclass
class Report:
    """What a pass did: orders asked about at Stripe, moved, left without answer, and failed."""

    asked: int = 0
    settled: int = 0
    unanswered: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def run_pass(ask_every: timedelta = ASK_EVERY) -> Report:
    """Bring every open and processing order to what Stripe says; idle when none is due.

    This alone is enough to turn each paid session into a paid order, and to free each hold that
    ended: no webhook has to arrive and no buyer to come back.
    """
    report = Report()
    if not stripe_gateway.is_configured():
        return report
    for order in orders.list_unsettled(now() - ask_every):
        with database.writing():
            mine = orders.claim_asking(order.id, now() - ask_every)
        if mine:
            _try(order, report)
    return report


def _try(order: Order, report: Report) -> None:
    """One order in trouble must not keep the others waiting; the next pass tries it again."""
    try:
        _settle(order, report)
    except Exception:
        log.exception("order %s could not be settled", order.number)
        report.failed += 1


def _settle(order: Order, report: Report) -> None:
    if order.checkout_session is None:
        _lapse(order, report, "no Checkout Session was opened for it")
        return
    report.asked += 1
    before = order.state  # `find` below brings the same object up to date
    try:
        told = stripe_gateway.get_checkout_session(order.checkout_session)
    except stripe_gateway.StripeRefused as refusal:
        if refusal.reason == "resource_missing":
            _lapse(order, report, "Stripe has no such Checkout Session")
        return
    except PaymentUnavailable:
        report.unanswered += 1
        return
    with database.writing():
        settlement.settle(told, cause="work")
    after = orders.find(order.number)
    report.settled += after is not None and after.state != before


def _lapse(order: Order, report: Report, why: str) -> None:
    """End an order nobody can pay any more: its buyer has no page to pay at."""
    if order.state == "open" and order.expires_at < now():
        with database.writing():
            report.settled += orders.lapse(order, "work", why)

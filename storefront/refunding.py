"""Giving money back, step by step: intent committed, Stripe asked, answer recorded.

The intent is made by `refunds.ask` and committed by its surface. Whatever becomes of the call after
it (a time-out, a crash, a stored error), the refund happens once, or is seen to have failed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy.exc import InterfaceError, OperationalError

from storefront import database, stripe_gateway
from storefront.errors import PaymentUnavailable
from storefront.extensions import db
from storefront.models import Order, Refund
from storefront.models.columns import now
from storefront.services import disputes, payments, refunds
from storefront.stripe_gateway import KeyRefused, StripeRefused, StripeUnavailable

log = logging.getLogger(__name__)
Told = dict[str, Any]

PATIENCE = 3  # questions without an answer, after which the rest is left for later
BANK_TAKES = 60  # how many times longer a bank is left alone than a call that was never answered


def send(refund_id: int, cause: str) -> Refund:
    """Ask Stripe for a refund that is asked for here, and record its answer; the refund then.

    Without an answer it stays `asked`, and `work` goes on. Safe to call at any time, also by
    several at once: they use one key.
    """
    refund = refunds.get(refund_id)
    if refund.state == "asked":
        _send(refund, cause)
    return refunds.get(refund_id)


def _send(refund: Refund, cause: str) -> None:
    refund_id, payment, attempt = refund.id, refund.payment_intent, refund.attempt
    params, key = _params(refund), f"{refund.idempotency_key}-{attempt}"
    try:
        told = stripe_gateway.create_refund(params, key)
    except StripeUnavailable as silence:
        if silence.is_final:
            with database.writing():
                refunds.next_attempt(refund_id, seen=attempt)
    except KeyRefused:
        log.error("refund %s waits: Stripe does not accept our key", refund_id)
    except StripeRefused as refusal:
        _record_refusal(refund_id, payment, attempt, refusal, cause)
    except PaymentUnavailable:
        log.error("refund %s waits: there is no Stripe key", refund_id)
    else:
        with database.writing():
            refunds.record(told, cause)


def _params(refund: Refund) -> Told:
    order = db.session.get_one(Order, refund.order_id)
    marks = {
        "refund": refund.idempotency_key,
        "order": order.reference,
        "shop": current_app.config["SHOP_URL"],
    }
    params: Told = {
        "payment_intent": refund.payment_intent,
        "amount": refund.amount,
        "metadata": marks,
    }
    return params | ({"reason": refund.reason} if refund.reason else {})


def _record_refusal(
    refund_id: int, payment: str, attempt: int, refusal: StripeRefused, cause: str
) -> None:
    """Stripe says no: perhaps because somebody gave this money back there, so look first."""
    if refusal.reason == "idempotency_error":  # what we ask was worded differently before
        with database.writing():
            refunds.next_attempt(refund_id, seen=attempt)
        return
    try:
        _record_all(payment, cause)
    except PaymentUnavailable:
        return  # `work` will ask again, and be refused again
    with database.writing():
        refunds.refuse(refund_id, refusal.reason or "refused", cause, refusal.said)


def _record_all(payment: str, cause: str) -> None:
    """Bring every refund of a payment to what Stripe says, those made behind our back as well."""
    told = list(stripe_gateway.iterate("refunds", {"payment_intent": payment}))
    with database.writing():
        for refund in reversed(told):
            refunds.record(refund, cause)


@dataclass
class Progress:
    """Refunds that were asked about; of these, without an answer, and failed for another reason."""

    asked: int = 0
    unanswered: int = 0
    failed: int = 0


def finish_due(ask_every: timedelta) -> Progress:
    """Go on with every refund that Stripe or a bank still owes an answer for.

    Also finds the orders of refunds and disputes that were told of at the very moment of the
    payment.
    """
    progress = Progress()
    _bring_home()
    for refund in refunds.list_due(now() - ask_every, now() - ask_every * BANK_TAKES):
        if progress.unanswered >= PATIENCE:
            break
        with database.writing():
            mine = refunds.claim_asking(refund)
        if mine:
            _try(refund.id, progress)
    return progress


def _try(refund_id: int, progress: Progress) -> None:
    """One refund in trouble must not keep the others waiting; the next pass tries it again."""
    progress.asked += 1
    try:
        progress.unanswered += not _goes_on(refund_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("refund %s is in trouble", refund_id)
        progress.failed += 1
        db.session.remove()


def _bring_home() -> None:
    for payment in payments.list_astray():
        with database.writing():
            refunds.adopt(payment, "work")
            disputes.adopt(payment, "work")


def _goes_on(refund_id: int) -> bool:
    """Look at Stripe before asking again: keys are forgotten there, refunds are not."""
    try:
        _record_all(refunds.get(refund_id).payment_intent, "work")
    except PaymentUnavailable:
        return False
    return send(refund_id, "work").state != "asked"


# -- what the news of a refund or dispute does not tell by itself


def fetch_refund(refund_id: str) -> Told:
    """The refund as it is now, with its payment and what tells whose that is."""
    return _with_marks(stripe_gateway.get_refund(refund_id))


def fetch_dispute(dispute_id: str) -> Told:
    """The dispute as it is now, with its payment and what tells whose that is."""
    return _with_marks(stripe_gateway.get_dispute(dispute_id))


def fetch_refunds_of_charge(charge_id: str) -> Told:
    """All refunds of a charge as they are now; the news of the charge does not name them."""
    wanted = {"charge": charge_id, "expand": ["data.payment_intent"]}
    return {"data": [_with_marks(told) for told in stripe_gateway.iterate("refunds", wanted)]}


def _with_marks(told: Told) -> Told:
    """A renewal's payment bears no mark of ours; its invoice does, by the subscription."""
    payment = told["payment_intent"]
    if isinstance(payment, dict) and not payments.is_ours(told):
        payment["metadata"] = stripe_gateway.get_payment_metadata(payment["id"])
    return told

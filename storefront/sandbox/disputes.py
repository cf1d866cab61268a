"""Disputes: a buyer's bank takes money back, or only asks, and the merchant may answer."""

import copy
from typing import Any

from storefront.sandbox import early_warnings, ledger, refunds
from storefront.sandbox.cards import by_payment_method
from storefront.sandbox.core import DAY
from storefront.sandbox.dispute_shapes import TYPE, dispute_shape
from storefront.sandbox.errors import invalid
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import merge_metadata
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.timekeeping import when_due

REASONS = tuple(
    """
    fraudulent product_not_received product_unacceptable duplicate subscription_canceled
    credit_not_processed unrecognized general bank_cannot_process check_returned
    customer_initiated debit_not_authorized incorrect_account_details insufficient_funds
    noncompliant
    """.split()
)
TIME_TO_ANSWER = 7 * DAY
FEE = 1500
CLOSED = ("lost", "warning_closed", "won")
UNDER_REVIEW = {
    "needs_response": "under_review",
    "warning_needs_response": "warning_under_review",
}


def begin(tx: Tx, charge: Stored, reason: str, *, inquiry: bool = False) -> Stored:
    """Dispute what is left of a charge; an inquiry leaves the money where it is."""
    if charge["status"] != "succeeded":
        raise invalid(f"Charge {charge['id']} did not succeed: there is nothing to dispute.")
    if _is_disputed(tx, charge):
        raise invalid(f"Charge {charge['id']} is disputed already.")
    charge["disputed"] = True
    tx.save(charge)
    if not inquiry:
        charge = _fail_pending_refunds(tx, charge["id"])
    amount = _disputable(charge)
    if not amount:
        raise invalid(f"Charge {charge['id']} was refunded: there is nothing left to dispute.")
    due_by = tx.now + TIME_TO_ANSWER
    dispute = Stored(dispute_shape(tx, charge, amount, reason, due_by, inquiry=inquiry))
    dispute.due_at = due_by
    if not inquiry:
        _withdraw(tx, dispute)
    tx.add(dispute)
    emit(tx, "charge.dispute.created", dispute)
    if not inquiry:
        emit(tx, "charge.dispute.funds_withdrawn", dispute)
    early_warnings.too_late(tx, charge)
    return dispute


def answer(tx: Tx, dispute: Stored, params: dict[str, Any]) -> Stored:
    """Keep what the merchant says and, unless told otherwise, hand his evidence to the bank.

    Three texts of evidence decide at once, as in Stripe's test mode; any other waits for the bank.
    """
    _refuse_closed(dispute)
    before = copy.deepcopy(dict(dispute))
    evidence = params.get("evidence", {})
    dispute["evidence"] |= evidence
    if "metadata" in params:
        dispute["metadata"] = merge_metadata(dispute["metadata"], params["metadata"])
    if "intended_submission_method" in params:
        dispute["intended_submission_method"] = params["intended_submission_method"]
    details = dispute["evidence_details"]
    details["has_evidence"] = any(dispute["evidence"].values())
    submitted = params.get("submit", bool(evidence))
    if submitted:
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        dispute["status"] = UNDER_REVIEW.get(dispute["status"], dispute["status"])
        dispute.due_at = None
    _tell_change(tx, dispute, before)
    if submitted:
        _decide_by_evidence(tx, dispute)
    return dispute


def escalate(tx: Tx, dispute: Stored) -> Stored:
    """Let the bank turn its inquiry into a chargeback; raise ApiError for anything else."""
    if not dispute["status"].startswith("warning_") or dispute["status"] in CLOSED:
        raise invalid(f"This dispute's status is `{dispute['status']}`: no inquiry is open.")
    charge = _fail_pending_refunds(tx, dispute["charge"])
    if not _disputable(charge):
        return close(tx, dispute, won=False)
    before = copy.deepcopy(dict(dispute))
    dispute.due_at = tx.now + TIME_TO_ANSWER
    dispute.update(amount=_disputable(charge), status="needs_response", is_charge_refundable=False)
    dispute["evidence_details"]["due_by"] = dispute.due_at
    if dispute["payment_method_details"]:
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    _withdraw(tx, dispute)
    _tell_change(tx, dispute, before)
    emit(tx, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(tx: Tx, dispute: Stored, *, won: bool) -> Stored:
    """End a dispute: a chargeback is won or lost, an inquiry only closed; once is enough."""
    _refuse_closed(dispute)
    dispute.due_at = None
    if dispute["status"].startswith("warning_"):
        dispute["status"] = "warning_closed"
    elif won:
        text = f"Chargeback reversal for {dispute['charge']}"
        returned = ledger.record(tx, "adjustment", dispute["amount"], dispute, text=text)
        dispute["balance_transactions"].append(dict(returned))
        dispute.update(status="won", is_charge_refundable=True)
        emit(tx, "charge.dispute.funds_reinstated", dispute)
    else:
        dispute["status"] = "lost"
    tx.save(dispute)
    emit(tx, "charge.dispute.closed", dispute)
    return dispute


@when_due(TYPE)
def run_out(tx: Tx, dispute: Stored) -> None:
    """End a dispute that nobody answered in time."""
    close(tx, dispute, won=False)


@when_due("charge")
def complain(tx: Tx, charge: Stored) -> None:
    """Let the buyer's bank do what the test card stands for."""
    method = tx.get("payment_method", charge["payment_method"])
    complaint = by_payment_method(method.hidden["test"], charge["currency"]).complaint
    if complaint and complaint.kind == "warning":
        early_warnings.warn(tx, charge, complaint.reason)
    elif complaint and not charge["refunded"] and not _is_disputed(tx, charge):
        begin(tx, charge, complaint.reason, inquiry=complaint.kind == "inquiry")


def _is_disputed(tx: Tx, charge: Stored) -> bool:
    """Say whether a dispute is open or was lost: then nothing is left to be disputed."""
    where = "type = 'dispute' AND json_extract(data, '$.charge') = ?"
    found = tx.select(where, (charge["id"],))
    return any(dispute["status"] not in ("warning_closed", "won") for dispute in found)


def _decide_by_evidence(tx: Tx, dispute: Stored) -> None:
    text = dispute["evidence"]["uncategorized_text"]
    if text in ("winning_evidence", "losing_evidence"):
        close(tx, dispute, won=text == "winning_evidence")
    elif text == "escalate_inquiry_evidence" and dispute["status"].startswith("warning_"):
        escalate(tx, dispute)


def _withdraw(tx: Tx, dispute: Stored) -> None:
    text = f"Chargeback withdrawal for {dispute['charge']}"
    taken = ledger.record(tx, "adjustment", -dispute["amount"], dispute, fee=FEE, text=text)
    dispute["balance_transactions"].append(dict(taken))


def _fail_pending_refunds(tx: Tx, charge_id: str) -> Stored:
    """Stop what is on its way to the buyer, whose bank takes it now; return the charge."""
    for refund in refunds.of_charge(tx, {"id": charge_id}):
        if refund["status"] == "pending":
            refunds.fail(tx, refund, "charge_for_pending_refund_disputed")
    return tx.get("charge", charge_id)


def _disputable(charge: Stored) -> int:
    return int(charge["amount"] - charge["amount_refunded"])


def _refuse_closed(dispute: Stored) -> None:
    if dispute["status"] in CLOSED:
        raise invalid("This dispute is already closed")


def _tell_change(tx: Tx, dispute: Stored, before: dict[str, Any]) -> None:
    previous = _difference(before, dispute)
    if previous:
        tx.save(dispute)
        emit(tx, "charge.dispute.updated", dispute, previous)


def _difference(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return the old values of what changed, in hashes only of the parts that did."""
    changed = {name: value for name, value in before.items() if now[name] != value}
    return {
        name: _difference(value, now[name])
        if isinstance(value, dict) and name != "metadata"
        else value
        for name, value in changed.items()
    }

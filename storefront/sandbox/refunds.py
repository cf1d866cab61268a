"""Refunds: money given back, at once or later, and the ones that a bank sends back."""

from typing import Any

from storefront.sandbox import early_warnings, ledger, money
from storefront.sandbox.cards import BY_PAYMENT_METHOD
from storefront.sandbox.errors import invalid
from storefront.sandbox.expand import includable
from storefront.sandbox.ids import new_id
from storefront.sandbox.listing import make_list
from storefront.sandbox.outbox import emit
from storefront.sandbox.params import merge_metadata
from storefront.sandbox.shapes import nulls
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.timekeeping import when_due

TYPE = "refund"
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
SECONDS_OF_DOUBT = 300
LISTED = 10


def create(tx: Tx, charge: Stored, params: dict[str, Any]) -> Stored:
    """Refund all that is left of a charge, or `params["amount"]` of it; raise when that is more.

    The charge counts it at once, also while the bank has not decided.
    """
    _refuse_unrefundable(tx, charge)
    amount = _amount(charge, params.get("amount"))
    refund = Stored(_shape(tx, charge, amount, params))
    _plan(tx, charge, refund)
    taken = ledger.record(tx, "refund", -amount, refund, text=f"Refund of {charge['id']}")
    refund["balance_transaction"] = taken["id"]
    tx.add(refund)
    if params.get("reason") == "fraudulent":
        charge["fraud_details"] = {"user_report": "fraudulent"}
    _count(tx, charge, amount)
    emit(tx, "refund.created", refund)
    emit(tx, "charge.refunded", charge)
    if charge["refunded"]:
        early_warnings.too_late(tx, charge)
    return refund


def charge_to_refund(tx: Tx, params: dict[str, Any]) -> Stored:
    """Return the charge that a request names, itself or by its PaymentIntent."""
    given = [name for name in ("charge", "payment_intent") if name in params]
    if not given:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or "
            "charge."
        )
    if len(given) > 1:
        raise invalid("You may only specify one of these parameters: charge, payment_intent.")
    if given == ["charge"]:
        return tx.get("charge", params["charge"])
    return charge_of_intent(tx, tx.get("payment_intent", params["payment_intent"]))


def charge_of_intent(tx: Tx, intent: Stored) -> Stored:
    """Return the charge that paid an intent; raise ApiError when none did."""
    charge = tx.find("charge", intent["latest_charge"])
    if charge is None or charge["status"] != "succeeded":
        raise _nothing_to_refund(intent["id"])
    return charge


def update(tx: Tx, refund: Stored, metadata: dict[str, str] | None) -> Stored:
    """Change the metadata, which is all that may be changed."""
    return _change(tx, refund, {"metadata": merge_metadata(refund["metadata"], metadata)})


def settle(tx: Tx, refund: Stored) -> Stored:
    """Let the bank carry out a pending refund; raise ApiError for any other."""
    _refuse_unless(refund, "pending")
    refund.due_at = None
    return _change(tx, refund, {"status": "succeeded", "pending_reason": None})


def fail(tx: Tx, refund: Stored, reason: str = "expired_or_canceled_card") -> Stored:
    """Let the bank send the money back, be it long after the refund had succeeded."""
    _refuse_unless(refund, "pending", "succeeded")
    refund.due_at = None
    _count(tx, tx.get("charge", refund["charge"]), -refund["amount"])
    text = f"Failure of refund {refund['id']}"
    back = ledger.record(tx, "refund_failure", refund["amount"], refund, text=text)
    changes = {
        "status": "failed",
        "failure_reason": reason,
        "failure_balance_transaction": back["id"],
        "pending_reason": None,
    }
    _change(tx, refund, changes)
    emit(tx, "refund.failed", refund)
    return refund


def of_charge(tx: Tx, charge: dict[str, Any]) -> list[Stored]:
    """Return a charge's refunds, newest first."""
    return tx.select(
        "type = 'refund' AND json_extract(data, '$.charge') = ?",
        (charge["id"],),
        "ORDER BY seq DESC",
    )


@when_due(TYPE)
def decide(tx: Tx, refund: Stored) -> None:
    """Let happen what the test card holds for its refunds."""
    (settle if refund.hidden["becomes"] == "succeeded" else fail)(tx, refund)


@includable("charge", "refunds")
def list_refunds(tx: Tx, charge: dict[str, Any]) -> dict[str, Any]:
    """Return a charge's latest refunds as `expand` shows them."""
    found = of_charge(tx, charge)
    url = f"/v1/charges/{charge['id']}/refunds"
    shown: dict[str, Any] = make_list(found[:LISTED], url, has_more=len(found) > LISTED)
    return shown


def _refuse_unrefundable(tx: Tx, charge: Stored) -> None:
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise _nothing_to_refund(charge["payment_intent"])
    if charge["refunded"]:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    disputed = tx.select(
        "type = 'dispute' AND json_extract(data, '$.charge') = ?"
        " AND NOT json_extract(data, '$.is_charge_refundable')",
        (charge["id"],),
    )
    if disputed:
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )


def _nothing_to_refund(intent: str) -> Exception:
    return invalid(f"This PaymentIntent ({intent}) does not have a successful charge to refund.")


def _amount(charge: Stored, wanted: int | None) -> int:
    currency = charge["currency"]
    rest = int(charge["amount"] - charge["amount_refunded"])
    amount = rest if wanted is None else wanted
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer"
        )
    if amount > rest:
        limit = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        raise invalid(
            f"Refund amount ({money.show(amount, currency)}) is greater than {limit} "
            f"({money.show(rest, currency)})",
            "amount",
        )
    step = money.smallest_step(currency)
    if amount % step:
        raise invalid(
            f"Invalid amount: amounts in {currency} must be a multiple of {step} on the API",
            "amount",
        )
    return amount


def _plan(tx: Tx, charge: Stored, refund: Stored) -> None:
    """Give a refund the status, and what becomes of it later, that the test card stands for."""
    method = tx.find("payment_method", charge["payment_method"])
    card = BY_PAYMENT_METHOD.get(method.hidden.get("test", "")) if method else None
    at_first, at_last = card.refund if card else ("succeeded", "succeeded")
    refund["status"] = at_first
    refund["pending_reason"] = "processing" if at_first == "pending" else None
    if at_first != at_last:
        refund.hidden["becomes"] = at_last
        refund.due_at = tx.now + SECONDS_OF_DOUBT


def _count(tx: Tx, charge: Stored, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    tx.save(charge)


def _change(tx: Tx, refund: Stored, changes: dict[str, Any]) -> Stored:
    """Set fields and tell of those that really changed, under both names Stripe has for it."""
    previous = {name: refund[name] for name, value in changes.items() if refund[name] != value}
    if previous:
        refund.update(changes)
        tx.save(refund)
        for type in ("charge.refund.updated", "refund.updated"):
            emit(tx, type, refund, previous)
    return refund


def _refuse_unless(refund: Stored, *statuses: str) -> None:
    if refund["status"] not in statuses:
        raise invalid(
            f"This refund's status is `{refund['status']}`, not `{'` or `'.join(statuses)}`."
        )


def _shape(tx: Tx, charge: Stored, amount: int, params: dict[str, Any]) -> dict[str, Any]:
    type = charge["payment_method_details"]["type"]
    details: dict[str, Any] = {"type": type}
    if type == "card":
        details["card"] = {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }
    return {
        "id": new_id("re"),
        "object": TYPE,
        **nulls(
            """
            balance_transaction customer_account description failure_balance_transaction
            failure_reason next_action presentment_details receipt_number
            source_transfer_reversal transfer_reversal
            """
        ),
        "amount": amount,
        "charge": charge["id"],
        "created": tx.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": details,
        "instructions_email": params.get("instructions_email"),
        "metadata": merge_metadata(None, params.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.get("reason"),
    }

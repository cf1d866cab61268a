"""Disputes and early fraud warnings as they begin."""

from typing import Any

from storefront.sandbox.ids import new_id
from storefront.sandbox.store import Stored, Tx

TYPE = "dispute"
WARNING = "radar.early_fraud_warning"
EVIDENCE = tuple(
    """
    access_activity_log billing_address cancellation_policy cancellation_policy_disclosure
    cancellation_rebuttal customer_communication customer_email_address customer_name
    customer_purchase_ip customer_signature duplicate_charge_documentation
    duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy
    refund_policy_disclosure refund_refusal_explanation service_date service_documentation
    shipping_address shipping_carrier shipping_date shipping_documentation
    shipping_tracking_number uncategorized_file uncategorized_text
    """.split()
)
NETWORK_CODES = {"fraudulent": "10.4", "product_not_received": "13.1", "duplicate": "12.6.1"}


def dispute_shape(
    tx: Tx, charge: Stored, amount: int, reason: str, due_by: int, *, inquiry: bool
) -> dict[str, Any]:
    """Return a dispute that waits for the merchant's answer; no money has moved."""
    code = NETWORK_CODES.get(reason)
    return {
        "id": new_id("du"),
        "object": TYPE,
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": tx.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "appeal": None, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": code,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _card(charge, code, inquiry=inquiry),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def warning_shape(tx: Tx, charge: Stored, fraud_type: str) -> dict[str, Any]:
    """Return a bank's word that a payment may be fraud, before anybody disputes it."""
    return {
        "id": new_id("issfr"),
        "object": WARNING,
        "actionable": True,
        "charge": charge["id"],
        "created": tx.now,
        "fraud_type": fraud_type,
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }


def _card(charge: Stored, code: str | None, *, inquiry: bool) -> dict[str, Any] | None:
    details = charge["payment_method_details"]
    if details["type"] != "card":
        return None
    card = {
        "brand": details["card"]["brand"],
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": details["card"]["network"],
        "network_reason_code": code,
    }
    return {"card": card, "type": "card"}

"""The parts of payment objects that depend on the card or bank account used."""

from typing import Any

from storefront.sandbox.cards import BankDebit, Card, Decline
from storefront.sandbox.shapes import nulls

EXPIRY = {"exp_month": 12, "exp_year": 2034}
DEBIT_FIELDS: dict[str, dict[str, Any]] = {
    "bacs_debit": {"fingerprint": "sandboxbacs", "sort_code": "108800"},
    "sepa_debit": {
        "bank_code": "37040044",
        "branch_code": "",
        "country": "DE",
        "fingerprint": "sandboxsepa",
    },
    "us_bank_account": {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "fingerprint": "sandboxbank",
        "routing_number": "110000000",
    },
}
DEBIT_OF_METHOD: dict[str, dict[str, Any]] = {
    "bacs_debit": {},
    "sepa_debit": {"generated_from": {"charge": None, "setup_attempt": None}},
    "us_bank_account": {
        "financial_connections_account": None,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "status_details": {},
    },
}
DEBIT_OF_CHARGE: dict[str, dict[str, Any]] = {
    "bacs_debit": {"expected_debit_date": None, "mandate": None},
    "sepa_debit": {"expected_debit_date": None, "mandate": None},
    "us_bank_account": {"expected_debit_date": None, "mandate": None, "payment_reference": None},
}


def payment_method_shape(means: Card | BankDebit, billing: dict[str, Any]) -> dict[str, Any]:
    """Return a PaymentMethod without id, time and owner."""
    type = "card" if isinstance(means, Card) else means.type
    return {
        "id": None,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing,
        type: _card(means) if isinstance(means, Card) else _debit(means),
        "created": None,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": type,
    }


def method_details(method: dict[str, Any]) -> dict[str, Any]:
    """Return what a charge tells about the PaymentMethod it was made with."""
    type = method["type"]
    if type != "card":
        known = {*DEBIT_FIELDS[type], "last4"}
        details = {name: value for name, value in method[type].items() if name in known}
        return {"type": type, type: details | DEBIT_OF_CHARGE[type]}
    card = method["card"]
    same = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
    )
    return {
        "type": "card",
        "card": {
            **nulls(
                """
                amount_authorized authorization_code installments mandate network_transaction_id
                three_d_secure wallet
                """
            ),
            **{name: card[name] for name in same},
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "multicapture": {"status": "unavailable"},
            "network": card["brand"],
            "network_token": {"used": False},
            "overcapture": {"maximum_amount_capturable": 0, "status": "unavailable"},
            "regulated_status": "unregulated",
        },
    }


def radar_outcome(status: str, decline: Decline | None) -> dict[str, Any]:
    """Return a charge's outcome: why it went through, or who stopped it."""
    blocked = decline is not None and decline.decline_code == "fraudulent"
    type = "blocked" if blocked else "issuer_declined"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": (decline.decline_code or decline.code) if decline else None,
        "risk_level": "highest" if blocked else "normal",
        "risk_score": 5,
        "seller_message": "The payment was refused." if decline else "Payment complete.",
        "type": type if decline else "authorized",
    }


def _card(card: Card) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": card.brand,
        **EXPIRY,
        "fingerprint": f"sandbox{card.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _debit(debit: BankDebit) -> dict[str, Any]:
    return {"last4": debit.last4, **DEBIT_FIELDS[debit.type], **DEBIT_OF_METHOD[debit.type]}

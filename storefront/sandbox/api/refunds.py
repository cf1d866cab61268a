"""/v1/refunds and /v1/balance_transactions."""

from typing import Any

from storefront.sandbox import ledger, refunds
from storefront.sandbox.errors import invalid
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.params import Email, Field, Integer, Metadata, Refused, Text
from storefront.sandbox.router import Api, Call

api = Api()
URL = "/v1/refunds"
TRANSACTIONS = "/v1/balance_transactions"
CONNECT = "This needs Stripe Connect, which this sandbox does not have."
BALANCE = "This refunds a customer's cash balance, which this sandbox does not have."
FIELDS: dict[str, Field] = {
    "amount": Integer(1),
    "charge": Text(),
    "currency": Text(),
    "customer": Refused(BALANCE),
    "instructions_email": Email(),
    "metadata": Metadata(),
    "origin": Refused(BALANCE),
    "payment_intent": Text(),
    "reason": Text(refunds.REASONS),
    "refund_application_fee": Refused(CONNECT),
    "reverse_transfer": Refused(CONNECT),
}
FILTERS = {"charge": "$.charge", "payment_intent": "$.payment_intent"}


@api.route("POST", URL, FIELDS)
def create_refund(call: Call) -> dict[str, Any]:
    """Refund a charge, all of it or a part."""
    charge = refunds.charge_to_refund(call.tx, call.params)
    if call.params.get("currency", charge["currency"]).lower() != charge["currency"]:
        raise invalid(f"The charge was made in {charge['currency']}.", "currency")
    return refunds.create(call.tx, charge, call.params)


@api.route("POST", "/v1/charges/<id>/refund", FIELDS)
def refund_charge(call: Call, id: str) -> dict[str, Any]:
    """Refund a charge the old way, and return the charge."""
    call.tx.get("charge", id)
    create_refund(Call(call.tx, {**call.params, "charge": id}, call.base_url))
    return call.tx.get("charge", id)


@api.route("GET", f"{URL}/<id>")
def retrieve_refund(call: Call, id: str) -> dict[str, Any]:
    """Return a refund."""
    return call.tx.get(refunds.TYPE, id)


@api.route("POST", f"{URL}/<id>", {"metadata": Metadata()})
def update_refund(call: Call, id: str) -> dict[str, Any]:
    """Change a refund's metadata."""
    refund = call.tx.get(refunds.TYPE, id)
    if "metadata" not in call.params:
        return refund
    return refunds.update(call.tx, refund, call.params["metadata"])


@api.route("POST", f"{URL}/<id>/cancel")
def cancel_refund(call: Call, id: str) -> dict[str, Any]:
    """Refuse: Stripe cancels only what waits for the buyer to act; cards and debits never do."""
    call.tx.get(refunds.TYPE, id)
    raise invalid("Canceling this refund is unsupported.")


@api.route("GET", URL, {**PAGING, "created": Moments(), **dict.fromkeys(FILTERS, Text())})
def list_refunds(call: Call) -> dict[str, Any]:
    """Return a page of refunds, newest first."""
    return list_objects(call, refunds.TYPE, URL, FILTERS)


@api.route("GET", f"{TRANSACTIONS}/<id>")
def retrieve_transaction(call: Call, id: str) -> dict[str, Any]:
    """Return a balance transaction."""
    return call.tx.get(ledger.TYPE, id)


@api.route("GET", TRANSACTIONS, {**PAGING, "created": Moments(), "source": Text(), "type": Text()})
def list_transactions(call: Call) -> dict[str, Any]:
    """Return a page of balance transactions, newest first; charges make none here."""
    filters = {"source": "$.source", "type": "$.type"}
    return list_objects(call, ledger.TYPE, TRANSACTIONS, filters)

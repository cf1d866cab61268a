"""/v1/disputes and /v1/radar/early_fraud_warnings."""

from typing import Any

from storefront.sandbox import disputes
from storefront.sandbox.dispute_shapes import EVIDENCE, TYPE, WARNING
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.params import Boolean, Group, Metadata, Refused, Text
from storefront.sandbox.router import Api, Call

api = Api()
URL = "/v1/disputes"
WARNINGS = "/v1/radar/early_fraud_warnings"
METHODS = ("manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes")
ABSENT = Refused("This sandbox does not judge this kind of evidence.")
FIELDS = Group(
    {
        **dict.fromkeys(EVIDENCE, Text(clearable=True, max_length=20_000)),
        "appeal": ABSENT,
        "enhanced_evidence": ABSENT,
    }
)
FILTERS = {"charge": "$.charge", "payment_intent": "$.payment_intent"}
PAGE = {**PAGING, "created": Moments(), **dict.fromkeys(FILTERS, Text())}


@api.route("GET", f"{URL}/<id>")
def retrieve_dispute(call: Call, id: str) -> dict[str, Any]:
    """Return a dispute."""
    return call.tx.get(TYPE, id)


@api.route(
    "POST",
    f"{URL}/<id>",
    {
        "evidence": FIELDS,
        "intended_submission_method": Text(METHODS),
        "metadata": Metadata(),
        "submit": Boolean(),
    },
)
def update_dispute(call: Call, id: str) -> dict[str, Any]:
    """Answer a dispute."""
    return disputes.answer(call.tx, call.tx.get(TYPE, id), call.params)


@api.route("POST", f"{URL}/<id>/close")
def close_dispute(call: Call, id: str) -> dict[str, Any]:
    """Give a dispute up."""
    return disputes.close(call.tx, call.tx.get(TYPE, id), won=False)


@api.route("GET", URL, PAGE)
def list_disputes(call: Call) -> dict[str, Any]:
    """Return a page of disputes, newest first."""
    return list_objects(call, TYPE, URL, FILTERS)


@api.route("GET", f"{WARNINGS}/<id>")
def retrieve_warning(call: Call, id: str) -> dict[str, Any]:
    """Return an early fraud warning."""
    return call.tx.get(WARNING, id)


@api.route("GET", WARNINGS, PAGE)
def list_warnings(call: Call) -> dict[str, Any]:
    """Return a page of early fraud warnings, newest first."""
    return list_objects(call, WARNING, WARNINGS, FILTERS)

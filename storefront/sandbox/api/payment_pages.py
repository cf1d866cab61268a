"""/v1/payment_pages: finishing a session without a browser, as `stripe trigger` does."""

from typing import Any

from storefront.sandbox import cards, sessions
from storefront.sandbox.checkout import Buyer, Challenged, Declined, pay
from storefront.sandbox.errors import ApiError, invalid
from storefront.sandbox.params import Email, Integer, Text
from storefront.sandbox.router import Api, Call

api = Api()
URL = "/v1/payment_pages"
EXAMPLE_EMAIL = "buyer@example.com"


@api.route("GET", f"{URL}/<id>")
def retrieve_page(call: Call, id: str) -> dict[str, Any]:
    """Return the session behind a hosted page."""
    return call.tx.get(sessions.TYPE, id)


@api.route(
    "POST",
    f"{URL}/<id>/confirm",
    {"payment_method": Text(), "expected_amount": Integer(0), "email": Email()},
)
def confirm_page(call: Call, id: str) -> dict[str, Any] | ApiError:
    """Pay a session with a test PaymentMethod such as `pm_card_visa`, or `bank_debit`."""
    session = call.tx.get(sessions.TYPE, id)
    if call.params.get("expected_amount", session["amount_total"]) != session["amount_total"]:
        raise invalid("The amount to pay has changed.", "expected_amount")
    name = call.params.get("payment_method")
    stored = call.tx.find("payment_method", name)
    if stored is not None:
        name = stored.hidden["test"]
    means = cards.by_payment_method(name, session["currency"]) if name else None
    known = stored["billing_details"]["email"] if stored else None
    buyer = Buyer(call.params.get("email") or known or EXAMPLE_EMAIL, "Sandbox Buyer")
    outcome = pay(call.tx, session, buyer, means)
    if isinstance(outcome, Declined):
        return outcome.as_error()
    if isinstance(outcome, Challenged):
        return invalid("This card needs 3-D Secure: finish on the hosted page.", "payment_method")
    return session

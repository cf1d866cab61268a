"""Parameters of the sessions that the tests open."""

from typing import Any

SUCCESS_URL = "http://127.0.0.1:8000/payment/success?sessid={CHECKOUT_SESSION_ID}"
CANCEL_URL = "http://127.0.0.1:8000/payment/cancel"
CARD = {"card_number": "4242 4242 4242 4242", "card_expiry": "12 / 34", "card_cvc": "123"}


def line(amount: int = 1250, quantity: int = 2, **price: Any) -> dict[str, Any]:
    data = {"currency": "usd", "product_data": {"name": "Mug"}, "unit_amount": amount, **price}
    return {"price_data": data, "quantity": quantity}


def order(**changes: Any) -> dict[str, Any]:
    """Return the parameters of a payment session for two mugs."""
    return {
        "mode": "payment",
        "line_items": [line()],
        "success_url": SUCCESS_URL,
        "cancel_url": CANCEL_URL,
        "client_reference_id": "order-1",
        "metadata": {"order": "1"},
        **changes,
    }


def plan(trial_days: int | None = None, **changes: Any) -> dict[str, Any]:
    """Return the parameters of a subscription session at 9.00 a month."""
    recurring = line(900, 1, recurring={"interval": "month"})
    data = {"metadata": {"order": "2"}}
    if trial_days:
        data["trial_period_days"] = trial_days  # type: ignore[assignment]
    return order(mode="subscription", line_items=[recurring], subscription_data=data, **changes)


def form(**changes: Any) -> dict[str, Any]:
    """Return what a buyer types who pays with the card that works."""
    return {"email": "ann@example.com", "method": "card", **CARD, **changes}

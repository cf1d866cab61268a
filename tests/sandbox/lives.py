"""What tests of a subscription's life share: buying one, moving time, and reading what was told."""

from typing import Any

from storefront.sandbox import control
from storefront.sandbox.core import DAY, state
from tests.sandbox.orders import order, plan

HOUR = 3600
MONTH = 31 * DAY + 2 * HOUR  # as long as any, and the hour that an invoice is a draft


def buy(api: Any, sandbox: Any, method: str = "pm_card_visa", days: int = 0, **changes: Any) -> Any:
    """Return the subscription of a session that was paid with this method."""
    session = api.checkout.sessions.create(plan(days or None) | changes)
    control.complete(sandbox, session.id, method)
    found = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    return found.subscription


def daily(api: Any, sandbox: Any, method: str = "pm_card_visa") -> Any:
    """Return a subscription that renews every day."""
    recurring = {"interval": "day"}
    data = {"currency": "usd", "product_data": {"name": "Paper"}, "unit_amount": 100}
    item = {"price_data": {**data, "recurring": recurring}, "quantity": 1}
    session = api.checkout.sessions.create(order(mode="subscription", line_items=[item]))
    control.complete(sandbox, session.id, method)
    return api.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]}).subscription


def pass_time(sandbox: Any, seconds: int) -> int:
    """Move the clock, and return the new time."""
    return control.advance_clock(sandbox, seconds)


def told(sandbox: Any, prefix: str = "", since: int = 0) -> list[Any]:
    """Return the events whose type begins so, oldest first, from the one numbered `since` on."""
    with state(sandbox).store.read() as tx:
        events = tx.select("type = 'event'", ())[since:]
    return [event for event in events if event["type"].startswith(prefix)]


def types(events: list[Any]) -> list[str]:
    """Return only the names of events."""
    return [event["type"] for event in events]


def invoices_of(api: Any, subscription: str) -> list[Any]:
    """Return a subscription's invoices, oldest first."""
    return api.invoices.list({"subscription": subscription, "limit": 100}).data[::-1]


def item_of(subscription: Any) -> Any:
    """Return the one item of a subscription."""
    return subscription["items"].data[0]

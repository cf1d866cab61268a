"""The only door to Stripe: what we ask it, what may come back, and how its webhooks are verified.

Everything is returned as plain dicts. Every failure becomes a ShopError with words for the buyer;
what the merchant must know goes to the log. No transaction is open while Stripe is asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import requests
import stripe
from flask import Flask, current_app

from storefront import database
from storefront.errors import PaymentRefused, PaymentUnavailable
from storefront.i18n import gettext as _
from storefront.stripe_gateway.failures import KeyRefused, StripeRefused, StripeUnavailable
from storefront.stripe_gateway.verification import (
    TOLERANCE_SECONDS,
    BadEvent,
    is_event,
    verify_event,
)

__all__ = [
    "API_VERSION",
    "TOLERANCE_SECONDS",
    "BadEvent",
    "BudgetSession",
    "KeyRefused",
    "StripeRefused",
    "StripeUnavailable",
    "is_event",
    "verify_event",
]

log = logging.getLogger(__name__)

API_VERSION: str = stripe.api_version
BUDGET_SECONDS = 13.0  # for all tries of one call; with the pauses between them it ends within 15
CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0

stripe.enable_telemetry = False
stripe.set_app_info("storefront")


class BudgetSession(requests.Session):
    """Gives each try what is left of the call's time, so that a slow Stripe cannot hold a buyer."""

    budget = threading.local()

    def request(self, *args: Any, **options: Any) -> requests.Response:
        left = getattr(self.budget, "end", time.monotonic() + BUDGET_SECONDS) - time.monotonic()
        if left <= 0:
            raise requests.Timeout("the time for this call is spent")
        options["timeout"] = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
        return super().request(*args, **options)


def init_app(app: Flask) -> None:
    """Make the one client of this app, and the local Stripe where the settings ask for it."""
    base = app.config["STRIPE_API_BASE"]
    transport: stripe.HTTPClient = stripe.RequestsClient(session=BudgetSession())
    if app.config["STRIPE_SANDBOX"]:
        base = f"{app.config['SHOP_URL']}/sandbox"
        transport = _serve_sandbox(app, base)
    if app.config["STRIPE_SECRET_KEY"]:
        use(app, transport, base)


def use(app: Flask, transport: stripe.HTTPClient, base: str = "") -> None:
    """Let the app talk to Stripe, or to a stand-in at `base`, through this transport."""
    options: dict[str, Any] = {"base_addresses": {"api": base}} if base else {}
    app.extensions["stripe"] = stripe.StripeClient(
        app.config["STRIPE_SECRET_KEY"], max_network_retries=2, http_client=transport, **options
    )


def _serve_sandbox(app: Flask, base: str) -> stripe.HTTPClient:
    """Mount the local Stripe under /sandbox; answers come in process, without a second port."""
    # Only here: a shop with a real key never loads the stand-in.
    from storefront.sandbox import InProcessClient, create_sandbox, mount

    database = Path(app.config["SHOP_INSTANCE"]) / "sandbox.sqlite"
    sandbox = create_sandbox(database, base, merchant=app.config["SHOP_NAME"])
    app.extensions["sandbox"] = sandbox
    mount(app, sandbox)
    return InProcessClient(sandbox)


def is_configured() -> bool:
    """Whether the shop has a Stripe key at all."""
    return "stripe" in current_app.extensions


def create_checkout_session(params: Any, idempotency_key: str) -> dict[str, Any]:
    """Open a Checkout Session. The same key and parameters give the same session again."""
    return _ask(
        lambda client: client.v1.checkout.sessions.create(
            params, {"idempotency_key": idempotency_key}
        )
    )


def get_checkout_session(session_id: str) -> dict[str, Any]:
    """The session as Stripe sees it now, with its PaymentIntent in full."""
    return _ask(
        lambda client: client.v1.checkout.sessions.retrieve(
            session_id, {"expand": ["payment_intent"]}
        )
    )


def get_line_items(session_id: str) -> list[dict[str, Any]]:
    """What a session is for, with price and product in full; at most a hundred lines, as Stripe."""
    params: Any = {"limit": 100, "expand": ["data.price.product"]}
    lines = _ask(lambda client: client.v1.checkout.sessions.line_items.list(session_id, params))
    return list(lines["data"])


def expire_checkout_session(session_id: str) -> dict[str, Any]:
    """Close an open session for good. Raises StripeRefused when it is no longer open."""
    return _ask(lambda client: client.v1.checkout.sessions.expire(session_id))


def close_checkout_session(session_id: str) -> dict[str, Any]:
    """End an open session for good, and tell how it stands: the buyer may just have paid it."""
    try:
        return expire_checkout_session(session_id)
    except StripeRefused:
        return get_checkout_session(session_id)


def create_customer(params: Any, idempotency_key: str) -> dict[str, Any]:
    """Make a Customer. The same key and parameters give the same one again."""
    return _ask(
        lambda client: client.v1.customers.create(params, {"idempotency_key": idempotency_key})
    )


def get_subscription(subscription_id: str) -> dict[str, Any]:
    """The subscription as Stripe sees it now."""
    return _ask(lambda client: client.v1.subscriptions.retrieve(subscription_id))


def get_invoice(invoice_id: str) -> dict[str, Any]:
    """The invoice as Stripe sees it now, with its payments."""
    return _ask(lambda client: client.v1.invoices.retrieve(invoice_id, {"expand": ["payments"]}))


def create_refund(params: Any, idempotency_key: str) -> dict[str, Any]:
    """Give money back. The same key and parameters give the same refund again, for a day."""
    return _ask(
        lambda client: client.v1.refunds.create(params, {"idempotency_key": idempotency_key})
    )


def get_refund(refund_id: str) -> dict[str, Any]:
    """The refund as Stripe sees it now, with its PaymentIntent in full."""
    return _ask(
        lambda client: client.v1.refunds.retrieve(refund_id, {"expand": ["payment_intent"]})
    )


def get_dispute(dispute_id: str) -> dict[str, Any]:
    """The dispute as Stripe sees it now, with its PaymentIntent in full."""
    return _ask(
        lambda client: client.v1.disputes.retrieve(dispute_id, {"expand": ["payment_intent"]})
    )


def get_payment_metadata(payment_intent: str) -> dict[str, Any]:
    """What the subscription was marked with whose invoice this payment paid; else nothing."""
    params: Any = {
        "payment": {"type": "payment_intent", "payment_intent": payment_intent},
        "expand": ["data.invoice"],
    }
    for paid in _ask(lambda client: client.v1.invoice_payments.list(params))["data"]:
        details = (paid["invoice"]["parent"] or {}).get("subscription_details") or {}
        return details.get("metadata") or {}
    return {}


def get_account() -> tuple[dict[str, Any], str | None]:
    """Whose account the key opens, and what time it is at Stripe (an HTTP date)."""
    dates: list[str | None] = []

    def call(client: stripe.StripeClient) -> Any:
        account = client.v1.accounts.retrieve_current()
        answer = account.last_response
        dates.append(answer.headers.get("Date") if answer else None)
        return account

    return _ask(call), dates[-1]


def create_webhook_endpoint(url: str, events: list[str]) -> dict[str, Any]:
    """Have these events sent to an address, in our API version; only this tells the secret."""
    params: Any = {"url": url, "enabled_events": events, "api_version": API_VERSION}
    return _ask(lambda client: client.v1.webhook_endpoints.create(params))


def update_webhook_endpoint(endpoint_id: str, events: list[str]) -> dict[str, Any]:
    """Have exactly these events sent, and the endpoint enabled. Its version stays what it was."""
    params: Any = {"enabled_events": events, "disabled": False}
    return _ask(lambda client: client.v1.webhook_endpoints.update(endpoint_id, params))


def delete_webhook_endpoint(endpoint_id: str) -> None:
    """Have nothing sent there any more."""
    _ask(lambda client: client.v1.webhook_endpoints.delete(endpoint_id))


# What can be listed, newest first.
LISTS: dict[str, Callable[[stripe.StripeClient], Any]] = {
    "sessions": lambda client: client.v1.checkout.sessions,
    "refunds": lambda client: client.v1.refunds,
    "disputes": lambda client: client.v1.disputes,
    "subscriptions": lambda client: client.v1.subscriptions,
    "invoices": lambda client: client.v1.invoices,
    "events": lambda client: client.v1.events,
    "webhook_endpoints": lambda client: client.v1.webhook_endpoints,
}


def list_page(of: str, params: dict[str, Any]) -> dict[str, Any]:
    """One page of one of LISTS, newest first, at most a hundred things."""
    return _ask(lambda client: LISTS[of](client).list({"limit": 100} | params))


def iterate(of: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All of one of LISTS, newest first, asked for page by page."""
    page = list_page(of, params)
    yield from page["data"]
    while page["has_more"]:
        page = list_page(of, params | {"starting_after": page["data"][-1]["id"]})
        yield from page["data"]


@cache
def event_types() -> frozenset[str]:
    """Every event name the installed SDK knows."""
    return frozenset(get_args(stripe.Event.__annotations__["type"]))


def bank_refused(session: dict[str, Any]) -> bool:
    """Whether a delayed payment has failed for good, which only its PaymentIntent tells."""
    intent = session.get("payment_intent")
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        return False
    return isinstance(intent, dict) and intent["status"] in ("requires_payment_method", "canceled")


def _ask(call: Callable[[stripe.StripeClient], Any]) -> dict[str, Any]:
    """Make one call within its time, outside of any transaction, and put its failure into words."""
    client = current_app.extensions.get("stripe")
    if client is None:
        raise PaymentUnavailable(_("This shop does not take payments yet."))
    database.end_reading()
    BudgetSession.budget.end = time.monotonic() + BUDGET_SECONDS
    try:
        answer: dict[str, Any] = call(client).to_dict(for_json=True)
        return answer
    except stripe.CardError as error:
        raise PaymentRefused(error.user_message or _("The payment was declined.")) from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise _unavailable(error) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("Stripe does not accept our key: %s", _brief(error))
        raise KeyRefused(_not_set_up(), reason=error.code) from error
    except stripe.IdempotencyError as error:
        log.error("Stripe has had this key with another request: %s", _brief(error))
        raise StripeRefused(_not_set_up(), reason="idempotency_error") from error
    except stripe.InvalidRequestError as error:
        log.error("Stripe refused our request: %s", _brief(error))
        said = error.user_message or ""
        raise StripeRefused(
            _not_set_up(), reason=error.code, param=error.param, said=said
        ) from error
    except stripe.StripeError as error:
        raise _unavailable(error) from error


def _unavailable(error: stripe.StripeError) -> StripeUnavailable:
    log.warning("Stripe is unavailable: %s", _brief(error))
    # A page of some proxy on the way is no answer of Stripe's.
    is_final = (error.http_status or 0) >= 500 and error.error is not None
    return StripeUnavailable(
        _("The payment service is not answering. Nothing was charged; please try again soon."),
        is_final=is_final,
    )


def _not_set_up() -> str:
    return _("This payment cannot be started just now. Nothing was charged; the shop was told.")


def _brief(error: stripe.StripeError) -> str:
    """What the log may hold: no key, no address, no card."""
    told = f"{type(error).__name__} {error.http_status} {error.code} {error.request_id}"
    # An answer that is no JSON is quoted whole in its error's message: it may hold a buyer's name.
    ours = isinstance(error, stripe.InvalidRequestError | stripe.AuthenticationError)
    return f"{told} {error.user_message}" if ours else told

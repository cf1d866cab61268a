"""What a test does behind the shop's back: change a row, or let something happen during a call.

Nothing of `stripe` is touched: the interventions sit between the recorder and the sandbox, where in
real life the network is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from storefront import database
from storefront.extensions import db
from storefront.models import Order, Product, Variant
from tests.contract.recording import Exchange
from tests.stage import Stage

OPEN = "POST /v1/checkout/sessions"
EXPIRE = "POST /v1/checkout/sessions/*/expire"
LOOK = "GET /v1/checkout/sessions/*"
MAKE_CUSTOMER = "POST /v1/customers"

# For rules that no database has a say in.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Crash(BaseException):
    """The process is gone: no `except Exception` of the shop gets to clean up."""


def elsewhere(act: Callable[[Any], Any], told: Any) -> None:
    """Do it in a thread of its own: it must not see the request or the database session in work."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(act, told).result()


class Interposed:
    """An HTTP client that acts once, before or after it passes on the next call of one kind."""

    def __init__(self, inner: Any, call: str, act: Callable[[Any], Any], moment: str) -> None:
        self.inner, self.call, self.act, self.moment = inner, call, act, moment
        self.is_due = True

    def request(self, method: str, url: str, headers: Any, data: Any = None, **rest: Any) -> Any:
        path = urlsplit(url).path
        if not self.is_due or not fnmatchcase(
            f"{method.upper()} {path[path.find('/v1/') :]}", self.call
        ):
            return self.inner.request(method, url, headers, data, **rest)
        self.is_due = False
        if self.moment == "instead":
            return self.act(None)
        if self.moment == "before":
            elsewhere(self.act, None)
        answer = self.inner.request(method, url, headers, data, **rest)
        if self.moment == "after":
            elsewhere(self.act, json.loads(answer[0]))
        return answer

    def close(self) -> None:
        self.inner.close()


def before(stage: Stage, call: str, act: Callable[[Any], Any]) -> None:
    """Let `act` happen when the next such call is on its way and Stripe knows nothing of it yet."""
    stage.recorder.inner = Interposed(stage.recorder.inner, call, act, "before")


def after(stage: Stage, call: str, act: Callable[[Any], Any]) -> None:
    """Let `act` happen, given the answer, when Stripe has acted and we do not know it yet."""
    stage.recorder.inner = Interposed(stage.recorder.inner, call, act, "after")


def instead(stage: Stage, call: str, status: int, error: dict[str, Any]) -> None:
    """Let the next such call be answered by this error of Stripe's."""

    def answer(_none: Any) -> Any:
        return json.dumps({"error": error}), status, {"Request-Id": "req_1"}

    stage.recorder.inner = Interposed(stage.recorder.inner, call, answer, "instead")


def crash(_answer: Any) -> None:
    """Kill the process, as far as a test can."""
    raise Crash


def calls(stage: Stage, call: str = OPEN) -> list[Exchange]:
    """What the shop asked of Stripe, each try by itself."""
    return [
        exchange
        for exchange in stage.recorder.exchanges
        if fnmatchcase(f"{exchange.method} {exchange.path}", call)
    ]


def keys(stage: Stage, call: str = OPEN) -> list[str]:
    """The idempotency keys of these calls."""
    return [exchange.headers["Idempotency-Key"] for exchange in calls(stage, call)]


def forgive_garbled(stage: Stage) -> None:
    """Take answers off the record that a fault of the test's own made unreadable."""
    stage.recorder.exchanges[:] = [
        exchange
        for exchange in stage.recorder.exchanges
        if exchange.status is None or exchange.answer is not None
    ]


def at_stripe(stage: Stage, status: str | None = None) -> list[str]:
    """The ids of the Checkout Sessions that Stripe has, newest first."""
    client = stage.app.extensions["stripe"]
    params = {"limit": 100} | ({"status": status} if status else {})
    return [session.id for session in client.v1.checkout.sessions.list(params).data]


def change_variant(stage: Stage, sku: str = "MUG", **values: Any) -> None:
    """Let the merchant change a variant."""
    _change(stage, update(Variant).where(Variant.sku == sku).values(values))


def change_product(stage: Stage, slug: str = "mug", **values: Any) -> None:
    """Let the merchant change a product."""
    _change(stage, update(Product).where(Product.slug == slug).values(values))


def change_order(stage: Stage, session_id: str | None = None, **values: Any) -> None:
    """Set columns of one order, or of all: time is what a test cannot wait for."""
    condition = Order.checkout_session == session_id if session_id else db.true()
    _change(stage, update(Order).where(condition).values(values))


def _change(stage: Stage, statement: Any) -> None:
    with stage.app.app_context(), database.writing():
        db.session.execute(statement)

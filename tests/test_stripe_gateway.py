"""The door to Stripe when nobody answers behind it: real sockets, the real SDK."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import stripe
from flask import Flask

from storefront import stripe_gateway
from storefront.stripe_gateway import BudgetSession, StripeUnavailable
from tests.payments.interventions import on_sqlite


class Mute:
    """A server on loopback that accepts each connection and never says a word."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.callers: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            while True:
                self.callers.append(self.socket.accept()[0])
        except OSError:
            return  # closed: the test is over

    def close(self) -> None:
        self.socket.close()
        for caller in self.callers:
            caller.close()


@pytest.fixture
def mute() -> Iterator[Mute]:
    server = Mute()
    yield server
    server.close()


@on_sqlite
def test_a_stripe_that_hangs_holds_nobody_longer_than_the_budget(
    app: Flask, mute: Mute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tries together share the time of one call, however many the SDK would like to make."""
    monkeypatch.setattr(stripe_gateway, "BUDGET_SECONDS", 0.4)
    transport = stripe.RequestsClient(session=BudgetSession())
    monkeypatch.setattr(transport, "_sleep_time_seconds", lambda *_args: 0.0)
    stripe_gateway.use(app, transport, mute.url)
    slept = 3 * stripe_gateway.READ_SECONDS  # what three tries would wait without the budget
    started = time.monotonic()
    with app.app_context(), pytest.raises(StripeUnavailable):
        stripe_gateway.get_checkout_session("cs_test_1")
    assert time.monotonic() - started < slept / 2
    assert mute.callers, "nobody called"


@on_sqlite
def test_a_stripe_that_is_not_there_is_unavailable(app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    transport = stripe.RequestsClient(session=BudgetSession())
    transport._sleep_time_seconds = lambda *_args: 0.0  # type: ignore[method-assign]
    stripe_gateway.use(app, transport, nobody)
    with app.app_context(), pytest.raises(StripeUnavailable):
        stripe_gateway.get_checkout_session("cs_test_1")

"""The verbs that tests are written in: look, buy, pay, come back, deliver, count what is there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import stripe
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from storefront import database, work
from storefront.extensions import db
from storefront.models import Order, OrderStep, StripeEvent, User, Variant
from storefront.sandbox import control, run_due
from storefront.services import accounts
from tests.factories import make_product

SHOP_URL = "http://localhost"
WEBHOOK_SECRET = "whsec_tests_0123456789abcdef"
BUY = "/stripe/create-checkout-session"
PASSWORD = "a quiet shelf of bowls"
JSON = {"Accept": "application/json"}


def deliver_to(app: Flask) -> Callable[[str, bytes, Mapping[str, str], float], tuple[int, str]]:
    """A postman that hands webhooks to the app without a socket."""

    def deliver(
        url: str, body: bytes, headers: Mapping[str, str], _timeout: float
    ) -> tuple[int, str]:
        answer = Client(app).post(url, data=body, headers=dict(headers))
        return answer.status_code, answer.text

    return deliver


def sign(payload: bytes | str, secret: str = WEBHOOK_SECRET, at: int | None = None) -> str:
    """Stripe's signature header for this payload, made by the SDK."""
    body = payload.decode() if isinstance(payload, bytes) else payload
    header: str = stripe.WebhookSignature.generate_signature_header(
        body, secret, int(time.time()) if at is None else at
    )
    return header


class Stage:
    """A shop with goods and its Stripe."""

    def __init__(self, app: Flask, sandbox: Flask, recorder: Any) -> None:
        self.app, self.sandbox, self.recorder = app, sandbox, recorder
        self.started_with: dict[str, int] = {}

    # -- before

    def stock_shelf(self) -> None:
        """MUG (5 left), LAST (1 left), CLUB with a trial and CLUB-Y without, FREE, YEN."""
        self.add_product({"sku": "MUG", "on_hand": 5})
        self.add_product(
            {"sku": "LAST", "on_hand": 1, "unit_amount": 5000}, slug="last", name="Last"
        )
        self.add_product(
            {
                "sku": "CLUB",
                "on_hand": None,
                "interval": "month",
                "trial_days": 14,
                "label": "Monthly",
            },
            {
                "sku": "CLUB-Y",
                "on_hand": None,
                "interval": "year",
                "unit_amount": 9000,
                "label": "Yearly",
            },
            slug="club",
            name="Club",
        )
        self.add_product({"sku": "FREE", "unit_amount": 0, "on_hand": 3}, slug="free", name="Card")
        self.add_product(
            {"sku": "YEN", "unit_amount": 1200, "currency": "jpy", "on_hand": None},
            slug="yen",
            name="Tea bowl",
        )

    def add_product(self, *variants: dict[str, Any], **changes: Any) -> None:
        with self.app.app_context(), database.writing():
            make_product(*variants, **changes)
        for variant in variants:
            if variant.get("on_hand", 5) is not None:
                self.started_with[variant["sku"]] = variant.get("on_hand", 5)

    def add_user(self, email: str = "ada@example.com", role: str = "customer") -> User:
        with self.app.app_context():
            password = accounts.new_password(PASSWORD, email)
            with database.writing():
                user = accounts.register(email, password, "Ada")
                assert user is not None
                user.role = role
                db.session.flush()
                db.session.expunge(user)
            return user

    # -- visitors

    def browser(self) -> FlaskClient:
        """A browser of its own: nothing shared with any other."""
        return self.app.test_client()

    def signed_in(self, email: str = "ada@example.com") -> FlaskClient:
        """A browser whose user has signed in by the form."""
        browser = self.browser()
        browser.get("/auth/login")
        answer = self.post(browser, "/auth/login", email=email, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return browser

    def token(self, browser: FlaskClient) -> str | None:
        """The CSRF token that a page would carry for this browser; None without a session."""
        with browser.session_transaction() as session:
            if not session:
                return None
        marker = 'name="csrf_token" value="'
        for product in ("mug", "yen"):  # a test may have taken one of them from the shelf
            page = browser.get(f"/products/{product}").text
            if marker in page:
                return page.split(marker)[1].split('"')[0]
        return None

    def post(self, browser: FlaskClient, path: str, **fields: Any) -> TestResponse:
        """Post a form as a page of ours would, token included."""
        headers = fields.pop("headers", {})
        token = self.token(browser)
        if token:
            fields["csrf_token"] = token
        return browser.post(path, data=fields, headers={"Sec-Fetch-Site": "same-origin"} | headers)

    def buy(self, browser: FlaskClient, sku: str = "MUG", **fields: Any) -> TestResponse:
        """Press Buy with the script running."""
        return self.post(browser, BUY, sku=sku, headers=JSON, **fields)

    def buy_plainly(self, browser: FlaskClient, sku: str = "MUG", **fields: Any) -> TestResponse:
        """Press Buy without a script."""
        return self.post(browser, BUY, sku=sku, **fields)

    def open_session(self, browser: FlaskClient, sku: str = "MUG", **fields: Any) -> str:
        """Press Buy and return the Checkout Session's id."""
        answer = self.buy(browser, sku, **fields)
        assert answer.status_code == 200, answer.text
        session_id: str = answer.json["sessionId"]  # type: ignore[index]
        return session_id

    # -- Stripe

    def pay(self, session_id: str, how: str = "pm_card_visa") -> Any:
        """Let the buyer pay on Stripe's page; the webhook comes as the switches say."""
        return control.complete(self.sandbox, session_id, how)

    def silence(self) -> None:
        """From now on no webhook arrives."""
        control.set_switches(self.sandbox, paused=True)

    def deliver(self) -> int:
        """Send every delivery that is due."""
        return run_due(self.sandbox)

    def send(self, event: dict[str, Any], **headers: str) -> TestResponse:
        """Post a signed event of our own making."""
        payload = json.dumps(event)
        headers = {"Stripe-Signature": sign(payload)} | headers
        return self.browser().post("/webhooks/stripe", data=payload, headers=headers)

    def fault(self, kind: str, count: int = 1, path: str = "/v1/") -> None:
        """Let the next calls to Stripe fail in this way."""
        control.inject_fault(self.sandbox, kind, count, path)

    # -- what came of it

    def work(self) -> dict[str, int]:
        """One pass of `flask shop work` that asks about everything."""
        with self.app.app_context():
            return work.run_pass(timedelta(0)).as_dict()

    def orders(self, **where: Any) -> list[Order]:
        """All orders as the database has them, oldest first."""
        with self.app.app_context():
            found = db.session.scalars(select(Order).filter_by(**where).order_by(Order.id)).all()
            for order in found:
                _ = order.lines, order.steps
            db.session.expunge_all()
            return list(found)

    def order(self) -> Order:
        """The only order there is."""
        (only,) = self.orders()
        return only

    def events(self) -> list[StripeEvent]:
        """The inbox, oldest first."""
        with self.app.app_context():
            found = db.session.scalars(select(StripeEvent).order_by(StripeEvent.received_at)).all()
            db.session.expunge_all()
            return list(found)

    def steps(self) -> list[tuple[str | None, str | None]]:
        """Every step of every order: (before, after)."""
        with self.app.app_context():
            rows = db.session.scalars(select(OrderStep).order_by(OrderStep.id)).all()
            return [(row.before, row.after) for row in rows]

    def stock(self, sku: str = "MUG") -> tuple[int | None, int, int]:
        """(on hand, held, sold)."""
        with self.app.app_context():
            variant = db.session.scalars(select(Variant).filter_by(sku=sku)).one()
            return variant.on_hand, variant.held, variant.sold

    def check_stock(self) -> None:
        """After every test: nothing leaked or sold twice, and the holds are those of orders."""
        for sku, start in self.started_with.items():
            on_hand, held, sold = self.stock(sku)
            assert on_hand is not None and on_hand >= held >= 0, sku
            assert on_hand + sold == start, sku
            lines = [
                (order, line) for order in self.orders() for line in order.lines if line.sku == sku
            ]
            assert held == sum(line.quantity for order, line in lines if order.stock == "held"), sku
            gone = [line for order, line in lines if order.stock == "sold"]
            assert sold == sum(line.quantity - line.restocked for line in gone), sku

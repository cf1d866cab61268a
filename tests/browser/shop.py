"""The shop that the browsers visit: app and sandbox on one loopback port, as in the demo."""

from __future__ import annotations

import itertools
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import delete
from werkzeug.serving import make_server

from storefront import create_app, database
from storefront.demo import goods
from storefront.demo.serving import QuietHandler
from storefront.demo.stocking import stock_shop
from storefront.extensions import db
from storefront.models import User
from storefront.models.rate_count import RateCount
from storefront.sandbox import close, control
from storefront.sandbox.core import state
from tests.stage import Stage

SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "tests-only-Kq2v9Zr4Xw7Yb1Nc8Md5Lf3Hg6Js0Pt",
    "SHOP_NAME": goods.SHOP_NAME,
    "STRIPE_SANDBOX": "true",
    "STRIPE_JS_URL": "/sandbox/stripe.js",
    "STRIPE_SECRET_KEY": "sk_test_0123456789abcdef",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_0123456789abcdef",
    "STRIPE_WEBHOOK_SECRET": "whsec_tests_0123456789abcdef",
    "LOG_LEVEL": "ERROR",
}
PATIENCE_SECONDS = 15
CALM = {"stripe_js": "ok", "paused": False, "duplicate": False, "reverse": False, "hold": []}


class Ear(logging.Handler):
    """Hears of every error that the shop or its sandbox logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was said, with its trace."""
        self.heard.append(logging.Formatter().format(record))


class Shop(Stage):
    """A stocked shop at an address, with the verbs of the stage for what is behind its pages."""

    def __init__(self, app: Flask, url: str) -> None:
        super().__init__(app, app.extensions["sandbox"], recorder=None)
        self.url = url
        self.errors = Ear()
        self._numbers = itertools.count(1)

    def calm_down(self) -> None:
        """Undo what a test did to Stripe, and forget whose attempts were counted."""
        with state(self.sandbox).store.write() as tx:
            tx.connection.execute("DELETE FROM faults")
        control.set_switches(self.sandbox, **CALM)
        self.wait_for_deliveries()
        with self.app.app_context(), database.writing():
            db.session.execute(delete(RateCount))

    def put_out(self, **variant: Any) -> str:
        """Put a new product on the shelf; returns its SKU, whose page is at `path_of`."""
        sku = f"GOOD-{next(self._numbers)}"
        words = {"slug": sku.lower(), "name": "Small dish", "is_featured": False}
        self.add_product({"sku": sku} | variant, **words)
        return sku

    def path_of(self, sku: str) -> str:
        """The address of the page of a product that was put out."""
        return f"/products/{sku.lower()}"

    def orders_of(self, sku: str) -> list[Any]:
        """The orders of one SKU, oldest first."""
        return [order for order in self.orders() if order.lines[0].sku == sku]

    def add_person(self) -> User:
        """A customer with an account; the password is the stage's."""
        return self.add_user(f"person{next(self._numbers)}@example.com")

    def behave(self, stripe_js: str) -> None:
        """Let Stripe.js behave in this way from now on."""
        control.set_switches(self.sandbox, stripe_js=stripe_js)

    def speak_again(self) -> None:
        """Send the webhooks that were held back."""
        control.set_switches(self.sandbox, paused=False)
        self.wait_for_deliveries()

    def wait_for_deliveries(self) -> None:
        """Send what is due, and wait for what Stripe's own thread is sending."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._has_deliveries_under_way():
            assert time.monotonic() < deadline, "the shop does not take its webhooks"
            if not self.deliver():
                time.sleep(0.01)

    def _has_deliveries_under_way(self) -> bool:
        sent = control.list_deliveries(self.sandbox)
        return any(delivery["state"] in ("due", "sending") for delivery in sent)

    def settle_at_bank(self, order: Any, passed: bool = True) -> None:
        """Let the bank answer for a delayed payment, and the news arrive."""
        (control.settle_payment if passed else control.fail_payment)(
            self.sandbox, order.checkout_session
        )
        self.wait_for_deliveries()


@contextmanager
def open_shop(instance: Path) -> Iterator[Shop]:
    """Serve a stocked shop until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(SETTINGS | {"SHOP_URL": url, "SHOP_INSTANCE": str(instance)})
        result = app.test_cli_runner().invoke(args=["shop", "init"])
        assert result.exit_code == 0, result.output
        with app.app_context():
            stock_shop(Path(app.config["MEDIA_FOLDER"]), lambda name: None)
        shop = Shop(app, url)
        logging.getLogger("storefront").addHandler(shop.errors)
        with _serving(app, listener):
            yield shop
        logging.getLogger("storefront").removeHandler(shop.errors)


def _read_whole(app: Any) -> Any:
    """Close a file before it is sent: Werkzeug's server forgets to when the browser hangs up."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with closing(app(environ, start_response)) as parts:
            return [b"".join(parts)]

    return answer


@contextmanager
def _serving(app: Flask, listener: socket.socket) -> Iterator[None]:
    address = listener.getsockname()
    server = make_server(
        *address,
        _read_whole(app),
        threaded=True,
        request_handler=QuietHandler,
        fd=listener.fileno(),
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        close(app.extensions["sandbox"])
        with app.app_context():
            db.engine.dispose()

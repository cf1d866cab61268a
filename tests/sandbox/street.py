"""A shop's doorstep and its sandbox behind one loopback port, for tests that need real sockets."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import stripe
from flask import Flask, request
from werkzeug.serving import make_server

from storefront import sandbox as sandbox_package


class Street:
    """A shop and its sandbox behind one loopback port."""

    def __init__(self, path: Path) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.app = Flask("shop")
        self.received: list[bytes] = []
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.sandbox = sandbox_package.create_sandbox(path, f"{self.url}/sandbox", background=False)
        sandbox_package.mount(self.app, self.sandbox)
        self.app.add_url_rule("/hook", view_func=self.hook, methods=["POST"])
        self.app.add_url_rule("/moved", view_func=self.moved, methods=["POST"])
        self.app.add_url_rule("/thanks", view_func=self.welcome)

    def hook(self):
        self.received.append(request.get_data())
        return "taken"

    def welcome(self):
        return "<!doctype html><title>Shop</title>Thank you"

    def moved(self):
        return "", 307, {"Location": "/hook"}

    def client(self, retries=0):
        transport = stripe.RequestsClient(timeout=20)
        transport.INITIAL_DELAY = transport.MAX_DELAY = 0.001
        base = {"api": f"{self.url}/sandbox"}
        return stripe.StripeClient(
            "sk_test_a", http_client=transport, base_addresses=base, max_network_retries=retries
        ).v1


@contextmanager
def open_street(path: Path) -> Iterator[Street]:
    """Serve until the block ends."""
    street = Street(path)
    thread = threading.Thread(target=street.server.serve_forever)
    thread.start()
    try:
        yield street
    finally:
        street.server.shutdown()
        thread.join()
        street.server.server_close()
        sandbox_package.close(street.sandbox)

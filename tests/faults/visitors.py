"""Visitors of the shop as it is served: they press its buttons over a real socket."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

import requests

from tests.stage import BUY, JSON

# How a client sees that the server died: before it answered, or while it did.
CUT_OFF = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@dataclass
class Visitor:
    """A browser on a real socket. `attempt` is sent by the page's script.

    `address` is what a proxy would say of where it comes from.
    """

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    attempt: str = field(default_factory=lambda: str(uuid.uuid4()))
    address: str = "127.0.0.1"

    def get(self, path: str, timeout: float = 20, **headers: str) -> requests.Response:
        """Look at a page; redirects are not followed, and cookies that come back are kept."""
        answer = requests.get(
            self.url + path,
            headers={"X-Forwarded-For": self.address} | headers,
            cookies=self.cookies,
            timeout=timeout,
            allow_redirects=False,
        )
        self.cookies.update(answer.cookies.get_dict())
        return answer

    def buy(self, sku: str, quantity: int = 1, **headers: str) -> requests.Response:
        """Press Buy with the script running, which sends the page's token or the one it is told."""
        answer = requests.post(
            self.url + BUY,
            data={"sku": sku, "quantity": quantity, "attempt": self.attempt},
            headers=JSON
            | {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": self.address}
            | headers,
            cookies=self.cookies,
            timeout=20,
        )
        self.cookies.update(answer.cookies.get_dict())
        token = answer.headers.get("X-CSRFToken")
        if answer.status_code == 400 and token and "X-CSRFToken" not in headers:
            return self.buy(sku, quantity, **headers, **{"X-CSRFToken": token})
        return answer

    def open_session(self, sku: str, quantity: int = 1) -> str:
        """Press Buy and return the Checkout Session's id."""
        answer = self.buy(sku, quantity)
        assert answer.status_code == 200, answer.text
        session_id: str = answer.json()["sessionId"]
        return session_id

    def token(self, slug: str) -> str:
        """The CSRF token that a product page carries for this browser."""
        page = self.get(f"/products/{slug}").text
        return page.split('name="csrf_token" value="')[1].split('"')[0]

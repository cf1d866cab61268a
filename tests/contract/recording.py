"""Keeps what the shop and Stripe, or its stand-in, said to each other, to be judged afterwards."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import stripe

from tests.contract.stripe_types import check_error, check_object, check_request, decode_form


@dataclass
class Exchange:
    """One try of one request, and its answer if there was one."""

    method: str
    path: str
    params: dict[str, Any]
    headers: dict[str, str]
    status: int | None = None
    answer: Any = None

    def request_problems(self) -> list[str]:
        """Return what Stripe's types hold against what was asked."""
        found = check_request(self.method, self.path, self.params, coerce=True)
        return [f"{self.method} {self.path} asked: {problem}" for problem in found]

    def answer_problems(self, *, complete: bool = False) -> list[str]:
        """Return what Stripe's types hold against what was answered; no answer is no problem."""
        if self.status is None:
            return []
        if not isinstance(self.answer, dict):
            found = ["not a JSON object"]
        elif self.status >= 400:
            found = check_error(self.answer)
        else:
            found = check_object(self.answer, complete=complete)
        return [f"{self.method} {self.path} answered {self.status}: {text}" for text in found]


class RecordingClient(stripe.HTTPClient):
    """Passes every request on to another HTTP client of the SDK and keeps a record of it.

    Retries are this client's own, so that each try is an exchange of its own.
    """

    name: ClassVar[str] = "recording"

    def __init__(self, inner: stripe.HTTPClient) -> None:
        super().__init__()
        self.inner = inner
        self.exchanges: list[Exchange] = []

    def request(
        self, method: str, url: str, headers: Any, post_data: Any = None, **options: Any
    ) -> tuple[Any, int, Any]:
        """Make one try; it is on record before it leaves, so that a lost answer shows too."""
        parts = urlsplit(url)
        path = parts.path[max(parts.path.find("/v1/"), 0) :]
        params = decode_form(post_data or parts.query)
        exchange = Exchange(method.upper(), path, params, dict(headers or {}))
        self.exchanges.append(exchange)
        body, exchange.status, answer_headers = self.inner.request(
            method, url, headers, post_data, **options
        )
        exchange.answer = _parse(body)
        return body, exchange.status, answer_headers

    def close(self) -> None:
        """Close the client behind."""
        self.inner.close()

    def problems(self, *, complete: bool = False) -> list[str]:
        """Return what Stripe's types hold against everything recorded so far, each thing once."""
        found = [
            problem
            for exchange in list(self.exchanges)
            for problem in exchange.request_problems() + exchange.answer_problems(complete=complete)
        ]
        return list(dict.fromkeys(found))


def _parse(body: str | bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None

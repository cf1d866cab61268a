"""Between shop and sandbox without a network: the SDK in process, webhooks over loopback."""

import http.client
import io
import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from storefront.sandbox.faults import MARK

MAX_ANSWER = 1000


class InProcessClient(stripe.HTTPClient):
    """An HTTP client for the SDK that calls the sandbox's WSGI app directly, from any thread."""

    name = "sandbox"

    def __init__(self, sandbox: Flask) -> None:
        super().__init__()
        self._wsgi = sandbox.wsgi_app
        self._prefix = urlsplit(sandbox.extensions["sandbox"].base_url).path.rstrip("/")

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Carry out one call; raise stripe.APIConnectionError if a fault leaves it unanswered."""
        response, status, answered = self._call(method, url, headers, post_data)
        if MARK in answered:
            raise stripe.APIConnectionError(
                f"The sandbox was told not to answer ({answered[MARK]}).", should_retry=True
            )
        return response.decode(), status, dict(answered)

    def request_stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        """Carry out one call whose answer is read as a stream."""
        text, status, answered = self.request(method, url, headers, post_data)
        return io.BytesIO(text.encode()), status, answered

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _call(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any
    ) -> tuple[bytes, int, Headers]:
        parts = urlsplit(url)
        data = post_data.encode() if isinstance(post_data, str) else post_data
        builder = EnvironBuilder(
            path=parts.path.removeprefix(self._prefix),
            base_url=f"{parts.scheme}://{parts.netloc}{self._prefix}",
            query_string=parts.query,
            method=method.upper(),
            headers=list((headers or {}).items()),
            input_stream=io.BytesIO(data or b""),
        )
        environ = builder.get_environ()
        environ["CONTENT_LENGTH"] = str(len(data or b""))
        environ["REMOTE_ADDR"] = "127.0.0.1"
        chunks, status, answered = run_wsgi_app(self._wsgi, environ, buffered=True)
        return b"".join(chunks), int(status.split()[0]), answered


def post_to_loopback(
    url: str, body: bytes, headers: Mapping[str, str], timeout: float
) -> tuple[int, str]:
    """POST a webhook to this machine, following no redirect; return status and answer.

    Raises ValueError for any other machine, OSError when nobody answers in time.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not is_loopback(host):
        raise ValueError(f"the sandbox delivers only to http addresses on loopback, not to {url}")
    target = "127.0.0.1" if host.endswith("localhost") else host
    connection = http.client.HTTPConnection(target, parts.port or 80, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {**headers, "Host": parts.netloc})
        response = connection.getresponse()
        return response.status, response.read(MAX_ANSWER).decode(errors="replace")
    finally:
        connection.close()


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

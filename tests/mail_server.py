"""A real mail server on this computer that does what a test tells it: take, refuse, stall, drop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PASSWORD = "p@ss:word/1"


class Server:
    """What came in, and the answers that are told to those who come next."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.connections = 0
        self.rcpt_answers: dict[str, list[str]] = {}
        self.data_answers: list[str] = []
        self.stalled = threading.Event()
        self.port = 0

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for _to, message in self.taken]

    @property
    def recipients(self) -> list[str]:
        return [address for to, _message in self.taken for address in to]

    def url(self, login: str = "") -> str:
        return f"smtp://{login}127.0.0.1:{self.port}"

    # -- what aiosmtpd calls

    async def handle_EHLO(
        self, server: Any, session: Any, _envelope: Any, name: str, answers: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = name
        return answers

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        told = self.rcpt_answers.get(address)
        if told:
            return told.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        answer = self.data_answers.pop(0) if self.data_answers else "250 taken as 4711"
        if answer == "drop":
            server.transport.abort()
            return "250 nobody hears this"
        if answer == "stall":  # taken, and never said so
            self.stalled.set()
            server.transport.pause_reading()
            self._take(envelope)
            await server.loop.create_future()
        if answer.startswith("250"):
            self._take(envelope)
        return answer

    def _take(self, envelope: Any) -> None:
        message = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.taken.append((list(envelope.rcpt_tos), message))


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    good = data.login == b"ada@shop.example" and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False)


@contextmanager
def serving_mail(**options: Any) -> Iterator[Server]:
    """The server in a thread of its own; `auth_required=True` wants a login."""
    server = Server()
    server.port = free_port()
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        authenticator=_check,
        auth_require_tls=False,
        **options,
    )
    controller.start()
    server.connections = 0
    try:
        yield server
    finally:
        controller.stop()

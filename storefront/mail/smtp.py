"""The only door to a mail server: one connection, short time-outs, and failures told apart."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from typing import Self
from urllib.parse import unquote, urlsplit

from storefront.mail.failures import NotSent, Refused, Unreachable

TIMEOUT_SECONDS = 10.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ENDS_THE_TALK = 421


class MailServer:
    """The server of MAIL_URL. Connects for the first message, and anew after a lost connection.

    `smtps://` is encrypted from the start, `smtp://` as soon as the server offers it; a password
    never leaves this computer unencrypted.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._encrypted = parts.scheme == "smtps"
        self._host = parts.hostname or ""
        self._port = parts.port or (465 if self._encrypted else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout = TIMEOUT_SECONDS
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
            self._hang_up()

    def reach(self) -> None:
        """Connect and log in, so that the settings are tried. Raises Unreachable."""
        if self._smtp is None:
            self._smtp = self._connect()

    def send(self, message: EmailMessage, sender: str, recipients: list[str]) -> str:
        """Hand a message over; the server's answer. Taken by one recipient is taken."""
        self.reach()
        assert self._smtp is not None
        try:
            return _hand_over(self._smtp, message, sender, recipients)
        except NotSent:
            self._start_afresh()
            raise
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
                raise Unreachable(f"no answer within {self._timeout:g} seconds") from error
            raise NotSent(f"the connection broke off: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._call()
            self._log_in(smtp)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            if smtp is not None:
                smtp.close()
            raise Unreachable(f"{self._host}:{self._port}: {_words(error)}") from error
        except Unreachable:
            if smtp is not None:
                smtp.close()
            raise
        return smtp

    def _call(self) -> smtplib.SMTP:
        secure = ssl.create_default_context()
        if self._encrypted:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=secure)
        smtp = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        smtp.ehlo_or_helo_if_needed()
        # What never leaves this computer needs no certificate, and seldom has a good one.
        if self._host not in LOOPBACK and smtp.has_extn("starttls"):
            smtp.starttls(context=secure)
            smtp.ehlo()
            self._encrypted = True
        return smtp

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        if not self._user:
            return
        if not self._encrypted and self._host not in LOOPBACK:
            raise Unreachable(f"{self._host} offers no encryption, and the password stays here")
        smtp.login(self._user, self._password)

    def _start_afresh(self) -> None:
        """Clear the table after a refusal; when that goes wrong, the next message reconnects."""
        try:
            if self._smtp is not None and self._smtp.rset()[0] != 250:
                self._hang_up()
        except (smtplib.SMTPException, OSError):
            self._hang_up()

    def _hang_up(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _hand_over(
    smtp: smtplib.SMTP, message: EmailMessage, sender: str, recipients: list[str]
) -> str:
    smtp.ehlo_or_helo_if_needed()
    _expect(250, smtp.mail(sender), "the sender")
    _name_recipients(smtp, recipients)
    return _expect(250, smtp.data(message.as_bytes(policy=SMTP)), "the message")


def _name_recipients(smtp: smtplib.SMTP, addresses: list[str]) -> None:
    """One that is taken is enough; refused for good only when each of them is."""
    answers = [smtp.rcpt(address) for address in addresses]
    if any(code in (250, 251) for code, _answer in answers):
        return
    code, answer = min(answers)
    final = 500 <= code < 600
    raise (Refused if final else NotSent)(f"the address was refused: {_told(code, answer)}")


def _expect(wanted: int, answer: tuple[int, bytes], what: str) -> str:
    told = _told(*answer)
    if answer[0] == ENDS_THE_TALK:
        raise smtplib.SMTPServerDisconnected(told)
    if answer[0] != wanted:
        raise NotSent(f"{what} was refused: {told}")
    return told


def _told(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join(f"{code} {text}".split())


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the login was refused: {_told(error.smtp_code, error.smtp_error)}"
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__

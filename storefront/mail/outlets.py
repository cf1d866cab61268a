"""Where mail leaves: the server of MAIL_URL, in the demo a mailbox on this computer, or nowhere."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Protocol, Self

from flask import Flask, current_app

from storefront.mail.mailbox import Mailbox
from storefront.mail.smtp import MailServer


class Outlet(Protocol):
    """Takes messages within a `with` block; connected at the first one, and once for all."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_error: object) -> None: ...

    def reach(self) -> None:
        """Connect now, to see whether somebody is there. Raises Unreachable."""
        ...

    def send(self, message: EmailMessage, sender: str, recipients: list[str]) -> str:
        """Hand a message over; what was answered. Raises a child of NotSent."""
        ...


def init_app(app: Flask) -> None:
    """Show the mailbox where it is what takes the mail: beside the local Stripe."""
    if app.config["MAIL_URL"] or not app.config["STRIPE_SANDBOX"]:
        return
    # Only here: a real shop never loads the demo.
    from storefront.demo import mailbox_page

    mailbox_page.mount(app, mailbox_of(app))
    app.jinja_env.globals["mailbox_url"] = f"{mailbox_page.PATH}/"


def find_outlet() -> Outlet | None:
    """A new connection to whoever takes this shop's mail; None when the settings name nobody."""
    if current_app.config["MAIL_URL"]:
        return MailServer(current_app.config["MAIL_URL"])
    if current_app.config["STRIPE_SANDBOX"]:
        return mailbox_of(current_app)
    return None


def mailbox_of(app: Flask) -> Mailbox:
    """The mailbox of the demo."""
    return Mailbox(Path(app.config["SHOP_INSTANCE"]) / "mailbox")

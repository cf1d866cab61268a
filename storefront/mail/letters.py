"""From a row of the outbox to a message: addressed, and rendered from the order as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, render_template

from storefront.mail.failures import NotSent, Refused
from storefront.mail.kinds import get_kind
from storefront.models import Order, OutgoingMail
from storefront.models.columns import now
from storefront.models.order import FIRST_NUMBER
from storefront.presenting import order_page
from storefront.services import accounts, orders

LINE = ("name", "label", "sku", "quantity", "unit_amount", "amount_total", "interval")
LINE_MORE = ("interval_count", "trial_days")
LONGEST_SUBJECT = 200


@dataclass(frozen=True)
class Letter:
    """A message with the addresses for its envelope; `stale` says why it must not be sent."""

    message: EmailMessage
    sender: str
    recipients: list[str]
    stale: str = ""

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])


def write(mail: OutgoingMail) -> Letter:
    """Render a mail. Raises Refused without a buyer's address, and NotSent without a merchant's."""
    kind = get_kind(mail.kind)
    order = orders.find(mail.order_id + FIRST_NUMBER - 1) if mail.order_id else None
    stale = kind.stale(order)
    if mail.recipient:
        recipients = [mail.recipient]
    elif kind.to_buyer:
        recipients = [order.email] if order and order.email else []
    elif not (recipients := list_merchant_addresses()):
        raise NotSent("nobody is named to write to: set MERCHANT_EMAIL, or make an owner")
    return address(mail, _words(mail, order), recipients, stale)


def address(
    mail: OutgoingMail, words: dict[str, str], recipients: list[str], stale: str = ""
) -> Letter:
    """Put the words into an envelope. Raises Refused for what is no address."""
    if not recipients:
        raise Refused("there is no address to write to")
    config, message = current_app.config, EmailMessage()
    name, sender = parseaddr(config["MAIL_FROM"] or config["SUPPORT_EMAIL"] or "shop@localhost")
    ours = _address(sender, one_line(name or config["SHOP_NAME"]))
    theirs = [_address(recipient) for recipient in recipients]
    message["From"], message["To"] = ours, theirs
    if config["SUPPORT_EMAIL"]:
        message["Reply-To"] = config["SUPPORT_EMAIL"]
    message["Subject"] = one_line(words["subject"])[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(mail.created_at.astimezone(UTC))
    message["Message-ID"] = message_id(mail)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(tidy(words["text"]), cte="quoted-printable")
    message.add_alternative(words["html"], subtype="html", cte="quoted-printable")
    return Letter(message, ours.addr_spec, [one.addr_spec for one in theirs], stale)


def message_id(mail: OutgoingMail) -> str:
    """The same for each sending of one mail, so that a second one can be recognized."""
    shop = current_app.config["SHOP_URL"]
    seed = f"{shop} {mail.key} {mail.created_at.isoformat()}"
    return f"<{sha256(seed.encode()).hexdigest()[:32]}@{urlsplit(shop).hostname}>"


def list_merchant_addresses() -> list[str]:
    """Where the merchant's own mail goes: MERCHANT_EMAIL, SUPPORT_EMAIL, or every owner."""
    config = current_app.config
    named: list[str] = list(config["MERCHANT_EMAIL"])
    return named or [*filter(None, [config["SUPPORT_EMAIL"]])] or accounts.list_owner_addresses()


def _address(text: str, name: str = "") -> Address:
    """One address and nothing else: no second one, no line end that would begin a header."""
    try:
        before, _at, domain = text.rpartition("@")
        spec = f"{before}@{domain.encode('idna').decode()}"  # as DNS knows it
        return Address(name, addr_spec=spec)
    except (ValueError, IndexError, MessageError) as error:  # the parser's ways to say no
        raise Refused(f"{text!r} is not an e-mail address to write to") from error


def _words(mail: OutgoingMail, order: Order | None) -> dict[str, str]:
    context = {
        "order": page_of(order) if order else None,
        "order_url": link_to("shop.order", token=order.token) if order else None,
        "again_url": _again(order) if order else None,
        "details": flat(mail.details),
        "why": mail.details.get("why") or "",
        "shop_link": current_app.config["SHOP_URL"] + "/",
        "support_email": current_app.config["SUPPORT_EMAIL"],
    }
    return render(mail.kind, context)


def render(kind: str, context: dict[str, Any]) -> dict[str, str]:
    """Subject, text and HTML of this kind."""
    return {
        part: render_template(f"emails/{kind}/{file}", **context)
        for part, file in (("subject", "subject.txt"), ("text", "body.txt"), ("html", "body.html"))
    }


def page_of(order: Order) -> dict[str, Any]:
    """The order as its pages show it, with every word from outside on one line."""
    page = order_page(order)
    page["lines"] = [
        {name: getattr(line, name) for name in (*LINE, *LINE_MORE)} for line in order.lines
    ]
    more = {"phone": order.phone, "livemode": order.livemode, "attention": order.attention}
    cleaned: dict[str, Any] = flat(page | more | {"payment_intent": order.payment_intent})
    return cleaned


def link_to(endpoint: str, **values: str) -> str:
    """A public address, from SHOP_URL and nothing else."""
    path: str = current_app.url_map.bind("").build(endpoint, values)
    return f"{current_app.config['SHOP_URL']}{path}"


def _again(order: Order) -> str:
    """Where it can be bought again: the page it was bought on."""
    path = order.return_path if order.return_path.startswith("/") else "/"
    return f"{current_app.config['SHOP_URL']}{path}"


def flat(value: Any) -> Any:
    """Any value with its texts on one line, at whatever depth."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {name: flat(item) for name, item in value.items()}
    return [flat(item) for item in value] if isinstance(value, list) else value


def one_line(text: str) -> str:
    """Words from outside: no line ends, nothing invisible, nothing that turns the text around."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def tidy(text: str) -> str:
    """What the template's own logic leaves behind is no part of the letter."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def new_test_mail(recipient: str) -> OutgoingMail:
    """A mail that is in no outbox, to try whether mail arrives."""
    moment = now()
    return OutgoingMail(
        key=f"mail_test:{moment.isoformat()}",
        kind="mail_test",
        recipient=recipient,
        details={},
        created_at=moment,
    )

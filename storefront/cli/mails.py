"""Mail: what waits, what failed and why, sending it again, and trying whether it arrives."""

from __future__ import annotations

import json
from typing import Any

import click

from storefront import database
from storefront.cli.group import print_table, shop
from storefront.mail import letters
from storefront.mail.failures import NotSent
from storefront.mail.kinds import get_kind
from storefront.mail.outlets import find_outlet
from storefront.models import OutgoingMail
from storefront.models.order import FIRST_NUMBER
from storefront.services import mailer

WITHOUT_SERVER = (
    "MAIL_URL names no mail server, so mail waits. Set MAIL_URL=smtp://user:password@host:587 "
    "in .env."
)


@shop.command("mails")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--failed", is_flag=True, help="Only what was given up.")
@click.option("--retry", metavar="KEY|all", help="Send what failed again with the next work.")
def mails(as_json: bool, failed: bool, retry: str | None) -> None:
    """List mails, oldest first, or send failed ones again.

    Example: flask shop mails --retry order_confirmation:order-17
    """
    if retry:
        _retry(retry)
        return
    found = mailer.iterate("failed" if failed else None)
    if as_json:
        for mail in found:
            click.echo(json.dumps(_record(mail), ensure_ascii=False))
        return
    header = ("key", "order", "to", "state", "tries", "written (UTC)", "next try (UTC)", "error")
    print_table(header, (_row(mail) for mail in found))
    if find_outlet() is None:
        click.echo(WITHOUT_SERVER)


def _retry(key: str) -> None:
    with database.writing():
        again = mailer.retry(None if key == "all" else key)
    if key != "all" and not again:
        raise click.ClickException(f"No mail with the key {key} waits or failed.")
    click.echo(f"{again} to be sent again with the next: flask shop work")


def _record(mail: OutgoingMail) -> dict[str, Any]:
    names = ("key", "kind", "recipient", "state", "attempts", "subject", "last_error", "details")
    moments = ("created_at", "next_try_at", "sent_at")
    return {
        "order": _number(mail),
        **{name: getattr(mail, name) for name in names},
        **{name: value.isoformat() if (value := getattr(mail, name)) else None for name in moments},
    }


def _row(mail: OutgoingMail) -> tuple[str, ...]:
    is_waiting = mail.state == "waiting"
    return (
        mail.key,
        str(_number(mail) or ""),
        mail.recipient or _whom(mail.kind),
        mail.state,
        str(mail.attempts),
        f"{mail.created_at:%Y-%m-%d %H:%M}",
        f"{mail.next_try_at:%Y-%m-%d %H:%M}" if is_waiting else "",
        letters.one_line(mail.last_error),
    )


def _whom(kind: str) -> str:
    try:
        return "the buyer" if get_kind(kind).to_buyer else "you"
    except LookupError:  # of an extension that is not there any more
        return ""


def _number(mail: OutgoingMail) -> int | None:
    return mail.order_id + FIRST_NUMBER - 1 if mail.order_id else None


@shop.command("mail-test")
@click.argument("address")
def mail_test(address: str) -> None:
    """Send a test mail at once, and say what the server answered.

    Example: flask shop mail-test me@shop.example
    """
    outlet = find_outlet()
    if outlet is None:
        raise click.ClickException(WITHOUT_SERVER)
    try:
        letter = letters.write(letters.new_test_mail(address))
        with outlet:
            answer = outlet.send(letter.message, letter.sender, letter.recipients)
    except NotSent as error:
        raise click.ClickException(f"The mail was not sent: {error}.") from error
    click.echo(f"Sent from {letter.sender} to {address}. The answer: {letters.one_line(answer)}")

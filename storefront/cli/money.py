"""Giving money back, and the orders that a human must look at."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from typing import Any

import click

from storefront import database, refunding
from storefront.cli.group import print_table, shop
from storefront.cli.upkeep import by_user
from storefront.errors import ShopError
from storefront.models import Dispute, Order, Refund
from storefront.models.dispute import CLOSED
from storefront.models.order import FIRST_NUMBER
from storefront.models.refund import REASONS
from storefront.money import format_money, parse_money
from storefront.services import attention, disputes, orders, refunds
from storefront.services.refund_shares import Plan, Wish

MOST = 1000
PIECES = re.compile("[0-9]{1,9}")

SHOWN = ("id", "stripe_id", "payment_intent", "state", "amount", "currency", "origin", "reason")
REFUND_FIELDS = (*SHOWN, "failure_reason", "note", "restock")
DISPUTE_FIELDS = ("id", "stripe_id", "payment_intent", "status", "amount", "currency", "reason")
number = click.argument("number", type=click.IntRange(1, 2**31))
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@shop.command()
@number
@click.option("--amount", help="How much, as in 12.50. Default: all that is left.")
@click.option(
    "--line", "lines", multiple=True, metavar="SKU[:N]", help="For these goods; may be repeated."
)
@click.option("--restock", is_flag=True, help="Put the goods back on the shelf.")
@click.option("--reason", type=click.Choice(REASONS), help="What Stripe is told.")
@click.option("--note", default="", help="For yourself: why.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def refund(
    number: int,
    amount: str | None,
    lines: tuple[str, ...],
    restock: bool,
    reason: str | None,
    note: str,
    yes: bool,
) -> None:
    """Give money back: all of it, an amount, or some goods.

    Says what it will do, and asks first.

    Examples: flask shop refund 1017 · flask shop refund 1017 --line MUG:2 --restock
    """
    try:
        order = _order(number)
        wish = Wish(_amount(amount, order), _pieces(lines, order), reason, note, restock)
        _say(refunds.plan(order, wish), order, restock)
        if not yes:
            click.confirm("Give it back?", abort=True)
        _give_back(order.id, wish)
    except ShopError as error:
        raise click.ClickException(error.message) from error


def _order(number: int) -> Order:
    found = orders.find(number)
    if found is None:
        raise click.ClickException(f"There is no order {number}.")
    return found


def _amount(text: str | None, order: Order) -> int | None:
    try:
        return None if text is None else parse_money(text, order.currency)
    except ValueError as error:
        code = order.currency.upper()
        raise click.ClickException(f"“{text}” is not an amount in {code}.") from error


def _pieces(lines: tuple[str, ...], order: Order) -> dict[int, int]:
    ids = {line.sku: line.id for line in order.lines}
    found: Counter[int] = Counter()
    for text in lines:
        # A SKU may itself hold a colon.
        sku, _colon, count = (text, "", "") if text in ids else text.rpartition(":")
        if sku not in ids or (count and not PIECES.fullmatch(count)):
            raise click.ClickException(f"Order {order.number} has no line “{text}”.")
        found[ids[sku]] += int(count or 1)
    return dict(found)


def _say(plan: Plan, order: Order, restock: bool) -> None:
    money = format_money(plan.amount, order.currency)
    rest = order.amount_total - order.amount_refunded - order.amount_refunding - plan.amount
    click.echo(f"Order {order.number}: {money} goes back to {order.email or 'the buyer'}.")
    for line in order.lines:
        if line.id in plan.pieces:
            shelf = " → on the shelf again" if restock else ""
            click.echo(f"  {plan.pieces[line.id]} × {line.sku} ({line.name}){shelf}")
    click.echo(f"  {format_money(rest, order.currency)} of the order stays with you.")


def _give_back(order_id: int, wish: Wish) -> None:
    with database.writing():
        refund_id = refunds.ask(
            order_id, wish, key=f"refund-{secrets.token_hex(12)}", cause=by_user()
        )
    sent = refunding.send(refund_id, by_user())
    money = format_money(sent.amount, sent.currency)
    if sent.state in ("failed", "canceled"):
        why = f" {sent.note.splitlines()[-1]}" if sent.note else ""
        raise click.ClickException(f"Stripe refused ({sent.failure_reason}).{why}")
    said = {
        "asked": "No answer from Stripe yet. It is kept, and `flask shop work` goes on with it.",
        "succeeded": f"{money} is given back ({sent.stripe_id}).",
        "requires_action": f"{money} waits for the buyer, whom Stripe asks for bank details "
        f"({sent.stripe_id}).",
    }
    click.echo(said.get(sent.state, f"{money} is on its way; the bank decides ({sent.stripe_id})."))


@shop.command("refunds")
@as_json
def list_refunds(as_json: bool) -> None:
    """List refunds, newest first, whoever made them."""
    found = refunds.list_newest(None if as_json else MOST)
    if as_json:
        for row in found:
            record = _record(row, REFUND_FIELDS)
            record["restocked_at"] = row.restocked_at.isoformat() if row.restocked_at else None
            click.echo(json.dumps(record, ensure_ascii=False))
        return
    print_table(
        ("order", "amount", "state", "made (UTC)", "by", "why", "Stripe's name"),
        (_refund_row(row) for row in found),
    )


def _record(row: Refund | Dispute, names: tuple[str, ...]) -> dict[str, Any]:
    record: dict[str, Any] = {"order": _number(row)}
    record |= {name: getattr(row, name) for name in names}
    return record | {"created_at": row.created_at.isoformat()}


def _number(row: Refund | Dispute) -> int | None:
    return row.order_id + FIRST_NUMBER - 1 if row.order_id else None


def _refund_row(row: Refund) -> tuple[str, ...]:
    return (
        str(_number(row) or "(a renewal)"),
        format_money(row.amount, row.currency),
        row.state,
        f"{row.created_at:%Y-%m-%d %H:%M}",
        row.origin,
        row.failure_reason or row.reason or "",
        row.stripe_id or "",
    )


@shop.command("disputes")
@as_json
def list_disputes(as_json: bool) -> None:
    """List disputes, newest first, and when to answer by."""
    found = disputes.list_newest(None if as_json else MOST)
    if as_json:
        for row in found:
            record = _record(row, DISPUTE_FIELDS)
            record["due_by"] = row.due_by.isoformat() if row.due_by else None
            click.echo(json.dumps(record, ensure_ascii=False))
        return
    print_table(
        ("order", "amount", "status", "answer by (UTC)", "reason", "Stripe's name"),
        (_dispute_row(row) for row in found),
    )


def _dispute_row(row: Dispute) -> tuple[str, ...]:
    due = row.due_by if row.status not in CLOSED else None
    return (
        str(_number(row) or "(a renewal)"),
        format_money(row.amount, row.currency),
        row.status,
        f"{due:%Y-%m-%d %H:%M}" if due else "",
        row.reason,
        row.stripe_id,
    )


@shop.command()
@number
def accept(number: int) -> None:
    """Say that you have looked at an order that needed it.

    It is off your list then. `flask shop orders` shows under "attention" which orders need a look.
    """
    order = _order(number)
    seen = order.attention
    try:
        with database.writing():
            accepted = attention.accept(order, by_user())
    except ShopError as error:
        raise click.ClickException(error.message) from error
    if not accepted:
        raise click.ClickException(f"Order {number} does not ask for a look.")
    click.echo(f"Order {number}: {seen} is accepted.")

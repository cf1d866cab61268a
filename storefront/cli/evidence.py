"""What happened: everything about one order, and the events that Stripe sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from storefront.cli.group import print_table, shop
from storefront.cli.listing import order_record
from storefront.models import Dispute, OutgoingMail, Refund, StripeEvent, SubscriptionInvoice
from storefront.money import format_money
from storefront.presenting import shipping_lines
from storefront.services import evidence, inbox

STEP = ("at", "cause", "before", "after", "note")
REFUND = ("stripe_id", "state", "amount", "currency", "origin", "reason", "failure_reason", "note")
DISPUTE = ("stripe_id", "status", "amount", "currency", "reason", "due_by")
PLAN = ("stripe_id", "status", "current_period_end", "trial_end", "cancel_at_period_end")
INVOICE = ("stripe_id", "status", "billing_reason", "amount_paid", "currency", "payment_intent")
MAIL = ("key", "state", "recipient", "attempts", "last_error", "created_at", "sent_at")
EVENT = ("id", "type", "object_id", "state", "note", "attempts", "brought_by", "received_at")


@shop.command("order")
@click.argument("number", type=click.IntRange(1, 2**31))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show_order(number: int, as_json: bool) -> None:
    """Show an order, its buyer, and every step it took.

    Each step says when it was, what caused it, and what it changed.
    """
    found = evidence.find(number)
    if found is None:
        raise click.ClickException(f"There is no order {number}.")
    if as_json:
        click.echo(json.dumps(_record(found), ensure_ascii=False))
    else:
        _print(found)


def _record(found: evidence.Evidence) -> dict[str, Any]:
    plan = found.subscription
    return order_record(found.order) | {
        "steps": _records(found.order.steps, STEP),
        "refunds": _records(found.refunds, REFUND),
        "disputes": _records(found.disputes, DISPUTE),
        "subscription": _records([plan], PLAN)[0] if plan else None,
        "invoices": _records(found.invoices, INVOICE),
        "mails": _records(found.mails, MAIL),
        "events": _records(found.events, EVENT),
    }


def _records(rows: Sequence[Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{name: _plain(getattr(row, name)) for name in names} for row in rows]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _print(found: evidence.Evidence) -> None:
    order = found.order
    attention = f" · needs a look: {order.attention}" if order.attention else ""
    total = format_money(order.amount_total, order.currency)
    click.echo(f"Order {order.number} · {order.state} · {order.fulfillment} · {total}{attention}")
    if order.amount_refunded:
        click.echo(f"  refunded: {format_money(order.amount_refunded, order.currency)}")
    for line in order.lines:
        amount = format_money(line.amount_total, order.currency)
        click.echo(f"  {line.quantity} × {line.sku} · {_line(line.name)} · {amount}")
    address = ", ".join(shipping_lines(order.shipping))
    for title, text in (("buyer", order.name), ("send to", address), ("phone", order.phone)):
        if text:
            click.echo(f"  {title}: {_line(text)}")
    for name in ("email", "checkout_session", "payment_intent", "stripe_subscription"):
        if getattr(order, name):
            click.echo(f"  {name.replace('_', ' ')}: {_line(getattr(order, name))}")
    _section("Steps", ("when (UTC)", "change", "cause", "note"), map(_step, order.steps))
    _section("Refunds", ("made (UTC)", "state", "amount", "by", "id"), map(_refund, found.refunds))
    _section("Disputes", ("due", "status", "amount", "reason", "id"), map(_dispute, found.disputes))
    if found.subscription:
        click.echo(f"\nSubscription {found.subscription.stripe_id}: {found.subscription.status}")
    _section("Invoices", ("made (UTC)", "status", "paid", "for", "id"), map(_bill, found.invoices))
    _section("Mails", ("written (UTC)", "state", "what", "last error"), map(_mail, found.mails))
    _section("Events", ("received (UTC)", "state", "type", "id"), map(_event, found.events))


def _section(title: str, header: tuple[str, ...], rows: Any) -> None:
    listed = list(rows)
    if listed:
        click.echo(f"\n{title}")
        print_table(header, listed)


def _step(step: Any) -> tuple[str, ...]:
    change = f"{step.before or '·'} → {step.after}" if step.after else ""
    return _when(step.at), change, _line(step.cause), _line(step.note)


def _refund(row: Refund) -> tuple[str, ...]:
    amount = format_money(row.amount, row.currency)
    return _when(row.created_at), row.state, amount, row.origin, row.stripe_id or "(not answered)"


def _dispute(row: Dispute) -> tuple[str, ...]:
    due = f"{row.due_by:%Y-%m-%d}" if row.due_by else ""
    return due, row.status, format_money(row.amount, row.currency), row.reason, row.stripe_id


def _bill(row: SubscriptionInvoice) -> tuple[str, ...]:
    paid = format_money(row.amount_paid, row.currency)
    return _when(row.created_at), row.status, paid, row.billing_reason or "", row.stripe_id


def _mail(row: OutgoingMail) -> tuple[str, ...]:
    return _when(row.created_at), row.state, row.key, _line(row.last_error)


def _event(row: StripeEvent) -> tuple[str, ...]:
    return _when(row.received_at), row.state, row.type, row.id


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _line(text: str) -> str:
    """Words from outside on one line of a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


@shop.command("events")
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("--most", type=click.IntRange(1, 10_000), default=50, help="How many (50).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_events(failed: bool, most: int, as_json: bool) -> None:
    """List the newest events of Stripe, and what became of them."""
    found = inbox.list_newest(most, "failed" if failed else None)
    if as_json:
        for record in _records(found, EVENT):
            click.echo(json.dumps(record, ensure_ascii=False))
        return
    print_table(
        ("received (UTC)", "state", "type", "id", "tries", "note"),
        (
            (
                _when(row.received_at),
                row.state,
                row.type,
                row.id,
                str(row.attempts),
                _line(row.note),
            )
            for row in found
        ),
    )

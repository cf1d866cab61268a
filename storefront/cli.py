"""`flask shop ...`: the merchant's command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError, ProgrammingError

from storefront import database, stripe_gateway, work
from storefront.errors import ShopError
from storefront.models import Order
from storefront.money import format_money
from storefront.services import accounts, orders, stock
from storefront.webhooks.handlers import HANDLERS


class ShopGroup(AppGroup):
    """Says in one line what is wrong with the database, instead of a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            made = "Has it been made? Run: flask shop init"
            raise click.ClickException(
                f"The database cannot be used: {error.orig}. {made}"
            ) from error


shop = ShopGroup("shop", help="Set up and look after the shop.")

ORDER_FIELDS = (
    "number",
    "token",
    "state",
    "fulfillment",
    "attention",
    "email",
    "currency",
    "amount_subtotal",
    "amount_shipping",
    "amount_tax",
    "amount_discount",
    "amount_total",
    "amount_refunded",
    "checkout_session",
    "payment_intent",
    "livemode",
)
LINE_FIELDS = ("sku", "name", "quantity", "unit_amount", "amount_total")


def init_app(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(shop)


@shop.command()
def init() -> None:
    """Make the database, or bring it up to date. Safe to run again, and by several at once."""
    _prepare()
    click.echo("The database is ready.")


def _prepare() -> None:
    upgrade()
    if "sandbox" in current_app.extensions:
        _serving().register_webhook(current_app, sorted(HANDLERS))


@shop.command("create-owner")
@click.option("--email", prompt="E-mail address", help="What the owner signs in with.")
@click.password_option(help="At least 12 characters.")
def create_owner(email: str, password: str) -> None:
    """Make the first owner, or make an existing account an owner with a new password.

    Example: flask shop create-owner --email me@shop.example
    """
    try:
        with database.writing():
            accounts.make_owner(email, password)
    except ShopError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"{email} can sign in as owner.")


@shop.command("work")
def do_work() -> None:
    """Do what is due, once: ask Stripe about open payments, free what has expired.

    For cron or a systemd timer, every minute. Example: * * * * * flask shop work
    """
    if not stripe_gateway.is_configured():
        raise click.ClickException("There is no STRIPE_SECRET_KEY in the settings: nothing to ask.")
    report = work.run_pass()
    click.echo(", ".join(f"{count} {name}" for name, count in report.as_dict().items()))


@shop.command("orders")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_orders(as_json: bool) -> None:
    """List all orders, oldest first."""
    if as_json:
        for order in orders.iterate():
            click.echo(json.dumps(_order_record(order), ensure_ascii=False))
        return
    _table(
        ("number", "state", "fulfillment", "attention", "total", "placed (UTC)", "e-mail", "items"),
        (_order_row(order) for order in orders.iterate()),
    )


def _order_record(order: Order) -> dict[str, Any]:
    record = {name: getattr(order, name) for name in ORDER_FIELDS}
    record["created_at"] = order.created_at.isoformat()
    record["paid_at"] = order.paid_at.isoformat() if order.paid_at else None
    record["lines"] = [{name: getattr(line, name) for name in LINE_FIELDS} for line in order.lines]
    return record


def _order_row(order: Order) -> tuple[str, ...]:
    return (
        str(order.number),
        order.state,
        order.fulfillment,
        order.attention or "",
        format_money(order.amount_total, order.currency),
        f"{order.created_at:%Y-%m-%d %H:%M}",
        order.email or "",
        ", ".join(f"{line.quantity} × {line.sku}" for line in order.lines),
    )


@shop.command("stock")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_stock(as_json: bool) -> None:
    """List what is on hand, held by open payments, and sold, by SKU."""
    levels = stock.list_levels()
    if as_json:
        for level in levels:
            click.echo(json.dumps(level))
        return
    _table(
        ("SKU", "on hand", "held", "sold"),
        (
            (
                str(level["sku"]),
                _or_unlimited(level["on_hand"]),
                str(level["held"]),
                str(level["sold"]),
            )
            for level in levels
        ),
    )


def _or_unlimited(on_hand: Any) -> str:
    return "unlimited" if on_hand is None else str(on_hand)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if len(lines) == 1:
        click.echo("(none yet)")


@shop.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="PORT",
    help="Default: PORT, or the next free one from 8000.",
)
@click.option("--serve", is_flag=True, hidden=True)
def demo(port: int | None, serve: bool) -> None:
    """Serve a stocked shop with a local Stripe on this computer. No account, no real money."""
    # The server's threads have no current app: they need the app itself.
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if serve:
        _serving().serve(app, _prepare)
    else:
        _serving().restart_as_demo(app, port)


def _serving() -> Any:
    # Only here: a real shop's workers never load the demo, its drawings and its local Stripe.
    from storefront.demo import serving

    return serving

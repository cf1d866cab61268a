"""Lists of orders and stock, for people and, with --json, for programs."""

from __future__ import annotations

import json
from typing import Any

import click

from storefront.cli.group import print_table, shop
from storefront.models import Order
from storefront.money import format_money
from storefront.services import orders, stock

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


@shop.command("orders")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_orders(as_json: bool) -> None:
    """List all orders, oldest first."""
    if as_json:
        for order in orders.iterate():
            click.echo(json.dumps(order_record(order), ensure_ascii=False))
        return
    print_table(
        ("number", "state", "fulfillment", "attention", "total", "placed (UTC)", "e-mail", "items"),
        (_order_row(order) for order in orders.iterate()),
    )


def order_record(order: Order) -> dict[str, Any]:
    """An order as programs read it."""
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
    """List what is on hand, held by open payments, and sold."""
    levels = stock.list_levels()
    if as_json:
        for level in levels:
            click.echo(json.dumps(level))
        return
    print_table(
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

"""The goods and the open orders that every program of a run is measured with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert, select

from bench import references
from storefront import database
from storefront.extensions import db
from storefront.models import Order, OrderLine, Product, Variant
from storefront.models.columns import now
from storefront.services import accounts, catalog, orders

PRODUCTS = 100
ORDERS = 2_000
AMOUNT, CURRENCY = 4200, "eur"
SLUG = "bowl-7"
EMAIL, PASSWORD = "ada@example.com", "a quiet shelf of bowls"
ABOUT = "\n\n".join(
    f"{start} thrown by hand on a kick wheel, dried for two weeks and fired twice. The glaze is our"
    " own: ash of apple wood, feldspar and chalk, and no two pieces come out of the kiln alike."
    " Small marks of the fingers and of the fire are part of it. Wash it as you like: it was fired"
    " hot enough for any oven, freezer or machine, and the foot is ground so that it spares tables."
    for start in (
        "This bowl is",
        "Its smaller sister is",
        "The plates that go with it are",
        "The jug of the same family is",
    )
)


def fill_references(folder: Path) -> None:
    """Make the databases of the reference programs: a product table, and orders waiting for pay."""
    app = references.page(folder)
    with app.app_context():
        references.db.create_all()
        references.db.session.execute(
            insert(references.Product), [_reference_product(n) for n in range(PRODUCTS)]
        )
        references.db.session.commit()
        references.db.engine.dispose()
    with closing(sqlite3.connect(references.webhook_database(folder))) as connection:
        connection.executescript(references.WEBHOOK_TABLES)
        rows = ((session_id(n), AMOUNT) for n in range(ORDERS))
        connection.executemany("INSERT INTO orders (session, amount) VALUES (?, ?)", rows)
        connection.commit()


def _reference_product(number: int) -> dict[str, Any]:
    return {
        "slug": f"bowl-{number}",
        "sku": f"BOWL-{number}",
        "name": f"Bowl number {number}",
        "shelf": "bowls",
        "about": ABOUT,
        "picture": f"{number:016x}",
        "amount": AMOUNT,
        "currency": CURRENCY,
        "stock": 40,
        "weight": 480,
    }


def fill_shop(app: Flask) -> None:
    """Put the same goods and as many open orders into the shop, and a customer to sign in."""
    with app.app_context():
        password = accounts.new_password(PASSWORD, EMAIL)
        with database.writing():
            accounts.register(EMAIL, password, "Ada")
            for number in range(PRODUCTS):
                catalog.save(_product(number))
        with database.writing():
            _open_orders()
        db.session.remove()
        db.engine.dispose()


def _product(number: int) -> Product:
    pictures = [
        {"key": f"{number:015x}{n}", "width": 1280, "height": 960, "alt": f"Bowl, picture {n + 1}"}
        for n in range(4)
    ]
    # The open orders hold one piece each; what is left free is as in the reference.
    held = len(range(number, ORDERS, PRODUCTS))
    variant = Variant(
        sku=f"BOWL-{number}",
        unit_amount=AMOUNT,
        currency=CURRENCY,
        on_hand=40 + held,
        held=held,
    )
    return Product(
        slug=f"bowl-{number}",
        name=f"Bowl number {number}",
        summary="A bowl for soup, salad and breakfast.",
        description=ABOUT,
        images=pictures,
        is_featured=number < 8,
        position=number,
        variants=[variant],
    )


def _open_orders() -> None:
    variants = dict(db.session.execute(select(Variant.sku, Variant.id)).all())
    placed = [_order(number) for number in range(ORDERS)]
    lines = [_line(number, variants[f"BOWL-{number % PRODUCTS}"]) for number in range(ORDERS)]
    db.session.execute(insert(Order), placed)
    db.session.execute(insert(OrderLine), lines)


def _order(number: int) -> dict[str, Any]:
    return {
        "id": number + 1,
        "reference": reference(number),
        "token": orders.new_token(),
        "buyer": f"guest:{number}",
        "purchase_key": f"{number:064x}",
        "mode": "payment",
        "currency": CURRENCY,
        "amount_subtotal": AMOUNT,
        "amount_total": AMOUNT,
        "livemode": False,
        "checkout_session": session_id(number),
        "expires_at": now() + timedelta(minutes=31),
    }


def _line(number: int, variant_id: int) -> dict[str, Any]:
    return {
        "order_id": number + 1,
        "position": 0,
        "variant_id": variant_id,
        "sku": f"BOWL-{number % PRODUCTS}",
        "name": f"Bowl number {number % PRODUCTS}",
        "quantity": 1,
        "unit_amount": AMOUNT,
        "amount_total": AMOUNT,
    }


def session_id(number: int) -> str:
    """The Checkout Session of an open order, in every database of a run."""
    return f"cs_test_{number:058d}"


def reference(number: int) -> str:
    """The name under which Stripe knows the order of this session."""
    return f"ord_{number:024x}"


def check_paid(folder: Path, events: int) -> None:
    """Both databases hold this many events and as many paid orders, or the run proves nothing."""
    ours, bare = folder / "shop.sqlite", references.webhook_database(folder)
    for path, event, order in ((ours, "stripe_event", '"order"'), (bare, "event", "orders")):
        with closing(sqlite3.connect(path)) as connection:
            (stored,) = connection.execute(f"SELECT count(*) FROM {event}").fetchone()
            paid = f"SELECT count(*) FROM {order} WHERE state = 'paid'"
            (settled,) = connection.execute(paid).fetchone()
        if (stored, settled) != (events, events):
            raise RuntimeError(
                f"{path.name}: {stored} events, {settled} paid, {events} answered 200"
            )

"""The programs we compare ourselves with: each does the least that such a program can do.

`page` is the reference for a page (D): bare Flask, one entity read by Flask-SQLAlchemy, one Jinja
template. With login and form tokens it is the floor for memory (E). `webhook` is the reference for
the webhook (W): verify, parse, and one durable transaction through sqlite3.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from babel.numbers import format_currency
from flask import Flask, abort, render_template, request
from flask_login import LoginManager, UserMixin
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.libraries import load_all

SECRET = "whsec_bench_0123456789abcdef"
TOLERANCE_SECONDS = 300
SHOP = {
    "name": "Reference Pottery",
    "imprint": "12 Kiln Lane, Clayton. Prices include tax.",
    "shelves": ("bowls", "mugs", "plates", "vases", "lamps", "tiles", "gifts"),
    "pages": (
        ("about", "About"),
        ("shipping", "Shipping"),
        ("returns", "Returns"),
        ("terms", "Terms"),
        ("privacy", "Privacy"),
    ),
}


class Base(DeclarativeBase):
    """The reference's own tables; nothing of the shop's is used."""


db = SQLAlchemy(model_class=Base)


class Product(db.Model):  # type: ignore[name-defined]
    """What the reference sells: one row a product, found by its slug."""

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    sku: Mapped[str]
    name: Mapped[str]
    shelf: Mapped[str]
    about: Mapped[str]
    picture: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    stock: Mapped[int]
    weight: Mapped[int]


class Customer(UserMixin, db.Model):  # type: ignore[name-defined]
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]


def page(folder: Path) -> Flask:
    """The reference for a product page: `/products/<slug>`, with a database in `folder`."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "reference" * 4
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'reference.sqlite'}"
    app.jinja_env.filters["money"] = money
    db.init_app(app)
    with app.app_context():
        event.listen(db.engine, "connect", _set_up_sqlite)
    for rule, name in (
        ("/", "home"),
        ("/shelves/<slug>", "shelf"),
        ("/search", "search"),
        ("/sign-in", "sign_in"),
        ("/pages/<name>", "page"),
        ("/buy", "buy"),
    ):
        app.add_url_rule(rule, name, _nothing, methods=["GET", "POST"])
    app.add_url_rule("/products/<slug>", "product", show_product)
    return app


def page_with_login(folder: Path) -> Flask:
    """The same with Flask-Login, a form token and Babel's prices: the floor for memory."""
    app = page(folder)
    app.jinja_env.filters["money"] = money_by_babel
    LoginManager(app).user_loader(lambda number: db.session.get(Customer, int(number)))
    CSRFProtect(app)
    return app


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _nothing(**_given: str) -> str:
    return ""


def show_product(slug: str) -> str:
    product = db.session.scalars(db.select(Product).where(Product.slug == slug)).one_or_none()
    if product is None:
        abort(404)
    return render_template("product.html", shop=SHOP, **_context(product))


def _context(product: Product) -> dict[str, Any]:
    picture = f"https://shop.example/media/{product.picture}0-1280.webp"
    offer = {
        "@type": "Offer",
        "sku": product.sku,
        "price": product.amount / 100,
        "priceCurrency": product.currency.upper(),
        "availability": "https://schema.org/" + ("InStock" if product.stock else "OutOfStock"),
    }
    return {
        "product": product,
        "here": product.shelf,
        "summary": product.about[:150],
        "address": f"https://shop.example/products/{product.slug}",
        "picture": picture,
        "facts": (
            ("Number", product.sku),
            ("Weight", f"{product.weight} g"),
            ("Material", "Stoneware"),
            ("Care", "Any dishwasher will do"),
            ("Delivery", "Two to four days"),
        ),
        "json_ld": {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": product.name,
            "description": product.about[:300],
            "image": [picture],
            "offers": offer,
        },
    }


def money(amount: int, currency: str) -> str:
    return f"{amount // 100}.{amount % 100:02d} {currency.upper()}"


def money_by_babel(amount: int, currency: str) -> str:
    return format_currency(amount / 100, currency.upper(), locale="en")


WEBHOOK_TABLES = """
PRAGMA journal_mode=WAL;
CREATE TABLE event (id TEXT PRIMARY KEY, type TEXT, created INTEGER, payload BLOB);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, session TEXT UNIQUE, state TEXT DEFAULT 'open', amount INTEGER,
    event TEXT
);
"""


def webhook_database(folder: Path) -> Path:
    """Where the webhook's reference keeps its events and orders."""
    return folder / "webhook.sqlite"


def webhook(folder: Path) -> Flask:
    """The reference for the webhook: an event and its order, safe on the disk, or nothing."""
    app = Flask(__name__)
    path, own = webhook_database(folder), threading.local()

    @app.post("/webhooks/stripe")
    def receive() -> tuple[str, int]:
        payload = request.get_data(cache=False)
        if not _is_signed(payload, request.headers.get("Stripe-Signature", "")):
            return "not signed", 400
        if not hasattr(own, "connection"):
            own.connection = _connect(path)
        _record(own.connection, json.loads(payload), payload)
        return "", 200

    return app


def serve(name: str, folder: str) -> Flask:
    """A reference by its name, for gunicorn: in a process that loads nothing of ours."""
    if name == "page":
        load_all()
        return page_with_login(Path(folder))
    return webhook(Path(folder))


def _is_signed(payload: bytes, header: str) -> bool:
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    signed = parts.get("t", "").encode() + b"." + payload
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, parts.get("v1", "")):
        return False
    return abs(time.time() - int(parts["t"])) <= TOLERANCE_SECONDS


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _record(connection: sqlite3.Connection, told: dict[str, Any], payload: bytes) -> None:
    session = told["data"]["object"]
    connection.execute("BEGIN IMMEDIATE")
    added = connection.execute(
        "INSERT INTO event VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (told["id"], told["type"], told["created"], payload),
    )
    if added.rowcount:
        connection.execute(
            "UPDATE orders SET state = 'paid', amount = ?, event = ?"
            " WHERE session = ? AND state = 'open'",
            (session["amount_total"], told["id"], session["id"]),
        )
    connection.execute("COMMIT")

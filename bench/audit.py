"""What our pages ask of the database: statements for each, and whether any GET writes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from bench import programs
from storefront.extensions import db

GETS = (
    "/",
    programs.LIST,
    programs.PRODUCT,
    f"{programs.PRODUCT}?sku=BOWL-7&quantity=2",
    "/products/nothing",
    "/auth/login",
    "/auth/register",
    "/account",
    "/account/orders/1",
    "/orders/nothing",
    "/payment/status?sessid=cs_test_nothing",
    "/healthz",
    "/readyz",
)


def statements(app: Flask, path: str) -> int:
    """How many statements an anonymous visit to this page takes, nothing kept from before."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    app.extensions.get("kept_pages", {}).clear()
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert app.test_client().get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def writes(app: Flask, folder: Path) -> int:
    """How many GETs changed the database, of those of a visitor and of a signed-in customer."""
    visitors: tuple[dict[str, str], ...] = ({}, {"Cookie": programs.sign_in(app)})
    watcher = sqlite3.connect(folder / "shop.sqlite")
    try:
        return sum(_changes(app, watcher, path, headers) for path in GETS for headers in visitors)
    finally:
        watcher.close()


def _changes(app: Flask, watcher: sqlite3.Connection, path: str, headers: dict[str, str]) -> bool:
    # SQLite itself tells: the version moves with every commit of somebody else that wrote.
    before = watcher.execute("PRAGMA data_version").fetchone()
    app.test_client(use_cookies=False).get(path, headers=headers)
    return bool(before != watcher.execute("PRAGMA data_version").fetchone())

"""The shop for gunicorn, which copies each commit from the log into the database file at once.

Left alone, SQLite does that after a thousand pages: so all of its writes and syncs fall into few
requests, and a sweep through one of them would miss these.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from storefront import create_app
from storefront.extensions import db

app = create_app()


def copy_at_once(connection: Any, _record: object) -> None:
    """Copy after each page."""
    connection.execute("PRAGMA wal_autocheckpoint=1")


with app.app_context():
    event.listen(db.engine, "connect", copy_at_once)

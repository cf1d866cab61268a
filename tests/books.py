"""Everything in the shop's database in a form that can be compared, and put back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from storefront.extensions import db

# When and how often somebody asked or tried is no part of the books.
NO_PART = {"asked_at", "fetched_at", "attempts", "next_try_at"}


def dump(app: Flask, *, without: set[str] = frozenset()) -> dict[str, list[Any]]:  # type: ignore[assignment]
    """Every row of every table but the settings, without the columns that are no part of it."""
    with app.app_context():
        return {
            table.name: sorted(
                repr({key: row[key] for key in row if key not in NO_PART | without})
                for row in db.session.execute(select(table)).mappings()
            )
            for table in db.metadata.sorted_tables
            if table.name not in {"setting", "rate_count"} | without
        }


class Bookmark:
    """A SQLite database as it stands, to go back to."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
            self.path = Path(str(db.engine.url.database))
        self.copy = self.path.with_suffix(".kept")
        shutil.copy(self.path, self.copy)

    def go_back(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.copy, self.path)

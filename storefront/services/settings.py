"""The merchant's own settings, kept in the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from storefront.database import insert_for_conflict
from storefront.extensions import db
from storefront.models import Setting

VALUE = select(Setting.value).where(Setting.name == bindparam("name"))


def find(name: str) -> dict[str, Any] | None:
    """The value kept under this name."""
    return db.session.execute(VALUE, {"name": name}).scalar()


def keep(name: str, value: dict[str, Any]) -> None:
    """Keep a value under this name, in place of the one before."""
    add = insert_for_conflict(Setting).values(name=name, value=value)
    db.session.execute(
        add.on_conflict_do_update(index_elements=["name"], set_={"value": add.excluded.value})
    )

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


def find_moment(name: str) -> int:
    """The moment kept under this name, in seconds since 1970; 0 when there is none."""
    return int((find(name) or {}).get("at", 0))


def move_moment(name: str, to: int, *, from_before: int) -> bool:
    """Set the moment kept under this name, if it lies before another; True when it was set.

    Of any number who try at once, one wins.
    """
    add = insert_for_conflict(Setting).values(name=name, value={"at": to})
    moved = add.on_conflict_do_update(
        index_elements=["name"],
        set_={"value": add.excluded.value},
        where=Setting.value["at"].as_integer() < from_before,
    )
    return db.session.execute(moved.returning(Setting.name)).scalar() is not None

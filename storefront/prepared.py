"""Writes that every payment does, compiled once: their call would cost more than their work.

Only the building and binding of the statement is saved. Transaction and errors stay SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Dialect, UpdateBase

from storefront.extensions import db


class Compiled(NamedTuple):
    """The statement in words of the driver, and how each of its values becomes one of its own."""

    sql: str
    constants: dict[str, Any]
    places: list[tuple[str, Callable[[Any], Any] | None]]


class Prepared:
    """A write to be run by `prepared(name=value, ...)`, which returns how many rows it hit.

    It sets the columns that the values name; no default of the model is filled in. Raises KeyError
    when a value is missing, and RuntimeError outside database.writing().
    """

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, ...], Compiled] = {}

    def __call__(self, **values: Any) -> int:
        connection = db.session().info.get("writing")
        if connection is None:
            raise RuntimeError("a write outside database.writing()")
        key = (connection.dialect.name, *values)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = self._compile(connection.dialect, list(values))
        given = {**compiled.constants, **values}
        bound = [
            (name, convert(given[name]) if convert else given[name])
            for name, convert in compiled.places
        ]
        in_order = connection.dialect.positional
        told = tuple(value for _name, value in bound) if in_order else dict(bound)
        hit: int = connection.exec_driver_sql(compiled.sql, told).rowcount
        return hit

    def _compile(self, dialect: Dialect, names: list[str]) -> Compiled:
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=names)
        types = {name: bind.type for name, bind in compiled.binds.items()}
        order = compiled.positiontup if dialect.positional else list(types)
        places = [
            (name, types[name].dialect_impl(dialect).bind_processor(dialect)) for name in order
        ]
        constants = {
            name: bind.effective_value
            for name, bind in compiled.binds.items()
            if not bind.required and name not in names
        }
        return Compiled(compiled.string, constants, places)

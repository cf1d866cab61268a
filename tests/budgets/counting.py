"""Counts the SQL statements of a request, reads and writes apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import event

from storefront.extensions import db

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "TRUNCATE", "CREATE", "DROP", "ALTER")


@dataclass
class Count:
    """The statements that went to the database, in order."""

    statements: list[str] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        return [text for text in self.statements if text.lstrip().upper().startswith(WRITES)]


@contextmanager
def counting(app: Flask) -> Iterator[Count]:
    """Count what the app's engine executes inside the block, whoever asks for it."""
    count = Count()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        count.statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield count
    finally:
        event.remove(engine, "before_cursor_execute", note)

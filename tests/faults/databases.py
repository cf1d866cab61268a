"""Databases for served shops: each test module has its own, as several processes write to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def make_empty(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database of this kind without any table, on which nobody else works."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'shop.sqlite'}"
    url = make_url(request.getfixturevalue("postgres_url"))
    name = f"{url.database}_{folder.name}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)

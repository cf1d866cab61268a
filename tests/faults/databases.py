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
    url: str = request.getfixturevalue("postgres_url")
    return make_empty_postgresql(url, f"{make_url(url).database}_{folder.name}")


def make_empty_postgresql(url: str, name: str) -> str:
    """Make a database of this name, in place of any that was left, on the server of this address;
    returns its own address."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)

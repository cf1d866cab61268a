"""Runs migrations in one transaction, one process at a time, on either database.

A migration that is killed half way leaves nothing behind, and of several workers that start at once
one migrates while the others wait and then find nothing to do.
"""

from alembic import context
from sqlalchemy import text

from storefront import models  # noqa: F401  (makes the tables known)
from storefront.extensions import db
from storefront.models.columns import UtcDateTime

ONE_AT_A_TIME = 7_041_337  # any number, as long as it stays the same


def render_item(kind, item, autogen_context):
    """Write our own column type into migrations by what it is in the database."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


# `writing` takes the shop's own write lock and begins IMMEDIATE on SQLite.
with db.engine.connect().execution_options(writing=True) as connection, connection.begin():
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        transactional_ddl=True,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()

"""Two answers for machines: does the process live, and can it serve (database there, migrated)?"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storefront.extensions import db

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@cache
def newest_migration() -> str | None:
    """The revision that a database of this version must have."""
    return _migrations().get_current_head()


def known_migrations() -> frozenset[str]:
    """Every revision that this version can bring up to date."""
    return frozenset(script.revision for script in _migrations().walk_revisions())


def _migrations() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


def database_revision() -> str | None:
    """The revision the database has; None when it was never made. Raises when it is unreachable."""
    if not db.inspect(db.engine).has_table("alembic_version"):
        return None
    with db.engine.connect() as connection:
        found: str | None = connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalar()
    return found


def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


def readyz() -> tuple[Response, int]:
    """200 when pages can be served, else 503; what is wrong stands in the log, not here."""
    try:
        ready = database_revision() == newest_migration()
    except DBAPIError:
        ready = False
    return jsonify(status="ok" if ready else "not ready"), 200 if ready else 503


def init_app(app: Flask) -> None:
    """Add /healthz and /readyz."""
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)

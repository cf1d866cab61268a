"""Putting a backup back: all of it or nothing, and what was there before stays beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import func, inspect, select, text

from storefront import health
from storefront.errors import Conflict
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models.columns import now
from storefront.services import archive, database_copy
from storefront.services.pictures import write_atomically

SCRATCH = ".shop-restore-"
# Tables whose rows are nobody's loss.
UNIMPORTANT = ("setting", "rate_count")
OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@dataclass(frozen=True)
class Restored:
    """What was put back: when it was saved, its rows, and where the database of before lies."""

    at: str
    rows: dict[str, int]
    pictures: int
    kept: str | None
    has_secrets: bool


def restore(path: Path, force: bool = False) -> Restored:
    """Put the archive's pictures and database in place of what is there.

    The archive is read to its end and its database opened first. Raises Conflict when there is data
    and no `force`, or while the shop is running; BadArchive or CopyFailed for an archive
    that cannot be used. After any of them, and after a death at any moment, the database is
    entirely the old one or entirely the archive's.
    """
    _refuse_data(force)
    beside = Path(current_app.config["SHOP_INSTANCE"])
    if database_copy.is_sqlite():
        beside = database_copy.sqlite_path().parent
    with archive.scratch(beside, SCRATCH) as scratch:
        told = archive.read(path, into=scratch)
        copy = scratch / database_copy.file_name()
        _refuse_misfit(told, copy)
        pictures = _put_pictures_back(scratch / "media")
        db.session.remove()
        db.engine.dispose()
        put_back = _put_sqlite_back if database_copy.is_sqlite() else _put_postgresql_back
        kept = put_back(copy)
    has_secrets = any(name.startswith("secrets/") for name in told["files"])
    return Restored(told["at"], told["rows"], pictures, kept, has_secrets)


def _refuse_data(force: bool) -> None:
    found = {} if force else _data()
    if found:
        counts = ", ".join(f"{name}: {count}" for name, count in found.items())
        raise Conflict(
            _(
                "There is data in the database (%(counts)s). To put the backup in its place, add "
                "--force; what is there now will be kept beside it.",
                counts=counts,
            )
        )


def _data() -> dict[str, int]:
    """How many rows there are in the tables that matter, where there are any."""
    if database_copy.is_sqlite() and not database_copy.sqlite_path().exists():
        return {}
    there = set(inspect(db.engine).get_table_names())
    tables = [table for table in db.metadata.sorted_tables if table.name in there]
    counts = {
        table.name: db.session.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables
        if table.name not in UNIMPORTANT
    }
    return {name: count for name, count in counts.items() if count}


def _refuse_misfit(told: dict[str, Any], copy: Path) -> None:
    """Raise BadArchive for a database of another kind or of a newer version of the shop."""
    if not copy.exists():
        raise archive.BadArchive(
            _(
                "The backup is of another kind of database (%(kind)s) than DATABASE_URL names.",
                kind=told["database"],
            )
        )
    if told["revision"] not in health.known_migrations():
        raise archive.BadArchive(
            _("The backup was written by a newer version of the shop. Update the shop first.")
        )
    database_copy.check(copy, told["rows"])


def _put_pictures_back(folder: Path) -> int:
    """Pictures come first: one that no row names yet harms nobody."""
    target = Path(current_app.config["MEDIA_FOLDER"])
    pictures = sorted(folder.glob("*"))
    for picture in pictures:
        content = picture.read_bytes()
        there = target / picture.name
        if not there.exists() or there.read_bytes() != content:
            write_atomically(there, content)
    if pictures:
        archive.sync_folder(target)
    return len(pictures)


def _put_sqlite_back(copy: Path) -> str | None:
    """Swap the files by one rename; the old database, its log folded in, keeps a name beside it."""
    path = database_copy.sqlite_path()
    kept = None
    if path.exists():
        kept = path.with_name(f"{path.name}.before-{now():%Y%m%dT%H%M%SZ}")
        _fold_log_in(path, kept)
        _keep(path, kept)
    os.replace(copy, path)
    archive.sync_folder(path.parent)
    return str(kept) if kept else None


def _fold_log_in(path: Path, kept: Path) -> None:
    """Make the database one file. SQLite allows that only to the last one who has it open."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as old:
            old.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise _running() from error
    except sqlite3.DatabaseError:
        pass  # damaged: it is kept as it is
    # A log that is left must not be taken for the log of the database that comes.
    for ending in ("-wal", "-shm"):
        if (log := path.with_name(path.name + ending)).exists():
            os.replace(log, kept.with_name(kept.name + ending))


def _running() -> Conflict:
    return Conflict(
        _("The shop is running: its database is in use. Stop the shop and `work`, then repeat.")
    )


def _keep(path: Path, kept: Path) -> None:
    """Give the old database a second name, so that the first is never without a database."""
    try:
        os.link(path, kept)
    except OSError:  # a file system without links
        shutil.copyfile(path, kept)
    os.chmod(kept, 0o600)
    archive.sync_folder(path.parent)


def _put_postgresql_back(copy: Path) -> str | None:
    """Move what is there to a schema of its own and fill a new one, in a single transaction."""
    script = copy.with_suffix(".sql")
    database_copy.write_script(copy, script)
    with db.engine.connect() as connection:
        tables = inspect(connection).get_table_names(schema="public")
        has_public = connection.execute(text("SELECT to_regnamespace('public')")).scalar()
        if connection.execute(OTHERS).scalar():
            raise _running()
    kept = f"{database_copy.KEPT_SCHEMA}{now():%Y%m%dt%H%M%Sz}" if tables else None
    steps = [f"ALTER SCHEMA public RENAME TO {kept}"] if kept else []
    steps += ["CREATE SCHEMA public"] if kept or not has_public else []
    database_copy.run_tool(
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        *(f"--command={step}" for step in ["SET lock_timeout = '10s'", *steps]),
        f"--file={script}",
    )
    return f"the schema {kept}" if kept else None

"""Where everything is kept: the database, the disk below it, and the last backup."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storefront import health
from storefront.database import BUSY_SECONDS
from storefront.extensions import db
from storefront.fitness.finding import Finding, fail, lasting, ok, warn
from storefront.i18n import gettext as _
from storefront.models.columns import now
from storefront.services import backup, settings

MOUNTS = Path("/proc/mounts")
# File systems on which SQLite's locks or its shared memory cannot be relied on.
REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "fuse.rclone"}
PASSING = {"tmpfs", "ramfs", "overlay"}
LITTLE_SPACE, NO_SPACE = 1024**3, 100 * 1024**2
OLD_BACKUP = timedelta(days=2)


def check() -> Iterator[Finding]:
    """The database first: without it, the rest of the shop's memory cannot be asked."""
    if _is_missing():
        yield _not_made()
        yield _space()
        return
    try:
        yield _migrated()
        yield from _sqlite() if db.engine.dialect.name == "sqlite" else _postgresql()
    except DBAPIError as error:
        yield _unreachable(error)
    yield _space()


def _is_missing() -> bool:
    """Asked first, since looking into a SQLite file that is not there would make it."""
    return db.engine.dialect.name == "sqlite" and not Path(str(db.engine.url.database)).exists()


def _not_made() -> Finding:
    return fail("database", _("The database has not been made."), "flask shop init")


def _migrated() -> Finding:
    revision = health.database_revision()
    if revision == health.newest_migration():
        return ok("database", _("The database answers and is up to date."))
    mend = _("Stop the shop, make a backup, then run: flask shop init")
    if revision is None:
        return _not_made()
    if revision not in health.known_migrations():
        found = _("The database is of a newer version of the shop.")
        return fail("database", found, _("Update the shop to the version that wrote it."))
    return fail("database", _("The database is of an older version of the shop."), mend)


def _unreachable(error: DBAPIError) -> Finding:
    mend = _("Check DATABASE_URL, and that the database runs and lets this shop in.")
    found = _("The database cannot be used: %(error)s", error=str(error.orig).splitlines()[0])
    return fail("database", found, mend)


def _sqlite() -> Iterator[Finding]:
    path = Path(str(db.engine.url.database)).resolve()
    with db.engine.connect() as connection:
        journal = connection.execute(text("PRAGMA journal_mode")).scalar()
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar()
    if (journal, synchronous) == ("wal", 2):
        yield ok("journal", _("What is written survives a power cut (WAL, synchronous FULL)."))
    else:
        found = _("The database keeps no write-ahead log on this disk.")
        yield fail("journal", found, _("Move the instance folder to a local disk."))
    yield _writable(path)
    yield where(path, MOUNTS.read_text() if MOUNTS.exists() else "")


def _writable(path: Path) -> Finding:
    try:
        # Nothing is written: the transaction ends with its connection.
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("PRAGMA user_version=0")
    except sqlite3.OperationalError as error:
        found = _("Nothing can be written to the database: %(error)s.", error=error)
        mend = _("Let the shop's user write to %(folder)s and what is in it.", folder=path.parent)
        return fail("writable", found, mend)
    return ok("writable", _("The database can be written to."))


def where(path: Path, mounts: str) -> Finding:
    """Which file system the database lies on, by a table of mounts like /proc/mounts."""
    found: tuple[str, str] = ("", "")
    for line in mounts.splitlines():
        _device, point, kind, *_rest = [*line.split(), "", "", ""]
        point = point.replace("\\040", " ")
        if point and path.is_relative_to(point) and len(point) >= len(found[0]):
            found = point, kind
    kind = found[1]
    mend = _("Set SHOP_INSTANCE in .env to a folder on a local disk, and move everything there.")
    if kind in REMOTE:
        told = _("The database lies on a network disk (%(kind)s): it may break.", kind=kind)
        return fail("disk", told, mend)
    if kind in PASSING:
        told = _("The database lies on a disk that does not last (%(kind)s).", kind=kind)
        return warn("disk", told, _("In a container, put the instance folder on a volume."))
    return ok("disk", _("The database lies on a local disk (%(kind)s).", kind=kind or "?"))


def _postgresql() -> Iterator[Finding]:
    with db.engine.connect() as connection:
        read_only = connection.execute(text("SHOW transaction_read_only")).scalar()
        flushing = connection.execute(text("SHOW fsync")).scalar()
    if read_only == "on":
        mend = _("Point DATABASE_URL at the primary, not at a standby.")
        yield fail("writable", _("The database can only be read."), mend)
    else:
        yield ok("writable", _("The database can be written to."))
    if flushing != "on":
        mend = _("Set fsync = on in postgresql.conf and restart PostgreSQL.")
        yield fail("journal", _("A power cut can destroy the database (fsync is off)."), mend)


def _space() -> Finding:
    folder = current_app.config["SHOP_INSTANCE"]
    free = shutil.disk_usage(folder).free
    told = _("%(size)s MB are free on the disk of %(folder)s.", size=free // 2**20, folder=folder)
    mend = _("Remove what is not needed, old backups first, or take a larger disk.")
    if free < NO_SPACE or not os.access(folder, os.W_OK):
        return fail("space", told, mend)
    return warn("space", told, mend) if free < LITTLE_SPACE else ok("space", told)


def check_backup() -> Iterator[Finding]:
    """How old the last backup is, and whether it is still there."""
    at = settings.find_moment(backup.MARK)
    mend = _("Make one, and let cron make one each night: flask shop backup --to FOLDER")
    if not at:
        yield warn("backup", _("There is no backup yet."), mend)
        return
    age = now() - datetime.fromtimestamp(at, UTC)
    told = _("The last backup is %(age)s old.", age=lasting(age))
    path = (settings.find(backup.MARK) or {}).get("path", "")
    if age > OLD_BACKUP:
        yield warn("backup", told, mend)
    elif not Path(path).exists():
        found = _("The last backup is no longer where it was: %(path)s.", path=path)
        yield warn("backup", found, _("Fine if you moved it. Else: flask shop backup"))
    else:
        yield ok("backup", told)

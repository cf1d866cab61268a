"""A consistent copy of the whole database in one file, taken while others write, and its check."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, func, select, text

from storefront.errors import ShopError
from storefront.extensions import db
from storefront.i18n import gettext as _

KEPT_SCHEMA = "before_restore_"  # where a restore on PostgreSQL puts what was there
COPY = re.compile(rb'COPY public\."?(\w+)"? \(.*\) FROM stdin;\n')


class CopyFailed(ShopError):
    """The database could not be copied or put back; the message says why and what to do."""

    status = 500
    code = "copy_failed"


def file_name() -> str:
    """What the copy is called in an archive: it says which kind of database it is of."""
    return "database.sqlite" if is_sqlite() else "database.pgdump"


def is_sqlite() -> bool:
    """Whether the shop's database is a SQLite file."""
    return db.engine.dialect.name == "sqlite"


def take(target: Path) -> dict[str, int]:
    """Copy the database as it is in one moment to a new file; return the rows in each table.

    Nobody who writes has to wait. The copy is whole and readable when this returns.
    """
    return _take_sqlite(target) if is_sqlite() else _take_postgresql(target)


def check(copy: Path, rows: dict[str, int]) -> None:
    """Raise CopyFailed unless the copy opens, is sound, and has these rows."""
    counted = (_count_sqlite if copy.suffix == ".sqlite" else _count_postgresql)(copy)
    if counted != rows:
        raise CopyFailed(_("The copy of the database does not have the rows it should have."))


def sqlite_path() -> Path:
    """Where the shop's SQLite file lies."""
    return Path(str(db.engine.url.database)).resolve()


def _take_sqlite(target: Path) -> dict[str, int]:
    # One step copies one snapshot; in WAL a reader stops no writer, however long it takes.
    address = f"{sqlite_path().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(address, uri=True)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    os.chmod(target, 0o600)
    return _count_sqlite(target)


def _count_sqlite(copy: Path) -> dict[str, int]:
    """Rows by table of a sound database; raises CopyFailed for another."""
    try:
        with closing(sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro", uri=True)) as database:
            faults = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
            faults += [f"{row[0]} lacks {row[2]}" for row in _dangling(database)]
            if faults != ["ok"]:
                raise CopyFailed(_("The database is damaged: %(faults)s", faults="; ".join(faults)))
            tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '%s'"
            names = [row[0] for row in database.execute(tables % "sqlite_*")]
            count = 'SELECT count(*) FROM "{}"'
            return {name: database.execute(count.format(name)).fetchone()[0] for name in names}
    except sqlite3.DatabaseError as error:
        raise CopyFailed(_("The database is damaged: %(faults)s", faults=str(error))) from error


def _dangling(database: sqlite3.Connection) -> list[tuple[str, int, str, int]]:
    return database.execute("PRAGMA foreign_key_check").fetchmany(3)


def _take_postgresql(target: Path) -> dict[str, int]:
    # The rows are counted in the very snapshot that pg_dump copies.
    engine = db.engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        snapshot = connection.execute(select(func.pg_export_snapshot())).scalar_one()
        names = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        count = 'SELECT count(*) FROM public."{}"'
        rows = {
            name: connection.execute(text(count.format(name))).scalar_one() for name in list(names)
        }
        run_tool(
            "pg_dump",
            f"--snapshot={snapshot}",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--exclude-schema={KEPT_SCHEMA}*",
            f"--file={target}",
        )
    os.chmod(target, 0o600)
    return rows


def _count_postgresql(copy: Path) -> dict[str, int]:
    """Rows by table; reads every byte of the dump, so that a damaged one is found."""
    tool = find_tool("pg_restore")
    command = [tool, "--file=-", str(copy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        rows = dict(_copied_rows(iter(process.stdout.readline, b"")))
        said = process.stderr.read().decode(errors="replace")
    if process.returncode:
        raise CopyFailed(_("The copy of the database is damaged: %(said)s", said=said.strip()))
    return rows


def _copied_rows(script: Iterator[bytes]) -> Iterator[tuple[str, int]]:
    for line in script:
        found = COPY.fullmatch(line)
        if found:
            rows = 0
            while next(script, b"\\.\n") != b"\\.\n":
                rows += 1
            yield found[1].decode(), rows


def find_tool(name: str) -> str:
    """One of PostgreSQL's own programs. Raises CopyFailed, with what to install."""
    by_version = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(by_version[-1]) if by_version else None)
    if found is None:
        raise CopyFailed(
            _(
                "%(name)s is not installed, and only it can copy a PostgreSQL database. "
                "Install PostgreSQL's client programs, for example: "
                "apt-get install postgresql-client",
                name=name,
            )
        )
    return found


def run_tool(name: str, *options: str) -> None:
    """Run one of PostgreSQL's programs on the shop's database. Raises CopyFailed with its words."""
    address, secret = address_for_tools(db.engine.url)
    _run([find_tool(name), f"--dbname={address}", *options], os.environ | secret)


def address_for_tools(url: URL) -> tuple[str, dict[str, str]]:
    """The database's address as PostgreSQL's own programs know it, and the password apart from it.

    Everybody on the machine can read a command line, and only we our environment.
    """
    bare = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    ).render_as_string()
    return bare, {"PGPASSWORD": str(url.password)} if url.password else {}


def write_script(copy: Path, script: Path) -> None:
    """Unpack a PostgreSQL copy to the SQL that makes its tables anew."""
    tool = find_tool("pg_restore")
    _run([tool, "--no-owner", "--no-privileges", f"--file={script}", str(copy)], dict(os.environ))


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise CopyFailed(f"{Path(command[0]).name}: {done.stderr.strip()}")

"""The one clock of the sandbox: real time plus an offset in the database, so it can be moved."""

import sqlite3
import time

from storefront.sandbox.errors import invalid

SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ahead INTEGER NOT NULL
);
INSERT OR IGNORE INTO clock (id, ahead) VALUES (1, 0);
"""


def now(connection: sqlite3.Connection) -> int:
    """Return the sandbox's time in whole seconds since 1970, UTC."""
    row = connection.execute("SELECT ahead FROM clock").fetchone()
    return int(time.time()) + int(row[0])


def advance(connection: sqlite3.Connection, seconds: int) -> None:
    """Move the clock forward by whole seconds; raise ApiError for a step back."""
    if seconds < 0:
        raise invalid("The sandbox's clock only moves forward.", "seconds")
    connection.execute("UPDATE clock SET ahead = ahead + ?", (seconds,))

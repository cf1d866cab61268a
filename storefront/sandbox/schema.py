"""The tables of the sandbox's file; what each is for is said by the module that uses it."""

from storefront.sandbox import clock

SCHEMA = (
    clock.SCHEMA
    + """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    created INTEGER NOT NULL,
    due_at INTEGER,
    data TEXT NOT NULL,
    hidden TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_type ON objects (type, seq);
CREATE INDEX IF NOT EXISTS objects_due ON objects (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL REFERENCES objects (id),
    event_type TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'sending', 'delivered', 'failed', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    claim TEXT,
    claimed_at REAL,
    status INTEGER,
    answer TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at, id);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created INTEGER NOT NULL,
    claim TEXT NOT NULL,
    claimed_at REAL NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (key, path)
);
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fault TEXT NOT NULL,
    path TEXT NOT NULL,
    remaining INTEGER NOT NULL,
    seconds REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dial (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    positions TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS draws (thing TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fates (
    delivery INTEGER PRIMARY KEY,
    luck TEXT NOT NULL,
    overtaken INTEGER NOT NULL
);
"""
)
TABLES = (
    "objects",
    "deliveries",
    "idempotency",
    "faults",
    "switches",
    "clock",
    "dial",
    "draws",
    "fates",
)

"""The stage for most tests: a shop on each database, beside a sandbox that it takes for Stripe.

The real SDK talks to the sandbox in process; what the two say to each other is recorded and judged
after each test against Stripe's own types.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from storefront import create_app, stripe_gateway
from storefront.extensions import db
from storefront.sandbox import (
    InProcessClient,
    close,
    create_sandbox,
    ensure_webhook_endpoint,
    mount,
)
from storefront.services import accounts
from storefront.webhooks.handlers import HANDLERS
from tests.contract.recording import RecordingClient
from tests.stage import SHOP_URL, WEBHOOK_SECRET, Stage, deliver_to

SETTINGS: dict[str, Any] = {
    "TESTING": True,
    "SECRET_KEY": "tests-only-Kq2v9Zr4Xw7Yb1Nc8Md5Lf3Hg6Js0Pt",
    "SHOP_URL": SHOP_URL,
    "SHOP_NAME": "Test Pottery",
    "STRIPE_SECRET_KEY": "sk_test_0123456789abcdef",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_0123456789abcdef",
    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "STRIPE_JS_URL": "/sandbox/stripe.js",
    "LOG_LEVEL": "ERROR",
}


class CompiledTemplates(BytecodeCache):
    """Lets the apps of all tests share what was compiled: a third of the time of a test is this."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key + bucket.checksum in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key + bucket.checksum])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


def require(found: Any, what: str) -> None:
    """Skip a test at a desk that lacks a tool; in CI the lack is a failure."""
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Few tests that take long come first, so that no processor waits for the other at the end."""
    items.sort(key=lambda item: item.path.parent.name != "faults")


@pytest.fixture(scope="session")
def worker(worker_id: str) -> str:
    """Names what each process of a test run has for itself; a suffix keeps two runs apart."""
    return worker_id + os.environ.get("PYTEST_DB_SUFFIX", "")


@pytest.fixture(scope="session")
def postgres_url(worker: str) -> str:
    """A database of this worker's own on the server that TEST_POSTGRES_URL names."""
    base = os.environ.get("TEST_POSTGRES_URL", "")
    require(base, "no PostgreSQL: set TEST_POSTGRES_URL=postgresql://user@host/name to test on it")
    url = make_url(base.replace("postgres://", "postgresql://")).set(
        drivername="postgresql+psycopg"
    )
    name = f"storefront_test_{worker}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
        # The server is never killed in a test, so its commits need not wait for the disk.
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit TO off"))
    engine.dispose()
    made = url.set(database=name).render_as_string(hide_password=False)
    _migrate(made)
    return made


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database to copy for each test."""
    path = tmp_path_factory.mktemp("template") / "shop.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    app = create_app(SETTINGS | {"DATABASE_URL": url, "SHOP_INSTANCE": "/tmp/storefront-tests"})
    result = app.test_cli_runner().invoke(args=["shop", "init"])
    assert result.exit_code == 0, result.output
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database: each test that uses it runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "shop.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgres_url")
    _empty(url)
    return url


def _empty(url: str) -> None:
    """Delete all rows; TRUNCATE takes twenty times as long for tables this small."""
    engine = create_engine(url)
    tables = list(reversed(db.metadata.sorted_tables))
    emptied = [f'DELETE FROM "{table.name}"' for table in tables]
    restarted = [f"ALTER SEQUENCE IF EXISTS {table.name}_id_seq RESTART" for table in tables]
    with engine.begin() as connection:
        connection.exec_driver_sql("; ".join(emptied + restarted))
    engine.dispose()


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings a test module may override to change its app."""
    return {}


@pytest.fixture
def app(database_url: str, tmp_path: Path, settings: dict[str, Any]) -> Iterator[Flask]:
    """The shop, with a sandbox for its Stripe."""
    own = {"DATABASE_URL": database_url, "SHOP_INSTANCE": str(tmp_path / "instance")}
    app = create_app(SETTINGS | own | settings)
    app.jinja_env.bytecode_cache = COMPILED
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def sandbox(app: Flask, tmp_path: Path) -> Iterator[Flask]:
    """The local Stripe: it delivers in process, and only when told to or when a buyer pays."""
    sandbox = create_sandbox(
        tmp_path / "sandbox.sqlite",
        f"{SHOP_URL}/sandbox",
        deliver=deliver_to(app),
        background=False,
    )
    sandbox.jinja_env.bytecode_cache = COMPILED
    ensure_webhook_endpoint(
        sandbox,
        f"{SHOP_URL}/webhooks/stripe",
        WEBHOOK_SECRET,
        sorted(HANDLERS),
        stripe_gateway.API_VERSION,
    )
    yield sandbox
    close(sandbox)


@pytest.fixture
def recorder(app: Flask, sandbox: Flask) -> Iterator[RecordingClient]:
    """Everything the shop asks of Stripe in a test, checked against Stripe's types afterwards."""
    recorder = RecordingClient(InProcessClient(sandbox))
    recorder._sleep_time_seconds = lambda _retry: 0.001  # type: ignore[method-assign] # only pauses
    stripe_gateway.use(app, recorder, f"{SHOP_URL}/sandbox")
    mount(app, sandbox)
    yield recorder
    assert recorder.problems() == []


@pytest.fixture
def stage(
    app: Flask, sandbox: Flask, recorder: RecordingClient, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """Shop, sandbox and a few goods, with the verbs that tests are written in."""
    monkeypatch.setattr(accounts, "HASH_METHOD", "scrypt:256:8:1")  # tests/auth tries the real one
    stage = Stage(app, sandbox, recorder)
    stage.stock_shelf()
    yield stage
    stage.check_stock()

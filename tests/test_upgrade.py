"""A shop between two versions: an upgrade that broke off, and what comes in meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import make_url

from storefront import create_app
from storefront.extensions import db
from tests.conftest import SETTINGS
from tests.stage import sign
from tests.webhooks.posting import HOOK, body_of
from tests.webhooks.telling import invented


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def unmade(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """A shop whose database has no tables yet."""
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    if request.param == "postgresql":
        url = _new_database(request.getfixturevalue("postgres_url"))
    own = {"DATABASE_URL": url, "SHOP_INSTANCE": str(tmp_path / "instance")}
    app = create_app(SETTINGS | own)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _new_database(beside: str) -> str:
    url = make_url(beside)
    made = url.set(database=f"{url.database}_upgrade")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {made.database} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {made.database}"))
    engine.dispose()
    return made.render_as_string(hide_password=False)


def init(app: Flask) -> Any:
    return app.test_cli_runner().invoke(args=["shop", "init"])


@pytest.mark.parametrize("last", ["order_line", "stripe_event", "alembic_version"])
def test_an_upgrade_that_broke_off_is_made_good_by_the_next(unmade: Flask, last: str) -> None:
    def break_off(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if last in statement and statement.lstrip().startswith(("CREATE TABLE", "INSERT")):
            raise KeyboardInterrupt

    with unmade.app_context():
        engine = db.engine
    event.listen(engine, "after_cursor_execute", break_off)
    broken = init(unmade)
    event.remove(engine, "after_cursor_execute", break_off)
    assert broken.exit_code != 0

    again = init(unmade)
    assert again.exit_code == 0, again.output
    with unmade.app_context():
        assert set(db.metadata.tables) <= set(inspect(db.engine).get_table_names())
    assert unmade.test_client().get("/readyz").status_code == 200


def test_what_stripe_tells_a_shop_without_its_tables_is_told_again(unmade: Flask) -> None:
    body = body_of(invented("ping.unknown"))
    header = {"Stripe-Signature": sign(body)}
    early = unmade.test_client().post(HOOK, data=body, headers=header)
    assert early.status_code == 503  # so that Stripe keeps it, and delivers again
    assert init(unmade).exit_code == 0
    assert unmade.test_client().post(HOOK, data=body, headers=header).status_code == 200

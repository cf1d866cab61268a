"""/healthz and /readyz: does the process live, can it serve; and not a word more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from storefront import create_app, database, health
from storefront.extensions import db
from tests.conftest import SETTINGS


def make(tmp_path: Path, url: str) -> Flask:
    return create_app(SETTINGS | {"DATABASE_URL": url, "SHOP_INSTANCE": str(tmp_path / "other")})


def ask(app: Flask, path: str = "/readyz") -> tuple[int, Any]:
    answer = app.test_client().get(path)
    return answer.status_code, answer.json


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_shop_that_serves_says_ok(app: Flask, path: str) -> None:
    assert ask(app, path) == (200, {"status": "ok"})


def test_an_unmigrated_database_is_not_ready(app: Flask) -> None:
    with app.app_context(), database.writing():
        db.session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        assert ask(app) == (503, {"status": "not ready"})
        assert ask(app, "/healthz") == (200, {"status": "ok"})
    finally:
        with app.app_context(), database.writing():
            newest = {"newest": health.newest_migration()}
            db.session.execute(text("UPDATE alembic_version SET version_num = :newest"), newest)


@pytest.mark.parametrize("name", ["empty.sqlite", "no/such/folder/shop.sqlite"])
def test_a_database_that_was_never_made_is_not_ready(tmp_path: Path, name: str) -> None:
    app = make(tmp_path, f"sqlite:///{tmp_path / name}")
    assert ask(app) == (503, {"status": "not ready"})
    assert ask(app, "/healthz") == (200, {"status": "ok"})


def test_a_server_that_is_away_is_not_ready(tmp_path: Path) -> None:
    app = make(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    assert ask(app) == (503, {"status": "not ready"})


def test_probes_need_not_know_the_shops_name(app: Flask) -> None:
    answer = app.test_client().get("/readyz", headers={"Host": "10.0.0.7:8000"})
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})

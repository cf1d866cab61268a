"""A browser, and password hashes that cost little and are counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from storefront import create_app
from storefront.extensions import db
from storefront.services import accounts
from tests.auth.people import Browser

QUICK = "scrypt:256:8:1"


class Hashes:
    """How many password hashes were computed."""

    count = 0


@pytest.fixture(autouse=True)
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    counted = Hashes()

    def count(work):
        def counting(*args, **kwargs):
            counted.count += 1
            return work(*args, **kwargs)

        return counting

    monkeypatch.setattr(accounts, "HASH_METHOD", QUICK)
    monkeypatch.setattr(accounts, "DECOY_HASH", accounts.generate_password_hash("?", method=QUICK))
    for name in ("generate_password_hash", "check_password_hash"):
        monkeypatch.setattr(accounts, name, count(getattr(accounts, name)))
    return counted


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def another_worker(app: Flask) -> Iterator[Flask]:
    """A second process of the shop on the same database, as gunicorn would start it."""
    names = ("TESTING", "SECRET_KEY", "DATABASE_URL", "SHOP_INSTANCE", "SHOP_URL")
    other = create_app({name: app.config[name] for name in names})
    yield other
    with other.app_context():
        db.engine.dispose()

"""A shop with trial routes, and a client of it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.security.trial import trial_routes


@pytest.fixture(params=["sqlite"])
def database_url(tmp_path, sqlite_template, request):
    """These checks come before any database."""
    path = tmp_path / "shop.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def app(app: Flask) -> Flask:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_blueprint(trial_routes())
    return app


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()

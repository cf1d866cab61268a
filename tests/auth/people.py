"""People with accounts and their browsers, for the tests of accounts and request checks."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from storefront.database import writing
from storefront.extensions import db
from storefront.models.user import User
from storefront.services import accounts

EMAIL = "ada@example.com"
PASSWORD = "four violet kettles 7"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def make_user(
    app: Flask, email: str = EMAIL, password: str = PASSWORD, role: str = "customer"
) -> int:
    """An account; returns its id."""
    with app.app_context():
        prepared = accounts.new_password(password, email)
        with writing():
            user = accounts.register(email, prepared)
            assert user is not None
            user.role = role
        return user.id


def count_users(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(User)) or 0


class Browser:
    """A test client that sends forms as a person does: with the token of the page."""

    def __init__(self, app: Flask, address: str = "127.0.0.1") -> None:
        self.client = app.test_client()
        self.client.environ_base = {**self.client.environ_base, "REMOTE_ADDR": address}

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def token(self) -> str:
        """The token in this browser's pages at the moment."""
        return token_in(self.get("/auth/register"))

    def send(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **fields})

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD, **more: str) -> TestResponse:
        return self.send("/auth/login", email=email, password=password, **more)

    def is_signed_in(self) -> bool:
        return self.get("/auth/change-password").status_code == 200

    def cookie(self) -> str:
        cookie = self.client.get_cookie("session")
        return cookie.value if cookie else ""

    def take_cookie(self, value: str) -> None:
        self.client.set_cookie("session", value)

    def session(self) -> dict[str, Any]:
        with self.client.session_transaction() as session:
            return dict(session)


def token_in(response: TestResponse) -> str:
    found = TOKEN.search(response.text)
    assert found, "the page carries no token"
    return found.group(1)

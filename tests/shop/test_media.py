"""GET /media/<name>: stored pictures, and no other file."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.payments.interventions import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def shop(app: Flask) -> Flask:
    media = Path(app.config["MEDIA_FOLDER"])
    media.mkdir(parents=True)
    (media / "a1-320.webp").write_bytes(b"RIFF....WEBP")
    (media.parent / "secrets").write_text("SECRET_KEY=canary")
    return app


def test_a_picture_may_be_kept_for_ever(shop: Flask) -> None:
    answer = shop.test_client().get("/media/a1-320.webp", buffered=True)
    assert (answer.status_code, answer.data) == (200, b"RIFF....WEBP")
    assert answer.mimetype == "image/webp"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "name",
    ["nope.webp", "..%2fsecrets", "../secrets", "%2e%2e%2fsecrets", "..%5csecrets", "/etc/passwd"],
)
def test_no_other_file_is_given_out(shop: Flask, name: str) -> None:
    answer = shop.test_client().get(f"/media/{name}")
    assert answer.status_code in (404, 308)
    assert b"canary" not in answer.data


def test_a_missing_picture_is_not_kept(shop: Flask) -> None:
    assert "immutable" not in shop.test_client().get("/media/no.webp").headers.get(
        "Cache-Control", ""
    )

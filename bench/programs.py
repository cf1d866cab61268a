"""Every program of a run by its name, with the requests it is measured by."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from flask import Flask

from bench import events, goods, references
from storefront import config, create_app

Environ = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = f"/products/{goods.SLUG}"
LIST = "/products"


@dataclass
class Program:
    """A WSGI app, the next request to it, and what is done before each one."""

    app: Any
    requests: Iterator[Environ]
    expected: str = "200"
    before_each: Callable[[], object] = field(default=lambda: None)


def settings(folder: Path) -> dict[str, Any]:
    """The settings of our shop in a run: those of a real one, logs included, on a test key."""
    return {
        "SECRET_KEY": "bench-only-Kq2v9Zr4Xw7Yb1Nc8Md5Lf3Hg6Js0Pt",
        "SHOP_INSTANCE": str(folder / "instance"),
        "DATABASE_URL": f"sqlite:///{folder / 'shop.sqlite'}",
        "SHOP_URL": "http://localhost",
        "SHOP_NAME": "Bench Pottery",
        "STRIPE_SECRET_KEY": "sk_test_0123456789abcdef",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_0123456789abcdef",
        "STRIPE_WEBHOOK_SECRET": references.SECRET,
    }


def shop(folder: Path, **changes: Any) -> Flask:
    """Our shop on the database of this run."""
    return create_app(settings(folder) | changes)


def load(name: str, folder: Path) -> Program:
    """The program of this name, ready to be called."""
    return PROGRAMS[name](folder)


def serve(folder: str) -> Flask:
    """Our shop, for gunicorn."""
    return shop(Path(folder))


def child_environment() -> dict[str, str]:
    """The environment of every process of a run: no setting of a real shop reaches it."""
    kept = {name: value for name, value in os.environ.items() if name not in config.NAMES}
    return kept | {"PYTHONPATH": str(ROOT)}


def _reference_page(folder: Path) -> Program:
    return Program(references.page(folder), _gets(PRODUCT))


def _kept(path: str) -> Callable[[Path], Program]:
    return lambda folder: Program(shop(folder), _gets(path))


def _first(path: str) -> Callable[[Path], Program]:
    """Our page as after a change to what it shows: nothing kept is of use."""

    def load(folder: Path) -> Program:
        app = shop(folder)
        kept: dict[str, Any] = app.extensions.setdefault("kept_pages", {})
        return Program(app, _gets(path), before_each=kept.clear)

    return load


def _unchanged(folder: Path) -> Program:
    app = shop(folder)
    etag = app.test_client().get(PRODUCT).headers["ETag"]
    return Program(app, _gets(PRODUCT, HTTP_IF_NONE_MATCH=etag), expected="304")


def _signed_in(folder: Path) -> Program:
    app = shop(folder)
    return Program(app, _gets(PRODUCT, HTTP_COOKIE=sign_in(app)))


def sign_in(app: Flask) -> str:
    """The Cookie of a customer who has just signed in by the form."""
    client = app.test_client()
    form = client.get("/auth/login").text
    token = form.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"email": goods.EMAIL, "password": goods.PASSWORD, "csrf_token": token}
    answer = client.post("/auth/login", data=fields)
    assert answer.status_code == 303, answer.text
    cookies = SimpleCookie("; ".join(answer.headers.getlist("Set-Cookie")))
    return f"session={cookies['session'].value}"


PROGRAMS: dict[str, Callable[[Path], Program]] = {
    "reference page": _reference_page,
    "product": _kept(PRODUCT),
    "product, first": _first(PRODUCT),
    "product, unchanged": _unchanged,
    "product, signed in": _signed_in,
    "list": _kept(LIST),
    "list, first": _first(LIST),
}


def environ(path: str, **changes: Any) -> Environ:
    """One request as a server hands it over."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    } | changes


def _gets(path: str, **changes: Any) -> Iterator[Environ]:
    while True:
        yield environ(path, **changes)


def webhooks(folder: Path) -> Iterator[Environ]:
    """A signed event for each open order, once."""
    template = json.loads((folder / "event.json").read_text())
    for number in range(goods.ORDERS):
        payload, signature = events.signed(template, number)
        yield environ(
            "/webhooks/stripe",
            REQUEST_METHOD="POST",
            CONTENT_TYPE="application/json; charset=utf-8",
            CONTENT_LENGTH=str(len(payload)),
            HTTP_STRIPE_SIGNATURE=signature,
            **{"wsgi.input": io.BytesIO(payload)},
        )

"""The shop for gunicorn, made to die where a request says: `X-Die-At: 5` is its fifth step.

A step is each write and each commit that is about to go to its database, each call to Stripe before
it leaves and after its answer, and the answer to the visitor. (Reading changes nothing: a death
there is that at the next step.) The process ends as by kill -9: nothing is rolled back, closed or
said.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from sqlalchemy import event

from storefront import create_app, stripe_gateway
from storefront.extensions import db


class Countdown(threading.local):
    """How many steps this thread's request has left; 0 when it may live."""

    left = 0


countdown = Countdown()


def step(*_args: Any, **_options: Any) -> None:
    """Die when this is the chosen step."""
    if countdown.left:
        countdown.left -= 1
        if not countdown.left:
            os._exit(70)


def step_of_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    """Count what writes."""
    if not statement.lstrip().startswith("SELECT"):
        step()


def make_mortal(app: Flask) -> Flask:
    """Count the steps of each request that carries the header."""
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", step_of_statement)
        event.listen(db.engine, "commit", step)
    asked: dict[str, Callable[..., Any]] = {
        name: getattr(stripe_gateway, name)
        for name in ("create_checkout_session", "get_checkout_session", "expire_checkout_session")
    }
    for name, call in asked.items():
        setattr(stripe_gateway, name, _between_steps(call))
    app.wsgi_app = _counting(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _between_steps(call: Callable[..., Any]) -> Callable[..., Any]:
    def asking(*args: Any) -> Any:
        step()
        answer = call(*args)
        step()
        return answer

    return asking


def _counting(wsgi_app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def counted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        countdown.left = int(environ.get("HTTP_X_DIE_AT", "0"))
        answer = wsgi_app(environ, start_response)
        step()
        countdown.left = 0
        return answer

    return counted


app = make_mortal(create_app())

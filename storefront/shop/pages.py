"""Pages that are the same for every visitor without a session: rendered once, answered 304 after.

Such a page is a pure function of the rows it shows, so the rows are its key: nothing ever has to be
thrown away when something changes, and every worker may keep its own.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, current_app, g, render_template, request

from storefront import security

MOST_KEPT = 256

Kept = tuple[bytes, str]


def shared_page(
    template: str, facts: Sequence[Any], context: Callable[[], dict[str, Any]]
) -> Response:
    """Render a page, or answer with the one kept for these facts.

    `facts` is everything from outside that `context` builds on. Whoever holds a session gets a page
    of his own, never kept.
    """
    if security.has_session():
        return Response(render_template(template, **context()), mimetype="text/html")
    key = f"{template}|{facts!r}"
    kept: OrderedDict[str, Kept] = current_app.extensions.setdefault("kept_pages", OrderedDict())
    page = kept.get(key)
    if page is None:
        page = kept[key] = _render(template, context())
        while len(kept) > MOST_KEPT:
            kept.popitem(last=False)
    return _answer(page)


def _render(template: str, context: dict[str, Any]) -> Kept:
    body = render_template(template, **context).encode()
    policy = "sells" if g.get("sells") else ""
    return body, hashlib.blake2b(body + policy.encode(), digest_size=12).hexdigest()


def _answer(page: Kept) -> Response:
    body, digest = page
    if f'"{digest}"' in request.environ.get("HTTP_IF_NONE_MATCH", ""):
        response = Response(status=304)
    else:
        response = Response(body, mimetype="text/html")
    headers = response.headers
    headers["ETag"] = f'"{digest}"'
    headers["Cache-Control"] = "no-cache"
    headers["Vary"] = "Cookie"
    return response

"""What the control page's buttons send, as a form or as JSON, and what they are answered."""

from typing import Any

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from storefront.sandbox.errors import invalid
from storefront.sandbox.transport import is_loopback

Answer = Response | dict[str, Any]


def refuse_remote() -> None:
    """Keep the controls to people and programs on this machine."""
    if not is_loopback(request.remote_addr or ""):
        abort(403, "the sandbox is controlled from its own machine only")


def given() -> dict[str, Any]:
    """Return what was sent, from a person's form or a program's JSON."""
    sent = request.get_json() if request.is_json else request.form.to_dict()
    if not isinstance(sent, dict):
        raise invalid("Send a JSON object.")
    return sent


def integer(sent: dict[str, Any], name: str, default: int) -> int:
    """Return a whole number that was sent; raise ApiError for anything else."""
    try:
        return int(sent.get(name, default))
    except (TypeError, ValueError) as error:
        raise invalid(f"{name} is a whole number", name) from error


def done(result: dict[str, Any] | None = None) -> Answer:
    """Answer a program with the result and send a person back to the page."""
    if request.is_json:
        return result or {}
    return redirect(url_for("control.page"), 303)

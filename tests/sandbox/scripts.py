"""Plays scripts of calls as `stripe trigger` does: steps by name, whose answers later steps use."""

import re
from typing import Any

from flask import Flask

from tests.contract.stripe_types import check_error, check_object

REFERENCE = re.compile(r"\$\{(\w+):([\w.]+)\}")


class ScriptError(AssertionError):
    """A step was answered otherwise than the script expects."""


def play(app: Flask, steps: list[dict[str, Any]], version: str = "") -> dict[str, Any]:
    """Carry out every step and return the answers by name, each held against the SDK's types."""
    answers: dict[str, Any] = {}
    headers = {"Authorization": "Bearer sk_test_a"}
    if version:
        headers["Stripe-Version"] = version
    for step in steps:
        path = _fill(step["path"], answers)
        data = dict(_flatten(_fill(step.get("params", {}), answers)))
        where = "query_string" if step["method"] == "get" else "data"
        call: dict[str, Any] = {where: data, "headers": headers, "method": step["method"].upper()}
        answer = app.test_client().open(path, **call)
        body: dict[str, Any] = answer.get_json()
        answers[step["name"]] = body
        expected = step.get("expected_error_type")
        if answer.status_code >= 400:
            if body["error"]["type"] != expected:
                raise ScriptError(f"{step['name']}: {body}")
            assert check_error(body) == []
        elif expected:
            raise ScriptError(f"{step['name']} succeeded")
        else:
            assert check_object(body, complete=True) == [], step["name"]
    return answers


def _fill(value: Any, answers: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(child, answers) for key, child in value.items()}
    if isinstance(value, list):
        return [_fill(child, answers) for child in value]
    if isinstance(value, str):
        return REFERENCE.sub(lambda found: str(_look_up(answers[found[1]], found[2])), value)
    return value


def _look_up(answer: Any, path: str) -> Any:
    for key in path.split("."):
        answer = answer[int(key) if isinstance(answer, list) else key]
    return answer


def _flatten(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        pairs: list[tuple[str, Any]] = list(value.items())
    elif isinstance(value, list):
        pairs = [(str(index), child) for index, child in enumerate(value)]
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return [(name, text)]
    flat = []
    for key, child in pairs:
        flat += _flatten(child, f"{name}[{key}]" if name else key)
    return flat

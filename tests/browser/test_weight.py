"""What a page weighs and asks for: little, from here only, and without jumping about."""

from __future__ import annotations

import gzip

import pytest
from playwright.sync_api import Response

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

KIBIBYTE = 1024
LIMITS = {"document": 6, "stylesheet": 6, "script": 4}  # KiB each kind, packed as a proxy would
SHIFTS = """() => new Promise((tell) => new PerformanceObserver((list) => tell(
    list.getEntries().reduce((sum, entry) => sum + entry.value, 0)
  )).observe({type: "layout-shift", buffered: true})
  || setTimeout(() => tell(0), 300))"""

FETCHED = """() => performance.getEntriesByType("resource")
  .filter((entry) => /\\/(static|media)\\//.test(entry.name) && entry.transferSize > 0)
  .map((entry) => entry.name)"""


def weigh(visitor: Visitor, path: str) -> dict[str, float]:
    """KiB by kind of what a page loads, pictures aside."""
    answers: list[Response] = []
    visitor.page.on("response", lambda answer: answers.append(answer))
    visitor.page.goto(path, wait_until="networkidle")
    weights = dict.fromkeys(LIMITS, 0.0)
    for answer in answers:
        kind = answer.request.resource_type
        if kind in weights:
            weights[kind] += len(gzip.compress(answer.body(), 6)) / KIBIBYTE
    return weights


@pytest.mark.parametrize("path", ["/products/hearth-mug", "/", "/products"])
def test_a_page_stays_light(visitor: Visitor, path: str) -> None:
    weights = weigh(visitor, path)
    assert weights["document"] > 0 and weights["stylesheet"] > 0
    too_heavy = {kind: weight for kind, weight in weights.items() if weight > LIMITS[kind]}
    assert not too_heavy


@pytest.mark.parametrize("path", ["/products/hearth-mug", "/", "/products"])
def test_nothing_jumps_while_a_page_loads(visitor: Visitor, path: str) -> None:
    visitor.page.goto(path, wait_until="networkidle")
    assert visitor.page.evaluate(SHIFTS) < 0.01


def test_what_never_changes_is_fetched_once(visitor: Visitor) -> None:
    visitor.page.goto("/", wait_until="networkidle")
    assert visitor.page.evaluate(FETCHED)
    visitor.page.goto("/products", wait_until="networkidle")
    assert visitor.page.evaluate(FETCHED) == []

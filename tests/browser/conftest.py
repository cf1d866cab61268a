"""A real browser before a real shop; each test has visitors of its own, and their word counts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from storefront.demo import stocking
from storefront.services import accounts
from tests.browser.shop import Shop, open_shop
from tests.browser.visitor import Visitor
from tests.conftest import require

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
MISSING = (
    "no browser: apt-get install -y --no-install-recommends chromium-headless-shell libatomic1, "
    "or set CHROMIUM=/path/to/a/chromium"
)
# Whoever is not on this computer does not exist; a visitor's own list says whether a page asked.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts the system's Chromium, without a way to any other computer."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    require(path and Path(path).exists(), MISSING)
    with sync_playwright() as playwright:
        yield partial(playwright.chromium.launch, executable_path=path, args=[OFFLINE])


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """One browser for all tests of this process."""
    chromium = launch()
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all tests here, stocked with the demo's goods; what it patches ends with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "HASH_METHOD", "scrypt:256:8:1")  # quick
        if not os.environ.get("SCREENSHOTS"):  # drawing takes half a minute
            patch.setattr(stocking, "draw", _plain_picture)
        with open_shop(tmp_path_factory.mktemp("shop")) as shop:
            yield shop


def _plain_picture(drawing: Any) -> Image.Image:
    return Image.new("RGB", (320, 400), "#b9a58a")


@pytest.fixture
def shop(served: Shop) -> Iterator[Shop]:
    """The shop with Stripe in a good mood; at the end it has logged no error and lost no stock."""
    served.calm_down()
    served.errors.heard.clear()
    yield served
    served.calm_down()
    served.check_stock()
    assert served.errors.heard == []


@pytest.fixture
def visit(browser: Browser, shop: Shop) -> Iterator[Visit]:
    """Lets one more person in, with a browser of his own; what it complained of fails the test."""
    visitors: list[Visitor] = []

    def come(scripts: bool = True, **options: Any) -> Visitor:
        context = browser.new_context(
            base_url=shop.url,
            java_script_enabled=scripts,
            **{"viewport": {"width": 390, "height": 844}} | options,
        )
        visitors.append(Visitor(context.new_page(), shop.url))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.page.context.close()
    for visitor in visitors:
        visitor.check()


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    """Somebody whose browser runs scripts."""
    return visit()


@pytest.fixture
def plain_visitor(visit: Visit) -> Visitor:
    """Somebody whose browser runs none."""
    return visit(scripts=False)


@pytest.fixture
def remembering_visitor(launch: Callable[..., Browser], shop: Shop) -> Iterator[Visitor]:
    """Somebody whose browser keeps left pages alive, which Playwright forbids unless told."""
    chromium = launch(ignore_default_args=["--disable-back-forward-cache"])
    visitor = Visitor(chromium.new_page(base_url=shop.url), shop.url)
    yield visitor
    chromium.close()
    visitor.check()

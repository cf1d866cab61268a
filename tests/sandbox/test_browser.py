"""The sandbox's pages in a real browser: by keyboard, without scripts, and as axe sees them."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from storefront.sandbox import control
from tests.conftest import require
from tests.sandbox.orders import order, plan
from tests.sandbox.street import open_street

pytestmark = pytest.mark.browser
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SIZES = (390, 1280)
SCHEMES = ("light", "dark")


@pytest.fixture
def street(tmp_path):
    with open_street(tmp_path / "s.sqlite") as street:
        yield street


def in_browser(work):
    """Run a function with a browser, in a thread: Playwright allows one of itself in each."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    require(path, "no browser: install chromium, or set CHROMIUM=/path/to/a/chromium")

    def run():
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path)
            try:
                work(browser)
            finally:
                browser.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def open_session(street, params=None):
    urls = {"success_url": f"{street.url}/thanks", "cancel_url": f"{street.url}/thanks"}
    return street.client().checkout.sessions.create((params or order()) | urls)


def test_a_buyer_pays_with_the_keyboard_alone_and_without_scripts(street):
    session = open_session(street)

    def buy(browser):
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(session.url)
        page.get_by_label("E-mail").focus()
        for text in ("ann@example.com", None, "4242424242424242", "12/34", "123"):
            if text:
                page.keyboard.type(text)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/thanks")

    in_browser(buy)
    assert street.client().checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_the_first_wrong_field_has_the_focus(street):
    session = open_session(street)

    def buy(browser):
        page = browser.new_page()
        page.goto(session.url)
        page.get_by_role("button", name="Pay $25.00").click()
        page.wait_for_function("document.activeElement.id === 'email'")
        assert page.get_by_role("alert").count() == 4

    in_browser(buy)


def test_3d_secure_and_a_press_for_each_outcome(street):
    session = open_session(street)

    def buy(browser):
        page = browser.new_page()
        page.goto(session.url)
        page.get_by_role("button", name="Insufficient funds").click()
        assert "insufficient funds" in page.get_by_role("alert").inner_text()
        page.get_by_role("button", name="3-D Secure").click()
        page.get_by_role("button", name="Complete authentication").click()
        page.wait_for_url("**/thanks")

    in_browser(buy)


def test_axe_finds_nothing_and_nothing_overflows(street):
    collection = {"allowed_countries": ["US", "DE"]}
    full = open_session(street, order(shipping_address_collection=collection))
    trial = open_session(street, plan(14))
    done, debit, proof = (open_session(street) for _ in range(3))
    control.complete(street.sandbox, done.id)
    control.complete(street.sandbox, debit.id, "bank_debit")
    control.complete(street.sandbox, proof.id, "pm_card_authenticationRequired")
    control.complete(street.sandbox, open_session(street, plan()).id)
    pages = [full.url, trial.url, done.url, f"{proof.url}/authenticate"]
    pages.append(f"{street.url}/sandbox/")

    def look(browser):
        for width in SIZES:
            for scheme in SCHEMES:
                viewport = {"width": width, "height": 844}
                page = browser.new_page(viewport=viewport, color_scheme=scheme)
                for url in pages:
                    page.goto(url)
                    check(page)
                page.goto(full.url)
                page.get_by_role("button", name="Pay $25.00").click()
                check(page)
                page.close()

    def check(page):
        violations = Axe().run(page).response["violations"]
        assert [(found["id"], page.url) for found in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

    in_browser(look)

"""Somebody at a browser: what he does on the pages, and what his browser meets there."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

HOSTED = re.compile(r"/sandbox/pay/cs_test_\w+$")
SUCCESS = re.compile(r"/payment/success\?sessid=cs_test_")
CARD = "4242 4242 4242 4242"
PATIENCE = 15_000  # for two busy processors; only a failure takes this long

expect.set_options(timeout=PATIENCE)


class Visitor:
    """One person, one browser context, one tab."""

    def __init__(self, page: Page, home: str) -> None:
        self.page, self.home = page, home
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self.forgiven: list[str] = []
        self.requests: list[Request] = []
        context: BrowserContext = page.context
        context.set_default_timeout(PATIENCE)
        context.on("request", self._note_request)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _note_request(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((self.home + "/", "data:", "blob:")):
            self.strangers.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def forgive(self, *phrases: str) -> None:
        """The browser may say each of these once or more: they are what the test is about."""
        self.forgiven.extend(phrases)

    def check(self) -> None:
        """The pages spoke with no stranger, and the browser said all that it should and no more."""
        assert self.strangers == []
        for words in self.forgiven:
            assert any(words in said for said in self.complaints), (words, self.complaints)
        surprises = [
            said for said in self.complaints if not any(words in said for words in self.forgiven)
        ]
        assert surprises == []

    # -- in the shop

    def open(self, path: str) -> int:
        """Go to a page of the shop; returns its status."""
        response = self.page.goto(path)
        assert response is not None
        return response.status

    def heading(self) -> Any:
        """The one heading of the page that says what it is."""
        return self.page.get_by_role("heading", level=1)

    def press(self, name: str) -> None:
        """Press a button by what is written on it."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow a link by its words."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def fill(self, **fields: str) -> None:
        """Type into fields, named as their labels are with underscores for spaces."""
        for label, text in fields.items():
            words = re.compile(f"^{label.replace('_', '.')}( \\(optional\\))?$", re.IGNORECASE)
            self.page.get_by_label(words).fill(text)

    def choose(self, label: str) -> None:
        """Pick a variant."""
        self.page.locator("label.pill", has_text=label).click()

    def start_buying(self, path: str, button: str = "Buy now") -> None:
        """Open a product and press Buy; ends on Stripe's page."""
        self.open(path)
        self.press(button)
        self.arrive(HOSTED)

    def arrive(self, where: re.Pattern[str] | str, timeout: float = PATIENCE) -> None:
        """Wait until the browser stands at an address; a plain text is a path of the shop."""
        address = where if isinstance(where, re.Pattern) else self.home + where
        self.page.wait_for_url(address, timeout=timeout)

    def sign_in(self, email: str, password: str) -> None:
        """Sign in on the page that is open."""
        self.fill(e_mail_address=email, password=password)
        self.press("Sign in")

    # -- at Stripe

    def type_card(self, number: str = CARD, email: str = "buyer@example.com") -> None:
        """Fill in the payment form by hand."""
        self.fill(e_mail=email, card_number=number, expiry="12/34", security_code="123")

    def try_outcome(self, name: str) -> None:
        """Press one of the sandbox's buttons that pay with a test card."""
        self.page.get_by_role("button", name=re.compile(f"^{name}")).click()

    def pay(self, outcome: str = "Succeeds") -> None:
        """Pay by one press; ends on the shop's success page."""
        self.try_outcome(outcome)
        self.arrive(SUCCESS)

    # -- looking

    @property
    def session_id(self) -> str:
        """The Checkout Session in the address."""
        found = re.search(r"cs_test_\w+", self.page.url)
        assert found, self.page.url
        return found[0]

    def picture(self, name: str) -> None:
        """Keep a picture of the page where SCREENSHOTS names a folder."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


class Tab:
    """The tab of a page as the browser itself sees it.

    Playwright loses a page that comes back from the back-forward cache; the browser does not.
    """

    def __init__(self, page: Page) -> None:
        self._wire = page.context.new_cdp_session(page)

    def ask(self, expression: str) -> bool:
        """Whether an expression is true at this moment."""
        answer = self._wire.send("Runtime.evaluate", {"expression": expression})
        return answer["result"].get("value") is True

    def see(self, expression: str) -> None:
        """Wait until an expression is true in whichever page stands in the tab."""
        deadline = time.monotonic() + PATIENCE / 1000
        while True:
            if self.ask(expression):
                return
            assert time.monotonic() < deadline, f"never true: {expression}"

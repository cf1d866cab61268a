"""The sentences of the hosted page that depend on what is being bought."""

from datetime import UTC, datetime
from typing import Any

from babel import Locale

from storefront.sandbox import money
from storefront.sandbox.core import DAY

PAY_BUTTONS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}


class Wording:
    """How one session is put into words."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._data = session.hidden["subscription_data"]
        self.currency = session["currency"]

    def money(self, amount: int) -> str:
        """Write an amount in the session's currency."""
        return money.show(amount, self.currency)

    @property
    def total(self) -> str:
        """Write what is due now."""
        return self.money(self._session["amount_total"])

    @property
    def trial_days(self) -> int:
        """Return how many days are free at first."""
        if "trial_end" in self._data:
            return max(1, round((self._data["trial_end"] - self._session["created"]) / DAY))
        return int(self._data.get("trial_period_days", 0))

    @property
    def renewal(self) -> str:
        """Write what will be due each period, or nothing for a single payment."""
        recurring = [line for line in self._session.hidden["lines"] if line["price"]["recurring"]]
        if not recurring:
            return ""
        amount = sum(line["quantity"] * (line["price"]["unit_amount"] or 0) for line in recurring)
        return f"{self.money(amount)} {every(recurring[0]['price']['recurring'])}"

    @property
    def heading(self) -> str:
        """Name the purpose of the page."""
        if self.trial_days:
            return "Start your free trial"
        return "Subscribe" if self.renewal else "Complete your order"

    @property
    def button(self) -> str:
        """Name what the main button does."""
        if self.trial_days:
            return "Start trial"
        if self._session["mode"] == "subscription":
            return "Subscribe"
        if self._session["amount_total"] == 0:
            return "Complete order"
        return f"{PAY_BUTTONS.get(self._session['submit_type'] or '', 'Pay')} {self.total}"

    def unit(self, line: dict[str, Any]) -> str:
        """Write the price of one piece, with its interval."""
        price = line["price"]
        text = self.money(price["unit_amount"] or 0)
        return f"{text} {every(price['recurring'])}" if price["recurring"] else f"{text} each"


def moment(seconds: int) -> str:
    """Write a time of the sandbox for its control page, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %H:%M:%S")


def shorten(id: str) -> str:
    """Cut the middle out of a long id."""
    return id if len(id) <= 20 else f"{id[:12]}…{id[-6:]}"


def country(code: str) -> str:
    """Return the English name of a country, or the code when it has none."""
    return Locale("en").territories.get(code, code)


def every(recurring: dict[str, Any]) -> str:
    """Write an interval, such as `per month` or `every 3 months`."""
    if recurring["interval_count"] == 1:
        return f"per {recurring['interval']}"
    return f"every {recurring['interval_count']} {recurring['interval']}s"

"""What the buyer typed on the hosted page: checked field by field and turned into a payment."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from storefront.sandbox import cards
from storefront.sandbox.checkout import Buyer, Means, needs_means
from storefront.sandbox.params import is_email
from storefront.sandbox.store import Stored

EXAMPLE = {
    "email": "buyer@example.com",
    "name": "Sandbox Buyer",
    "phone": "+1 201 555 0123",
    "line1": "1 Example Street",
    "city": "Springfield",
    "state": "IL",
    "postal_code": "62701",
}
ADDRESS = ("name", "line1", "line2", "city", "state", "postal_code", "country")
NOT_A_TEST_CARD = (
    "This is not a test card. Use one of the numbers below; never type a real card number here."
)
REQUIRED = {
    "name": "Enter a full name.",
    "line1": "Enter a street and number.",
    "city": "Enter a town or city.",
    "postal_code": "Enter a postal code.",
    "country": "Choose a country.",
}


@dataclass
class PaymentForm:
    """One submission; `errors` maps a field to a sentence, and is empty when it can be paid."""

    session: Stored
    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def read(self) -> tuple[Buyer, Means]:
        """Return buyer and means of payment; only meaningful when `errors` stays empty."""
        if self.values.get("test"):
            self._fill_in_examples()
        # In the order of the page, so that the first error is the topmost.
        email, phone, shipping = self._email(), self._phone(), self._shipping()
        means = self._means()
        address = self._address("billing") if self.needs_billing else self._country_only()
        name = self.values.get("card_name") or self._shipping_name() or None
        return Buyer(email, name, phone, address, shipping, self._consent()), means

    @property
    def locked_email(self) -> str | None:
        """Return the address that is known already and cannot be changed here."""
        return (self.session["customer_details"] or {}).get("email")

    @property
    def needs_billing(self) -> bool:
        """Say whether the shop asked for a billing address."""
        return bool(self.session["billing_address_collection"] == "required")

    def _fill_in_examples(self) -> None:
        for name, example in EXAMPLE.items():
            for key in (name, f"shipping_{name}", f"billing_{name}", f"card_{name}"):
                if not self.values.get(key, "").strip():
                    self.values[key] = example
        self.values.setdefault("terms", "on")
        for prefix in ("shipping", "billing"):
            key = f"{prefix}_country"
            if not self.values.get(key):
                self.values[key] = self.countries(prefix)[0]

    def countries(self, prefix: str) -> list[str]:
        """Return the country codes that an address may have."""
        collection = self.session["shipping_address_collection"]
        if prefix == "shipping" and collection:
            return list(collection["allowed_countries"]) or ["US"]
        return ["US", "GB", "DE", "FR", "NL", "IE", "CA", "AU", "JP"]

    def _email(self) -> str | None:
        if self.locked_email:
            return self.locked_email
        email = self.values.get("email", "").strip()
        if not is_email(email):
            self.errors["email"] = "Enter an e-mail address, such as buyer@example.com."
        return email

    def _phone(self) -> str | None:
        if not self.session["phone_number_collection"]["enabled"]:
            return None
        phone = self.values.get("phone", "").strip()
        if len(re.sub(r"\D", "", phone)) < 5:
            self.errors["phone"] = "Enter a phone number."
        return phone

    def _shipping_name(self) -> str:
        return self.values.get("shipping_name", "").strip()

    def _shipping(self) -> dict[str, Any] | None:
        if not self.session["shipping_address_collection"]:
            return None
        return {"address": self._address("shipping"), "name": self._shipping_name()}

    def _address(self, prefix: str) -> dict[str, Any]:
        given = {key: self.values.get(f"{prefix}_{key}", "").strip() for key in ADDRESS}
        for key, message in REQUIRED.items():
            if not given[key]:
                self.errors[f"{prefix}_{key}"] = message
        if given["country"] and given["country"] not in self.countries(prefix):
            self.errors[f"{prefix}_country"] = "The shop does not ship to this country."
        return {key: text or None for key, text in given.items() if key != "name"}

    def _country_only(self) -> dict[str, Any]:
        address: dict[str, Any] = dict.fromkeys(("city", "line1", "line2", "postal_code", "state"))
        return {**address, "country": "US"}

    def _consent(self) -> dict[str, Any] | None:
        wanted = (self.session["consent_collection"] or {}).get("terms_of_service")
        if wanted != "required":
            return None
        if not self.values.get("terms"):
            self.errors["terms"] = "Accept the terms to go on."
        return {"promotions": None, "terms_of_service": "accepted"}

    def _means(self) -> Means:
        if not needs_means(self.session):
            return None
        currency = self.session["currency"]
        if self.values.get("test"):
            return cards.by_payment_method(self.values["test"], currency)
        if self.values.get("method") == "bank_debit":
            return self._account(currency)
        return self._card()

    def _account(self, currency: str) -> cards.BankDebit | None:
        account = self.values.get("account") or "bank_debit"
        if account not in cards.ACCOUNTS:
            self.errors["account"] = "Choose one of the test accounts."
            return None
        return cards.bank_debit(currency, account)

    def _card(self) -> cards.Card | None:
        card = cards.find(self.values.get("card_number", ""))
        if not self.values.get("card_number", "").strip():
            self.errors["card_number"] = "Enter the number of a test card."
        elif card is None:
            self.errors["card_number"] = NOT_A_TEST_CARD
        self._check_expiry()
        digits = 4 if card and card.brand == "amex" else 3
        if not re.fullmatch(
            rf"[0-9]{{{digits}}}", self.values.get("card_cvc", "").strip(), re.ASCII
        ):
            self.errors["card_cvc"] = f"Enter any {digits} digits."
        return card

    def _check_expiry(self) -> None:
        text = self.values.get("card_expiry", "").strip()
        match = re.fullmatch(r"(0?[1-9]|1[0-2])\s*/?\s*(?:20)?([0-9]{2})", text, re.ASCII)
        today = date.today()
        if not match or (2000 + int(match[2]), int(match[1])) < (today.year, today.month):
            self.errors["card_expiry"] = "Enter any month in the future, such as 12/34."

"""The bank accounts that Stripe gives for tests, each by the outcome that it stands for."""

from typing import Any

from storefront.sandbox import cards
from storefront.sandbox.errors import invalid, missing_parameter
from storefront.sandbox.params import Anything, Field, Group, Text

SUCCEEDS = "LU280019400644750000"
SLOWLY = "LU440019400644750003"
REFUSED = "LU980019400644750001"
DISPUTED = "LU710019400644750002"
NUMBERS: dict[str, dict[str, str]] = {
    "bacs_debit": {"00012345": SUCCEEDS, "90012345": SLOWLY, "33333335": REFUSED},
    "sepa_debit": {
        **{iban: iban for iban in cards.ACCOUNTS if iban != "bank_debit"},
        "AT611904300234573201": SUCCEEDS,
        "AT321904300235473204": SLOWLY,
        "AT861904300235473202": REFUSED,
        "AT591904300235473203": DISPUTED,
        "DE89370400440532013000": SUCCEEDS,
        "DE08370400440532013003": SLOWLY,
        "DE62370400440532013001": REFUSED,
        "DE35370400440532013002": DISPUTED,
    },
    "us_bank_account": {"000123456789": SUCCEEDS, "000222222227": REFUSED},
}
CURRENCIES = {"bacs_debit": "gbp", "sepa_debit": "eur", "us_bank_account": "usd"}
FIELDS: dict[str, Field] = {
    "bacs_debit": Group({"account_number": Text(), "sort_code": Text()}),
    "sepa_debit": Group({"iban": Text()}),
    "us_bank_account": Group(
        {
            "account_number": Text(),
            "routing_number": Text(),
            **dict.fromkeys(
                ("account_holder_type", "account_type", "financial_connections_account"),
                Anything(),
            ),
        }
    ),
}


def read_account(type: str, given: dict[str, Any]) -> cards.BankDebit:
    """Return what the account in a call stands for; raise ApiError unless it is one for tests."""
    field = "iban" if type == "sepa_debit" else "account_number"
    if field not in given:
        raise missing_parameter(f"{type}[{field}]")
    number = given[field].replace(" ", "").upper()
    if number not in NUMBERS[type]:
        known = ", ".join(NUMBERS[type])
        raise invalid(f"This is not a test account. Use one of these: {known}.", f"{type}[{field}]")
    return cards.bank_debit(CURRENCIES[type], NUMBERS[type][number])

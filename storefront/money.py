"""Money is an integer in Stripe's minor unit plus a lower-case ISO code; here it meets people.

Stripe's number of decimals is not always what a locale's data says (Stripe charges RSD in cents,
locale data knows none), so the exponent comes from Stripe's rules alone.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale
from babel.numbers import (
    NumberFormatError,
    format_currency,
    get_currency_precision,
    parse_decimal,
)

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
WHOLE_UNITS = frozenset("isk ugx".split())  # two decimals on the wire, always 00

MAX_AMOUNT = 99_999_999

# Digits, and what some locale puts between them; no sign, exponent or foreign numeral.
AMOUNT = re.compile(r"[0-9.,'’\s]+")

# Stripe's smallest charge in minor units, where it publishes one for the currency.
MINIMUMS = {
    **dict.fromkeys("usd eur chf aud cad nzd sgd brl inr zar".split(), 50),
    **{"gbp": 30, "jpy": 50, "krw": 50, "mxn": 1000, "sek": 300, "nok": 300, "dkk": 250},
    **{"pln": 200, "czk": 1500, "huf": 17500, "ron": 200, "aed": 200, "myr": 200},
    **{"hkd": 400, "thb": 1000},
}


def exponent(currency: str) -> int:
    """How many decimals Stripe's minor unit of this currency has: 0, 2 or 3."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """The smallest difference Stripe accepts, in minor units: 100 for ISK, UGX; 10 for KWD & co."""
    if currency in WHOLE_UNITS:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def minimum(currency: str) -> int:
    """The smallest total other than zero that Stripe charges, in minor units."""
    return MINIMUMS.get(currency, 1)


def is_chargeable(amount: int, currency: str) -> bool:
    """Whether Stripe would charge this amount: zero is free, anything else within its limits."""
    if amount == 0:
        return True
    return minimum(currency) <= amount <= MAX_AMOUNT and amount % step(currency) == 0


def to_decimal(amount: int, currency: str) -> Decimal:
    """Minor units as a decimal number of major units."""
    return Decimal(amount).scaleb(-exponent(currency))


@lru_cache(maxsize=4096)
def format_money(amount: int, currency: str, locale: str = "en") -> str:
    """The amount as this locale writes it, with Stripe's decimals: 2400 eur -> '€24.00'."""
    digits = 0 if currency in WHOLE_UNITS else exponent(currency)
    code = currency.upper()
    # With the locale's own digits wherever they agree with Stripe's; else two, as RSD & co. need.
    return format_currency(
        to_decimal(amount, currency),
        code,
        locale=locale,
        currency_digits=digits == get_currency_precision(code),
    )


def parse_money(text: str, currency: str, locale: str = "en") -> int:
    """Minor units from what a person typed in this locale ("24", "24.00", "1,200.50").

    Raises ValueError when it is no amount, is negative, has more decimals than the currency, or is
    beyond what Stripe charges.
    """
    if not AMOUNT.fullmatch(text.strip()):
        raise ValueError(f"not an amount: {text!r}")
    try:
        value = parse_decimal(text.strip(), locale=Locale.parse(locale), strict=True)
        amount = value.scaleb(exponent(currency))
    except (NumberFormatError, InvalidOperation) as error:
        raise ValueError(f"not an amount: {text!r}") from error
    if amount != amount.to_integral_value() or amount < 0 or amount > MAX_AMOUNT:
        raise ValueError(f"not an amount in {currency.upper()}: {text!r}")
    if int(amount) % step(currency):
        raise ValueError(f"{currency.upper()} cannot be charged in parts this small: {text!r}")
    return int(amount)

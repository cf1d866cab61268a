"""Amounts on Stripe's wire: decimals of each currency, the least charge, and how people read it."""

import re
from decimal import Decimal

from storefront.sandbox.errors import invalid

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
# Two decimals on the wire, whole units only.
WHOLE_UNITS = frozenset({"isk", "ugx"})
TWO_DECIMAL = frozenset(
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn
    bzd cad cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd
    gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad
    mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php
    pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try
    ttd twd tzs uah usd uyu uzs wst xcd yer zar zmw
    """.split()
)
CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | WHOLE_UNITS | TWO_DECIMAL
MINIMUM = {
    "usd": 50, "eur": 50, "gbp": 30, "chf": 50, "aud": 50, "cad": 50, "nzd": 50, "sgd": 50,
    "brl": 50, "inr": 50, "jpy": 50, "krw": 50, "mxn": 1000, "sek": 300, "nok": 300, "dkk": 250,
    "pln": 200, "czk": 1500, "huf": 17500, "ron": 200, "aed": 200, "myr": 200, "hkd": 400,
    "thb": 1000, "zar": 50,
}  # fmt: skip
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$", "inr": "₹"}
NARROW_SPACE = "\u00a0"
MAXIMUM = 999_999_999_999


def decimals(currency: str) -> int:
    """Return how many of an amount's digits stand behind the point on Stripe's wire."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def minimum(currency: str) -> int:
    """Return the least amount that Stripe charges in this currency, in minor units."""
    return MINIMUM.get(currency, 1)


def smallest_step(currency: str) -> int:
    """Return what every amount in this currency must be a multiple of, in minor units."""
    if currency in WHOLE_UNITS:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def show(amount: int, currency: str) -> str:
    """Write an amount of minor units for a person, such as `$1,234.50` or `KWD 1.250`."""
    places = 0 if currency in WHOLE_UNITS else decimals(currency)
    major = Decimal(amount).scaleb(-decimals(currency))
    return f"{SYMBOLS.get(currency, currency.upper() + NARROW_SPACE)}{major:,.{places}f}"


def read(text: str, currency: str) -> int:
    """Return an amount that a person wrote, such as `12.50`, in minor units; raise ApiError."""
    places = decimals(currency)
    if not re.fullmatch(rf"[0-9]{{1,9}}(\.[0-9]{{1,{places}}})?" if places else "[0-9]{1,9}", text):
        raise invalid(f"Not an amount in {currency}: {text[:20]}", "amount")
    return int(Decimal(text).scaleb(places))

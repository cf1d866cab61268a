"""Money: Stripe's decimals for every currency, whatever a locale's data says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import list_currencies
from hypothesis import given
from hypothesis import strategies as st

from storefront.money import (
    MAX_AMOUNT,
    exponent,
    format_money,
    is_chargeable,
    minimum,
    parse_money,
    step,
    to_decimal,
)

CURRENCIES = sorted(
    """aed afn all amd ang aoa ars aud awg azn bam bbd bdt bhd bif bmd bnd bob brl bsd bwp byn bzd
    cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq
    gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd
    lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk
    php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sos srd std szl thb tjs tnd top try
    ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw""".split()
)
LOCALES = ("en", "de", "fr", "ja", "sv", "pt_BR", "de_CH")


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (2400, "eur", "€24.00"),
        (1200, "jpy", "¥1,200"),
        (12500, "kwd", "KWD12.500"),
        (1250, "rsd", "RSD12.50"),
        (500, "isk", "ISK5"),
        (500, "ugx", "UGX5"),
        (1250, "huf", "HUF12.50"),
        (0, "usd", "$0.00"),
        (-4800, "eur", "-€48.00"),
    ],
)
def test_it_writes_amounts_with_stripes_decimals(amount: int, currency: str, said: str) -> None:
    assert format_money(amount, currency).replace("\xa0", "") == said


@pytest.mark.parametrize("currency", CURRENCIES)
def test_what_is_written_can_be_read_again(currency: str) -> None:
    for locale in LOCALES:
        for units in (1, 50, 1999, 123_456):
            amount = units * step(currency)
            plain = f"{to_decimal(amount, currency):f}"
            localized = plain.replace(".", ",") if locale in ("de", "fr", "sv", "pt_BR") else plain
            assert parse_money(localized, currency, locale) == amount
            digits = [c for c in format_money(amount, currency, locale) if c.isdigit()]
            shown = Decimal("".join(digits)).scaleb(-_decimals_shown(currency))
            assert shown == to_decimal(amount, currency)


def _decimals_shown(currency: str) -> int:
    return 0 if currency in ("isk", "ugx") else exponent(currency)


def test_every_currency_is_one() -> None:
    known = {code.lower() for code in list_currencies()}
    assert set(CURRENCIES) <= known
    assert {exponent(code) for code in CURRENCIES} == {0, 2, 3}


@given(st.sampled_from(CURRENCIES), st.integers(min_value=0, max_value=MAX_AMOUNT))
def test_only_what_stripe_would_take_is_chargeable(currency: str, amount: int) -> None:
    fits = amount == 0 or (amount >= minimum(currency) and amount % step(currency) == 0)
    assert is_chargeable(amount, currency) is fits


def test_there_is_a_largest_charge() -> None:
    assert is_chargeable(MAX_AMOUNT, "eur")
    assert not is_chargeable(MAX_AMOUNT + 1, "eur")


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "eur"),
        ("free", "eur"),
        ("-1", "eur"),
        ("1.999", "eur"),
        ("1.5", "jpy"),
        ("5.124", "kwd"),
        ("5.50", "isk"),
        ("1,00", "eur"),
        ("1e3", "eur"),
        ("NaN", "eur"),
        ("9999999.99", "eur"),
        ("٣.٥٠", "eur"),
    ],
)
def test_it_refuses_what_is_no_amount(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_money(text, currency)

"""The demo's goods: consistent with themselves, and one of every kind that a visitor should try."""

import re
from collections import Counter

import pytest

from storefront.demo.goods import GOODS, HERO_PICTURE
from storefront.demo.listing import Good, Variant

VARIANTS = [variant for good in GOODS for variant in good.variants]


def doubles(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def goods_where(test: object) -> list[str]:
    assert callable(test)
    return [good.slug for good in GOODS if test(good)]


def test_it_stocks_about_a_dozen_products() -> None:
    assert 10 <= len(GOODS) <= 15
    assert 3 <= sum(good.featured for good in GOODS) <= 8


def test_it_names_nothing_twice() -> None:
    assert not doubles([good.slug for good in GOODS])
    assert not doubles([good.name for good in GOODS])
    assert not doubles([variant.sku for variant in VARIANTS])
    for good in GOODS:
        assert not doubles([variant.label for variant in good.variants])
        assert not doubles([str(sorted(variant.options.items())) for variant in good.variants])


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.slug)
def test_it_describes_every_product(good: Good) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", good.slug)
    assert 20 <= len(good.summary) <= 90 and "\n" not in good.summary
    assert 100 <= len(good.description) <= 1000 and len(good.description.split("\n\n")) >= 2
    assert good.variants and good.pictures


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.slug)
def test_it_says_what_every_picture_shows(good: Good) -> None:
    for picture in [*good.pictures, HERO_PICTURE]:
        assert 20 <= len(picture.alt) <= 125
    skus = [picture.sku for picture in good.pictures if picture.sku]
    assert set(skus) <= {variant.sku for variant in good.variants} and not doubles(skus)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.sku)
def test_it_prices_and_counts_every_variant(variant: Variant) -> None:
    assert variant.unit_amount >= 0 and variant.currency == variant.currency.lower()
    assert variant.on_hand is None or variant.on_hand >= 0
    assert bool(variant.label) == bool(variant.options)
    if variant.interval is None:
        assert variant.trial_days is None and variant.interval_count == 1
    else:
        assert variant.interval in ("month", "year") and variant.unit_amount > 0


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.slug)
def test_it_labels_the_variants_of_a_product_alike(good: Good) -> None:
    assert len({tuple(variant.options) for variant in good.variants}) == 1
    assert len({variant.currency for variant in good.variants}) == 1
    assert all(variant.label for variant in good.variants) or len(good.variants) == 1


def test_it_has_one_of_every_kind_that_a_visitor_should_try() -> None:
    def stock(good: Good) -> list[int | None]:
        return [variant.on_hand for variant in good.variants]

    assert goods_where(lambda good: stock(good) == [0]) == ["long-neck-vase"]
    assert goods_where(lambda good: stock(good) == [2]) == ["round-teapot"]
    partly = goods_where(lambda good: 0 in stock(good) and any(stock(good)))
    assert partly == ["hearth-mug"]
    assert len({variant.unit_amount for variant in GOODS[0].variants}) > 1
    assert goods_where(lambda good: good.variants[0].currency == "jpy") == ["kyoto-tea-bowl"]
    assert goods_where(lambda good: good.variants[0].unit_amount == 0) == ["glaze-sample-card"]
    endless = goods_where(lambda good: stock(good) == [None])
    assert endless == ["glaze-notebook"]


def test_it_has_a_subscription_with_a_trial_by_the_month_and_a_price_by_the_year() -> None:
    plans = [variant for variant in VARIANTS if variant.interval]
    assert [(plan.interval, plan.trial_days) for plan in plans] == [("month", 14), ("year", None)]
    assert plans[1].unit_amount < 12 * plans[0].unit_amount

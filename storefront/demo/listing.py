"""How the demo's goods are written down: a product, its variants and its pictures."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Drawing:
    """How a picture is drawn: a shape, a glaze and a backdrop, each by its name."""

    shape: str
    glaze: str = "oat"
    backdrop: str = "linen"


@dataclass(frozen=True)
class Picture:
    """A drawing, its words for who cannot see it, and the SKU it shows if it shows only one."""

    drawing: Drawing
    alt: str
    sku: str | None = None


@dataclass(frozen=True)
class Variant:
    """One thing to buy: the price in minor units, the stock or None for as many as are wanted.

    A recurring price has an interval ("month" or "year"); its trial is counted in days.
    """

    sku: str
    unit_amount: int
    on_hand: int | None
    label: str = ""
    options: dict[str, str] = field(default_factory=dict)
    currency: str = "eur"
    interval: str | None = None
    interval_count: int = 1
    trial_days: int | None = None


@dataclass(frozen=True)
class Good:
    """One product with its variants and pictures; the description is Markdown."""

    slug: str
    name: str
    summary: str
    description: str
    variants: tuple[Variant, ...]
    pictures: tuple[Picture, ...]
    featured: bool = False

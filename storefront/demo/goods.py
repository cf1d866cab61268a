"""What the demo shop sells: plain data, from which the demo's products and pictures are made."""

from storefront.demo.listing import Drawing, Good, Picture, Variant

SHOP_NAME = "Hearth & Glaze"
HERO_TITLE = "Pots for every day"
HERO_TEXT = (
    "Stoneware thrown, glazed and fired in a small workshop: quiet shapes for the table, "
    "the shelf and the windowsill, made to be used and not to be saved for best."
)
HERO_PICTURE = Picture(
    Drawing("still life", "oat", "plaster"),
    "A tall bottle with a dry stem, a small bowl and a mug side by side in morning light",
)

GOODS: list[Good] = [
    Good(
        "hearth-mug",
        "Hearth mug",
        "The mug that the shop is named after: round, warm and hard to knock over.",
        """I have made this mug since my second winter in the workshop, and I have not found a
reason to change it. The belly is round so that the tea stays hot, the foot is wide so that it
stays where you put it, and the handle has room for three fingers in gloves.

- holds 350 ml, to a finger below the rim
- about 9 cm tall; each one differs by a few millimeters
- safe in the dishwasher and the microwave

Oat is a plain matte white that breaks brown at the rim. Sea is a celadon over a white slip, which
takes a second firing. Rust is an iron glaze, so no two look alike.""",
        (
            Variant("MUG-OAT", 2800, 24, "Oat", {"Glaze": "Oat"}),
            Variant("MUG-SEA", 3200, 11, "Sea", {"Glaze": "Sea"}),
            Variant("MUG-RUST", 3200, 0, "Rust", {"Glaze": "Rust"}),
        ),
        (
            Picture(
                Drawing("mug", "oat"),
                "Round mug in matte oat white, the rim breaking to brown",
                "MUG-OAT",
            ),
            Picture(
                Drawing("mug", "sea", "shell"),
                "The same round mug in pale sea-green celadon",
                "MUG-SEA",
            ),
            Picture(
                Drawing("mug", "rust"),
                "The same round mug in a speckled rust-red iron glaze",
                "MUG-RUST",
            ),
        ),
        featured=True,
    ),
    Good(
        "everyday-bowl",
        "Everyday bowl",
        "For porridge, soup, noodles and the keys by the door.",
        """A bowl ought to sit well in one hand while you stand at the stove, so that is how I
measure it. The wall is thin at the lip and thick at the foot: soup stays warm and the edge is kind
to the mouth.

- **Small**: 13 cm across, for yogurt, olives, a scoop of ice cream
- **Large**: 18 cm across, for noodles and salad for one

The three rings inside are left by my fingers. They catch the glaze, and sauce too.""",
        (
            Variant("BOWL-S", 2200, 18, "Small", {"Size": "Small"}),
            Variant("BOWL-L", 3400, 9, "Large", {"Size": "Large"}),
        ),
        (
            Picture(Drawing("bowl", "ink", "plaster"), "Open bowl in a deep ink-blue glaze"),
            Picture(
                Drawing("nested bowls", "ink", "linen"),
                "The small bowl standing in the large one, both ink blue",
            ),
        ),
        featured=True,
    ),
    Good(
        "supper-plate",
        "Supper plate",
        "A flat, generous plate with a raised edge that keeps the peas in.",
        """Twenty-five centimeters across, which is as wide as my kiln shelf allows for two side
by side. The rim rises by a thumb's width: enough to push a pea against.

The glaze is a satin white with iron flecks from the clay beneath it. Knives may leave gray marks
after some years; a paste of baking soda takes them off.

Plates are sold singly. They stack well, also with those you bought last year.""",
        (Variant("PLATE-25", 3600, 32),),
        (
            Picture(
                Drawing("plate", "fleck", "clay"),
                "Satin white plate with fine iron flecks and a raised edge, seen from above",
            ),
        ),
    ),
    Good(
        "round-teapot",
        "Round teapot",
        "A small pot for two cups that pours without a drip.",
        """A teapot is five pots in one: body, lid, spout, handle and the strainer inside. Most
of the time goes into the last three millimeters of the spout, which decide whether it drips.
This one does not; I test each with water before it leaves.

- holds 600 ml, two large cups
- built-in strainer, 37 holes, pierced by hand
- the lid stays on while you pour

I make about six in a firing and lose one or two. That is why there are so few.""",
        (Variant("TEAPOT-600", 9800, 2),),
        (
            Picture(
                Drawing("teapot", "moss", "linen"),
                "Round teapot with a short spout and a looped handle, in moss green",
            ),
        ),
        featured=True,
    ),
    Good(
        "long-neck-vase",
        "Long-neck vase",
        "For one branch, one stem, or nothing at all.",
        """Thrown in two parts and joined at the shoulder. The neck is just wide enough for a
branch of olive or three dry grasses, and it stands firm without water in it.

The white is a dry, chalky glaze that likes to be touched. It is watertight, but wipe the foot
before you set it on wood.

*The last firing went within a week. The next is in the kiln at the end of the month.*""",
        (Variant("VASE-LONG", 7400, 0),),
        (
            Picture(
                Drawing("vase", "chalk", "clay"),
                "Tall chalk-white vase with a long neck, holding one olive branch",
            ),
        ),
        featured=True,
    ),
    Good(
        "milk-jug",
        "Milk jug",
        "Half a liter, one clean pull of a spout, no drip down the side.",
        """The lip is pulled with a wet finger while the clay still gives, and either it is right
at once or it goes back into the bucket. It cuts the stream when you tilt it back.

Holds 500 ml of milk, cream, custard or gravy. On a Sunday it will do for daffodils.""",
        (Variant("JUG-500", 4200, 13),),
        (
            Picture(
                Drawing("jug", "butter", "shell"),
                "Butter-yellow milk jug with a pulled lip and a strap handle",
            ),
        ),
    ),
    Good(
        "windowsill-planter",
        "Windowsill planter",
        "Drains properly, and the saucer keeps the sill dry.",
        """Unglazed inside, because roots like a wall that breathes. There is a real hole in the
bottom and a saucer deep enough for the water you gave too much.

- 14 cm across the top, 13 cm tall, fits a nursery pot of 12 cm
- saucer included, glazed so that nothing seeps through
- the plant stays here; it has grown fond of the light""",
        (Variant("PLANTER-14", 3900, 16),),
        (
            Picture(
                Drawing("planter", "terra", "plaster"),
                "Terracotta planter on its saucer with a leafy green plant",
            ),
        ),
    ),
    Good(
        "chamber-candlestick",
        "Chamber candlestick",
        "Carry it by the ring; the dish catches the wax.",
        """My grandmother had a brass one for power cuts. This is the same idea in clay: a wide
dish, a short socket and a ring for one finger.

Takes ordinary household candles of 22 mm. Wax comes off after ten minutes in the freezer. Sold
with one beeswax candle from the neighbor's bees.""",
        (Variant("CANDLE-22", 2600, 21),),
        (
            Picture(
                Drawing("candlestick", "ink", "dusk"),
                "Low blue candlestick with a finger ring and a lit beeswax candle",
            ),
        ),
    ),
    Good(
        "kyoto-tea-bowl",
        "Kyoto tea bowl",
        "A matcha bowl made with a studio in Kyoto, priced and paid in yen.",
        """In autumn I work for three weeks at a friend's studio near Kyoto. We fire
these bowls there, one at a time, and pull them glowing from the kiln. The black is the glaze, the
copper is the smoke.

Each comes in a plain cotton bag with the day of its firing. Rinse with warm water, do not
use soap, and let it dry before you put it away.

The studio is paid in its own currency, so the price is in yen: there are no smaller coins to
round to.""",
        (Variant("TEABOWL-KYO", 14800, 7, currency="jpy"),),
        (
            Picture(
                Drawing("tea bowl", "raku", "plaster"),
                "Black raku tea bowl with a copper sheen, slightly uneven at the rim",
            ),
        ),
        featured=True,
    ),
    Good(
        "mug-of-the-month",
        "Mug of the month club",
        "A mug you have not seen before, at your door every month.",
        """Once a month I make a small batch of something that is not in the shop: a glaze I want
to try, a handle that may be a mistake. Members get one each. What is left over goes to
the kiln gods.

- sent in the first week of the month, postage within the EU included
- by the **month**: the first 14 days are free, stop whenever you like
- by the **year**: twelve mugs for the price of ten

If one arrives broken, write to me and I send another.""",
        (
            Variant(
                "CLUB-MONTH",
                2900,
                None,
                "Monthly",
                {"Paid": "Monthly"},
                interval="month",
                trial_days=14,
            ),
            Variant("CLUB-YEAR", 29000, None, "Yearly", {"Paid": "Yearly"}, interval="year"),
        ),
        (
            Picture(
                Drawing("row of mugs", "oat", "shell"),
                "Three mugs in different glazes standing in a row",
            ),
        ),
        featured=True,
    ),
    Good(
        "gift-box",
        "Gift box for two",
        "Two Hearth mugs in oat, packed in wood wool and tied with ribbon.",
        """For weddings, new flats and people who have everything but good mugs. Two Hearth mugs
in oat come in a plain box of gray board, bedded in wood wool, with a cotton ribbon that can be
used again.

Tell me in a note what to write on the card. I write it by hand, in any language that you can
spell for me.""",
        (Variant("GIFT-TWO", 5900, 14),),
        (
            Picture(
                Drawing("gift box", "rust", "shell"),
                "Closed gift box in brown board, tied with a rust-red ribbon",
            ),
        ),
    ),
    Good(
        "glaze-notebook",
        "Glaze notebook (PDF)",
        "Sixty recipes from twelve years of tests, with the failures left in.",
        """A scan of my working notebook: recipes by weight, firing curves, and a photograph of
every test tile. The failures are marked in red, because they taught me more.

- PDF, 84 pages, in English
- for stoneware at cone 6, electric kiln
- the link comes with your receipt, and it can be read on as many devices as you own""",
        (Variant("NOTEBOOK-PDF", 1200, None),),
        (
            Picture(
                Drawing("notebook", "ink", "clay"),
                "Cloth-bound notebook with a pencil and four glazed test tiles",
            ),
        ),
    ),
    Good(
        "glaze-sample-card",
        "Glaze sample card",
        "See the colors in your own light before you choose. Free.",
        """Screens lie about glazes, and so does my workshop lamp. This card carries six small
chips, one of each glaze in the shop, so that you can hold them next to your own table.

It costs nothing, postage included. One for each household, please.""",
        (Variant("SAMPLE-CARD", 0, 120),),
        (
            Picture(
                Drawing("sample card", "oat", "linen"),
                "Card with six small glazed chips in oat, sea, rust, ink, moss and butter",
            ),
        ),
    ),
]

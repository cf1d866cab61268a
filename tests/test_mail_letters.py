"""What a mail says and to whom: true when it is sent, safe whatever names it is made of."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import database
from storefront.extensions import db
from storefront.mail import kinds, letters, sending
from storefront.mail.failures import NotSent, Refused
from storefront.models import OutgoingMail
from storefront.services import mailer
from tests.payments.interventions import change_order, change_product, on_sqlite
from tests.stage import Stage

pytestmark = on_sqlite

SUPPORT = "hello@pottery.example"
NAMES = "\r\nBcc: eve@example.com", "<script>alert(1)</script>", "{{ 7*7 }}", "\u202eAda\x1b[31m\0"
NO_ADDRESSES = (
    "ada@example.com\r\nBcc: eve@example.com",
    "ada@example.com, eve@example.com",
    "Ada <ada@example.com>",
    "nobody",
    "@",
    "ada@" + "x" * 70 + ".example",
    "a b@example.com",
    "jürgen@example.com",
)
REASONS = "amount_mismatch duplicate oversold disputed refund_failed event_failing unheard_of"


class Outlet:
    """Takes whatever comes."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    def __enter__(self) -> Outlet:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def send(self, message: EmailMessage, _sender: str, _recipients: list[str]) -> str:
        self.taken.append(message)
        return "250 fine"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"SUPPORT_EMAIL": SUPPORT, "SHOP_URL": "http://localhost", "SHOP_NAME": "Pots & <Pans>"}


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with one paid order of two mugs."""
    stage.pay(stage.open_session(stage.browser(), quantity=2))
    return stage


def letter(stage: Stage, kind: str, about: str = "this", **details: Any) -> letters.Letter:
    """This mail about the only order, as it would leave now."""
    with stage.app.app_context():
        with database.writing():
            mailer.put(kind, about, order_id=stage.order().id, **details)
        mail = db.session.scalars(select(OutgoingMail).filter_by(key=f"{kind}:{about}")).one()
        return letters.write(mail)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def both(letter: letters.Letter) -> tuple[str, str]:
    return part(letter.message, "plain"), part(letter.message, "html")


def test_each_kind_has_words_in_both_forms(stage: Stage) -> None:
    for name, kind in kinds.KINDS.items():
        made = letter(stage, name)
        assert made.recipients == ["buyer@example.com" if kind.to_buyer else SUPPORT]
        assert made.subject.startswith("Pots & <Pans>: ")
        assert made.message["Reply-To"] == SUPPORT and made.sender == SUPPORT
        text, html = both(made)
        assert "Pots & <Pans>" in text and "Pots &amp; &lt;Pans&gt;" in html
        assert "&amp;" not in text and "&lt;" not in text and "None" not in text
        assert "\n\n\n" not in text and not text.startswith("\n")
        if name != "mail_test":
            assert "1001" in made.subject and "€48.00" in text and "€48.00" in html


def test_the_merchant_reads_why_and_what_to_type(stage: Stage) -> None:
    told = set()
    for why in REASONS.split():
        made = letter(stage, "needs_a_hand", why, why=why, amount=100, currency="jpy", reason="a_b")
        text, html = both(made)
        assert "flask shop " in text and "flask shop " in html
        assert ("Something needs a look" in text) == (why == "unheard_of")
        assert "Reason: a b" in text
        told.add(made.subject)
    assert len(told) == len(REASONS.split())


def test_a_buyer_comes_to_his_order_by_the_shops_own_address(stage: Stage) -> None:
    for shown in both(letter(stage, "order_confirmation")):
        assert f"http://localhost/orders/{stage.order().token}" in shown
    for shown in both(letter(stage, "payment_failed")):
        assert "http://localhost/products/mug" in shown
    for shown in both(letter(stage, "new_order")):
        assert stage.order().token not in shown, "it is told to the buyer alone"


def test_a_refund_says_its_own_amount_and_what_came_back_in_all(stage: Stage) -> None:
    change_order(stage, amount_refunded=2400)
    text, _html = both(letter(stage, "refunded", amount=1200, currency="eur"))
    assert "€12.00" in text and "€24.00 of €48.00" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(stage: Stage, name: str) -> None:
    change_product(stage, name=f"Mug{name}")
    stage.pay(stage.open_session(stage.browser()))
    address = {"line1": f"1{name}", "city": name, "country": "BE"}
    change_order(stage, name=f"Ada{name}", phone=name, shipping={"name": name, "address": address})
    with stage.app.app_context():
        found = list(db.session.scalars(select(OutgoingMail)))
        made = [letters.write(mail) for mail in found]
    for one in made:
        headers = one.message.as_string().split("\n\n")[0]
        assert "\nBcc:" not in headers and one.message["Bcc"] is None
        assert "eve@example.com" not in " ".join(one.recipients)
        text, html = both(one)
        assert "<script>" not in html and "49" not in html.split("<h1")[1].split("€")[0]
        assert all(sign.isprintable() or sign == "\n" for sign in text)
        assert "\u202e" not in html


def test_what_is_no_address_is_refused_for_good(app: Flask) -> None:
    for recipient in NO_ADDRESSES:
        with app.app_context(), pytest.raises(Refused, match="is not an e-mail address"):
            letters.write(letters.new_test_mail(recipient))


def test_foreign_letters_are_addressed_as_dns_knows_them(stage: Stage) -> None:
    made = letter(stage, "order_confirmation", recipient="ada@bücher.example")
    assert made.recipients == ["ada@xn--bcher-kva.example"]
    assert "ada@xn--bcher-kva.example" in made.message.as_string()


def test_a_buyer_without_an_address_is_not_the_merchant(stage: Stage) -> None:
    change_order(stage, email=None)
    with pytest.raises(Refused, match="no address"):
        letter(stage, "order_confirmation")


def test_a_merchant_without_an_address_can_still_name_one(stage: Stage) -> None:
    stage.app.config["SUPPORT_EMAIL"] = ""
    with pytest.raises(NotSent, match="set MERCHANT_EMAIL") as trouble:
        letter(stage, "new_order")
    assert not isinstance(trouble.value, Refused), "it waits, it has not failed"


@pytest.mark.parametrize(
    "named, expected",
    [
        ({}, [SUPPORT]),
        ({"MERCHANT_EMAIL": ("a@shop.example", "b@shop.example")}, None),
        ({"SUPPORT_EMAIL": ""}, ["boss@example.com"]),
    ],
)
def test_the_merchant_is_whom_the_settings_name_or_else_the_owners(
    stage: Stage, named: dict[str, Any], expected: list[str] | None
) -> None:
    stage.add_user("boss@example.com", role="owner")
    stage.add_user("cook@example.com", role="staff")
    stage.app.config.update(named)
    assert letter(stage, "new_order").recipients == (expected or list(named["MERCHANT_EMAIL"]))


def test_the_sender_is_who_the_settings_say(stage: Stage) -> None:
    stage.app.config["MAIL_FROM"] = "The Pots <post@pots.example>"
    made = letter(stage, "new_order")
    assert made.sender == "post@pots.example"
    assert made.message["From"] == "The Pots <post@pots.example>"
    stage.app.config["MAIL_FROM"] = "post@pots.example"
    with stage.app.app_context():
        again = letters.write(letters.new_test_mail("ada@example.com"))
    assert again.message["From"].addresses[0].display_name == "Pots & <Pans>"


def test_each_mail_is_known_by_one_id_for_ever(stage: Stage) -> None:
    first = letter(stage, "order_confirmation").message["Message-ID"]
    change_order(stage, name="Somebody else")
    assert letter(stage, "order_confirmation").message["Message-ID"] == first
    assert letter(stage, "new_order").message["Message-ID"] != first
    assert str(first).endswith("@localhost>")


@pytest.mark.parametrize(
    "kind, then, sent",
    [
        ("payment_processing", {"state": "processing", "stock": "held"}, True),
        ("payment_processing", {}, False),
        ("payment_failed", {"state": "failed", "stock": "released"}, True),
        ("payment_failed", {}, False),
        ("order_confirmation", {}, True),
        ("order_confirmation", {"stock": "short"}, False),
        ("new_order", {"stock": "short"}, False),
        ("oversold", {"stock": "short"}, True),
    ],
)
def test_what_is_no_longer_true_is_dropped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, then: dict[str, str], sent: bool
) -> None:
    outlet, before = Outlet(), stage.orders()[0]
    monkeypatch.setattr(sending, "find_outlet", lambda: outlet)
    with stage.app.app_context():
        sending.send_due()
        outlet.taken.clear()
        with database.writing():
            mailer.put(kind, "this", order_id=before.id)
    if then:
        change_order(stage, **then)
    with stage.app.app_context():
        report = sending.send_due()
        mail = db.session.scalars(select(OutgoingMail).filter_by(key=f"{kind}:this")).one()
        assert (report.sent, report.dropped) == ((1, 0) if sent else (0, 1))
        assert mail.state == ("sent" if sent else "dropped")
        assert bool(mail.last_error) != sent
    change_order(stage, state=before.state, stock=before.stock)  # the stage counts the goods


def test_an_extension_can_add_a_kind_but_not_take_ours(app: Flask) -> None:
    kinds.register(app, "birthday", kinds.Kind("Once a year.", to_buyer=True))
    with app.app_context():
        assert kinds.get_kind("birthday").why == "Once a year."
    for taken in ("birthday", "new_order"):
        with pytest.raises(ValueError, match="already"):
            kinds.register(app, taken, kinds.Kind("Mine.", to_buyer=True))

"""The demo's mailbox: what was sent lies there to look at, and it harms nobody who looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from storefront import create_app
from storefront.mail import letters, outlets
from storefront.mail.mailbox import MOST_KEPT, Mailbox
from storefront.sandbox import close
from tests.conftest import SETTINGS

PATH = "/demo/mailbox"
DEMO = {"STRIPE_SANDBOX": True, "SHOP_NAME": "<Pots>"}


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(SETTINGS | DEMO | {"SHOP_INSTANCE": str(tmp_path / "instance")})
    yield app
    close(app.extensions["sandbox"])


def receive(app: Flask, count: int = 1) -> list[str]:
    """Send test mails by the app's own outlet; the names they lie under."""
    answers = []
    with app.app_context():
        outlet = outlets.find_outlet()
        assert isinstance(outlet, Mailbox)
        for number in range(count):
            made = letters.write(letters.new_test_mail(f"buyer{number}@example.com"))
            with outlet:
                answers.append(outlet.send(made.message, made.sender, made.recipients))
    return [answer.split()[-1] for answer in answers]


def test_it_lists_what_was_sent_newest_first(demo: Flask) -> None:
    visitor = demo.test_client()
    assert "Nothing yet" in visitor.get(f"{PATH}/").text
    receive(demo, 2)
    page = visitor.get(f"{PATH}/").text
    assert page.index("buyer1@example.com") < page.index("buyer0@example.com")
    assert "&lt;Pots&gt;" in page and "<Pots>" not in page


def test_it_shows_text_and_html_side_by_side(demo: Flask) -> None:
    (name,) = receive(demo)
    page = demo.test_client().get(f"{PATH}/{name}")
    assert "mail from your shop arrives" in page.text
    assert f'src="{PATH}/{name}/html"' in page.text and "sandbox=" in page.text
    shown = demo.test_client().get(f"{PATH}/{name}/html")
    policy = shown.headers["Content-Security-Policy"]
    assert "sandbox" in policy and "script-src" not in policy and "default-src 'none'" in policy
    assert "<h1" in shown.text
    with demo.test_client().get(f"{PATH}/static/css/shop.css") as style:
        assert style.status_code == 200


@pytest.mark.parametrize("name", ["0123456789abcdef", "..%2f..%2fsecrets", "%2e%2e", "a%00b"])
def test_it_shows_nothing_else(demo: Flask, name: str) -> None:
    receive(demo)
    assert demo.test_client().get(f"{PATH}/{name}").status_code == 404
    assert demo.test_client().get(f"{PATH}/{name}/html").status_code == 404


def test_it_is_for_this_computer_only(demo: Flask) -> None:
    visitor = demo.test_client()
    assert visitor.get(f"{PATH}/", headers={"Host": "evil.example"}).status_code == 400
    assert visitor.get(f"{PATH}/", headers={"Host": "127.0.0.1:8001"}).status_code == 200
    far_away = visitor.get(f"{PATH}/", environ_base={"REMOTE_ADDR": "203.0.113.5"})
    assert far_away.status_code == 403


@pytest.mark.parametrize(
    "settings",
    [{"STRIPE_SANDBOX": False}, {"MAIL_URL": "smtp://localhost", "MAIL_FROM": "a@b.example"}],
    ids=["a shop", "a demo with a mail server"],
)
def test_a_shop_with_real_mail_has_none(tmp_path: Path, settings: dict[str, Any]) -> None:
    app = create_app(SETTINGS | DEMO | settings | {"SHOP_INSTANCE": str(tmp_path / "instance")})
    assert app.test_client().get(f"{PATH}/").status_code == 404
    assert "mailbox_url" not in app.jinja_env.globals
    if "sandbox" in app.extensions:
        close(app.extensions["sandbox"])


def test_a_mail_that_comes_twice_lies_there_once_and_the_oldest_go(
    demo: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo.app_context():
        outlet = outlets.mailbox_of(demo)
        made = letters.write(letters.new_test_mail("ada@example.com"))
        for _ in range(2):
            outlet.send(made.message, made.sender, made.recipients)
        assert len(outlet.list_messages()) == 1
    assert MOST_KEPT > 50
    monkeypatch.setattr("storefront.mail.mailbox.MOST_KEPT", 3)
    names = receive(demo, 4)
    assert [name for name, _message in outlet.list_messages()] == names[:0:-1]

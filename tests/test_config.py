"""Settings: what is read, what is refused, and that table and .env.example say the same."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from storefront import config
from storefront.config import NAMES, SETTINGS, ConfigError, load, write_secrets

STRONG = "Kq2v9Zr4Xw7Yb1Nc8Md5Lf3Hg6Js0Pt-tests"
TEST_STRIPE = {
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef",
}
LIVE_STRIPE = {
    "STRIPE_SECRET_KEY": "sk_live_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef",
    "SHOP_URL": "https://shop.example",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this computer reaches the tests."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def made(tmp_path: Path, **given: Any) -> dict[str, Any]:
    return load({"SHOP_INSTANCE": str(tmp_path / "instance"), "SECRET_KEY": STRONG} | given)


def test_it_makes_its_secret_key_once_and_keeps_it_private(tmp_path: Path) -> None:
    instance = {"SHOP_INSTANCE": str(tmp_path / "instance")}
    first = load(instance)["SECRET_KEY"]
    assert len(first) >= 32
    assert load(instance)["SECRET_KEY"] == first
    mode = stat.S_IMODE(os.stat(tmp_path / "instance" / "secrets").st_mode)
    assert mode == 0o600


def test_the_first_of_two_keys_made_at_once_is_everyones(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secrets").write_text(f"SECRET_KEY={STRONG}\nSECRET_KEY=later\n")
    assert config._own_secret_key(tmp_path / "instance") == STRONG


def test_written_secrets_are_kept_not_replaced(tmp_path: Path) -> None:
    write_secrets(tmp_path, {"A": "1"})
    write_secrets(tmp_path, {"A": "2", "B": "3"})
    assert (tmp_path / "secrets").read_text() == "A=1\nB=3\n"


def test_what_is_written_anew_counts_from_then_on(tmp_path: Path) -> None:
    for port in (8001, 8002, 8002):
        url = {"SHOP_URL": f"http://127.0.0.1:{port}", "SHOP_INSTANCE": str(tmp_path)}
        write_secrets(tmp_path, url | {"SHOP_NAME": f"Shop {port}"}, anew={"SHOP_URL"})
    found = load({"SHOP_INSTANCE": str(tmp_path)})
    assert (found["SHOP_URL"], found["SHOP_NAME"]) == ("http://127.0.0.1:8002", "Shop 8001")
    assert (tmp_path / "secrets").read_text().count("SHOP_URL") == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOP_URL", "shop.example"),
        ("SHOP_URL", "https://shop.example/shop"),
        ("SHOP_URL", "ftp://shop.example"),
        ("MAIL_URL", "mail.example:587"),
        ("MAIL_URL", "smtp://mail.example:port"),
        ("MAIL_URL", "smtp://mail.example"),  # and nobody to send it from
        ("MAIL_FROM", "The shop"),
        ("MAIL_FROM", "a@shop.example, b@shop.example"),
        ("MERCHANT_EMAIL", "me@shop.example, nobody"),
        ("STRIPE_SANDBOX", "maybe"),
        ("CHECKOUT_HOLD_MINUTES", "30"),
        ("CHECKOUT_HOLD_MINUTES", "1441"),
        ("CHECKOUT_HOLD_MINUTES", "long"),
        ("STRIPE_SECRET_KEY", "pk_test_1"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_test_1"),
        ("STRIPE_WEBHOOK_SECRET", "we_1234567890123456"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_1"),
        ("DATABASE_URL", "mysql://root@localhost/shop"),
        ("DATABASE_URL", "shop.sqlite"),
        ("TRUSTED_PROXIES", "-1"),
    ],
)
def test_it_refuses_nonsense_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        made(tmp_path, **{name: value})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 64}, "SECRET_KEY"),
        ({"SECRET_KEY": "changeme-changeme-changeme-changeme"}, "SECRET_KEY"),
        (LIVE_STRIPE | {"STRIPE_SANDBOX": "true"}, "STRIPE_SANDBOX"),
        (LIVE_STRIPE | {"STRIPE_API_BASE": "http://127.0.0.1:1"}, "STRIPE_API_BASE"),
        (LIVE_STRIPE | {"SHOP_URL": ""}, "SHOP_URL"),
        (LIVE_STRIPE | {"SHOP_URL": "http://shop.example"}, "https"),
        (LIVE_STRIPE | {"STRIPE_PUBLISHABLE_KEY": "pk_test_1"}, "same mode"),
        ({"STRIPE_SECRET_KEY": "sk_test_1"}, "STRIPE_WEBHOOK_SECRET"),
        (TEST_STRIPE | {"STRIPE_SANDBOX": "1", "SHOP_URL": "https://shop.example"}, "SANDBOX"),
    ],
)
def test_it_refuses_unsafe_combinations(tmp_path: Path, given: dict[str, str], says: str) -> None:
    given = {name: value for name, value in given.items() if value}
    with pytest.raises(ConfigError, match=says):
        made(tmp_path, **given)


def test_it_takes_a_live_shop_that_is_whole(tmp_path: Path) -> None:
    settings = made(tmp_path, **LIVE_STRIPE)
    assert settings["LIVEMODE"] is True
    assert settings["SESSION_COOKIE_NAME"] == "__Host-session"
    assert settings["SESSION_COOKIE_SECURE"] is True


def test_it_names_every_fault_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        made(tmp_path, SHOP_URL="nowhere", TRUSTED_PROXIES="many")
    assert "SHOP_URL" in str(refusal.value) and "TRUSTED_PROXIES" in str(refusal.value)


def test_secrets_come_from_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(STRONG + "\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    assert load({"SHOP_INSTANCE": str(tmp_path)})["SECRET_KEY"] == STRONG
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        load({"SHOP_INSTANCE": str(tmp_path)})


def test_the_environment_comes_before_dotenv_and_that_before_the_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secrets(tmp_path, {"SHOP_NAME": "kept", "SUPPORT_EMAIL": "kept@shop.example"})
    Path(".env").write_text("SHOP_NAME=dotenv\nLOG_LEVEL=DEBUG\n")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    settings = made(tmp_path, SHOP_INSTANCE=str(tmp_path))
    assert settings["SHOP_NAME"] == "dotenv"
    assert settings["LOG_LEVEL"] == "ERROR"
    assert settings["SUPPORT_EMAIL"] == "kept@shop.example"


@pytest.mark.parametrize("given", ["postgres://u@h/db", "postgresql://u@h/db"])
def test_postgres_gets_its_driver(tmp_path: Path, given: str) -> None:
    assert made(tmp_path, DATABASE_URL=given)["DATABASE_URL"] == "postgresql+psycopg://u@h/db"


def test_an_instance_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        load({"SHOP_INSTANCE": str(tmp_path / "file" / "instance")})


def test_the_example_file_lists_exactly_the_settings() -> None:
    example = (Path(__file__).parent.parent / ".env.example").read_text().splitlines()
    shown = dict(
        line.removeprefix("# ").split("=", 1)
        for line in example
        if line.startswith("# ") and line[2:].split("=")[0].isupper() and "=" in line
    )
    assert shown == {setting.name: setting.default for setting in SETTINGS}
    for setting in SETTINGS:
        assert f"# {setting.about}" in example


def test_the_docs_list_exactly_the_settings() -> None:
    lines = (Path(__file__).parent.parent / "docs" / "settings.md").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| `")]
    shown = [(row[0].strip("| `"), row[1].strip("` "), row[2].rstrip(" |")) for row in rows]
    assert shown == [(setting.name, setting.default, setting.about) for setting in SETTINGS]

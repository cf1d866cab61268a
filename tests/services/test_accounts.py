"""Accounts: what a good password is, how it is kept, and who becomes an owner."""

import time

import pytest

from storefront.database import writing
from storefront.errors import InvalidInput
from storefront.extensions import db
from storefront.models.user import User
from storefront.services import accounts
from storefront.services.accounts import NewPassword, new_password, normal_email

PASSWORD = "four violet kettles 7"
CHEAP = NewPassword("scrypt:256:8:1$salt$hash")


@pytest.fixture
def shop(app, monkeypatch):
    monkeypatch.setattr(accounts, "HASH_METHOD", "scrypt:256:8:1")  # quick
    monkeypatch.setattr(accounts, "DECOY_HASH", new_password("nobody's password").hash)
    with app.app_context():
        yield app


@pytest.mark.parametrize(
    ("email", "normal"),
    [
        (" Ada@EXAMPLE.com\n", "ada@example.com"),
        ("a.d.a+x@example.com", "a.d.a+x@example.com"),
        ("eva@xn--bcher-kva.example", "eva@bücher.example"),
        ("e\u0301va@example.com", "éva@example.com"),
    ],
)
def test_an_address_has_one_form(email, normal):
    assert normal_email(email) == normal


@pytest.mark.parametrize(
    "email",
    [
        "",
        "@",
        "a@",
        "@example.com",
        "a b@example.com",
        "a@exa\0mple.com",
        "a@b@example.com",
        "a@example.com, b@example.com",
        "x" * 250 + "@example.com",
        "a@" + "d." * 150 + "com",
    ],
)
def test_what_is_no_address_is_refused(email):
    with pytest.raises(InvalidInput):
        normal_email(email)


@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "x" * 1001,
        "nul in \0 the middle",
        "            ",
        "abababababab",
        "passwordpassword",
        "Password123!",
        "123456789012",
        "098765432109",
        "abcdefghijkl",
        "qwertyuiopas",
        "iloveyou2024!",
        "1qaz2wsx3edc",
        "ada@example.com",
        "ada.lovelace1815",
        "Ada.Lovelace!!!!",
    ],
)
def test_bad_passwords_are_refused_with_a_sentence(password):
    email = "ada.lovelace@example.com" if "ovelace" in password else "ada@example.com"
    with pytest.raises(InvalidInput) as refusal:
        new_password(password, email)
    assert refusal.value.message
    assert password not in refusal.value.message


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "948201736583",
        "ünïcöde ist gut",
        "🎉🎈🎁🎂🍰🧁🍭🍬🍫🍩🍪🍯",
        "x7" * 2 + "Kq-9 zebra",
    ],
)
def test_good_passwords_are_taken(monkeypatch, password):
    monkeypatch.setattr(accounts, "HASH_METHOD", "scrypt:256:8:1")  # quick
    assert new_password(password, "ada@example.com").hash.startswith("scrypt:")


def test_passwords_are_kept_as_strong_salted_scrypt():
    kept = new_password(PASSWORD)
    method, n, r, p = kept.hash.split("$")[0].split(":")
    # OWASP's table: 2^17, 8, 1 is as strong as 2^15, 8, 3.
    assert (method, int(n) * int(r) * int(p)) == ("scrypt", 2**15 * 8 * 3)
    assert kept.hash != new_password(PASSWORD).hash
    assert kept.hash not in repr(kept)
    assert len(accounts.DECOY_HASH) == len(kept.hash)


def test_the_decoy_costs_what_a_real_hash_costs():
    assert accounts.DECOY_HASH.startswith(f"{accounts.HASH_METHOD}$")


def test_a_hash_is_slow_enough_to_matter():
    began = time.process_time()
    new_password(PASSWORD)
    assert time.process_time() - began > 0.05


def test_registering_twice_leaves_the_first_account_alone(shop):
    with writing():
        first = accounts.register("ada@example.com", CHEAP, " Ada ")
    stamp = first.stamp
    with writing():
        assert accounts.register("ADA@example.com", NewPassword("other"), "Eve") is None
        db.session.add(User(email="next@example.com", password_hash="x", stamp="y"))  # goes on
    db.session.expire_all()
    kept = accounts.find_by_email("ada@EXAMPLE.com")
    assert (kept.name, kept.password_hash, kept.stamp) == ("Ada", CHEAP.hash, stamp)
    assert accounts.find_by_email("next@example.com")


def test_passwords_are_compared_whole_and_exactly(shop):
    with writing():
        user = accounts.register("ada@example.com", new_password(PASSWORD))
    assert accounts.authenticate("Ada@Example.com", PASSWORD) is user
    for wrong in (PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper(), "", PASSWORD + "\0"):
        assert accounts.authenticate("ada@example.com", wrong) is None
    assert accounts.authenticate("eve@example.com", PASSWORD) is None
    assert accounts.authenticate("no address", PASSWORD) is None


def test_an_old_hash_is_replaced_unless_the_password_was_changed_meanwhile(shop):
    with writing():
        user = accounts.register("ada@example.com", NewPassword("scrypt:128:8:1$old$hash"))
    old, stronger = user.password_hash, accounts.stronger_hash(user, PASSWORD)
    assert stronger.hash.startswith("scrypt:256:8:1$")
    with writing():
        accounts.change_password(user, NewPassword("scrypt:256:8:1$changed$meanwhile"))
    with writing():
        accounts.keep_stronger_hash(user, old, stronger)
    db.session.expire_all()
    assert user.password_hash == "scrypt:256:8:1$changed$meanwhile"
    assert accounts.stronger_hash(user, PASSWORD) is None
    with writing():
        accounts.keep_stronger_hash(user, user.password_hash, stronger)
    db.session.expire_all()
    assert user.password_hash == stronger.hash


def test_a_stamp_finds_its_user_until_it_is_changed(shop):
    with writing():
        user = accounts.register("ada@example.com", CHEAP)
    before = user.stamp
    assert accounts.find_by_stamp(user.id, before) is user
    assert accounts.find_by_stamp(user.id + 1, before) is None
    with writing():
        accounts.sign_out_everywhere(user)
    assert accounts.find_by_stamp(user.id, before) is None
    assert accounts.find_by_stamp(user.id, user.stamp) is user
    with writing():
        user.is_disabled = True
    assert accounts.find_by_stamp(user.id, user.stamp) is None


def test_no_shop_has_an_owner_until_one_is_made(shop):
    assert db.session.scalars(db.select(User)).all() == []
    with writing():
        owner = accounts.make_owner("Me@shop.example", PASSWORD)
    assert (owner.role, owner.email) == ("owner", "me@shop.example")
    assert accounts.authenticate("me@shop.example", PASSWORD) is owner


def test_making_an_owner_again_gives_the_account_a_new_password_and_ends_its_sessions(shop):
    with writing():
        user = accounts.register("me@shop.example", CHEAP)
        user.is_disabled = True
    before = user.stamp
    for _ in range(2):
        with writing():
            assert accounts.make_owner("me@shop.example", PASSWORD) is user
    assert (user.role, user.is_disabled) == ("owner", False)
    assert user.stamp != before
    assert accounts.authenticate("me@shop.example", PASSWORD) is user


@pytest.mark.parametrize(
    ("email", "password"), [("me@shop.example", "short"), ("nobody", PASSWORD)]
)
def test_an_owner_needs_an_address_and_a_good_password(shop, email, password):
    with pytest.raises(InvalidInput), writing():
        accounts.make_owner(email, password)
    assert db.session.scalars(db.select(User)).all() == []

"""Accounts: made, recognized by password, ended everywhere by a new stamp.

A password is hashed (about 0.3 s) before the writing transaction begins: inside, it would stop
every sale for as long. That is why a new password travels as a `NewPassword`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from storefront.errors import InvalidInput
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models.user import User

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1000
LONGEST_NAME = 200
# As strong as scrypt:131072:8:1 by OWASP's table, in 32 MB instead of 128.
HASH_METHOD = "scrypt:32768:8:3"
# Nobody's hash. An unknown address costs the same work as a known one.
DECOY_HASH = (
    "scrypt:32768:8:3$vESRVY3UjHtWXbhQ$015255dd86d85b60020526f3d52eaece5af47a9742e57be9ac96bdb53b838d09"
    "dd7d63108c56138310d2669638bb337f85097ed9cb4f323cb4a2cb3c3208b717"
)
# The commonest passwords that are long enough for us, without digits and signs at their ends.
COMMON = frozenset(
    """
    password passwordpassword passwort passwortpasswort motdepasse contrasena adminadmin
    administrator administrateur iloveyou iloveyouiloveyou letmein letmeinletmein welcome
    welcomewelcome sunshine princess football baseball basketball superman changeme
    changemechangeme changemenow trustnoone correcthorsebatterystaple thisismypassword mypassword
    mysecretpassword secretsecret testtesttest onetwothreefour qwertyqwerty q1w2e3r4t5y6
    1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv zaq12wsxcde3
    """.split()
)
KEYS_IN_A_ROW = (
    "0123456789" * 3,
    "9876543210" * 3,
    "abcdefghijklmnopqrstuvwxyz" * 2,
    "qwertyuiopasdfghjklzxcvbnm" * 2,
    "qwertzuiopasdfghjklyxcvbnm" * 2,
    "azertyuiopqsdfghjklmwxcvbn" * 2,
)
BY_STAMP = select(User).where(User.id == bindparam("user_id"), User.stamp == bindparam("given"))
ENDS = "0123456789!?.,-_@#$*+ "


@dataclass(frozen=True)
class NewPassword:
    """A password that was found good and is hashed already."""

    hash: str = field(repr=False)


def normal_email(email: str) -> str:
    """The address in the one form we keep: domain normalized, lower-case. Raises InvalidInput."""
    try:
        found = validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidInput(_("This is not an e-mail address.")) from error
    return found.normalized.lower()


def new_password(password: str, email: str = "") -> NewPassword:
    """Check and hash a password; slow, so call it before `writing()`. Raises InvalidInput."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(_("Please take at least %(n)s characters.", n=SHORTEST_PASSWORD))
    if len(password) > LONGEST_PASSWORD or "\0" in password:
        raise InvalidInput(_("This password cannot be used. Please choose another one."))
    if _is_easy_to_guess(password.lower(), email.lower()):
        raise InvalidInput(_("This password is easy to guess. Please choose another one."))
    return NewPassword(_hash(password))


def _is_easy_to_guess(password: str, email: str) -> bool:
    core, name = password.strip(ENDS), email.partition("@")[0]
    parts = {password, core if len(core) >= 3 else password}
    if len(set(password)) < 5 or parts & (COMMON | {email, name, name.strip(ENDS)}):
        return True
    return any(part in row for part in parts for row in KEYS_IN_A_ROW)


def _hash(password: str) -> str:
    return generate_password_hash(password, method=HASH_METHOD)


def new_stamp() -> str:
    """A fresh session stamp: sessions that carry another one are over."""
    return secrets.token_urlsafe(32)


def register(email: str, password: NewPassword, name: str = "") -> User | None:
    """Make a customer's account. An address that has one already is left alone: returns None.

    Raises InvalidInput for what is no e-mail address.
    """
    address = normal_email(email)
    user = User(email=address, name=name.strip(), password_hash=password.hash, stamp=new_stamp())
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError:  # there before, or in this very moment by another worker
        return None
    return user


def authenticate(email: str, password: str) -> User | None:
    """The user with this address and password, unless disabled. One hash is computed, always."""
    user = find_by_email(email)
    is_right = _matches(user.password_hash if user else DECOY_HASH, password)
    return user if user and is_right and user.is_active else None


def _matches(kept: str, password: str) -> bool:
    # HMAC fills short keys up with NULs, so to it "x" and "x\0" are one password.
    return check_password_hash(kept, password) and "\0" not in password


def find_by_email(email: str) -> User | None:
    """The user with this address in any spelling, or None."""
    try:
        address = normal_email(email)
    except InvalidInput:
        return None
    return db.session.scalar(db.select(User).where(User.email == address))


def is_password_of(user: User, password: str) -> bool:
    """Whether this is the user's password; one hash."""
    return _matches(user.password_hash, password)


def stronger_hash(user: User, password: str) -> NewPassword | None:
    """The password anew in today's method, or None when it is kept that way already; slow."""
    if user.password_hash.startswith(f"{HASH_METHOD}$"):
        return None
    return NewPassword(_hash(password))


def keep_stronger_hash(user: User, replaced: str, password: NewPassword) -> None:
    """Store the rehashed password unless `replaced` is no longer the one in place."""
    db.session.execute(
        update(User)
        .where(User.id == user.id, User.password_hash == replaced)
        .values(password_hash=password.hash)
    )


def find_by_stamp(user_id: int, stamp: str) -> User | None:
    """The user of this session, or None when it was ended or he is disabled. One statement."""
    user = db.session.scalar(BY_STAMP, {"user_id": user_id, "given": stamp})
    return user if user and user.is_active else None


def list_owner_addresses() -> list[str]:
    """The addresses of the owners who may sign in, the oldest first."""
    owners = select(User.email).where(User.role == "owner", User.is_disabled.is_(False))
    return list(db.session.scalars(owners.order_by(User.id)))


def change_password(user: User, password: NewPassword) -> None:
    """Set a new password; all sessions of the user end, and the caller renews his own."""
    user.password_hash = password.hash
    sign_out_everywhere(user)


def sign_out_everywhere(user: User) -> None:
    """End every session of the user, copied cookies included. Harmless when repeated."""
    user.stamp = new_stamp()


def make_owner(email: str, password: str) -> User:
    """Make an owner, or make the account with this address one and give it this password.

    For the command line only: it hashes inside the caller's transaction. Raises InvalidInput.
    """
    prepared = new_password(password, email)
    user = find_by_email(email) or register(email, prepared)
    if user is None:
        raise InvalidInput(_("This account was made a moment ago. Please run the command again."))
    user.role, user.is_disabled = "owner", False
    change_password(user, prepared)
    return user

"""The forms of accounts. What a good password is, `services/accounts.py` decides."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, Length, Optional

from storefront.i18n import gettext as _
from storefront.services.accounts import LONGEST_NAME, LONGEST_PASSWORD, SHORTEST_PASSWORD

LONGEST_EMAIL = 254


class AccountForm(FlaskForm):
    """A form whose token the blueprint has checked before the view runs."""

    class Meta:
        csrf = False


def _email() -> EmailField:
    return EmailField(
        _("E-mail address"),
        [
            DataRequired(_("Please enter your e-mail address.")),
            Length(max=LONGEST_EMAIL, message=_("This e-mail address is too long.")),
        ],
    )


def _password(label: str, missing: str, *rules: Any) -> PasswordField:
    too_long = Length(max=LONGEST_PASSWORD, message=_("This password is too long."))
    return PasswordField(label, [DataRequired(missing), too_long, *rules])


def _new_password(label: str) -> PasswordField:
    enough = _("Please take at least %(n)s characters.", n=SHORTEST_PASSWORD)
    too_short = Length(min=SHORTEST_PASSWORD, message=enough)
    return _password(label, _("Please choose a password."), too_short)


class LoginForm(AccountForm):
    """Sign in."""

    email = _email()
    password = _password(_("Password"), _("Please enter your password."))
    next = HiddenField()


class RegisterForm(AccountForm):
    """Make an account."""

    email = _email()
    name = StringField(
        _("Name"), [Optional(), Length(max=LONGEST_NAME, message=_("This name is too long."))]
    )
    password = _new_password(_("Password"))
    next = HiddenField()


class ChangePasswordForm(AccountForm):
    """Change the password, knowing the one before."""

    current_password = _password(_("Current password"), _("Please enter your current password."))
    new_password = _new_password(_("New password"))

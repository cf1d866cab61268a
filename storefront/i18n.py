"""Texts in the reader's language: gettext through Babel's translations. English is the source."""

from __future__ import annotations

from typing import Any

from babel.support import NullTranslations
from flask import Flask

_source = NullTranslations()


def current_locale() -> str:
    """The locale of this request's texts, numbers and dates, as Babel names it."""
    return "en"


def gettext(message: str, **values: Any) -> str:
    """The text in the reader's language, `%(name)s` filled from the keywords."""
    text = str(_source.ugettext(message))
    return text % values if values else text


def ngettext(one: str, many: str, n: int, **values: Any) -> str:
    """Like gettext, in the form that fits the number `n` (also available as `%(n)s`)."""
    return str(_source.ungettext(one, many, n)) % {"n": n, **values}


def init_app(app: Flask) -> None:
    """Teach the templates `_`, `ngettext` and `{% trans %}`."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        _source.ugettext, _source.ungettext, newstyle=True
    )

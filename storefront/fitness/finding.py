"""What a check found: plain data, for the command line, for scripts and for a page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

from storefront.i18n import gettext as _
from storefront.i18n import ngettext


@dataclass(frozen=True)
class Finding:
    """One question: `ok`, `warn` (it sells, but look at it) or `fail` (do not open like this)."""

    name: str
    state: str
    found: str
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def ok(name: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(name, "ok", found)


def warn(name: str, found: str, mend: str) -> Finding:
    """The shop can sell like this; better not for long."""
    return Finding(name, "warn", found, mend)


def fail(name: str, found: str, mend: str) -> Finding:
    """Unfit to open."""
    return Finding(name, "fail", found, mend)


def lasting(span: timedelta) -> str:
    """A span as a person would say it, in its largest unit."""
    seconds = int(span.total_seconds())
    if seconds >= 2 * 86400:
        return ngettext("%(n)s day", "%(n)s days", seconds // 86400)
    if seconds >= 2 * 3600:
        return ngettext("%(n)s hour", "%(n)s hours", seconds // 3600)
    if seconds >= 2 * 60:
        return ngettext("%(n)s minute", "%(n)s minutes", seconds // 60)
    return _("a minute") if seconds >= 60 else _("a moment")

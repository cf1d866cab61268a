"""All checks together, within a time: a silent Stripe or mail server is itself a finding."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from storefront.fitness import at_stripe, in_settings, in_the_books, on_disk
from storefront.fitness.finding import Finding, fail
from storefront.i18n import gettext as _

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 17.0
Check = Callable[[], Iterable[Finding]]


class Asking:
    """A check that asks somebody else, in a thread of its own; what it found so far is kept."""

    def __init__(self, name: str, check: Check, app: Flask) -> None:
        self.name, self._check, self._app = name, check, app
        self._found: list[Finding] = []
        # A daemon: a name server that never answers must not keep the command from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._app.app_context():
            self._found.extend(_collect(self.name, self._check))

    def wait(self, seconds: float) -> list[Finding]:
        """What was found until then; where it is not done, a line says so."""
        self._thread.join(seconds)
        found = list(self._found)
        if self._thread.is_alive():
            told = _("No answer within %(seconds)s seconds.", seconds=int(PATIENCE_SECONDS))
            found.append(fail(self.name, told, _("Look whether this server may reach it.")))
        return found


def run(events: list[str], patience: float = PATIENCE_SECONDS) -> list[Finding]:
    """Ask everything. `events` are the types that the webhook must send. Raises nothing."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    asking = [
        Asking("stripe", lambda: at_stripe.check(events), app),
        Asking("mail", in_settings.check_mail, app),
    ]
    found = [at_stripe.key(), at_stripe.webhook_secret()]
    found += _collect("settings", in_settings.check)
    found += _collect("database", on_disk.check)
    if any(each.name == "database" and each.state == "ok" for each in found):
        found += _collect("books", in_the_books.check)
    for each in asking:
        found += each.wait(patience)
    return sorted(found, key=lambda each: ORDER.get(each.name, len(ORDER)))


def _collect(name: str, check: Check) -> Iterator[Finding]:
    """One check after the other; one that breaks is a finding and does not hide the rest."""
    try:
        yield from check()
    except (SQLAlchemyError, OSError) as error:
        log.exception("the check of %s broke", name)
        yield fail(name, _("This could not be checked: %(error)s.", error=error), "")


# As a merchant would go about it: can people pay, can they reach the shop, is it kept safe.
ORDER = {
    name: place
    for place, name in enumerate(
        "stripe_key stripe webhook_secret webhook webhook_duplicates clock last_event failed_events"
        " shop_url proxies debug secrets rate_limits mail outbox work owner attention"
        " database writable journal disk space backup".split()
    )
}


def is_fit(findings: Iterable[Finding]) -> bool:
    """Whether the shop may open."""
    return all(each.state != "fail" for each in findings)

"""What the shop remembers of its own life: events, work, mail, orders, and who runs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from storefront.extensions import db
from storefront.fitness.finding import Finding, fail, lasting, ok, warn
from storefront.fitness.on_disk import check_backup
from storefront.i18n import gettext as _
from storefront.models import Order, OutgoingMail, StripeEvent, User
from storefront.models.columns import now
from storefront.services import settings

WORK_MARK = "work_last_ran"
WORK_LATE = timedelta(minutes=10)
MAIL_LATE = timedelta(minutes=15)
EVENT_LATE = timedelta(hours=1)
CRON = "* * * * * cd /srv/storefront && .venv/bin/flask shop work"


def check() -> Iterator[Finding]:
    """Everything that a migrated database can tell."""
    yield _owner()
    yield _work()
    yield _last_event()
    yield _failed_events()
    yield _mails()
    yield _attention()
    yield from check_backup()


def _count(model: type[db.Model], *conditions: ColumnElement[bool]) -> int:  # type: ignore[name-defined]
    found: int = db.session.execute(
        select(func.count()).select_from(model).where(*conditions)
    ).scalar_one()
    return found


def _owner() -> Finding:
    if _count(User, User.role == "owner", User.is_disabled.is_(False)):
        return ok("owner", _("The shop has an owner who can sign in."))
    mend = "flask shop create-owner --email you@shop.example"
    return fail("owner", _("Nobody can sign in as owner."), mend)


def _work() -> Finding:
    at = settings.find_moment(WORK_MARK)
    mend = _("Let it run every minute, by a line for `crontab -e`: %(line)s", line=CRON)
    if not at:
        found = _("`flask shop work` never ran: no mail leaves, and a lost webhook stays lost.")
        return fail("work", found, mend)
    age = now() - datetime.fromtimestamp(at, UTC)
    told = _("`flask shop work` ran %(age)s ago.", age=lasting(age))
    return fail("work", told, mend) if age > WORK_LATE else ok("work", told)


def _last_event() -> Finding:
    # What `work` fetched for itself says nothing about whether the webhook hears.
    delivered = select(func.max(StripeEvent.received_at)).where(StripeEvent.brought_by == "")
    last = db.session.execute(delivered).scalar()
    paid = db.session.execute(select(func.max(Order.paid_at))).scalar()
    if last is None:
        found = _("No event of Stripe's has arrived yet.")
        return warn("last_event", found, _("Buy something yourself, then look here again."))
    told = _("The last event arrived %(age)s ago.", age=lasting(now() - last))
    if paid and paid - last > EVENT_LATE:
        found = _("Orders were paid after the last event: webhooks do not arrive. ") + told
        mend = _("See at dashboard.stripe.com/webhooks what was answered; `work` stands in so far.")
        return fail("last_event", found, mend)
    return ok("last_event", told)


def _failed_events() -> Finding:
    failed = _count(StripeEvent, StripeEvent.state == "failed")
    if not failed:
        return ok("failed_events", _("Every event did its work."))
    first = db.session.execute(
        select(StripeEvent.id, StripeEvent.note).where(StripeEvent.state == "failed").limit(1)
    ).one()
    found = _("%(count)s events could not do their work, such as %(id)s: %(note)s")
    mend = _("Once the cause is gone: flask shop replay %(id)s", id=first.id)
    told = found % {"count": failed, "id": first.id, "note": first.note[:200]}
    return fail("failed_events", told, mend)


def _mails() -> Finding:
    failed = _count(OutgoingMail, OutgoingMail.state == "failed")
    late = _count(
        OutgoingMail,
        OutgoingMail.state == "waiting",
        OutgoingMail.created_at < now() - MAIL_LATE,
    )
    if failed or late:
        found = _("Mail given up: %(failed)s, waiting long: %(late)s.", failed=failed, late=late)
        return warn("outbox", found, _("See which and why: flask shop mails"))
    return ok("outbox", _("No mail waits."))


def _attention() -> Finding:
    rows = db.session.execute(
        select(Order.attention, func.count())
        .where(Order.attention.is_not(None))
        .group_by(Order.attention)
    ).all()
    if not rows:
        return ok("attention", _("No order needs a look."))
    told = ", ".join(f"{count} {name}" for name, count in rows)
    found = _("Orders that need a look: %(told)s.", told=told)
    return warn("attention", found, _("Look at them: flask shop orders"))

"""Sends what is due. Any number of passes may run at once, and one may die at any moment."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass

from sqlalchemy.exc import DBAPIError

from storefront import database
from storefront.mail import letters
from storefront.mail.failures import NotSent, Refused, Unreachable
from storefront.mail.outlets import Outlet, find_outlet
from storefront.models import OutgoingMail
from storefront.services import mailer

log = logging.getLogger(__name__)


@dataclass
class Report:
    """What became of the mails of a pass; `waiting` had nobody to take them."""

    sent: int = 0
    put_off: int = 0
    dropped: int = 0
    failed: int = 0
    waiting: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def send_due(most: int = 50) -> Report:
    """Send the mails that are due, over one connection; idle when there are none.

    No transaction is open while a server is spoken with. One mail in trouble is put off and holds
    up no other; without a server the rest waits for the next pass.
    """
    report, due = Report(), mailer.list_due(most)
    database.end_reading()
    if not due:
        return report
    outlet = find_outlet()
    if outlet is None:
        log.warning("%d mails wait: MAIL_URL names no server to send them", len(due))
        report.waiting = len(due)
        return report
    with outlet:
        for mail_id in due:
            if not _send_one(mail_id, outlet, report):
                break
    return report


def _send_one(mail_id: int, outlet: Outlet, report: Report) -> bool:
    """False when there is nobody to speak with."""
    with database.writing():
        if not mailer.claim(mail_id):
            return True
    mail = mailer.get(mail_id)
    try:
        _deliver(mail, outlet, report)
    except Refused as refusal:
        with database.writing():
            mailer.fail(mail, str(refusal))
        report.failed += 1
        log.warning("mail %s failed for good: %s", mail.key, refusal)
    except NotSent as trouble:
        _put_off(mail, str(trouble), report)
        return not isinstance(trouble, Unreachable)
    except DBAPIError:
        raise  # no database to note anything in: the lease ends by itself
    except Exception as error:
        log.exception("mail %s could not be written", mail.key)
        _put_off(mail, f"{type(error).__name__}: {error}", report)
    return True


def _deliver(mail: OutgoingMail, outlet: Outlet, report: Report) -> None:
    letter = letters.write(mail)
    database.end_reading()
    if letter.stale:
        with database.writing():
            mailer.drop(mail, letter.stale)
        report.dropped += 1
        return
    outlet.send(letter.message, letter.sender, letter.recipients)
    with database.writing():
        mailer.mark_sent(mail, letter.subject)
    report.sent += 1


def _put_off(mail: OutgoingMail, why: str, report: Report) -> None:
    with database.writing():
        is_going_on = mailer.put_off(mail, why)
    report.put_off += is_going_on
    report.failed += not is_going_on
    log.warning("mail %s was not sent: %s", mail.key, why)

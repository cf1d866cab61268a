"""Events that the webhook did not bring home: those that failed, and those that never arrived.

Stripe keeps its events for thirty days. A cursor follows the list of them, so that a shop that was
deaf for days comes to the same books as if all had arrived in order. One that was deaf for longer
compares its books with Stripe's instead.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from storefront import database, mending, stripe_gateway
from storefront.i18n import gettext as _
from storefront.models import StripeEvent
from storefront.services import inbox, mailer, orders, reconcile, settings
from storefront.webhooks import handlers, taking

log = logging.getLogger(__name__)
Event = dict[str, Any]

ASKED = "events_asked"
HEARD = "heard_until"  # up to when, by Stripe's clock or ours, nothing is missing
OVERLAP = timedelta(minutes=10)  # an event may be listed later than others of its time
KEPT = timedelta(days=30)
A_DAY = timedelta(days=1)
MOST_TYPES = 20  # in one question
MOST_RETRIES = 20  # in one pass
TELL_AFTER = 5  # tries in vain, about half an hour
PATIENCE = 3  # questions in a row without an answer


def is_time(name: str, every: timedelta) -> bool:
    """Whether something that is done once in a while is due now; of several who ask, one may.

    A moment that lies ahead was written by a clock that was wrong, and keeps nothing waiting.
    """
    moment, last = int(time.time()), settings.find_moment(name)
    if moment - every.total_seconds() < last <= moment:
        return False
    with database.writing():
        return settings.move_moment(name, moment, from_before=last + 1)


def catch_up(ask_every: timedelta) -> int:
    """Take every event that Stripe has of the types we handle and we have not; returns how many.

    Raises StripeUnavailable; what was taken until then is kept.
    """
    first = orders.find_first_moment()
    if first is None or not is_time(ASKED, ask_every):
        return 0
    types = handlers.types()
    groups = [types[start : start + MOST_TYPES] for start in range(0, len(types), MOST_TYPES)]
    followed = [_follow(group, int(first.timestamp())) for group in groups]
    _leave_no_gap(max(newest for _taken, newest in followed), int(first.timestamp()))
    return sum(taken for taken, _newest in followed)


def _leave_no_gap(newest: int, first: int) -> None:
    """Compare all the books when events may have been forgotten before we asked for them."""
    heard, by_now = settings.find_moment(HEARD) or first, max(newest, int(time.time()))
    if by_now - heard < A_DAY.total_seconds():
        return
    if by_now - heard > KEPT.total_seconds():
        since = datetime.fromtimestamp(heard, UTC) - A_DAY  # begun, perhaps, before it was paid
        mending.mend(list(reconcile.compare(since)), since, "work, after a long silence", log.error)
    with database.writing():
        settings.move_moment(HEARD, by_now, from_before=by_now)


def _follow(types: list[str], first: int) -> tuple[int, int]:
    """Take what is new of these types; how many that were, and the moment of the newest."""
    # The cursor is of exactly these types: for one handled since an update it starts from the past.
    cursor = f"events_{hashlib.sha256(' '.join(types).encode()).hexdigest()[:24]}"
    earliest = max(first, int(time.time() - KEPT.total_seconds()))
    since = max(settings.find_moment(cursor), earliest) - int(OVERLAP.total_seconds())
    taken = newest = 0
    for page in _oldest_first({"types": types, "created": {"gte": since}}):
        taken += _take_all(page)
        newest = max(event["created"] for event in page)
        if newest > settings.find_moment(cursor):
            with database.writing():
                settings.move_moment(cursor, newest, from_before=newest)
    return taken, newest


def _oldest_first(wanted: dict[str, Any]) -> Iterator[list[Event]]:
    """Pages of events, oldest first. Stripe lists the newest first: go back, then come along."""
    page = stripe_gateway.list_page("events", wanted)
    is_all = not page["has_more"]
    while page["has_more"]:
        after = {"starting_after": page["data"][-1]["id"]}
        page = stripe_gateway.list_page("events", wanted | after)
    while page["data"]:
        yield page["data"][::-1]
        if is_all:
            return
        newer = {"ending_before": page["data"][0]["id"]}
        page = stripe_gateway.list_page("events", wanted | newer)


def _take_all(page: list[Event]) -> int:
    known = inbox.list_known(event["id"] for event in page)
    unheard, taken = 0, 0
    for event in page:
        if event["id"] in known:
            continue
        if not stripe_gateway.is_event(event):
            log.error("Stripe lists something that is no event: %.80r", event.get("id"))
            continue
        outcome = taking.take(event, json.dumps(event).encode(), "by work")
        unheard = unheard + 1 if outcome.will_pass else 0
        if unheard == PATIENCE:
            raise stripe_gateway.StripeUnavailable(_("The payment service is not answering."))
        taken += outcome.state == "now"
    return taken


def retry_failed(most: int = MOST_RETRIES) -> tuple[int, int]:
    """Try failed events again that are due; returns how many were tried, and how many succeeded.

    Each waits longer after each try, and so keeps nobody waiting. Raises StripeUnavailable.
    """
    unheard, tried, done = 0, 0, 0
    for event in inbox.list_due(most):
        with database.writing():
            mine = inbox.claim_try(event)
        if not mine:
            continue
        outcome = taking.retake(event, "by work")
        tried += 1
        done += outcome.state == "now"
        unheard = unheard + 1 if outcome.will_pass else 0
        if unheard == PATIENCE:
            raise stripe_gateway.StripeUnavailable(_("The payment service is not answering."))
        if outcome.state == "failed" and not outcome.will_pass:
            _tell_merchant(event)
    return tried, done


def _tell_merchant(event: StripeEvent) -> None:
    if event.attempts < TELL_AFTER:
        return
    about = f"event-{event.id}"[:100]
    with database.writing():
        mailer.put("needs_a_hand", about, why="event_failing", event=event.id)

"""What happens later, on a timer or by hand: work, replay, reconcile."""

from __future__ import annotations

import getpass
import json
import signal
import threading
from datetime import UTC, datetime, timedelta

import click
from flask import current_app
from sqlalchemy.exc import InterfaceError, OperationalError

from storefront import mending, stripe_gateway, work
from storefront.cli.group import print_table, shop
from storefront.errors import Conflict, PaymentUnavailable, ShopError
from storefront.models import StripeEvent
from storefront.services import inbox, reconcile, settings
from storefront.services.reconcile import Difference
from storefront.webhooks import taking

NONE_LEFT, SOME_LEFT, NOT_ASKED = 0, 1, 2
MOST_REPLAYED = 1000
DONE = {
    "asked": "open payments looked up at Stripe: {}",
    "settled": "orders moved on: {}",
    "unanswered": "questions Stripe did not answer, asked again next time: {}",
    "failed": "things that went wrong, tried again next time (see the log): {}",
    "events": "missed events fetched: {}",
    "retried": "failed events applied after all: {}",
    "refunds": "refunds gone on with: {}",
    "subscriptions": "subscriptions brought up to date: {}",
    "mails": "mails sent: {}",
}


def by_user() -> str:
    """Who types this, for an order's evidence."""
    try:
        return f"by {getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user may have no name
        return "by the command line"


@shop.command("work")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
@click.option(
    "--loop",
    "pause",
    is_flag=False,
    flag_value=10.0,
    type=click.FloatRange(0.1, 3600),
    metavar="[SECONDS]",
    help="Keep going, with this pause between passes (10). Ends with Ctrl-C or SIGTERM.",
)
def do_work(as_json: bool, pause: float | None) -> None:
    """Do what is due: mail, open payments, missed events.

    Also frees goods whose payment never came, goes on with refunds, and repairs drift.

    For cron or a systemd timer, every minute. Example: * * * * * flask shop work
    """
    if not stripe_gateway.is_configured():
        click.echo("There is no STRIPE_SECRET_KEY in the settings: only mail is sent.", err=True)
    if pause is not None:
        _keep_going(max(0.1, pause))  # in this order: "nan" is in every range
        return
    settings.find_moment(work.LAST_RAN)  # without a database it ends here, in words
    counts = work.run_pass().as_dict()
    if as_json:
        click.echo(json.dumps(counts))
    else:
        click.echo(_in_words(counts))


def _in_words(counts: dict[str, int]) -> str:
    said = (f"{DONE[name].format(count)}" for name, count in counts.items() if count)
    return "; ".join(said) or "Nothing was due."


def _keep_going(pause: float) -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    click.echo("work goes on until it is told to stop.")
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    work.run_until(stopping, app, pause)
    click.echo("work has stopped.")


@shop.command("replay")
@click.argument("event_ids", metavar="EVENT...", nargs=-1)
@click.option("--failed", is_flag=True, help="All events that failed, instead of named ones.")
def replay(event_ids: tuple[str, ...], failed: bool) -> None:
    """Apply stored events again. Harmless: what is in the books already stays as it is.

    Example: flask shop replay evt_1Q2w3E4r
    """
    if failed:
        event_ids = tuple(event.id for event in inbox.list_newest(MOST_REPLAYED, "failed"))
        if not event_ids:
            click.echo("No event has failed.")
    elif not event_ids:
        raise click.UsageError("Name an event, or say --failed.")
    failures = [event_id for event_id in event_ids if not _replay(event_id)]
    if failures:
        raise click.exceptions.Exit(1)


def _replay(event_id: str) -> bool:
    event = inbox.find(event_id)
    if event is None:
        click.echo(f"{event_id}: this shop has not received it.", err=True)
        return False
    try:
        said = _apply_again(event)
    except (OperationalError, InterfaceError):
        raise
    except ShopError as error:
        click.echo(f"{event_id}: {error.message}", err=True)
        return False
    except Exception as error:
        click.echo(f"{event_id}: {type(error).__name__}: {error}", err=True)
        return False
    for line in said or ["nothing had to be changed"]:
        click.echo(f"{event_id}: {line}")
    return True


def _apply_again(event: StripeEvent) -> list[str]:
    if event.state != "failed":
        return taking.replay(event, by_user())
    outcome = taking.retake(event, by_user())
    if outcome.state in ("failed", "refused"):
        raise Conflict(outcome.why)
    return ["applied now"]


@shop.command("reconcile")
@click.option("--days", type=click.IntRange(1, 3650), default=7, help="How far back (7).")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on, UTC.")
@click.option("--repair/--no-repair", default=False, help="Mend what is safe to mend.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def do_reconcile(days: int, since: datetime | None, repair: bool, as_json: bool) -> None:
    """Compare the books with Stripe's, and list differences.

    Exit status 0: no difference is left; 1: there are some; 2: Stripe could not be asked.
    """
    start = since.replace(tzinfo=UTC) if since else datetime.now(UTC) - timedelta(days=days)
    try:
        found = list(reconcile.compare(start))
        left = list(found)
        if repair:
            left = mending.mend(found, start, f"reconcile {by_user()}", _complain)
    except PaymentUnavailable as error:
        click.echo(f"Stripe could not be asked: {error.message}", err=True)
        raise click.exceptions.Exit(NOT_ASKED) from error
    _print_differences(found, {difference.key for difference in left}, as_json)
    raise click.exceptions.Exit(SOME_LEFT if left else NONE_LEFT)


def _complain(words: str) -> None:
    click.echo(words, err=True)


def _print_differences(found: list[Difference], left: set[str], as_json: bool) -> None:
    if as_json:
        for difference in found:
            record = difference.as_dict() | {"repaired": difference.key not in left}
            click.echo(json.dumps(record, ensure_ascii=False))
        return
    if not found:
        click.echo("Stripe and the shop say the same.")
        return
    print_table(
        ("what", "id", "order", "Stripe says", "we say", ""),
        (
            (
                difference.what,
                difference.id,
                str(difference.order or ""),
                difference.stripe_says,
                difference.we_say,
                "" if difference.key in left else "repaired",
            )
            for difference in found
        ),
    )

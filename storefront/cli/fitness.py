"""Before the shop opens: is it fit, and does Stripe know where to send its events?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask import current_app

from storefront import config, stripe_gateway
from storefront.cli.group import shop
from storefront.errors import PaymentUnavailable
from storefront.fitness import checking
from storefront.services import webhook_endpoint
from storefront.webhooks import handlers

MARKS = {"ok": "ok  ", "warn": "look", "fail": "FAIL"}


@shop.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(as_json: bool) -> None:
    """Is this shop fit to open? What is not, and how to mend it.

    Ends with 1 when something must be mended first. Changes nothing and sends nothing.
    """
    findings = checking.run(handlers.types())
    fit = checking.is_fit(findings)
    if as_json:
        told = {"fit": fit, "checks": [each.as_dict() for each in findings]}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for each in findings:
            click.echo(f"{MARKS[each.state]}  {each.found}")
            if each.mend:
                click.echo(f"      → {each.mend}")
        failed = sum(each.state == "fail" for each in findings)
        click.echo("\nFit to open." if fit else f"\nNot fit to open yet: {failed} to mend.")
    if not fit:
        sys.exit(1)


@shop.command("stripe-setup")
@click.option("--yes", is_flag=True, help="Replace and remove endpoints without asking.")
@click.option(
    "--save", is_flag=True, help="Keep a new secret in the instance folder; do not print it."
)
def stripe_setup(yes: bool, save: bool) -> None:
    """Tell Stripe where to send its events, and which.

    What was set up otherwise is corrected.

    Safe to run again: when all is right, nothing is changed. The signing secret of a new endpoint
    is told once, here. Example: flask shop stripe-setup
    """
    if not stripe_gateway.is_configured():
        raise click.ClickException("Put STRIPE_SECRET_KEY into .env first.")
    try:
        _set_up(yes, save)
    except stripe_gateway.KeyRefused as error:
        raise click.ClickException(
            "Stripe does not accept STRIPE_SECRET_KEY for this. A restricted key needs the "
            "permission to write webhook endpoints; `flask shop check` says more."
        ) from error
    except stripe_gateway.StripeRefused as error:
        raise click.ClickException(
            f"Stripe does not take {webhook_endpoint.address()}: {error.said}"
        ) from error
    except PaymentUnavailable as error:
        raise click.ClickException("Stripe gave no answer. Nothing is lost: run again.") from error


def _set_up(yes: bool, save: bool) -> None:
    events = handlers.types()
    ours = webhook_endpoint.list_ours(events)
    best, others = (ours[0], ours[1:]) if ours else (None, [])
    has_secret = bool(current_app.config["STRIPE_WEBHOOK_SECRET"])
    if best is None or best.lasting or not has_secret:
        replaced = ours
        why = best.lasting or ["nobody has its secret"] if best else []
        if replaced and not _agreed(f"Replace {_named(ours)} ({'; '.join(why)})?", yes):
            return
        made = stripe_gateway.create_webhook_endpoint(webhook_endpoint.address(), events)
        click.echo(f"Made {made['id']}: {len(events)} events go to {made['url']}.")
        _tell_secret(made["secret"], save)
        _remove(replaced)
        return
    if best.correctable:
        stripe_gateway.update_webhook_endpoint(best.id, events)
        click.echo(f"Corrected {best.id}: {'; '.join(best.correctable)}.")
    else:
        click.echo(f"{best.id} is as it should be: {len(events)} events go to {best.url}.")
    if others and _agreed(f"Remove {_named(others)}, which lead here, too?", yes):
        _remove(others)


def _agreed(question: str, yes: bool) -> bool:
    if yes:
        return True
    if sys.stdin.isatty():
        return click.confirm(question)
    click.echo(f"{question} Nothing was done; with --yes it will be.")
    return False


def _named(endpoints: list[webhook_endpoint.Endpoint]) -> str:
    return ", ".join(endpoint.id for endpoint in endpoints)


def _remove(endpoints: list[webhook_endpoint.Endpoint]) -> None:
    for endpoint in endpoints:
        stripe_gateway.delete_webhook_endpoint(endpoint.id)
        click.echo(f"Removed {endpoint.id}.")


def _tell_secret(secret: str, save: bool) -> None:
    """The secret is told once by Stripe, so it is on paper before anything else happens."""
    instance = Path(current_app.config["SHOP_INSTANCE"])
    if save and not current_app.config["STRIPE_WEBHOOK_SECRET"]:
        config.write_secrets(instance, {"STRIPE_WEBHOOK_SECRET": secret})
        click.echo(f"Its secret is kept in {instance / 'secrets'}. Restart the shop.")
        return
    click.echo(f"Put this line into .env and restart the shop:\n\nSTRIPE_WEBHOOK_SECRET={secret}\n")

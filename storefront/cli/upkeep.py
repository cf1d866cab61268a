"""What happens later, on a timer or by hand."""

from __future__ import annotations

import click

from storefront import stripe_gateway, work
from storefront.cli.group import shop


@shop.command("work")
def do_work() -> None:
    """Do what is due, once: ask Stripe about open payments, free what has expired.

    For cron or a systemd timer, every minute. Example: * * * * * flask shop work
    """
    if not stripe_gateway.is_configured():
        raise click.ClickException("There is no STRIPE_SECRET_KEY in the settings: nothing to ask.")
    report = work.run_pass()
    click.echo(", ".join(f"{count} {name}" for name, count in report.as_dict().items()))

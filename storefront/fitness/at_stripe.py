"""What Stripe says of us: the key, the webhook, the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from flask import current_app

from storefront import stripe_gateway
from storefront.config import LOOPBACK
from storefront.errors import PaymentUnavailable
from storefront.fitness.finding import Finding, fail, lasting, ok, warn
from storefront.i18n import gettext as _
from storefront.models.columns import now
from storefront.services import webhook_endpoint

SETUP = "flask shop stripe-setup"
NOTABLE_SKEW = timedelta(seconds=30)
BAD_SKEW = timedelta(seconds=stripe_gateway.TOLERANCE_SECONDS * 2 // 3)


def check(events: list[str]) -> Iterator[Finding]:
    """Everything that Stripe has to be asked about; nothing when there is no key."""
    if not stripe_gateway.is_configured():
        return
    account = None
    try:
        account, date = stripe_gateway.get_account()
    except stripe_gateway.KeyRefused:
        date = None  # a restricted key may not see the account, and be good for the rest
    except PaymentUnavailable:
        yield _no_answer("stripe")
        return
    if account is not None:
        yield _account(account["id"])
        yield clock(date, now())
    yield from _webhook(events, key_is_good=account is not None)


def _account(account_id: str) -> Finding:
    return ok("stripe", _("Stripe accepts the key, of account %(id)s.", id=account_id))


def _no_answer(name: str) -> Finding:
    return fail(
        name,
        _("Stripe gave no answer."),
        _("Look at status.stripe.com, and whether this server may reach api.stripe.com."),
    )


def clock(date: str | None, here: datetime) -> Finding:
    """Webhooks are refused when this server's clock is five minutes off."""
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return ok("clock", _("Stripe did not say what time it is."))
    skew = abs(here - (there if there.tzinfo else there.replace(tzinfo=UTC)))
    if skew < NOTABLE_SKEW:
        return ok("clock", _("This server's clock agrees with Stripe's."))
    found = _("This server's clock is off by %(span)s.", span=lasting(skew))
    mend = _("Keep it right by itself: timedatectl set-ntp true")
    return (fail if skew >= BAD_SKEW else warn)("clock", found, mend)


def _webhook(events: list[str], key_is_good: bool) -> Iterator[Finding]:
    try:
        ours = webhook_endpoint.list_ours(events)
    except stripe_gateway.KeyRefused:
        yield _hidden() if key_is_good else _bad_key()
        return
    except PaymentUnavailable:
        yield _no_answer("webhook")
        return
    if not key_is_good:
        yield ok("stripe", _("Stripe accepts the restricted key."))
    yield _endpoint(ours)
    if len(ours) > 1:
        yield warn(
            "webhook_duplicates",
            _("%(count)s endpoints at Stripe lead to this shop.", count=len(ours)),
            _("Harmless, but one is enough: %(command)s", command=SETUP),
        )


def _bad_key() -> Finding:
    return fail(
        "stripe",
        _("Stripe does not accept STRIPE_SECRET_KEY."),
        _("Copy it anew from dashboard.stripe.com/apikeys. It may have been rolled or restricted."),
    )


def _hidden() -> Finding:
    return warn(
        "webhook",
        _("The restricted key may not see the webhook endpoints."),
        _("Let it read them, or look in the dashboard that %(url)s is there.", url=_address()),
    )


def _endpoint(ours: list[webhook_endpoint.Endpoint]) -> Finding:
    if not ours:
        found = _("Nothing at Stripe leads to %(url)s.", url=_address())
        return fail("webhook", found, _("Register it: %(command)s", command=SETUP))
    if faults := ours[0].faults:
        found = _("The webhook is not as it should be: %(faults)s.", faults="; ".join(faults))
        return fail("webhook", found, _("Correct it: %(command)s", command=SETUP))
    return ok("webhook", _("Stripe sends exactly our events to %(url)s.", url=_address()))


def _address() -> str:
    return webhook_endpoint.address()


def key() -> Finding:
    """Whether there is a key, and whether it fits the shop's address."""
    config = current_app.config
    public = urlsplit(config["SHOP_URL"]).hostname not in LOOPBACK
    if not config["STRIPE_SECRET_KEY"]:
        mend = _("Put STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY from the dashboard into .env.")
        return fail("stripe_key", _("There is no Stripe key: nobody can pay."), mend)
    if config["STRIPE_SANDBOX"]:
        mend = _("Set STRIPE_SANDBOX=false and the real keys, in an instance folder of its own.")
        return fail("stripe_key", _("The local Stripe takes the payments: no real money."), mend)
    if config["STRIPE_API_BASE"]:
        found = _("A stand-in for Stripe takes the payments: no real money.")
        return warn("stripe_key", found, _("Remove STRIPE_API_BASE before you open."))
    if config["LIVEMODE"]:
        return ok("stripe_key", _("The key is live: real money."))
    mend = _("When you are ready to open, put the live keys (sk_live_...) into .env.")
    where = _("at a public address") if public else _("on this computer")
    return warn("stripe_key", _("The key is a test key, %(where)s.", where=where), mend)


def webhook_secret() -> Finding:
    """Without it, no event can be believed."""
    count = len(current_app.config["STRIPE_WEBHOOK_SECRET"])
    if not count:
        found = _("There is no STRIPE_WEBHOOK_SECRET: Stripe cannot tell us of payments.")
        mend = _("%(command)s makes the endpoint and tells its secret.", command=SETUP)
        return fail("webhook_secret", found, mend)
    if count > 1:
        found = _("%(count)s webhook secrets are accepted.", count=count)
        mend = _("When you are done rolling, leave only the new one in STRIPE_WEBHOOK_SECRET.")
        return warn("webhook_secret", found, mend)
    return ok("webhook_secret", _("There is a webhook secret, of the right form."))

"""How an open invoice gets its money: from the stored card, tried again, and what follows."""

from storefront.sandbox import invoices, payments, subscriptions, switches
from storefront.sandbox.cards import BankDebit, Card, Decline
from storefront.sandbox.core import DAY
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.timekeeping import when_due

# After the first refusal; after the last of them the subscription ends.
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)


@when_due(invoices.TYPE)
def carry_on(tx: Tx, invoice: Stored) -> None:
    """Finalize a draft whose hour is over, and try, or try again, to collect an open invoice."""
    if invoice["status"] == "draft":
        subscription = invoices.subscription_of(tx, invoice)
        pause = subscription["pause_collection"] if subscription else None
        behavior = pause["behavior"] if pause else None
        if behavior == "keep_as_draft":
            invoices.leave(tx, invoice)
            return
        invoices.finalize(tx, invoice)
        if behavior is not None:
            status = "uncollectible" if behavior == "mark_uncollectible" else "void"
            invoices.give_up(tx, invoice, status)
            return
    if invoice["status"] == "open":
        collect(tx, invoice)


def collect(
    tx: Tx, invoice: Stored, method: Stored | None = None, *, by_hand: bool = False
) -> Decline | None:
    """Charge an open invoice; return why that was refused, or None.

    Without a method it is the stored one. A bank debit leaves the invoice open until the bank
    answers. A refusal by hand leaves the times of the retries as they were.
    """
    if invoice["amount_remaining"] == 0:
        take(tx, invoice)
        return None
    intent = _intent_for(tx, invoice)
    if intent["status"] == "processing":
        return None
    method = method or stored_method(tx, invoice)
    if method is None:
        refuse(tx, invoice, by_hand=by_hand)
        return NO_METHOD
    means = payments.means_of(method, invoice["currency"])
    if isinstance(means, BankDebit):
        payments.process(tx, intent, method)
        return None
    decline = _refusal_of(means)
    if decline is None:
        payments.succeed(tx, intent, method)
        take(tx, invoice)
        return None
    payments.fail(tx, intent, method, decline)
    if decline.code == "authentication_required":
        emit(tx, "invoice.payment_action_required", invoice)
    refuse(tx, invoice, by_hand=by_hand)
    return decline


def take(tx: Tx, invoice: Stored) -> None:
    """Mark an open invoice as paid, and bring the subscription that owed it back to life."""
    subscription = invoices.subscription_of(tx, invoice)
    invoices.pay(tx, invoice)
    if subscription is not None and subscription["latest_invoice"] == invoice["id"]:
        subscriptions.revive(tx, subscription)
    invoices.tell_paid(tx, invoice)


def refuse(tx: Tx, invoice: Stored, *, by_hand: bool = False) -> None:
    """Note that an open invoice was not paid, and let its subscription fall behind or end."""
    subscription = invoices.subscription_of(tx, invoice)
    live = subscription is not None and subscription["status"] in ("active", "past_due")
    again = invoice["next_payment_attempt"]
    is_retry = not by_hand or invoice["attempt_count"] == 0
    if is_retry:
        tries = invoice["attempt_count"]
        again = tx.now + RETRIES[tries] if live and tries < len(RETRIES) else None
    invoices.fail(tx, invoice, again)
    if subscription is None or not live:
        return
    if again is not None or not is_retry:
        subscriptions.set_status(tx, subscription, "past_due")
        return
    end = switches.read(tx)["after_last_retry"]
    if end == "canceled":
        subscriptions.cancel(tx, subscription, reason="payment_failed")
    else:
        subscriptions.set_status(tx, subscription, end)


def stored_method(tx: Tx, invoice: Stored) -> Stored | None:
    """Return the PaymentMethod that an invoice is charged to by itself, or None."""
    subscription = invoices.subscription_of(tx, invoice)
    customer = tx.get("customer", invoice["customer"])
    ids = [
        subscription["default_payment_method"] if subscription else None,
        customer["invoice_settings"]["default_payment_method"],
    ]
    return next((tx.get("payment_method", id) for id in ids if id), None)


NO_METHOD = Decline(
    "invoice_payment_intent_requires_action",
    None,
    "There is no payment method to charge this invoice to.",
)


def _refusal_of(card: Card) -> Decline | None:
    return card.off_session or card.decline


def _intent_for(tx: Tx, invoice: Stored) -> Stored:
    """Return the PaymentIntent of an invoice: one for all its tries."""
    tried = invoices.payments_of(tx, invoice)
    if tried:
        return tx.get("payment_intent", tried[-1]["payment"]["payment_intent"])
    first = invoice["billing_reason"] == "subscription_create"
    data = {
        "description": "Subscription creation" if first else "Subscription update",
        "setup_future_usage": "off_session" if first else None,
    }
    intent = payments.create_intent(tx, invoice["total"], invoice["currency"], data, ["card"])
    intent["customer"] = invoice["customer"]
    tx.save(intent)
    invoices.add_payment(tx, invoice, intent)
    return intent

"""Files of an older sandbox, which noted down less, live on under the present one."""

import pytest

from storefront import sandbox as sandbox_package
from storefront.sandbox import control
from storefront.sandbox.core import state
from tests.sandbox.conftest import BASE_URL
from tests.sandbox.orders import order, plan

DAY = 24 * 60 * 60


def age(sandbox):
    """Take out of the file what the first sandboxes did not write."""
    with state(sandbox).store.write() as tx:
        for obj in tx.select("type IN ('payment_intent', 'payment_method', 'subscription')", ()):
            obj.due_at = None
            obj.hidden.pop("invoice", None)
            if obj.hidden.get("test") == "bank_debit":
                obj.hidden["test"] = "us_bank_account"
            tx.save(obj)
        tx.connection.execute("PRAGMA user_version = 0")


@pytest.fixture
def reopened(sandbox, shop):
    """Return a function that ages the file, opens it anew and moves its clock."""
    opened = []

    def reopen(days):
        age(sandbox)
        path = state(sandbox).store.database
        app = sandbox_package.create_sandbox(path, BASE_URL, deliver=shop.deliver, background=False)
        opened.append(app)
        control.advance_clock(app, days * DAY)

    yield reopen
    for app in opened:
        sandbox_package.close(app)


def test_subscriptions_renew(sandbox, api, reopened):
    session = api.checkout.sessions.create(plan())
    control.complete(sandbox, session.id, "pm_card_visa")
    reopened(33)
    reasons = [invoice.billing_reason for invoice in api.invoices.list().data]
    assert reasons == ["subscription_cycle", "subscription_create"]


@pytest.mark.parametrize("open_session", [order, plan])
def test_pending_debits_are_answered(sandbox, api, reopened, open_session):
    session = api.checkout.sessions.create(open_session())
    control.complete(sandbox, session.id, "bank_debit")
    reopened(6)
    assert api.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert [invoice.status for invoice in api.invoices.list().data] in ([], ["paid"])


def test_once_is_enough(sandbox, api, reopened):
    session = api.checkout.sessions.create(plan())
    control.complete(sandbox, session.id, "pm_card_visa")
    reopened(0)
    with state(sandbox).store.write() as tx:
        (subscription,) = tx.select("type = 'subscription'", ())
        subscription.due_at = None
        tx.save(subscription)
    sandbox_package.close(sandbox_package.create_sandbox(state(sandbox).store.database, BASE_URL))
    with state(sandbox).store.read() as tx:
        assert tx.select("type = 'subscription'", ())[0].due_at is None

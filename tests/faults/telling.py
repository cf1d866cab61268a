"""Telling a tale to a shop: everything happens at the sandbox, and the shop hears as scheduled."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle

from flask.testing import FlaskClient
from sqlalchemy import update

from storefront import database, refunding
from storefront.extensions import db
from storefront.models import StripeEvent
from storefront.models.columns import now
from storefront.sandbox import control
from storefront.sandbox.core import state
from storefront.sandbox.errors import ApiError
from storefront.sandbox.store import Stored
from storefront.services import orders, refunds
from storefront.services.refund_shares import Wish
from tests.faults import books_as_said
from tests.faults.tale import DAY, Act, Schedule, Tale
from tests.stage import Stage

TRIES = 3  # of one call, by the SDK
PASSES = 12
MOVES = ("settled", "events", "retried", "unanswered", "failed")
OPEN = "POST /v1/checkout/sessions"
CALM = {"paused": False, "twins": False, "webhook_first": False, "api_version": ""}


class Telling:
    """One shop to which one tale is told; `outcomes` is what each act came to."""

    def __init__(self, stage: Stage, schedule: Schedule | None) -> None:
        self.stage, self.schedule = stage, schedule
        self.sandbox = stage.sandbox
        self.browsers: dict[int, FlaskClient] = {}
        self.sessions: dict[int, str] = {}
        self.unheard: dict[int, str] = {}
        self.visits: list[tuple[FlaskClient, str]] = []
        self.outcomes: list[str] = []

    def tell(self, tale: Tale) -> None:
        """Everything as it happens, then the quiet after it, in which all banks have decided."""
        schedule = self.schedule or Schedule()
        self._stir()
        then = cycle(schedule.then)
        for act in (*tale.soon, tale.passes, *tale.late):
            self._do(act)
            self._hear(next(then))
        self._settle_down(schedule)
        control.advance_clock(self.sandbox, 20 * DAY)
        self._come_to_rest(schedule)

    def _stir(self) -> None:
        if self.schedule:
            control.set_chaos(self.sandbox, **self.schedule.dial)
            control.set_switches(self.sandbox, **self.schedule.switches)

    def _do(self, act: Act | int) -> None:
        try:
            if isinstance(act, Act):
                getattr(self, f"_{act.verb}")(act.who, *act.given)
            # Also what a card leads to at once, whether or not anybody looks.
            control.advance_clock(self.sandbox, act if isinstance(act, int) else 0)
        except ApiError as error:
            self.outcomes.append(f"{act}: {error.message.split(' ')[0]}")
        else:
            self.outcomes.append(f"{act}: done")

    def _hear(self, how: str) -> None:
        if how == "deliver" or not self.schedule:
            self.stage.deliver()
        elif how == "work":
            self.stage.work()
        elif how == "page" and self.visits:
            browser, session_id = self.visits[-1]
            assert browser.get(f"/payment/success?sessid={session_id}").status_code == 200

    def _settle_down(self, schedule: Schedule) -> None:
        """No more chaos; what was held back or lost on its way comes now, later, or never.

        What comes may still come newest first.
        """
        control.set_chaos(self.sandbox)
        control.set_switches(self.sandbox, **CALM | {"paused": schedule.rest == "never"})
        self._come_to_rest(schedule)

    def _come_to_rest(self, schedule: Schedule) -> None:
        if schedule.rest == "before":
            control.deliver_now(self.sandbox)
        self.work_until_quiet()
        if schedule.rest == "after":
            control.deliver_now(self.sandbox)
            self.work_until_quiet()

    def work_until_quiet(self) -> None:
        """Passes of work until one changes nothing; what waits for a later try need not wait."""
        before = None
        for _pass in range(PASSES):
            with self.stage.app.app_context(), database.writing():
                hurry = update(StripeEvent).values(next_try_at=now() - timedelta(days=1))
                db.session.execute(hurry)
            report = self.stage.work()
            if any(report[what] for what in MOVES):
                continue
            # A bank that has not decided is asked again in each pass.
            after = books_as_said.read(self.stage) if report["refunds"] else None
            if before == after:
                return
            before = after
        raise AssertionError(f"work finds no end: {report}")

    # -- buyers

    def _buy(self, who: int, sku: str, quantity: int = 1) -> None:
        browser = self.browsers.setdefault(who, self.stage.browser())
        self.sessions[who] = self.stage.open_session(browser, sku, quantity=quantity)
        self.visits.append((browser, self.sessions[who]))

    def _buy_as_another(self, who: int, sku: str) -> None:
        self.browsers[who] = self.stage.browser()
        self._buy(who, sku)

    def _buy_unheard(self, who: int, sku: str) -> None:
        """Stripe opens the session, and its answer is lost: the order is given up."""
        browser = self.browsers.setdefault(who, self.stage.browser())
        self.stage.fault("timeout_after", TRIES, OPEN)
        assert self.stage.buy(browser, sku).status_code == 503
        self.unheard[who] = self._newest("checkout.session")["id"]

    def _subscribe(self, who: int, sku: str) -> None:
        name = f"member{who}@example.com"
        self.stage.add_user(name)
        self.browsers[who] = self.stage.signed_in(name)
        self._buy(who, sku)

    def _pay(self, who: int, how: str) -> None:
        self.stage.pay(self.sessions[who], how)

    def _pay_unheard(self, who: int, how: str) -> None:
        self.stage.pay(self.unheard[who], how)

    def _give_up(self, who: int) -> None:
        with self.stage.app.app_context():
            order = orders.find_by_session(self.sessions[who])
            assert order is not None
        self.browsers[who].get(f"/payment/cancel?order={order.reference}")

    # -- banks and time

    def _expire(self, who: int) -> None:
        control.expire_session(self.sandbox, self.sessions[who])

    def _settle(self, who: int) -> None:
        control.settle_payment(self.sandbox, self.sessions[who])

    def _fail(self, who: int) -> None:
        control.fail_payment(self.sandbox, self.sessions[who])

    def _dispute(self, who: int, inquiry: bool) -> None:
        control.dispute(self.sandbox, self.sessions[who], inquiry=inquiry)

    def _decide(self, who: int, won: bool) -> None:
        payment = self._at_stripe("checkout.session", self.sessions[who])["payment_intent"]
        told = self._newest("dispute", payment_intent=payment)
        control.close_dispute(self.sandbox, told["id"], won=won)

    # -- the merchant, here and at Stripe

    def _refund(self, who: int, amount: int) -> None:
        self._give_back(who, Wish(amount=amount))

    def _bring_back(self, who: int, pieces: int) -> None:
        self._give_back(who, Wish(pieces={self._seen_by_merchant(who)[1]: pieces}, restock=True))

    def _give_back(self, who: int, wish: Wish) -> None:
        order_id, _line_id = self._seen_by_merchant(who)
        key = f"tale-{len(self.outcomes)}"
        with self.stage.app.app_context():
            with database.writing():
                refund_id = refunds.ask(order_id, wish, key=key, cause="tale")
            refunding.send(refund_id, "tale")

    def _seen_by_merchant(self, who: int) -> tuple[int, int]:
        """The order and its first line, once the merchant sees that it is paid."""
        for _pass in range(PASSES):
            with self.stage.app.app_context():
                order = orders.find_by_session(self.sessions[who])
                assert order is not None
                if order.state == "paid":
                    return order.id, order.lines[0].id
            self.stage.work()
        raise AssertionError("the merchant never hears of a payment")

    def _refund_there(self, who: int, amount: int) -> None:
        control.refund(self.sandbox, self.sessions[who], amount)

    def _repay_invoice(self, who: int, amount: int) -> None:
        subscription = self._subscription(who)
        with state(self.sandbox).store.read() as tx:
            paid = [
                invoice
                for invoice in tx.select("type = 'invoice'", ())
                if invoice["status"] == "paid"
                and invoice["amount_paid"]
                and invoice["parent"]["subscription_details"]["subscription"] == subscription
            ]
            payments = [
                payment["payment"]["payment_intent"]
                for payment in tx.select("type = 'invoice_payment'", ())
                if paid and payment["invoice"] == paid[-1]["id"] and payment["status"] == "paid"
            ]
        for payment in payments:
            control.refund(self.sandbox, payment, amount)

    def _end_later(self, who: int) -> None:
        control.end_with_period(self.sandbox, self._subscription(who))

    def _end_now(self, who: int) -> None:
        control.cancel_subscription(self.sandbox, self._subscription(who))

    def _change_card(self, who: int, card: str) -> None:
        control.change_card(self.sandbox, self._subscription(who), card)

    # -- what Stripe has

    def _subscription(self, who: int) -> str:
        found: str = self._at_stripe("checkout.session", self.sessions[who])["subscription"]
        return found

    def _at_stripe(self, type: str, id: str) -> Stored:
        with state(self.sandbox).store.read() as tx:
            return tx.get(type, id)

    def _newest(self, type: str, **where: str) -> Stored:
        with state(self.sandbox).store.read() as tx:
            found = tx.select("type = ?", (type,))
        return [one for one in found if where.items() <= one.items()][-1]
